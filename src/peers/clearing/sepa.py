"""The clearing house's own reading of pain.008 and writing of pain.002.

Its files come from loopback and only from the carrier under test; a document type is refused all the same.
"""

import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from peers.clearing.cms import Bad, Read

IN = "{urn:iso:std:iso:20022:tech:xsd:pain.008.001.02}"
OUT = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"
REASONS = {"0012": "AC01", "0015": "AC04", "0018": "SL01", "0021": "AM04", "0022": "AM14"}


def read(content: bytes) -> Read:
    """Raises Bad. A record's `bank` is the BIC or "", its `account` the IBAN."""
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Bad(1, "document", "a document type")
    try:
        root = ET.fromstring(content)  # noqa: S314 - refused above
    except ET.ParseError:
        raise Bad(1, "document", "not XML") from None
    name = root.findtext(f".//{IN}GrpHdr/{IN}MsgId", "")
    orders = [_order(each) for each in root.iter(f"{IN}DrctDbtTxInf")]
    if root.findtext(f".//{IN}GrpHdr/{IN}NbOfTxs") != str(len(orders)) or not orders:
        raise Bad(1, "NbOfTxs", "not the number of debits")
    if _cents(root.findtext(f".//{IN}GrpHdr/{IN}CtrlSum", "0")) != sum(order[4] for order in orders):
        raise Bad(1, "CtrlSum", "not the sum of the debits")
    day = root.findtext(f".//{IN}ReqdColltnDt", "")
    return Read("", day, int(name.rpartition("-")[2]), orders)


def _order(row: ET.Element) -> list[Any]:
    serial = int(row.findtext(f".//{IN}EndToEndId", "").rpartition("-")[2])
    bank = row.findtext(f".//{IN}DbtrAgt//{IN}BIC", "")
    account, amount = row.findtext(f".//{IN}DbtrAcct//{IN}IBAN", ""), row.findtext(f".//{IN}InstdAmt", "0")
    return [serial, "R", bank, account, _cents(amount), row.findtext(f".//{IN}MndtId", "")]


def _cents(text: str) -> int:
    return int(Decimal(text) * 100)


def write(name: str, number: int, rows: list[dict[str, Any]]) -> bytes:
    """A pain.002 that reports on every debit of the message `name`."""
    total = sum(row["amount"] for row in rows)
    body = "".join(_status(name, row) for row in rows)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{OUT}"><CstmrPmtStsRpt>'
        f"<GrpHdr><MsgId>CLR{number:08d}</MsgId></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{escape(name)}</OrgnlMsgId><OrgnlMsgNmId>pain.008.001.02</OrgnlMsgNmId>"
        f"<OrgnlNbOfTxs>{len(rows)}</OrgnlNbOfTxs><OrgnlCtrlSum>{total // 100}.{total % 100:02d}</OrgnlCtrlSum>"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>{body}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def _status(name: str, row: dict[str, Any]) -> str:
    done = row["code"] == "0000"
    reason = "" if done else f"<StsRsnInf><Rsn><Cd>{REASONS.get(row['code'], row['code'])}</Cd></Rsn></StsRsnInf>"
    amount = f"{row['amount'] // 100}.{row['amount'] % 100:02d}"
    return (
        f"<TxInfAndSts><OrgnlEndToEndId>{escape(name)}-{row['serial']:08d}</OrgnlEndToEndId>"
        f"<TxSts>{'ACSC' if done else 'RJCT'}</TxSts>{reason}"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{amount}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
    )
