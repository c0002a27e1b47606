"""SEPA direct debits: pain.008 written by sepaxml, pain.002 (customer payment status report) read strictly.

EndToEndId names an order: the message's id and the serial, SD-20141027-01-00000012. Amounts are cents.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException, ElementTree
from sepaxml import SepaDD  # type: ignore[import-untyped]
from sepaxml.validation import ValidationError  # type: ignore[import-untyped]

from doenda.payments.debit.formats.words import Head, Malformed, Order, Result, ResultFile

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"
SCHEMA = "pain.008.001.02"
OUT = "SD"
LIMIT = 64 * 1024 * 1024
_NAME = re.compile(r"SD-(\d{8})-(\d\d)")
_END_TO_END = re.compile(r"SD-(\d{8})-(\d\d)-(\d{8})")
_IBAN = re.compile(r"[A-Z]{2}\d\d[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?")
_DONE = frozenset({"ACCP", "ACSC", "ACSP"})
_GROUP = frozenset({"ACCP", "ACSC", "ACSP", "PART", "RJCT"})


def name(head: Head, kind: str = OUT) -> str:
    return f"{kind}-{head.day:%Y%m%d}-{head.sequence:02d}"


def iban_fits(iban: str) -> bool:
    """Is this an IBAN, by its form and check digits (ISO 13616, ISO 7064)?"""
    if not _IBAN.fullmatch(iban):
        return False
    digits = "".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])
    return int(digits) % 97 == 1


def fits(order: Order) -> bool:
    """Can this order be written?"""
    bank = not order.bank or bool(_BIC.fullmatch(order.bank))
    return order.kind == "debit" and order.signed_on is not None and iban_fits(order.account) and bank


class _Message(SepaDD):  # type: ignore[misc]
    """The library names a message by chance and dates it by the wall; this one is named and dated by us."""

    def __init__(self, ident: str, at: datetime, creditor: dict[str, str]) -> None:
        self._ident, self._at = ident, at
        config: dict[str, object] = {**creditor, "batch": True, "currency": "EUR"}
        super().__init__(config, schema=SCHEMA, clean=True)

    def _create_header(self) -> None:
        self.msg_id = self._ident
        super()._create_header()
        self._xml.find(".//CreDtTm").text = self._at.strftime("%Y-%m-%dT%H:%M:%S")


def write(head: Head, orders: Sequence[Order], *, creditor: dict[str, str], at: datetime) -> bytes:
    """A pain.008 message, checked against its schema. `creditor`: name, IBAN, BIC, creditor_id; `at`: its date.

    Raises ValueError for an order that SEPA cannot carry: it has no refund of a debit by the creditor.
    """
    message = _Message(name(head), at, creditor)
    for order in orders:
        if order.kind != "debit" or order.signed_on is None:
            raise ValueError(f"record {order.serial}: SEPA carries debits under a dated mandate only")
        payment: dict[str, object] = {
            "name": order.holder,
            "IBAN": order.account,
            "amount": order.amount,
            "type": "RCUR",
            "collection_date": head.day,
            "mandate_id": order.payer,
            "mandate_date": order.signed_on,
            "description": order.label,
            "endtoend_id": f"{name(head)}-{order.serial:08d}",
        }
        if order.bank:
            payment["BIC"] = order.bank
        message.add_payment(payment)
    try:
        made: bytes = message.export(validate=True)
    except ValidationError as error:
        reason = type(error).__name__  # its own words repeat account numbers
        raise ValueError(f"the message does not fit its schema: {reason}") from None
    return made


def read(content: bytes) -> ResultFile:
    """A pain.002 message. Entities and document types are refused; raises Malformed naming the element."""
    root = _parsed(content)
    report = _one(root, "CstmrPmtStsRpt", 1)
    ours = _one(report, "OrgnlGrpInfAndSts", 1)
    found = _NAME.fullmatch(_text(ours, "OrgnlMsgId", 1))
    if found is None:
        raise Malformed(1, "OrgnlMsgId", "is not a message of ours")
    head = Head("", _day(found[1], 1, "OrgnlMsgId"), int(found[2]))
    if _text(ours, "OrgnlMsgNmId", 1) != SCHEMA:
        raise Malformed(1, "OrgnlMsgNmId", f"is not {SCHEMA}")
    if (status := _maybe(ours, "GrpSts")) and status not in _GROUP:
        raise Malformed(1, "GrpSts", "is not a status that this form knows")
    rows = [row for block in _all(report, "OrgnlPmtInfAndSts") for row in _all(block, "TxInfAndSts")]
    results = [_result(number, row, head) for number, row in enumerate(rows, 1)]
    seen: set[int] = set()
    for each in results:
        if each.serial in seen:
            raise Malformed(each.line, "OrgnlEndToEndId", "stands in this message twice")
        seen.add(each.serial)
    _check_sums(ours, results)
    message_id = _text(_one(report, "GrpHdr", 1), "MsgId", 1)
    return ResultFile(f"PS-{message_id}"[:40], "results", head, results)


def _parsed(content: bytes) -> Element:
    if len(content) > LIMIT:
        raise Malformed(1, "document", "is too long")
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except ParseError as error:
        raise Malformed(error.position[0], f"column {error.position[1]}", "is not well-formed XML") from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise Malformed(1, "document", "has a document type, an entity or an unknown encoding") from error
    if root.tag != f"{{{NAMESPACE}}}Document":
        raise Malformed(1, "Document", f"is not {NAMESPACE}")
    return root


def _check_sums(ours: Element, results: Sequence[Result]) -> None:
    """The counts and the sum, where the message says them."""
    count, control = _maybe(ours, "OrgnlNbOfTxs"), _maybe(ours, "OrgnlCtrlSum")
    if count is not None and (not count.isdigit() or int(count) < len(results)):
        raise Malformed(1, "OrgnlNbOfTxs", "is less than the results")
    if control is not None and count == str(len(results)):
        total = _cents(control, 1, "OrgnlCtrlSum")
        if total != sum(each.amount for each in results):
            raise Malformed(1, "OrgnlCtrlSum", "is not the sum of the results")


def _result(number: int, row: Element, head: Head) -> Result:
    named = _END_TO_END.fullmatch(_text(row, "OrgnlEndToEndId", number))
    if named is None or (_day(named[1], number, "OrgnlEndToEndId"), int(named[2])) != (head.day, head.sequence):
        raise Malformed(number, "OrgnlEndToEndId", "is not an order of the message that this answers")
    status = _text(row, "TxSts", number)
    if status not in _DONE | {"RJCT"}:
        raise Malformed(number, "TxSts", "is neither done nor rejected")
    done = status in _DONE
    reasons = [_text(_one(each, "Rsn", number), "Cd", number) for each in _all(row, "StsRsnInf")]
    if not done and len(reasons) != 1:
        raise Malformed(number, "StsRsnInf", "a rejected debit has one reason")
    instructed = _one(_one(row, "OrgnlTxRef", number), "Amt", number)
    amount = _one(instructed, "InstdAmt", number)
    if amount.get("Ccy") != "EUR":
        raise Malformed(number, "InstdAmt", "is not in euro")
    cents = _cents(amount.text or "", number, "InstdAmt")
    code = "0000" if done else reasons[0]
    return Result(number, int(named[3]), "debit", "", "", cents, done, code, "", head)


def _all(parent: Element, tag: str) -> list[Element]:
    return parent.findall(f"{{{NAMESPACE}}}{tag}")


def _one(parent: Element, tag: str, line: int) -> Element:
    found = _all(parent, tag)
    if len(found) != 1:
        raise Malformed(line, tag, f"stands {len(found)} times where it must stand once")
    return found[0]


def _text(parent: Element, tag: str, line: int) -> str:
    text = (_one(parent, tag, line).text or "").strip()
    if not text or len(text) > 70:
        raise Malformed(line, tag, "is empty or too long")
    return text


def _maybe(parent: Element, tag: str) -> str | None:
    found = _all(parent, tag)
    return (found[0].text or "").strip() if found else None


def _day(digits: str, line: int, column: str) -> date:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise Malformed(line, column, "does not hold a day") from error


def _cents(text: str, line: int, column: str) -> int:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise Malformed(line, column, "is not an amount") from error
    if not value.is_finite() or value < 0 or value * 100 != int(value * 100) or value >= 10**13:
        raise Malformed(line, column, "is not an amount in cents")
    return int(value * 100)
