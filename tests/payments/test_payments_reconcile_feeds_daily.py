"""Every provider's day is looked at once it is over; what could not be looked at is on the desk. And it is fast."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.payments.test_payments_reconcile_feeds import paid
from tests.worlds import World, world

from doenda.billing import accounts, books, ledger
from doenda.billing.ledger import Move
from doenda.billing.models import ExternalFact, Posting
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments import desk
from doenda.payments.models import Attempt, ReconLine, ReconRun
from doenda.payments.reconciliation import daily, feeds, ours, tending
from peers.bank.state import Transaction

DAY = date(2014, 10, 22)


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[World]:
    with world() as made:
        yield made


def days() -> list[str]:
    return list(ReconRun.objects.order_by("created_at").values_list("told__day", flat=True))


def test_a_day_is_looked_at_once_after_it_is_over(bank: World, noon: clock.Frozen) -> None:
    assert tending.sweep(100) == 0, "nobody ever paid"
    paid(bank)
    assert tending.sweep(100) == 0, "the day is not over"
    noon.set(clock.at(DAY + timedelta(days=1), 3, 59))
    assert tending.sweep(100) == 0, "nor is its hour"
    noon.set(clock.at(DAY + timedelta(days=1), 4))
    assert (tending.sweep(100), days()) == (1, ["2014-10-22"])
    assert (tending.sweep(100), ReconRun.objects.get().ok) == (0, True)


def test_days_that_were_missed_are_caught_up_with_and_very_old_ones_are_not(bank: World, noon: clock.Frozen) -> None:
    paid(bank)
    noon.set(clock.at(DAY + timedelta(days=3), 12))
    assert (sweeps.run("reconciliation"), days()) == (3, ["2014-10-22", "2014-10-23", "2014-10-24"])
    noon.set(clock.at(DAY + timedelta(days=40), 12))
    assert sweeps.run("reconciliation") == daily.now().catch_up


def test_a_bank_that_is_down_is_asked_again_after_a_while_and_is_on_the_desk_after_a_day(
    bank: World, noon: clock.Frozen
) -> None:
    paid(bank)
    noon.set(clock.at(DAY + timedelta(days=1), 4))
    bank.down.add("bank")
    assert (tending.sweep(100), tending.sweep(100)) == (1, 0)
    assert desk.waiting("reconciliation_runs")["reconciliation_runs"] == []
    noon.advance(timedelta(minutes=11))
    assert tending.sweep(100) == 1
    noon.set(clock.at(DAY + timedelta(days=2), 4))
    (item,) = desk.waiting("reconciliation_runs")["reconciliation_runs"]
    assert (item.late, item.owner, "NOT_REACHED" in item.words) == (True, "desk", True)
    bank.down.clear()
    assert tending.sweep(100) == 2
    assert desk.waiting("reconciliation_runs")["reconciliation_runs"] == []


def test_no_look_at_all_is_on_the_desk(bank: World, noon: clock.Frozen) -> None:
    paid(bank)
    noon.set(clock.at(DAY + timedelta(days=2), 4))
    (item,) = desk.waiting("reconciliation_runs")["reconciliation_runs"]
    assert (item.id, "no look was made" in item.words) == (tending.NO_RUN, True)


def test_a_look_that_dies_is_made_again(bank: World, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch) -> None:
    paid(bank)
    noon.set(clock.at(DAY + timedelta(days=1), 4))
    with monkeypatch.context() as broken:
        broken.setattr(feeds, "_finish", lambda *_: (_ for _ in ()).throw(RuntimeError("the disk is full")))
        assert tending.sweep(100) == 1
    assert not ReconRun.objects.exists()
    assert (tending.sweep(100), ReconRun.objects.get().ok) == (1, True)


def test_money_on_the_book_that_no_fact_explains_makes_the_look_fail(bank: World, noon: clock.Frozen) -> None:
    attempt = paid(bank)
    with atomic():
        account = accounts.lock(attempt.account_id)
        fact = ("by_hand", "somebody")
        ledger.note_fact(fact, at=clock.now(), account_id=account.pk)
        credit = books.of_account(account, books.CREDIT)
        ledger.write(fact, account, [Move(credit, books.of_carrier("clearing:sandbox", account), 5)], at=clock.now())
    since = clock.day_start(DAY)
    run = feeds.reconcile("sandbox", since, since + timedelta(days=1))
    assert (run.ok, run.difference, run.told["balances"][0]["causes"]) == (False, -5, {"unexplained": -5})
    noon.advance(timedelta(days=1))
    items = [each.words for each in desk.waiting("reconciliation_runs")["reconciliation_runs"]]
    assert any("does not add up" in words for words in items)


def many(bank: World, count: int) -> None:
    """So many payments, in the bank's journal and in our ledger."""
    first = paid(bank)
    now = clock.now()
    account = first.account
    attempts, facts, postings = [], [], []
    book = next(iter(ours.book_ids("sandbox", probe=False)))
    credit = books.of_account(account, books.CREDIT)
    for number in range(count):
        ref = f"pay_many_{number}"
        attempts.append(
            Attempt(
                id=new_id(),
                account=account,
                provider="sandbox",
                method="card",
                channel="web",
                amount=1_000,
                taken=1_000,
                currency="KRW",
                state="paid",
                provider_ref=ref,
                times_paid=1,
            )
        )
        facts.append(ExternalFact(kind="payment", external_id=f"sandbox:{ref}", at=now, account_id=account.pk))
        values = {"at": now, "amount": 1_000, "currency": "KRW", "account": account, "leg": 0}
        moved = {"source_book_id": credit, "target_book_id": book, "fact_kind": "payment"}
        postings.append(Posting(**values, **moved, fact_id=f"sandbox:{ref}"))
        done = Transaction(
            len(bank.bank.state.transactions) + 1,
            ref,
            outside(attempts[-1].pk),
            "doenda",
            "card",
            "capture",
            1_000,
            now.timestamp(),
        )
        bank.bank.state.apply(done)
    with atomic():
        Attempt.objects.bulk_create(attempts)
        ExternalFact.objects.bulk_create(facts)
        Posting.objects.bulk_create(postings)


def test_thousands_of_lines_are_matched_in_bounded_queries(bank: World) -> None:
    many(bank, 3_000)
    since = clock.day_start(DAY)
    with CaptureQueriesContext(connection) as asked:
        run = feeds.reconcile("sandbox", since, since + timedelta(days=1))
    assert (run.ok, run.lines, run.matched, run.difference) == (True, 3_001, 3_001, 0)
    assert ReconLine.objects.count() == 3_001
    assert len(asked) < 100, f"{len(asked)} statements"
    with CaptureQueriesContext(connection) as asked:
        again = feeds.reconcile("sandbox", since, since + timedelta(days=1))
    assert (again.ok, again.known, len(asked) < 100) == (True, 3_001, True)
