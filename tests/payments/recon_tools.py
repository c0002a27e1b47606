"""Statement files made to order, and movements of ours for them to match."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from tests.worlds import overdue_bill

from doenda.billing import accounts, post
from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.states import State

DAY = date(2014, 10, 22)
ACCOUNT = "KR1234500099"


def entry(
    amount: str = "52300", *, ref: str = "", side: str = "CRDT", e2e: str = "", text: str = "", **more: str
) -> str:
    """One camt entry; `details` replaces what stands in NtryDtls."""
    said = {"status": "BOOK", "day": DAY.isoformat(), "code": "KRW", "name": "", "details": "", "reversal": ""} | more
    details = said["details"] or (
        f"<TxDtls><Refs><EndToEndId>{escape(e2e) or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"<RltdPties><Dbtr><Nm>{escape(said['name'])}</Nm></Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{escape(text)}</Ustrd></RmtInf></TxDtls>"
    )
    reversal = f"<RvslInd>{said['reversal']}</RvslInd>" if said["reversal"] else ""
    own = f"<AcctSvcrRef>{ref}</AcctSvcrRef>" if ref else ""
    return (
        f'<Ntry><Amt Ccy="{said["code"]}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{reversal}'
        f"<Sts>{said['status']}</Sts><BookgDt><Dt>{said['day']}</Dt></BookgDt>{own}<BkTxCd/>"
        f"<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def part(amount: str, *, e2e: str = "", side: str = "", code: str = "KRW") -> str:
    """One transaction of a batch."""
    which = f"<CdtDbtInd>{side}</CdtDbtInd>" if side else ""
    return f'<TxDtls><Refs><EndToEndId>{e2e}</EndToEndId></Refs><Amt Ccy="{code}">{amount}</Amt>{which}</TxDtls>'


def balance(kind: str, amount: int, code: str = "KRW", day: date = DAY) -> str:
    side = "DBIT" if amount < 0 else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="{code}">{abs(amount)}</Amt><CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>'
    )


def statement(
    *entries: str, opening: int = 0, closing: int, ident: str = "S-1", number: int = 1, more: str = "", **told: Any
) -> str:
    said: dict[str, Any] = {"account": ACCOUNT, "code": "KRW", "day": DAY, **told}
    bounds = balance("OPBD", opening, said["code"], said["day"]) + balance("CLBD", closing, said["code"], said["day"])
    return (
        f"<Stmt><Id>{ident}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><Othr><Id>{said['account']}</Id></Othr>"
        f"</Id></Acct>{bounds}{more}{''.join(entries)}</Stmt>"
    )


def camt(path: Path, *statements: str, version: str = "053.001.02", head: str = "", group: str = "") -> Path:
    body = "BkToCstmrStmt" if version.startswith("053") else "BkToCstmrDbtCdtNtfctn"
    text = (
        f"{head or "<?xml version='1.0' encoding='UTF-8'?>"}"
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.{version}"><{body}>'
        f"<GrpHdr><MsgId>M</MsgId>{group}</GrpHdr>{''.join(statements)}</{body}></Document>"
    )
    path.write_text(text, encoding="utf-8")
    return path


def mt940(
    path: Path, lines: Sequence[str], *, opening: str = "C141021KRW0,", closing: str = "C141022KRW0,", **more: str
) -> Path:
    said = {"ref": "R1", "account": ACCOUNT, "number": "1/1", "end": "\r\n", "bom": ""} | more
    rows = [f":20:{said['ref']}", f":25:{said['account']}", f":28C:{said['number']}", f":60F:{opening}", *lines]
    rows += [f":62F:{closing}", "-"] if closing else []
    path.write_bytes((said["bom"] + said["end"].join(rows) + said["end"]).encode())
    return path


def paid(
    bill: Bill, amount: int = 52300, *, ref: str = "K1", provider: str = "sandbox", probe: bool = False
) -> Attempt:
    """An attempt of ours that has taken money, with its posting, now."""
    with atomic():
        account = accounts.lock(bill.account_id)
        attempt = Attempt.objects.create(
            account=account,
            provider=provider,
            method="card",
            channel="web",
            amount=amount,
            taken=amount,
            currency=account.currency,
            state=State.PAID,
            provider_ref=ref,
            times_paid=1,
            settled_at=clock.now(),
            synthetic=probe,
        )
        AttemptBill.objects.create(attempt=attempt, bill=bill, amount=amount)
        post.payment(
            account,
            [(bill.pk, amount)],
            provider=provider,
            fact_kind="payment",
            fact_id=attempt.fact_id,
            at=clock.now(),
        )
    return attempt


def order(attempt: Attempt) -> str:
    return outside(attempt.pk)


def bill(number: str, amount: int = 52300, name: str = "김민수") -> Bill:
    return overdue_bill(amount, number=number, name=name, phone=f"+8210{abs(hash(number)) % 10**8:08d}")
