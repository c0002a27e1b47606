"""One outcome model: money that moves at the provider, by deposit, by debit; too much of it; and what comes undone."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from tests.payments.payments_scripted import Truth, scripted
from tests.worlds import overdue_bill

from doenda.billing import books
from doenda.billing.models import Bill, Posting
from doenda.dunning import gather
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.notices.models import Notice
from doenda.payments import attempts, charge, inquiry, pending
from doenda.payments.models import Attempt, RefundCase
from doenda.payments.outcomes import apply
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.states import State

O = Outcome  # noqa: E741


@pytest.fixture
def truth(db: None, noon: clock.Frozen) -> Iterator[Truth]:
    with scripted() as made:
        yield made


def begin(bill: Bill, method: str, session: int | None = None) -> Attempt:
    seen = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider="scripted",
        return_url="http://shop/return",
        lang="ko",
        session_id=UUID(int=session) if session else None,
    )
    assert seen.attempt_id is not None, seen
    return Attempt.objects.get(pk=seen.attempt_id)


def deposit_for(bill: Bill, truth: Truth, session: int | None = None) -> Attempt:
    truth.starts = O.NEEDS_DEPOSIT
    attempt = begin(bill, "deposit", session)
    assert attempt.state == State.NEEDS_DEPOSIT
    return attempt


def debit_for(bill: Bill, truth: Truth) -> Attempt:
    truth.starts = O.INSTRUCTED
    attempt = begin(bill, "debit")
    assert attempt.state == State.INSTRUCTED
    return attempt


def truth_is(truth: Truth, attempt: Attempt, outcome: Outcome, amount: int | None = None, given_back: int = 0) -> None:
    truth.said[outside(attempt.pk)] = Answer(outcome, outcome.name, amount=amount, given_back=given_back)


def learn(attempt: Attempt) -> Attempt:
    """A doorbell rings, and the house asks."""
    with atomic():
        inquiry.ask_now(attempt.pk, says=O.UNKNOWN)
    sweeps.run("inquiries")
    attempt.refresh_from_db()
    return attempt


def pay_by_card(bill: Bill, truth: Truth) -> Attempt:
    truth.starts = O.NEEDS_REDIRECT
    attempt = begin(bill, "card")
    truth_is(truth, attempt, O.PAID)
    seen = charge.confirm(
        attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount=str(attempt.amount)
    )
    assert seen.outcome == "paid"
    attempt.refresh_from_db()
    return attempt


def credit(bill: Bill) -> int:
    return books.credit(bill.account_id)


class TestMoneyThatMovesOnTheProvidersPage:
    def test_it_is_in_flight_while_the_customer_is_there(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = begin(bill, "redirect")
        assert (attempt.state, attempt.in_flight) == (State.AT_PROVIDER, True)
        assert pending.adverse_blocked(bill.account_id)
        again = attempts.start(
            bill.account_id,
            [(bill.pk, 1000)],
            channel="web",
            method="card",
            provider="scripted",
            return_url="",
            lang="ko",
        )
        assert (again.outcome, again.attempt_id) == ("busy", attempt.pk)

    def test_choosing_another_way_first_closes_it_there(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = begin(bill, "redirect")
        assert attempts.clear(bill.account_id, [bill.pk], UUID(int=1)).outcome == "free"
        attempt.refresh_from_db()
        assert attempt.state == State.REFUSED
        assert ("void", outside(attempt.pk)) in truth.calls

    def test_it_is_not_left_for_another_way_while_the_close_is_not_acknowledged(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = begin(bill, "redirect")
        truth.voids = Answer(O.UNKNOWN, "NO_ANSWER")
        assert attempts.clear(bill.account_id, [bill.pk], UUID(int=1)).outcome == "unknown"
        attempt.refresh_from_db()
        assert attempt.in_flight

    def test_the_customer_who_comes_back_is_asked_for_and_never_charged(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = begin(bill, "redirect")
        truth_is(truth, attempt, O.PAID)
        seen = charge.confirm(
            attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount=str(attempt.amount)
        )
        assert seen.outcome == "paid"
        assert ("confirm", outside(attempt.pk)) not in truth.calls

    def test_a_customer_who_paid_there_and_never_came_back_has_paid(self, truth: Truth, noon: clock.Frozen) -> None:
        bill = overdue_bill()
        attempt = begin(bill, "redirect")
        truth_is(truth, attempt, O.PAID)
        noon.advance(timedelta(minutes=31))
        sweeps.run("inquiries")
        bill.refresh_from_db()
        assert bill.remaining == 0

    def test_one_who_left_is_voided_before_it_is_over(self, truth: Truth, noon: clock.Frozen) -> None:
        attempt = begin(overdue_bill(), "redirect")
        noon.advance(timedelta(minutes=31))
        sweeps.run("inquiries")
        attempt.refresh_from_db()
        assert attempt.state == State.REFUSED
        assert ("void", outside(attempt.pk)) in truth.calls


class TestDeposits:
    def test_an_account_waits_without_being_in_flight_and_is_told(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = deposit_for(bill, truth)
        assert attempt.details["pay_into"]["number"] == "110-22-333"
        assert attempts.look(attempt.pk).outcome == "deposit"
        assert pending.adverse_blocked(bill.account_id) is None

    def test_what_else_pays_closes_it_at_the_provider(self, truth: Truth) -> None:
        bill = overdue_bill()
        waiting = deposit_for(bill, truth)
        pay_by_card(bill, truth)
        waiting.refresh_from_db()
        assert waiting.state == State.CLOSED
        sweeps.run("outbox")
        assert ("void", outside(waiting.pk)) in truth.calls

    def test_one_that_is_paid_before_the_close_arrives_is_credit_that_goes_back(self, truth: Truth) -> None:
        bill = overdue_bill()
        waiting = deposit_for(bill, truth)
        pay_by_card(bill, truth)
        truth_is(truth, waiting, O.PAID)
        truth.voids = Answer(
            O.PAID, "DONE", "r", order_id=outside(waiting.pk), amount=52300, currency="KRW", merchant="m"
        )
        sweeps.run("outbox")
        waiting.refresh_from_db()
        assert waiting.state == State.PAID
        case = RefundCase.objects.get()
        assert (case.amount, case.owner) == (52300, "desk")
        assert credit(bill) == 52300, "whose account it came from is not known: the customer is asked"
        assert Notice.objects.filter(kind="overpaid", params__back="asked").count() == 1

    def test_less_than_was_asked_is_a_part_payment(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = deposit_for(bill, truth)
        truth_is(truth, attempt, O.PAID, amount=50000)
        learn(attempt)
        bill.refresh_from_db()
        assert (bill.remaining, attempt.taken, attempt.state) == (2300, 50000, State.PAID)

    def test_more_than_was_asked_is_credit_with_a_case(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = deposit_for(bill, truth)
        truth_is(truth, attempt, O.PAID, amount=60000)
        learn(attempt)
        assert (credit(bill), RefundCase.objects.get().amount) == (7700, 7700)
        assert books.trial().ok

    def test_a_deadline_that_passes_is_asked_about_and_then_over(self, truth: Truth, noon: clock.Frozen) -> None:
        attempt = deposit_for(overdue_bill(), truth)
        noon.advance(timedelta(days=3, minutes=1))
        truth_is(truth, attempt, O.EXPIRED)
        sweeps.run("inquiries")
        attempt.refresh_from_db()
        assert attempt.state == State.EXPIRED

    def test_a_provider_that_cannot_say_does_not_end_it(self, truth: Truth, noon: clock.Frozen) -> None:
        attempt = deposit_for(overdue_bill(), truth)
        noon.advance(timedelta(days=3, minutes=1))
        truth_is(truth, attempt, O.UNKNOWN)
        sweeps.run("inquiries")
        attempt.refresh_from_db()
        assert attempt.state == State.NEEDS_DEPOSIT


class TestWhatComesUndone:
    def test_a_deposit_taken_back_reopens_the_bill_and_punishes_nobody(self, truth: Truth, noon: clock.Frozen) -> None:
        bill = overdue_bill()
        attempt = deposit_for(bill, truth)
        truth_is(truth, attempt, O.PAID)
        learn(attempt)
        noon.advance(timedelta(days=2))
        truth_is(truth, attempt, O.NEEDS_DEPOSIT)
        learn(attempt)
        bill.refresh_from_db()
        assert (attempt.state, bill.remaining, bill.state) == (State.NEEDS_DEPOSIT, 52300, "open")
        assert Notice.objects.filter(kind="payment_undone", bill=bill).count() == 1
        (start, end) = pending.undone(bill.account_id)[0]
        assert (start, end) == (clock.now() - timedelta(days=2), clock.now() + timedelta(days=7))
        assert any(stop.running(clock.now()) for stop in gather.stops(bill.account_id))
        assert books.trial().ok

    def test_and_paid_again_it_is_posted_again(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = deposit_for(bill, truth)
        for outcome in (O.PAID, O.NEEDS_DEPOSIT, O.PAID, O.NEEDS_DEPOSIT, O.PAID):
            truth_is(truth, attempt, outcome)
            learn(attempt)
        bill.refresh_from_db()
        assert (bill.remaining, attempt.times_paid) == (0, 3)
        assert Posting.objects.filter(bill=bill, fact_kind="payment").count() == 3
        assert books.trial().ok
        assert Notice.objects.filter(kind="receipt").count() == 3

    def test_a_word_older_than_the_payment_undoes_nothing(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = deposit_for(bill, truth)
        asked = Attempt.objects.get(pk=attempt.pk)
        truth_is(truth, attempt, O.PAID)
        learn(attempt)
        apply(asked, Answer(O.NEEDS_DEPOSIT, "WAITING"), "an answer that was long under way")
        bill.refresh_from_db()
        assert bill.remaining == 0

    def test_a_debit_returned_days_later(self, truth: Truth, noon: clock.Frozen) -> None:
        bill = overdue_bill()
        attempt = debit_for(bill, truth)
        truth_is(truth, attempt, O.PAID)
        learn(attempt)
        noon.advance(timedelta(days=4))
        truth_is(truth, attempt, O.UNDONE)
        learn(attempt)
        bill.refresh_from_db()
        assert (attempt.state, bill.remaining) == (State.UNDONE, 52300)
        assert books.trial().ok

    def test_what_was_given_back_in_the_providers_own_console_goes_to_a_person(self, truth: Truth) -> None:
        attempt = pay_by_card(overdue_bill(), truth)
        truth_is(truth, attempt, O.PAID, given_back=1000)
        learn(attempt)
        assert attempt.reason == "GIVEN_BACK 1000, by us 0"
        assert attempt.person_owns_at

    def test_all_of_it_given_back_there_is_taken_out_of_the_books(self, truth: Truth) -> None:
        bill = overdue_bill()
        attempt = pay_by_card(bill, truth)
        truth_is(truth, attempt, O.GIVEN_BACK)
        learn(attempt)
        bill.refresh_from_db()
        assert (attempt.state, bill.remaining) == (State.REVERSED, 52300)


class TestDebits:
    def test_nothing_adverse_happens_before_its_result(self, truth: Truth, noon: clock.Frozen) -> None:
        bill = overdue_bill()
        attempt = debit_for(bill, truth)
        assert pending.adverse_blocked(bill.account_id)
        assert pending.instructed(bill.account_id) == [(attempt.moves.get().created_at, None)]
        truth_is(truth, attempt, O.REFUSED)
        learn(attempt)
        assert attempt.state == State.REFUSED
        assert pending.adverse_blocked(bill.account_id) is None

    def test_before_its_cut_off_it_is_recalled_when_something_else_pays(self, truth: Truth) -> None:
        bill = overdue_bill()
        debit = debit_for(bill, truth)
        pay_by_card(bill, truth)
        sweeps.run("outbox")
        debit.refresh_from_db()
        assert debit.state == State.CLOSED

    def test_after_it_the_double_goes_back_by_itself(self, truth: Truth) -> None:
        bill = overdue_bill()
        debit = debit_for(bill, truth)
        truth.voids = Answer(O.PENDING, "TOO_LATE")
        pay_by_card(bill, truth)
        sweeps.run("outbox")
        debit.refresh_from_db()
        assert debit.state == State.INSTRUCTED
        truth_is(truth, debit, O.PAID)
        learn(debit)
        case = RefundCase.objects.get()
        assert (case.amount, case.owner, debit.state) == (52300, "system", State.PAID)
        sweeps.run("outbox")
        case.refresh_from_db()
        assert case.outcome == "refunded"
        assert sum(truth.refunded.values()) == 52300
        assert Notice.objects.filter(kind__in=["overpaid", "refunded"]).count() == 2
        assert (credit(bill), books.trial().ok) == (0, True)

    def test_what_the_provider_then_says_of_a_refunded_double_changes_nothing(self, truth: Truth) -> None:
        self.test_after_it_the_double_goes_back_by_itself(truth)
        debit = Attempt.objects.get(method="debit")
        truth_is(truth, debit, O.GIVEN_BACK)
        learn(debit)
        assert (debit.state, debit.person_owns_at) == (State.PAID, None)
