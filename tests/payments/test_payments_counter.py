"""Cash, the shop's card terminal and slips: taken once, given change, numbered without gaps, found after a crash."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import connection
from tests.worlds import World, overdue_bill, world

from doenda.billing import accounts, bills, books
from doenda.billing.models import Bill, Posting
from doenda.kernel import clock, sweeps
from doenda.kernel.database import seam
from doenda.kernel.db import atomic
from doenda.payments import attempts, providers
from doenda.payments.counter import receipts, shifts, till
from doenda.payments.counter.models import Receipt, Shift, Taking
from doenda.payments.counter.till import Pressed, Taken
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Outcome
from doenda.payments.staff import NotAllowed
from doenda.payments.states import State

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


@pytest.fixture
def shop(settings: LazySettings) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "counter": {}}
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


def opened(clerk: str = KIM, till_name: str = "1", code: str = "S1") -> Shift:
    store = shifts.open_store(code, "강남점", by=BOSS)
    return shifts.open_shift(store.pk, till_name, clerk=clerk, float_amount=100_000)


def cash(shift: Shift, amount: int = 52_300, tendered: int = 60_000, press: str = "p1") -> Pressed:
    return Pressed(shift.pk, shift.clerk, press, "cash", amount, tendered)


def pay(pressed: Pressed, bill: Bill) -> Taken:
    return till.take(pressed, account_id=bill.account_id, bills=[(bill.pk, bill.remaining)])


def slip_for(bill: Bill) -> str:
    said = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method="store",
        provider="counter",
        return_url="",
        lang="ko",
    )
    assert said.outcome == "deposit"
    number: str = Attempt.objects.get(pk=str(said.attempt_id)).details["pay_into"]["number"]
    return number


def card_begun(bill: Bill) -> Attempt:
    said = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method="card",
        provider="sandbox",
        return_url="http://shop/return",
        lang="ko",
    )
    return Attempt.objects.get(pk=str(said.attempt_id))


def test_cash_is_taken_with_change_posted_once_and_settles_the_bill(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    said = pay(cash(shift), bill)
    assert (said.outcome, said.amount, said.change) == ("taken", 52_300, 7_700)
    assert said.receipt == f"S1-{clock.today().year}-000001"
    bill.refresh_from_db()
    assert (bill.state, bill.remaining) == ("settled", 0)
    assert Attempt.objects.get().provider_ref == said.receipt
    assert books.credit(bill.account_id) == 0
    assert books.trial().ok
    assert shifts.expected(shift) == 152_300


def test_a_card_at_the_shops_terminal_leaves_an_approval_number_and_no_card(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    said = pay(Pressed(shift.pk, KIM, "p1", "card", 52_300, approval="30012345"), bill)
    assert (said.outcome, said.change) == ("taken", 0)
    assert Receipt.objects.get().approval == "30012345"
    assert shifts.expected(shift) == 100_000


@pytest.mark.parametrize("approval", ["", "4" * 16, "4111-1111", "kim12345", "1" * 13])
def test_a_card_number_is_never_taken_for_an_approval(db: None, shop: World, approval: str) -> None:
    bill, shift = overdue_bill(), opened()
    with pytest.raises(ValueError, match="approval"):
        pay(Pressed(shift.pk, KIM, "p1", "card", 52_300, approval=approval), bill)
    assert not Taking.objects.exists()


def test_the_same_approval_twice_in_a_shift_is_refused(db: None, shop: World) -> None:
    first, second, shift = overdue_bill(), overdue_bill(number="B-2", phone="+821000001235"), opened()
    pay(Pressed(shift.pk, KIM, "p1", "card", 52_300, approval="30012345"), first)
    with pytest.raises(NotAllowed, match="has a receipt"):
        pay(Pressed(shift.pk, KIM, "p2", "card", 52_300, approval="30012345"), second)


def test_a_part_may_be_paid_and_the_rest_stays_owed(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    said = till.take(cash(shift, 20_000, 20_000), account_id=bill.account_id, bills=[(bill.pk, 52_300)])
    assert (said.outcome, said.amount) == ("taken", 20_000)
    bill.refresh_from_db()
    assert (bill.state, bill.remaining) == ("open", 32_300)


def test_several_bills_take_in_their_order(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    with atomic():
        account = accounts.lock(bill.account_id)
        later = bills.issue(
            account,
            "B-1b",
            [bills.Item("service", 10_000)],
            due_date=clock.today(),
            bill_date=clock.today(),
            period=(clock.today(), clock.today()),
        )
    both = [(bill.pk, 52_300), (later.pk, 10_000)]
    assert till.take(cash(shift, 55_000), account_id=account.pk, bills=both).outcome == "taken"
    assert Bill.objects.get(pk=bill.pk).remaining == 0
    assert Bill.objects.get(pk=later.pk).remaining == 7_300


@pytest.mark.parametrize(
    ("amount", "tendered", "words"),
    [(52_301, 60_000, "more than is owed"), (52_300, 52_299, "less"), (0, 0, "nothing")],
)
def test_what_cannot_be_is_refused_before_anything_is_taken(
    db: None, shop: World, amount: int, tendered: int, words: str
) -> None:
    bill, shift = overdue_bill(), opened()
    with pytest.raises(ValueError, match=words):
        pay(cash(shift, amount, tendered), bill)
    assert not Receipt.objects.exists()
    assert not Attempt.objects.exists()


def test_a_closed_shift_and_another_clerks_shift_take_nothing(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    with pytest.raises(NotAllowed, match="another clerk"):
        pay(replace(cash(shift), clerk=LEE), bill)
    with pytest.raises(NotAllowed, match="may not"):
        pay(replace(cash(shift), clerk="agent:choi"), bill)
    shifts.count(shift.pk, 100_000, clerk=KIM)
    with pytest.raises(NotAllowed, match="closed"):
        pay(cash(shift), bill)
    assert not Attempt.objects.exists()


def test_pressing_twice_takes_once(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    assert pay(cash(shift), bill) == pay(cash(shift), bill)
    assert Receipt.objects.count() == Posting.objects.filter(fact_kind="payment").count() == 1


def test_the_same_press_with_something_else_in_it_is_refused(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    with atomic():
        till._taking(cash(shift), bill.account_id)
    with pytest.raises(NotAllowed, match="sent before"):
        pay(cash(shift, 20_000), bill)


def test_start_twice_for_the_same_order_is_the_same_receipt(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    pay(cash(shift), bill)
    charge, terms = charge_of(Attempt.objects.get()), providers.get("counter")
    assert terms.start(charge) == terms.start(charge) == terms.inquire(charge)
    assert Receipt.objects.count() == 1
    assert terms.void(charge).outcome is Outcome.PAID


def test_nothing_is_taken_while_money_may_be_moving_elsewhere(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    number = slip_for(bill)
    attempt = card_begun(bill)
    with atomic():
        Attempt.objects.filter(pk=attempt.pk).update(state=State.UNKNOWN, in_flight=True)
    assert till.take_slip(number, by=KIM).outcome == "busy"
    assert till.take(cash(shift), slip=number).outcome == "busy"
    assert pay(cash(shift), bill).outcome == "busy"
    assert not Receipt.objects.exists()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at_commit", range(1, 7))
def test_a_crash_at_any_commit_neither_loses_nor_doubles_what_was_taken(
    committed_db: str, shop: World, when: Literal["before", "after"], at_commit: int
) -> None:
    """The clerk saw nothing and presses again, or nobody does: a receipt always ends in the ledger, once."""
    with clock.freeze(clock.now()) as now:
        bill, shift = overdue_bill(), opened()
        try:
            with seam.crash(when, at_commit=at_commit):
                pay(cash(shift), bill)
        except seam.Crash:
            connection.close()
        now.advance(timedelta(seconds=90))
        sweeps.run("inquiries")
        kept = sum(Receipt.objects.values_list("amount", flat=True))
        assert Bill.objects.get(pk=bill.pk).remaining == 52_300 - kept
        said = pay(cash(shift), bill)
        assert said.outcome == "taken"
        assert Receipt.objects.count() == 1
        assert Bill.objects.get(pk=bill.pk).remaining == 0
        assert Posting.objects.filter(fact_kind="payment").count() == 1
        assert books.trial().ok


def at_once(*acts: Any) -> list[Any]:
    said: list[Any] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def one(place: int) -> None:
        gate.wait()
        try:
            said[place] = acts[place]()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
            said[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


def test_one_press_sent_many_times_at_once_takes_once(committed_db: str, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    said = at_once(*[lambda: pay(cash(shift), bill)] * 6)
    again = pay(cash(shift), bill)
    assert again.outcome == "taken"
    assert all(each == again or (isinstance(each, Taken) and each.outcome != "taken") for each in said), said
    assert Receipt.objects.count() == 1
    assert Bill.objects.get(pk=bill.pk).remaining == 0


def test_two_clerks_with_the_same_slip_take_it_once(committed_db: str, shop: World) -> None:
    bill = overdue_bill()
    number = slip_for(bill)
    mine, yours = opened(), opened(LEE, "2")
    said = at_once(lambda: till.take(cash(mine), slip=number), lambda: till.take(cash(yours, press="p2"), slip=number))
    assert sorted(each.outcome for each in said) == ["nothing_due", "taken"]
    assert RefundCase.objects.count() == 0


def test_numbers_have_no_gaps_a_store_and_year(committed_db: str, shop: World) -> None:
    mine, yours = opened(), opened(LEE, "2")
    found = [overdue_bill(number=f"B-{n}", phone=f"+8210000012{n:02}") for n in range(8)]

    def each(place: int) -> Taken:
        shift = mine if place % 2 else yours
        if place == 3:
            with pytest.raises(ZeroDivisionError), atomic():
                receipts.write(shift, Attempt(), Receipt.Kind.TAKEN, amount=1 // 0)
        return pay(cash(shift, press=f"p{place}"), found[place])

    said = at_once(*[lambda place=place: each(place) for place in range(8)])
    assert {one.outcome for one in said} == {"taken"}, said
    assert sorted(Receipt.objects.values_list("number", flat=True)) == list(range(1, 9))


def test_another_store_and_another_year_begin_at_one(db: None, shop: World, noon: clock.Frozen) -> None:
    bills_ = [overdue_bill(number=f"B-{n}", phone=f"+8210000012{n:02}") for n in range(3)]
    one, two = opened(), opened(LEE, "1", "S2")
    assert pay(cash(one, press="a"), bills_[0]).receipt == "S1-2014-000001"
    assert pay(cash(two, press="b"), bills_[1]).receipt == "S2-2014-000001"
    noon.advance(timedelta(days=100))
    assert pay(cash(one, press="c"), bills_[2]).receipt == "S1-2015-000001"


def test_the_feed_names_every_movement(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    said = pay(cash(shift), bill)
    receipts.void(Receipt.objects.get().pk, by=KIM, second=BOSS, reason="wrong customer")
    window = (clock.now() - timedelta(hours=1), clock.now() + timedelta(hours=1))
    found = providers.get("counter").transactions(*window)
    assert [(line.line_id, line.kind, line.amount) for line in found.lines] == [
        (said.receipt, "paid", 52_300),
        (f"{said.receipt}/void", "given_back", 52_300),
    ]
    assert found.cursor == ""


def test_an_order_that_is_not_ours_is_not_found(db: None, shop: World) -> None:
    terms = providers.get("counter")
    stranger = charge_of(Attempt(id=UUID(int=7), amount=1, currency="KRW", method="cash"))
    assert terms.start(stranger).outcome is Outcome.OUR_FAULT
    assert terms.start(replace(stranger, method="store")).outcome is Outcome.OUR_FAULT
    assert terms.inquire(stranger).outcome is Outcome.NOT_FOUND
    assert terms.void(stranger).outcome is Outcome.NOT_FOUND
    assert terms.refund(stranger, amount=1, key="k", reason="r").outcome is Outcome.REFUSED
