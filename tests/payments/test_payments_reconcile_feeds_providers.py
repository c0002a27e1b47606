"""Every provider's own list against the ledger, with its real fake: what it took, gave back, and took back."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from tests.payments.debit_tools import DebitWorld, customer, item_of, results, to_cut_off
from tests.payments.test_payments_counter import BOSS, KIM, cash, opened, pay
from tests.payments.test_payments_deposit import DepositWorld, deposit_world, number_of, run
from tests.payments.test_payments_deposit import begin as begin_deposit
from tests.payments.test_payments_portone_house import begin as begin_portone
from tests.payments.test_payments_portone_house import come_back as portone_back
from tests.payments.test_payments_portone_house import wired as portone  # noqa: F401 - a fixture
from tests.payments.test_payments_toss_house import begin as begin_toss
from tests.payments.test_payments_toss_house import come_back as toss_back
from tests.payments.test_payments_toss_house import wired as toss  # noqa: F401 - a fixture
from tests.worlds import World, overdue_bill, world

from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.payments import providers, refunds
from doenda.payments.counter import receipts
from doenda.payments.counter.models import Receipt
from doenda.payments.debit.models import DebitParked
from doenda.payments.deposits import desk as deposit_desk
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, ReconLine, ReconRun, Refund
from doenda.payments.moves import locked
from doenda.payments.reconciliation import feeds
from doenda.payments.reconciliation.reasons import Reason

DAY = date(2014, 10, 22)


def look(provider: str, day: date = DAY, days: int = 1) -> ReconRun:
    return feeds.reconcile(provider, clock.day_start(day), clock.day_start(day + timedelta(days=days)))


def parked() -> list[tuple[str, str]]:
    return list(ReconLine.objects.filter(state="parked").order_by("at").values_list("reason", "kind"))


def kinds() -> list[str]:
    return sorted(ReconLine.objects.filter(state="matched").values_list("fact_kind", flat=True))


def refund_all(attempt: Attempt) -> None:
    with atomic():
        _, fresh = locked(attempt.pk)
        refunds.ask(fresh, "agreed")
    sweeps.run("outbox")


def test_toss_cards_and_refunds_agree(toss: Any, noon: clock.Frozen) -> None:  # noqa: F811
    one, two = (begin_toss(overdue_bill(number=f"B-{n}", phone=f"+82100000000{n}"), "card") for n in (1, 2))
    assert [toss_back(toss, one), toss_back(toss, two)] == ["paid", "paid"]
    noon.advance(timedelta(minutes=5))
    refund_all(Attempt.objects.get(pk=two.pk))
    done = look("toss")
    assert (done.ok, done.lines, done.matched, done.difference, done.their_total) == (True, 3, 3, 0, 52_300)


def test_a_toss_deposit_that_came_undone_and_was_made_again_agrees(toss: Any, noon: clock.Frozen) -> None:  # noqa: F811
    attempt = begin_toss(overdue_bill(), "deposit")
    number = {"account_number": attempt.details["pay_into"]["number"]}
    for act in ("deposits", "undo", "deposits"):
        noon.advance(timedelta(minutes=1))
        toss.control("POST", act, number)
    done = look("toss")
    attempt.refresh_from_db()
    assert attempt.state == "paid", "it was asked only once, when all had happened"
    assert (done.ok, done.parked, done.matched, done.their_total, done.difference) == (True, 0, 1, 52_300, 0)


def test_a_toss_deposit_that_comes_undone_while_we_listen_is_matched_step_by_step(
    toss: Any,  # noqa: F811
    noon: clock.Frozen,
) -> None:
    attempt = begin_toss(overdue_bill(), "deposit")
    number = {"account_number": attempt.details["pay_into"]["number"]}
    for act in ("deposits", "undo", "deposits"):
        noon.advance(timedelta(minutes=1))
        toss.control("POST", act, number)
        for bell in toss.peer.tick():
            toss.peer.sent(bell, 200)
        done = look("toss")  # the look itself asks, and hears
        assert (done.ok, done.parked) == (True, 0)
    assert (kinds(), done.difference) == (["payment", "payment", "undone"], 0)


def test_portones_events_agree_with_parts_that_went_back_before_the_whole(portone: Any, noon: clock.Frozen) -> None:  # noqa: F811
    attempt = begin_portone(overdue_bill(), "card", "redirect")
    assert portone_back(portone, attempt) == "paid"
    noon.advance(timedelta(minutes=1))
    refund_all(Attempt.objects.get(pk=attempt.pk))
    done = look("portone")
    assert (done.ok, done.lines, done.matched, done.difference) == (True, 2, 2, 0)


@pytest.fixture
def pool(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def test_deposits_that_nobody_told_us_of_are_fetched_by_the_look(pool: DepositWorld, noon: clock.Frozen) -> None:
    attempt = begin_deposit(overdue_bill())
    pool.deposit(number_of(attempt), 52_300)
    done = look("deposit")
    attempt.refresh_from_db()
    assert (attempt.state, done.ok, done.matched, done.difference) == ("paid", True, 1, 0)


def test_what_was_overpaid_and_sent_back_is_told_by_both(pool: DepositWorld, noon: clock.Frozen) -> None:
    attempt = begin_deposit(overdue_bill())
    pool.deposit(number_of(attempt), 60_000)
    sweeps.run("deposits")
    early = look("deposit")
    assert (early.ok, early.difference) == (True, 7_700)
    assert early.told["balances"][0]["causes"] == {"in_transit": 7_700}, "set aside here, not sent back yet"
    noon.advance(timedelta(minutes=1))
    run()
    done = look("deposit")
    assert (done.ok, done.matched, done.difference, kinds()) == (True, 2, 0, ["payment", "refund"])


def test_a_part_that_went_back_before_the_whole_is_told_as_that_part_and_the_rest(
    pool: DepositWorld, noon: clock.Frozen
) -> None:
    attempt = begin_deposit(overdue_bill())
    pool.deposit(number_of(attempt), 60_000)
    run()
    noon.advance(timedelta(hours=1))
    refund_all(Attempt.objects.get(pk=attempt.pk))
    if waiting := Refund.objects.filter(needs_two=True, approved_by="").first():
        refunds.approve(waiting.pk, by=BOSS)
        sweeps.run("outbox")
    done = look("deposit")
    assert pool.at_pool() == 0
    assert (done.ok, done.lines, done.matched, done.difference) == (True, 3, 3, 0)
    assert sorted(ReconLine.objects.values_list("kind", "amount")) == [("in", 60_000), ("out", 7_700), ("out", 52_300)]


def test_what_is_sent_back_on_another_day_than_it_was_set_aside_is_timing(
    pool: DepositWorld, noon: clock.Frozen
) -> None:
    attempt = begin_deposit(overdue_bill())
    pool.deposit(number_of(attempt), 60_000)
    sweeps.run("deposits")
    noon.advance(timedelta(days=1))
    run()
    second, first = look("deposit", DAY + timedelta(days=1)), look("deposit")
    assert (first.ok, first.difference, first.told["balances"][0]["causes"]) == (True, 7_700, {"timing": 7_700})
    assert (second.ok, second.difference, second.told["balances"][0]["causes"]) == (True, -7_700, {"timing": -7_700})
    both = look("deposit", DAY, 2)
    assert (both.ok, both.difference, both.told["balances"][0]["items"]) == (True, 0, [])


def test_a_deposit_that_the_bank_took_back_is_told_by_both(pool: DepositWorld, noon: clock.Frozen) -> None:
    attempt = begin_deposit(overdue_bill())
    ident = pool.deposit(number_of(attempt), 52_300)["id"]
    run()
    noon.advance(timedelta(hours=1))
    pool.control(pool.pool, "POST", "undo", {"id": ident})
    done = look("deposit")
    assert (done.ok, done.matched, done.difference, kinds()) == (True, 2, 0, ["payment", "undone"])


def test_a_deposit_of_nobodys_waits_until_the_desk_has_sent_it_back(pool: DepositWorld, noon: clock.Frozen) -> None:
    number = next(iter(pool.pool.state.numbers))
    pool.pool.state.numbers[number] = type(pool.pool.state.numbers[number])("088", number, open=True)
    pool.deposit(number, 9_000)
    done = look("deposit")
    assert (done.ok, parked(), done.difference) == (True, [(Reason.NOT_IN_LEDGER, "in")], 9_000)
    line = DepositLine.objects.get()
    assert line.state == "parked"
    deposit_desk.send_back(line.pk, by=BOSS)
    run()
    done = look("deposit")
    assert (done.ok, parked(), done.difference) == (True, [], 0)


@pytest.fixture
def clearing(db: None, settings: LazySettings, noon: clock.Frozen) -> Iterator[DebitWorld]:
    from tests.payments.debit_tools import debit_world

    noon.set(clock.at(date(2014, 10, 26), 12))
    with debit_world(settings) as made:
        yield made


TUESDAY = date(2014, 10, 28)


def test_debits_agree_with_the_clearing_houses_results_and_returns(clearing: DebitWorld, noon: clock.Frozen) -> None:
    made = [customer(index) for index in (1, 2, 3)]
    for index in (1, 2):
        clearing.money(f"110{index:09d}", 100_000)
    to_cut_off(noon)
    results(clearing, noon)
    day = look("debit", TUESDAY)
    assert (day.ok, day.lines, day.matched, day.their_total) == (True, 2, 2, 104_600)
    causes = day.told["balances"][0]["causes"]
    assert causes == {"timing": 104_600}, "booked the morning after, when the results were fetched"
    both = look("debit", TUESDAY, 2)
    assert (both.ok, both.difference, both.our_total) == (True, 0, 104_600)
    item = item_of(made[0])
    assert item.file is not None
    back = {"file": item.file.name, "serial": item.serial, "code": "0061"}
    noon.advance(timedelta(days=2))
    clearing.control(clearing.house, "POST", "returns", {"day": "2014-10-31", "returns": [back]})
    done = look("debit", TUESDAY, 5)
    assert (done.ok, done.matched, done.difference, kinds()) == (True, 3, 0, ["payment", "payment", "undone"])


def test_a_record_that_we_could_not_place_is_parked_here_as_well(clearing: DebitWorld, noon: clock.Frozen) -> None:
    customer(1)
    clearing.money("110000000001", 100_000)
    to_cut_off(noon)
    clearing.fault_house(unknown_record={"remaining": 1})
    results(clearing, noon)
    assert DebitParked.objects.count() == 1
    done = look("debit", TUESDAY, 2)
    assert (done.ok, parked(), done.difference) == (True, [(Reason.NOT_IN_LEDGER, "in")], 7_700)


def test_an_amount_that_the_house_changed_is_named(clearing: DebitWorld, noon: clock.Frozen) -> None:
    customer(1)
    clearing.money("110000000001", 100_000)
    to_cut_off(noon)
    clearing.fault_house(amount_changed={"remaining": 1})
    results(clearing, noon)
    done = look("debit", TUESDAY, 2)
    assert done.ok
    assert parked() == [(Reason.AMOUNT_DIFFERS, "in")]


def test_a_house_that_is_down_fails_the_look(clearing: DebitWorld, noon: clock.Frozen) -> None:
    customer(1)
    clearing.money("110000000001", 100_000)
    to_cut_off(noon)
    clearing.clear()
    clearing.down.add("clearing")
    noon.set(clock.at(TUESDAY + timedelta(days=1), 3, 5))
    assert look("debit", TUESDAY).told["stopped"] == "NOT_REACHED"
    clearing.down.clear()
    done = look("debit", TUESDAY, 2)
    assert (done.ok, done.matched, done.difference) == (True, 1, 0), "the look fetched what nobody had fetched"


@pytest.fixture
def shop(db: None, settings: LazySettings, noon: clock.Frozen) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "counter": {}}
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


def test_the_drawers_receipts_agree_with_the_ledger_voids_too(shop: World, noon: clock.Frozen) -> None:
    shift = opened()
    bills = [overdue_bill(number=f"B-{n}", phone=f"+8210000012{n:02}") for n in range(3)]
    for number, bill in enumerate(bills):
        noon.advance(timedelta(minutes=1))
        assert pay(cash(shift, press=f"p{number}"), bill).receipt
    noon.advance(timedelta(minutes=1))
    last = Receipt.objects.order_by("pk").last()
    assert last is not None
    receipts.void(last.pk, by=KIM, second=BOSS, reason="wrong customer")
    done = look("counter")
    assert (done.ok, done.lines, done.matched, done.their_total, done.difference) == (True, 4, 4, 104_600, 0)
