"""What a hostile reader found in the payments room: each is a mistake of the code as it stood, marked until mended."""

import contextlib
from datetime import date, timedelta
from typing import Any

import pytest
from tests.payments.debit_tools import (
    DebitWorld,
    attempt_of,
    by_hand,
    customer,
    item_of,
    number_of,
    results,
    to_cut_off,
)
from tests.payments.payments_scripted import scripted
from tests.payments.test_payments_attacks_stranding import come_back, scripted_begin
from tests.payments.test_payments_deposit import DepositWorld, run
from tests.payments.test_payments_refunds import CHOI, LARGE, account_of_payer, arrives, asked, fake, goes_again, paid
from tests.worlds import World, overdue_bill

from doenda.access.models import Role, User
from doenda.kernel import clock, sweeps
from doenda.kernel.ids import outside
from doenda.payments import desk, outcomes, providers
from doenda.payments.counter import shifts, till
from doenda.payments.debit import files, home, instruct
from doenda.payments.debit.models import DebitItem
from doenda.payments.deposits import desk as deposit_desk
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Answer, BackTo, Outcome
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


# Four eyes and the rights of staff


def test_a_member_of_staff_does_not_approve_under_another_spelling_of_their_own_id(house: World) -> None:
    me = User.objects.create(username="boss", role=Role.OPERATOR)
    refund = asked(paid(LARGE), by=f"user:{me.pk}")
    with pytest.raises(NotAllowed):
        desk.approve(refund.pk, by=f"user:{str(me.pk).upper().replace('-', '')}")


@pytest.mark.parametrize("again", ["collections:Han", "collections:han ", "operator:han"])
def test_a_name_written_otherwise_or_with_another_role_is_not_a_second_person(house: World, again: str) -> None:
    refund = asked(paid(LARGE), by="collections:han")
    with pytest.raises(NotAllowed):
        desk.approve(refund.pk, by=again)


@pytest.mark.parametrize(("first", "second"), [("kim", ""), ("kim", "Kim"), ("k" * 81, "k" * 81)])
def test_a_large_parked_sum_is_not_sent_back_by_one_person(pool: DepositWorld, first: str, second: str) -> None:
    pool.deposit("088900000099", 300_001, late=True)
    run()
    [line] = deposit_desk.parked()
    for by in (first, second):
        try:
            assert not deposit_desk.send_back(line.line_id, by=by)
        except (ValueError, PermissionError):
            continue


@pytest.mark.parametrize("by", ["", "stranger", KIM])
def test_nobody_without_the_right_gives_a_strangers_deposit_to_an_account(pool: DepositWorld, by: str) -> None:
    bill = overdue_bill()
    pool.deposit("088900000099", 52_300, late=True)
    run()
    [line] = deposit_desk.parked()
    with pytest.raises((ValueError, PermissionError)):
        deposit_desk.assign(line.line_id, bill.account_id, by=by)


@pytest.mark.parametrize("by", ["stranger", KIM])
def test_nobody_without_the_right_says_that_a_debit_was_paid(clearing: DebitWorld, noon: clock.Frozen, by: str) -> None:
    bill = customer()
    to_cut_off(noon)
    with pytest.raises((ValueError, PermissionError)):
        home.decide(item_of(bill).pk, word="PAID", by=by)


def test_a_clerk_does_not_empty_the_drawer_alone_in_small_moves(shop: World) -> None:
    store = shifts.open_store("S1", "강남점", by=BOSS)
    shift = shifts.open_shift(store.pk, "1", clerk=KIM, float_amount=1_000_000)
    for turn in range(3):
        with contextlib.suppress(PermissionError):
            shifts.move_cash(shift.pk, -300_000, "to the safe", clerk=KIM, press=f"m{turn}")
    assert shifts.expected(shift) >= 700_000


def test_a_form_sent_again_for_another_customer_is_not_told_taken(shop: World) -> None:
    first, second = overdue_bill(), overdue_bill(number="B-2", phone="+821000001235")
    store = shifts.open_store("S1", "강남점", by=BOSS)
    shift = shifts.open_shift(store.pk, "1", clerk=KIM, float_amount=100_000)
    pressed = till.Pressed(shift.pk, KIM, "p1", "cash", 52_300, 52_300)
    till.take(pressed, account_id=first.account_id, bills=[(first.pk, 52_300)])
    with pytest.raises(PermissionError, match="sent before"):
        till.take(pressed, account_id=second.account_id, bills=[(second.pk, 52_300)])


@pytest.mark.parametrize("turn", ["another amount", "the next shift"])
def test_one_approval_of_the_terminal_pays_one_bill(shop: World, turn: str) -> None:
    first, second = overdue_bill(), overdue_bill(number="B-2", phone="+821000001235")
    store = shifts.open_store("S1", "강남점", by=BOSS)
    shift = shifts.open_shift(store.pk, "1", clerk=KIM, float_amount=0)
    pressed = till.Pressed(shift.pk, KIM, "p1", "card", 52_300, approval="30012345")
    till.take(pressed, account_id=first.account_id, bills=[(first.pk, 52_300)])
    amount = 52_299 if turn == "another amount" else 52_300
    if turn == "the next shift":
        shifts.count(shift.pk, 0, clerk=KIM)
        shifts.close(shift.pk, by=KIM)
        shift = shifts.open_shift(store.pk, "1", clerk=KIM, float_amount=0)
    again = till.Pressed(shift.pk, KIM, "p2", "card", amount, approval="30012345")
    with pytest.raises(PermissionError):
        till.take(again, account_id=second.account_id, bills=[(second.pk, amount)])


# Taken twice


def test_a_debit_chosen_while_the_sweep_instructs_is_not_debited_twice(
    clearing: DebitWorld, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = customer()
    noon.set(clock.at(date(2014, 10, 27), 12))
    terms = providers.get("debit")
    start = type(terms).start

    def slow(self: Any, asked: Any) -> Answer:
        answer = start(self, asked)
        instruct.run("KRW")  # another process, between two commits of this one
        return answer

    monkeypatch.setattr(type(terms), "start", slow)
    by_hand(bill)
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    files.sweep(100)
    assert DebitItem.objects.filter(state="filed").count() <= 1


def test_a_bill_whose_card_payment_is_unknown_at_the_cut_off_is_not_debited_too(
    clearing: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    debit = item_of(bill)
    with scripted() as truth:
        noon.set(clock.at(date(2014, 10, 27), 16, 29))
        card = scripted_begin(bill)
        truth.said[outside(card.pk)] = Answer(Outcome.UNKNOWN, "NO_ANSWER")
        assert come_back(card).outcome == "unknown"
        noon.set(clock.at(date(2014, 10, 27), 16, 31))
        files.sweep(100)
    debit.refresh_from_db()
    assert debit.state != "filed"


# Given back wrongly


def test_a_refund_of_what_came_undone_does_not_take_from_the_next_payment(house: World, noon: clock.Frozen) -> None:
    attempt = paid(over=7_700)
    fake().says = Outcome.UNKNOWN  # the bank is closed
    desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    sweeps.run("outbox")
    noon.advance(timedelta(minutes=1))
    attempt = goes_again(Attempt.objects.get(pk=attempt.pk))
    arrives(attempt, 52_300)  # this time exactly what is owed
    sent_before = len(fake().refunds)
    fake().says = Outcome.GIVEN_BACK
    noon.advance(timedelta(minutes=2))
    sweeps.run("outbox")
    assert len(fake().refunds) == sent_before


def test_money_that_went_back_twice_gets_a_person(house: World, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = paid()
    asked(attempt)
    bank = fake()
    refund = bank.refund

    def meanwhile(*args: Any, **more: Any) -> Answer:
        outcomes.apply(Attempt.objects.get(pk=attempt.pk), Answer(Outcome.UNDONE, "TAKEN_BACK"), "deposit list")
        answer: Answer = refund(*args, **more)
        return answer

    monkeypatch.setattr(bank, "refund", meanwhile)
    sweeps.run("outbox")
    assert Refund.objects.get().done_at is not None
    assert Attempt.objects.get().state == State.UNDONE
    assert Attempt.objects.get().person_owns_at is not None


def test_an_overpaid_sum_that_waits_for_approval_is_not_lost_by_a_refund_of_the_rest(house: World) -> None:
    attempt = paid(over=LARGE)
    desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    asked(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    back = sum(amount for _, amount, _ in fake().refunds)
    attempt.refresh_from_db()
    assert attempt.given_back == back or RefundCase.objects.filter(closed_at=None).exists()


def test_an_account_number_has_only_plain_digits(house: World) -> None:
    paid(over=7_700)
    with pytest.raises(NotAllowed):
        desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=BackTo("004", "110-１２３-456789", "김민수"))


def test_a_debit_is_not_given_back_elsewhere_than_the_desk_said(clearing: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    results(clearing, noon)
    said = providers.get("debit").refund(
        charge_of(attempt_of(bill)), amount=1_000, key="refund-x", reason="r", back_to=account_of_payer()
    )
    assert said.outcome is Outcome.REFUSED
    assert not DebitItem.objects.filter(kind="refund").exists()


def test_of_a_parked_deposit_only_what_is_still_there_is_booked(pool: DepositWorld) -> None:
    bill = overdue_bill(100_000)
    pool.deposit("088900000099", 100_000, late=True)
    run()
    [line] = deposit_desk.parked()
    ident = DepositLine.objects.get(pk=line.line_id).ident
    client = providers.get("deposit").bank  # type: ignore[attr-defined]
    assert not client.give_back(ident, 40_000, "by-hand", "by hand").code
    run()
    deposit_desk.assign(line.line_id, bill.account_id, by=BOSS)
    run()
    bill.refresh_from_db()
    assert bill.paid <= pool.at_pool() or Attempt.objects.get().person_owns_at is not None
