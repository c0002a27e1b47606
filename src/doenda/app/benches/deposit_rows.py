"""Payers for `bench deposits`: accounts with an overdue bill and a number to pay into, and the bank's statement file.

Every second payer chose "deposit" for that bill and was given a number for it; the others pay into their account's own
number. Bills come by the real import, cases by the house's own sweep; numbers, leases and attempts are put where the
bank's pool and the payers' choices would have left them.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import batched
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.test import override_settings

from doenda.app.benches import pay_rows
from doenda.billing.models import Bill
from doenda.dunning import cases
from doenda.kernel import clock, net
from doenda.kernel.db import atomic
from doenda.payments import providers
from doenda.payments.deposits.models import DepositLease, DepositNumber
from doenda.payments.deposits.rules import span
from doenda.payments.models import Attempt, AttemptBill, AttemptMove
from doenda.payments.states import State

WAY = "web/deposit/deposit"
BANK, MAPPING = "088", "plain"
EXCESS = 1_000
"""What an overpaying payer pays too much (minor units)."""
BATCH = 2_000
HEADER = ("id", "at", "number", "amount", "remitter", "kind", "of")
_BANK_OF_THIS_RUN = {"deposit": {"url": "http://bank.invalid", "keys": ["bench"], "webhook_secrets": []}}


@dataclass(frozen=True, slots=True)
class Payers:
    """The accounts of one statement file; `overpaid` of them pay `EXCESS` too much."""

    tag: str
    count: int
    overpaid: int
    statement: Path

    @property
    def refs(self) -> str:
        """How the bank's own number of each of their deposits begins."""
        return f"{self.tag}-"

    @property
    def accounts(self) -> str:
        """How their accounts' numbers begin."""
        return f"A-BENCH-{self.tag}-"


@contextmanager
def quiet_bank() -> Iterator[None]:
    """The deposit bank is configured and has nothing new in its list: what arrives comes by statement."""

    def answer(request: net.Request) -> net.Reply:
        if request.method != "GET" or urlsplit(request.url).path != "/v1/deposits":
            raise net.NotSent(f"the bench's bank does not know {request.method} {request.url}")
        return net.Reply(200, {}, json.dumps({"entries": []}).encode())

    providers.get.cache_clear()
    try:
        with override_settings(DOENDA_PROVIDERS=_BANK_OF_THIS_RUN, DOENDA_OFFERED=["deposit"]), net.using(answer):
            yield
    finally:
        providers.get.cache_clear()


def stock(tag: str, count: int, overpaid: int, folder: Path) -> Payers:
    """Make the payers, and write the bank's statement of what each of them paid."""
    bills = pay_rows.import_bills(count, tag)
    while cases.open_missing(BATCH):
        pass
    made = Payers(tag, count, overpaid, folder / f"{tag}.csv")
    at = clock.local(clock.now()).replace(tzinfo=None, microsecond=0)
    every = count // overpaid if overpaid else 0
    with made.statement.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        place = 0
        for chunk in batched(bills, BATCH):
            for bill, number in zip(chunk, _numbers(tag, chunk), strict=True):
                too_much = every and place % every == 0 and place // every < overpaid
                amount = bill.remaining + (EXCESS if too_much else 0)
                writer.writerow((f"{tag}-{place}", at.isoformat(), number, amount, "김손님", "DEPOSIT", ""))
                place += 1
    return made


def _numbers(tag: str, bills: Sequence[Bill]) -> list[str]:
    """A number of the pool for each bill: for every second one by an attempt for it, else its account's own."""
    since = clock.now() - timedelta(hours=2)
    first = DepositNumber.objects.count()
    rows = [DepositNumber(bank=BANK, number=f"56{first + place:010}", free_at=None) for place in range(len(bills))]
    with atomic():
        made = DepositNumber.objects.bulk_create(rows)
        attempts = _attempts(bills[::2])
        DepositLease.objects.bulk_create(
            DepositLease(
                number=number,
                account_id=bill.account_id,
                attempt=attempts.get(bill.pk),
                channel="web",
                since=since,
                opened_at=since,
                span=span(number.pk, since, None),
            )
            for number, bill in zip(made, bills, strict=True)
        )
    return [row.number for row in made]


def _attempts(bills: Sequence[Bill]) -> Mapping[UUID, Attempt]:
    """By bill: an attempt that waits for its deposit."""
    made = {
        bill.pk: Attempt(
            account_id=bill.account_id,
            provider="deposit",
            method="deposit",
            channel="web",
            amount=bill.remaining,
            currency=bill.currency,
            state=State.NEEDS_DEPOSIT,
            expires_at=clock.now() + timedelta(days=3),
        )
        for bill in bills
    }
    Attempt.objects.bulk_create(made.values())
    AttemptBill.objects.bulk_create(
        AttemptBill(attempt=made[bill.pk], bill=bill, amount=bill.remaining) for bill in bills
    )
    AttemptMove.objects.bulk_create(
        AttemptMove(attempt=each, source=State.CREATED, target=State.NEEDS_DEPOSIT, cause="OPEN")
        for each in made.values()
    )
    return made
