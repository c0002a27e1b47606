"""Customers for `bench pay`, each just back from the bank's page: bills imported as a carrier's are, cases opened by
the house's own sweep, and then attempts and sessions put where the walk there would have left them.
"""

import csv
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

from doenda.app.scenes import COLUMNS
from doenda.assurance import evidence
from doenda.billing.imports.run import import_file
from doenda.billing.models import Bill
from doenda.channels.web import forms
from doenda.dunning import cases
from doenda.journeys.models import Session
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Attempt, AttemptBill, AttemptMove
from doenda.payments.states import State

WAY = "web/card/sandbox"
AWAY, VERSION = "away", 4
AMOUNT = 88_000
BATCH = 2000

type Register = Callable[[UUID, int], str]
"""Make an attempt (id, minor units) known to the bank. Returns the bank's own name for it."""


@dataclass(frozen=True, slots=True)
class Return:
    """One customer on the way back: the request that brings them, and what must have become of it afterwards."""

    bill_id: UUID
    attempt_id: UUID
    address: str
    body: str

    @property
    def line(self) -> str:
        """For the client's standard input."""
        return f"{self.address} {self.body}"


def prove_way(way: str = WAY) -> None:
    """The way is proven, as it is while its walks succeed: the common case of a payment's evidence."""
    with atomic():
        evidence.record(way, "worked", source_kind="bench", source_id=outside(new_id()), synthetic=True)


def stock(
    count: int, tag: str, register: Register = lambda attempt_id, amount: f"bench-{outside(attempt_id)}"
) -> list[Return]:
    """`count` accounts with an overdue bill, an open case, an attempt at the bank and a session at `away`."""
    bills = import_bills(count, tag)
    while cases.open_missing(BATCH):
        pass
    made: list[Return] = []
    for start in range(0, count, BATCH):
        made += _send_away(bills[start : start + BATCH], register)
    return made


def import_bills(count: int, tag: str) -> list[Bill]:
    """`count` accounts with one overdue bill each, by the real import; in order of their numbers."""
    due = clock.today() - timedelta(days=3)
    first = due.replace(day=1)
    last = first - timedelta(days=1)
    dates = [day.isoformat() for day in (first, due, last.replace(day=1), last)]
    numbers = [f"BENCH-{tag}-{index}" for index in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bills.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            for index, number in enumerate(numbers):
                phone = f"+8210{index:08d}"
                who = (f"A-{number}", "김손님", "person", phone, "ko", phone, number)
                writer.writerow([*who, *dates, "KRW", "service", AMOUNT])
        done = import_file(path)
    if not done.ok:
        raise RuntimeError(
            f"the bench's own bills were refused: {[str(problem) for problem in done.report.problems[:5]]}"
        )
    return list(Bill.objects.filter(number__startswith=f"BENCH-{tag}-").order_by("number"))


def _send_away(bills: Sequence[Bill], register: Register) -> list[Return]:
    attempts = [_attempt(bill) for bill in bills]
    for attempt in attempts:
        attempt.provider_ref = register(attempt.id, attempt.amount)
    sessions = [_session(bill, attempt) for bill, attempt in zip(bills, attempts, strict=True)]
    pairs = [(State.CREATED, State.NEEDS_REDIRECT)]
    with atomic():
        Attempt.objects.bulk_create(attempts)
        AttemptBill.objects.bulk_create(
            AttemptBill(attempt=attempt, bill=bill, amount=bill.remaining)
            for bill, attempt in zip(bills, attempts, strict=True)
        )
        AttemptMove.objects.bulk_create(
            AttemptMove(attempt=attempt, source=source, target=target, cause="READY")
            for attempt in attempts
            for source, target in pairs
        )
        Session.objects.bulk_create(sessions)
    return [_return(bill, attempt) for bill, attempt in zip(bills, attempts, strict=True)]


def send_off(returns: Sequence[Return]) -> None:
    """Put their attempts where the charge has been sent, and only the provider's answer is to be brought home."""
    ids = [each.attempt_id for each in returns]
    with atomic():
        Attempt.objects.filter(pk__in=ids).update(state=State.SENT, in_flight=True, sent_at=clock.now())


def _attempt(bill: Bill) -> Attempt:
    return Attempt(
        account_id=bill.account_id,
        provider="sandbox",
        method="card",
        channel="web",
        amount=bill.remaining,
        currency=bill.currency,
        state=State.NEEDS_REDIRECT,
        session_id=new_id(),
        redirect_url="http://bank.invalid/pay",
        expires_at=clock.now() + timedelta(hours=2),
    )


def _address(attempt: Attempt) -> str:
    return outside(attempt.id)


def _session(bill: Bill, attempt: Attempt) -> Session:
    assert attempt.session_id is not None
    return Session(
        id=attempt.session_id,
        journey="pay",
        journey_version=1,
        account_id=bill.account_id,
        bill=bill,
        digest=hashlib.sha256(_address(attempt).encode()).digest(),
        channel="web",
        lang="ko",
        step=AWAY,
        version=VERSION,
        data={"way": WAY, "attempt": str(attempt.id)},
    )


def _return(bill: Bill, attempt: Attempt) -> Return:
    """The form of the page "is this right?", filled in with what the bank's redirect brought along."""
    address = _address(attempt)
    body = urlencode(
        {
            "f": forms.sign(address, AWAY, VERSION),
            "order_id": outside(attempt.id),
            "ref": attempt.provider_ref or "",
            "paid_amount": attempt.amount,
            "do": "returned",
        }
    )
    return Return(bill.id, attempt.id, address, body)
