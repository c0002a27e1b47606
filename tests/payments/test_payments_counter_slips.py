"""Slips: shown, taken once, as what they are then; their numbers are checked, counted and never given to two."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import LazySettings
from tests.payments.test_payments_counter import KIM, LEE, card_begun, cash, opened, pay, slip_for
from tests.worlds import World, overdue_bill, world

from doenda.billing import accounts, bills, books
from doenda.billing.models import Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.payments import providers
from doenda.payments.counter import numbers, policy, slips, till
from doenda.payments.counter.models import Slip
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Outcome
from doenda.payments.states import State


@pytest.fixture
def shop(settings: LazySettings) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "counter": {}}
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


def test_a_slip_is_shown_taken_and_closes_everything_else(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    number, other = slip_for(bill), card_begun(bill)
    shown = till.take_slip(numbers.shown(number), by=KIM)
    assert (shown.outcome, shown.amount) == ("open", 52_300)
    said = till.take(cash(shift), slip=number)
    assert (said.outcome, said.change) == ("taken", 7_700)
    assert Attempt.objects.get(pk=str(said.attempt_id)).state == State.PAID
    other.refresh_from_db()
    assert other.state == State.CLOSED
    assert till.take(cash(shift, press="p2"), slip=number).outcome == "nothing_due"
    assert books.credit(bill.account_id) == 0


def test_a_part_of_a_slip_is_booked_as_what_it_is(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    number = slip_for(bill)
    assert till.take(cash(shift, 20_000, 20_000), slip=number).outcome == "taken"
    bill.refresh_from_db()
    assert bill.remaining == 32_300
    assert till.take(cash(shift, 32_300, 40_000, press="p2"), slip=number).outcome == "expired"
    assert till.take(cash(shift, 32_300, 40_000, press="p3"), slip=slip_for(bill)).outcome == "taken"


def test_a_slip_of_what_was_paid_otherwise_takes_nothing(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    number = slip_for(bill)
    assert pay(cash(shift), bill).outcome == "taken"
    assert till.take(cash(shift, press="p2"), slip=number).outcome == "nothing_due"
    sweeps.run("outbox")
    assert Slip.objects.get().closed_at is not None


def test_a_slip_whose_bill_changed_is_paid_as_it_is_now(db: None, shop: World) -> None:
    bill, shift = overdue_bill(), opened()
    number = slip_for(bill)
    with atomic():
        account = accounts.lock(bill.account_id)
        items = [bills.Item("service", 30_000)]
        bills.correct(account, Bill.objects.get(pk=bill.pk), 2, items, due_date=bill.due_date)
    assert till.take_slip(number, by=KIM).outcome == "changed"
    with pytest.raises(ValueError, match="more than is owed"):
        till.take(cash(shift), slip=number)
    said = till.take(cash(shift, 30_000, 30_000), slip=number)
    assert said.outcome == "taken"
    assert Bill.objects.get(pk=bill.pk).remaining == 0
    assert books.credit(bill.account_id) == 0


def test_a_slip_is_over_with_its_attempt(db: None, shop: World, noon: clock.Frozen) -> None:
    bill, shift = overdue_bill(), opened()
    number = slip_for(bill)
    noon.advance(timedelta(days=8))
    assert till.take(cash(shift), slip=number).outcome == "expired"
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.EXPIRED
    assert providers.get("counter").inquire(charge_of(Attempt.objects.get())).outcome is Outcome.EXPIRED


def test_every_wrong_digit_and_every_exchange_of_neighbours_is_noticed() -> None:
    for _ in range(20):
        right = numbers.fresh_slip()
        assert numbers.slip(numbers.shown(right)) == right
        for at in range(10):
            for digit in set("0123456789") - {right[at]}:
                assert numbers.slip(right[:at] + digit + right[at + 1 :]) is None
        for at in range(9):
            swapped = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
            assert swapped == right or numbers.slip(swapped) is None
    assert numbers.slip("１２３４５６７８９０") is None


def test_numbers_that_do_not_exist_are_counted_against_the_clerk(db: None, shop: World) -> None:
    number = slip_for(overdue_bill())
    opened()
    for _ in range(policy.now().wrong_slips):
        assert till.take_slip(numbers.fresh_slip(), by=KIM).outcome == "unknown_slip"
    assert till.take_slip(number, by=KIM).outcome == "throttled"
    assert till.take_slip(number, by=LEE).outcome == "open"
    assert till.take_slip("123", by=KIM).outcome == "unknown_slip"


def test_a_number_is_never_given_to_two(db: None, shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = slip_for(overdue_bill())
    sequence = iter([first, first, "1000000000"])
    monkeypatch.setattr(numbers, "fresh_slip", lambda: next(sequence))
    assert slip_for(overdue_bill(number="B-2", phone="+821000001235")) == "1000000000"


def test_a_slip_that_waits_and_one_that_is_closed_are_told_apart(db: None, shop: World) -> None:
    slip_for(overdue_bill())
    attempt, terms = Attempt.objects.get(), providers.get("counter")
    assert terms.inquire(charge_of(attempt)).outcome is Outcome.PENDING
    assert slips.issue(attempt.pk) == slips.issue(attempt.pk)
    assert terms.void(charge_of(attempt)).outcome is Outcome.GIVEN_BACK
