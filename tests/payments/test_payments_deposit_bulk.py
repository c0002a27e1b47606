"""Many deposits at once write what one at a time writes, and one that cannot be booked holds up no other."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.payments.test_payments_deposit import DepositWorld, agree, deposit_world
from tests.worlds import overdue_bill

from doenda.assurance.models import Evidence
from doenda.assurance.ways import ensure_ways
from doenda.billing import books
from doenda.billing.models import Account, Bill, ExternalFact, Posting
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices.models import Notice
from doenda.payments import attempts
from doenda.payments.deposits import bulk, leasing, posting
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, AttemptMove, RefundCase


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


AMOUNTS = (52300, 52300, 1000, 60000)
"""What arrives, in turn: into a number of the bill's own, and into the account's own, exact, in part and too much."""


def customers(bank: DepositWorld, tag: str, count: int = 24) -> list[Account]:
    """Each with one bill and one deposit, listed by the bank."""
    made = []
    for place in range(count):
        bill = overdue_bill(number=f"{tag}-{place}", phone=f"+8210{ord(tag):03}{place:05}")
        if place % 2:
            lease = leasing.own(bill.account)
            assert lease is not None
            number = lease.number.number
        else:
            said = attempts.start(
                bill.account_id, [(bill.pk, bill.amount)], channel="web", method="deposit", provider="deposit",
                return_url="", lang="ko",
            )  # fmt: skip
            assert said.attempt_id is not None
            number = Attempt.objects.get(pk=said.attempt_id).details["pay_into"]["number"]
        sweeps.run("deposit numbers")
        bank.deposit(number, AMOUNTS[place // 2 % len(AMOUNTS)])
        if place == 5:
            bank.deposit(number, 700)
        made.append(bill.account)
    return made


def written(account: Account) -> list[Any]:
    """Everything that the deposit wrote about an account, without ids and keys."""
    mine = {"account_id": account.pk}
    cut = {str(account.pk): "ACCOUNT"}
    for kind, rows in (("BILL", Bill), ("ATTEMPT", Attempt), ("CASE", RefundCase)):
        found = rows.objects.filter(**mine).order_by("pk")
        cut |= {str(row.pk): f"{kind}{place}" for place, row in enumerate(found)}
    refs = Attempt.objects.filter(**mine).exclude(provider_ref=None).values_list("provider_ref", flat=True)
    cut |= {str(ref): "REF" for ref in refs}

    def named(value: Any) -> Any:
        text = str(value)
        for ident, name in cut.items():
            text = text.replace(ident, name)
        return text

    fields = ("state", "taken", "times_paid", "given_back", "amount", "reason", "channel", "synthetic", "settled_at")
    moves = AttemptMove.objects.filter(attempt__account=account, target="paid")
    said: list[Any] = [
        *Attempt.objects.filter(**mine).order_by("pk").values_list(*fields, "provider_ref", "provider", "method"),
        *moves.order_by("pk").values_list("source", "target", "cause", "attempt_id"),
        *Bill.objects.filter(**mine).values_list("state", "paid", "closed_at"),
        *Posting.objects.filter(**mine, fact_kind="payment")
        .order_by("fact_id", "leg")
        .values_list("amount", "fact_id", "leg", "bill_id", "at"),
        *ExternalFact.objects.filter(**mine, kind="payment").order_by("external_id").values_list("external_id", "data"),
        *Evidence.objects.filter(**mine).order_by("pk").values_list("outcome", "source_kind", "source_id", "detail"),
        *Notice.objects.filter(**mine).order_by("kind", "key").values_list("kind", "params", "key", "bill_id", "lang"),
        *OutboxRow.objects.filter(**mine).order_by("kind").values_list("kind"),
        *FactRow.objects.filter(**mine, kind__startswith="payments.")
        .order_by("kind", "pk")
        .values_list("kind", "data"),
        *FactRow.objects.filter(**mine, kind="billing.payment_posted").order_by("pk").values_list("kind", "data"),
        *RefundCase.objects.filter(**mine).values_list("amount", "owner"),
        *DepositLine.objects.filter(lease__account=account).order_by("pk").values_list("state", "kind", "amount"),
    ]
    return [[named(each) for each in row] for row in said]


def test_many_at_once_write_what_one_at_a_time_writes(bank: DepositWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_ways()
    set_wise: set[UUID] = set()
    settle = bulk.settle_plain

    def counted(coming: Sequence[bulk.Coming]) -> set[UUID]:
        posted = settle(coming)
        set_wise.update(posted)
        return posted

    monkeypatch.setattr(bulk, "settle_plain", counted)
    many = customers(bank, "M")
    assert sweeps.run("deposits") == 25
    assert len(set_wise) == 24, "all but the second deposit of one account"
    monkeypatch.setattr(bulk, "FROM", 10**9)
    single = customers(bank, "S")
    assert sweeps.run("deposits") == 25
    for place, (one, other) in enumerate(zip(many, single, strict=True)):
        assert written(one) == written(other), place
    sweeps.run_all()
    for place, (one, other) in enumerate(zip(many, single, strict=True)):
        bills = [list(Bill.objects.filter(account=each).values_list("state", "paid")) for each in (one, other)]
        assert bills[0] == bills[1], place
        assert books.credit(one.pk) == books.credit(other.pk)
    agree(bank)


def test_a_line_that_cannot_be_booked_does_not_hold_up_the_others(
    bank: DepositWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned = customers(bank, "P")[3]
    book = posting.book

    def breaks(account: Account, line: DepositLine, attempt: Attempt) -> None:
        if account.pk == poisoned.pk:
            raise ValueError("a fault of ours")
        book(account, line, attempt)

    monkeypatch.setattr(posting, "book", breaks)
    monkeypatch.setattr(bulk, "FROM", 10**9)
    sweeps.run("deposits")
    parked = DepositLine.objects.get(state="parked")
    assert (parked.reason, parked.owner) == ("ValueError", "desk")
    assert parked.due_at == clock.now() + timedelta(days=1)
    assert DepositLine.objects.filter(state="posted").count() == 24
    with atomic():
        assert books.trial().ok
    agree(bank)
