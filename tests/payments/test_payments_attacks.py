"""What a hostile reader found in the payments room: each is a mistake of the code as it stood, marked until mended."""

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings, settings
from tests.payments import test_payments_refunds as of_refunds
from tests.payments.debit_tools import (
    DebitWorld,
    attempt_of,
    by_hand,
    customer,
    debit_world,
    item_of,
    number_of,
    results,
    to_cut_off,
)
from tests.payments.payments_scripted import Truth, scripted
from tests.payments.test_payments_charge import begin as begin_card
from tests.payments.test_payments_deposit import DepositWorld, deposit_world, run
from tests.payments.test_payments_refunds import CHOI, LARGE, account_of_payer, arrives, asked, fake, goes_again, paid
from tests.worlds import World, overdue_bill, world

from doenda.access.models import AuditEntry, Role, User
from doenda.billing.models import Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.payments import attempts, charge, desk, doorbells, outcomes, pending, providers
from doenda.payments.counter import shifts, till
from doenda.payments.counter.models import Receipt
from doenda.payments.debit import answers, files, home, instruct
from doenda.payments.debit.models import DebitAnswer, DebitItem, DebitParked
from doenda.payments.deposits import desk as deposit_desk
from doenda.payments.deposits.models import DepositLease
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.providers.contract import Answer, BackTo, Outcome, Ring
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


def attack(reason: str) -> pytest.MarkDecorator:
    return pytest.mark.xfail(strict=True, reason=reason, raises=(AssertionError, pytest.fail.Exception, UnicodeError))


@pytest.fixture
def house(db: None, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "deposit": {}}
    monkeypatch.setitem(providers._CLASSES, "deposit", f"{of_refunds.__name__}.Fake")
    providers.get.cache_clear()
    with world() as made:
        yield made
    providers.get.cache_clear()


@pytest.fixture
def clearing(db: None, settings: LazySettings, noon: clock.Frozen) -> Iterator[DebitWorld]:
    noon.set(clock.at(date(2014, 10, 26), 12))
    with debit_world(settings) as made:
        yield made


@pytest.fixture
def pool(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


@pytest.fixture
def truth(db: None) -> Iterator[Truth]:
    with world(), scripted() as made:
        yield made


@pytest.fixture
def shop(db: None) -> Iterator[World]:
    with world() as made:
        yield made


# Four eyes and the rights of staff


@attack("an actor's user id is compared as text, and UUID() reads many spellings")
def test_a_member_of_staff_does_not_approve_under_another_spelling_of_their_own_id(house: World) -> None:
    me = User.objects.create(username="boss", role=Role.OPERATOR)
    refund = asked(paid(LARGE), by=f"user:{me.pk}")
    with pytest.raises(NotAllowed):
        desk.approve(refund.pk, by=f"user:{str(me.pk).upper().replace('-', '')}")


@pytest.mark.parametrize("again", ["collections:Han", "collections:han ", "operator:han"])
@attack("names are compared exactly, and with their role")
def test_a_name_written_otherwise_or_with_another_role_is_not_a_second_person(house: World, again: str) -> None:
    refund = asked(paid(LARGE), by="collections:han")
    with pytest.raises(NotAllowed):
        desk.approve(refund.pk, by=again)


@pytest.mark.parametrize(("first", "second"), [("kim", ""), ("kim", "Kim"), ("k" * 81, "k" * 81)])
@attack("deposits/desk.py compares names as text, cuts the stored one at 80, and asks nobody's right")
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
@attack("assign asks for no right and leaves no trace in the audit")
def test_nobody_without_the_right_gives_a_strangers_deposit_to_an_account(pool: DepositWorld, by: str) -> None:
    bill = overdue_bill()
    pool.deposit("088900000099", 52_300, late=True)
    run()
    [line] = deposit_desk.parked()
    with pytest.raises((ValueError, PermissionError)):
        deposit_desk.assign(line.line_id, bill.account_id, by=by)


@pytest.mark.parametrize("by", ["stranger", KIM])
@attack("decide takes any name for a person who may book a debit as paid")
def test_nobody_without_the_right_says_that_a_debit_was_paid(
    clearing: DebitWorld, noon: clock.Frozen, by: str
) -> None:
    bill = customer()
    to_cut_off(noon)
    with pytest.raises((ValueError, PermissionError)):
        home.decide(item_of(bill).pk, word="PAID", by=by)


@attack("each move is compared with the limit, their sum is not")
def test_a_clerk_does_not_empty_the_drawer_alone_in_small_moves(shop: World) -> None:
    store = shifts.open_store("S1", "강남점", by=BOSS)
    shift = shifts.open_shift(store.pk, "1", clerk=KIM, float_amount=1_000_000)
    with pytest.raises(PermissionError):
        for turn in range(3):
            shifts.move_cash(shift.pk, -300_000, "to the safe", clerk=KIM, press=f"m{turn}")


@attack("a form that was sent before is told its old receipt, whatever stands in it now")
def test_a_form_sent_again_for_another_customer_is_not_told_taken(shop: World) -> None:
    first, second = overdue_bill(), overdue_bill(number="B-2", phone="+821000001235")
    store = shifts.open_store("S1", "강남점", by=BOSS)
    shift = shifts.open_shift(store.pk, "1", clerk=KIM, float_amount=100_000)
    pressed = till.Pressed(shift.pk, KIM, "p1", "cash", 52_300, 52_300)
    till.take(pressed, account_id=first.account_id, bills=[(first.pk, 52_300)])
    with pytest.raises(PermissionError, match="sent before"):
        till.take(pressed, account_id=second.account_id, bills=[(second.pk, 52_300)])


@pytest.mark.parametrize("turn", ["another amount", "the next shift"])
@attack("an approval is held to be one only within a shift and for one amount")
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


@attack("between a debit's row and its attempt's state, the sweep does not see that the bill is to be debited")
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


@attack("the cut-off does not look whether another attempt is moving money for the bill")
def test_a_bill_whose_card_payment_is_unknown_at_the_cut_off_is_not_debited_too(
    clearing: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    debit = item_of(bill)
    noon.set(clock.at(date(2014, 10, 27), 16, 29))
    card = begin_card(bill)
    clearing.down.add("bank")
    for _ in range(2):
        charge.confirm(card.pk, order_id=outside(card.pk), ref=card.provider_ref or "", amount=str(card.amount))
    Attempt.objects.filter(pk=card.pk).exclude(in_flight=True).update(state="unknown", in_flight=True)
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    files.sweep(100)
    debit.refresh_from_db()
    assert debit.state != "filed"


# Given back wrongly


@attack("a refund of a payment that came undone is sent against the payment that came after it")
def test_a_refund_of_what_came_undone_does_not_take_from_the_next_payment(house: World, noon: clock.Frozen) -> None:
    attempt = paid(over=7_700)
    fake().says = Outcome.UNKNOWN  # the bank is closed
    desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    attempt = goes_again(Attempt.objects.get(pk=attempt.pk))
    noon.advance(timedelta(minutes=1))
    arrives(attempt, 52_300)  # this time exactly what is owed
    sent_before = len(fake().refunds)
    fake().says = Outcome.GIVEN_BACK
    noon.advance(timedelta(minutes=2))
    sweeps.run("outbox")
    assert len(fake().refunds) == sent_before


@attack("what was given back after the bank had taken it back is known to nobody")
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


@attack("a whole refund counts as given back what still waited for a second person")
def test_an_overpaid_sum_that_waits_for_approval_is_not_lost_by_a_refund_of_the_rest(house: World) -> None:
    attempt = paid(over=LARGE)
    desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=account_of_payer())
    asked(Attempt.objects.get(pk=attempt.pk))
    sweeps.run("outbox")
    back = sum(amount for _, amount, _ in fake().refunds)
    attempt.refresh_from_db()
    assert attempt.given_back == back or RefundCase.objects.filter(closed_at=None).exists()


@attack("isdigit takes digits of every script; a provider drops or misreads them")
def test_an_account_number_has_only_plain_digits(house: World) -> None:
    paid(over=7_700)
    with pytest.raises(NotAllowed):
        desk.give_back(RefundCase.objects.get().pk, by=CHOI, to=BackTo("004", "110-１２３-456789", "김민수"))  # noqa: RUF001


@attack("the debit's refund takes no notice of the account that the desk named")
def test_a_debit_is_not_given_back_elsewhere_than_the_desk_said(clearing: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    results(clearing, noon)
    from doenda.payments.moves import charge_of

    said = providers.get("debit").refund(
        charge_of(attempt_of(bill)), amount=1_000, key="refund-x", reason="r", back_to=account_of_payer()
    )
    assert said.outcome is Outcome.REFUSED
    assert not DebitItem.objects.filter(kind="refund").exists()


@attack("what the bank had sent back of it already is booked all the same")
def test_of_a_parked_deposit_only_what_is_still_there_is_booked(pool: DepositWorld) -> None:
    bill = overdue_bill(100_000)
    pool.deposit("088900000099", 100_000, late=True)
    run()
    [line] = deposit_desk.parked()
    ident = deposit_desk.DepositLine.objects.get(pk=line.line_id).ident
    client = providers.get("deposit").bank  # type: ignore[attr-defined]
    assert not client.give_back(ident, 40_000, "by-hand", "by hand").code
    run()
    deposit_desk.assign(line.line_id, bill.account_id, by=BOSS)
    run()
    bill.refresh_from_db()
    assert bill.paid <= pool.at_pool() or Attempt.objects.get().person_owns_at is not None


# Stranded


@attack("a mismatch ends the questions about an attempt in flight, and no act of the desk ends it either")
def test_an_unknown_that_did_not_match_is_still_asked_about(truth: Truth, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    attempt = scripted_begin(bill)
    truth.said[outside(attempt.pk)] = Answer(Outcome.UNKNOWN, "NO_ANSWER")
    come_back(attempt)
    noon.advance(timedelta(minutes=2))
    truth.said[outside(attempt.pk)] = Answer(Outcome.PAID, "DONE", amount=0)  # garbage, once
    sweeps.run("inquiries")
    truth.said[outside(attempt.pk)] = Answer(Outcome.PAID, "DONE")
    noon.advance(timedelta(days=2))
    sweeps.run("inquiries")
    attempt.refresh_from_db()
    assert attempt.state == State.PAID


@attack("an answer that was refused for our own settings is 'again' for ever")
def test_an_answer_that_was_refused_can_be_taken_once_we_can_read_it(
    clearing: DebitWorld, noon: clock.Frozen, settings: LazySettings
) -> None:
    bill = customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    right = settings.DOENDA_PROVIDERS
    settings.DOENDA_PROVIDERS = {**right, "debit": {**right["debit"], "proofs": ["another"]}}
    results(clearing, noon)
    assert not DebitAnswer.objects.get().accepted
    settings.DOENDA_PROVIDERS = right
    from doenda.kernel.sealing import open_sealed

    answers.take(open_sealed(DebitAnswer.objects.get().sealed), "by hand")
    assert attempt_of(bill).state == "paid"


@attack("an accepted answer that cannot be read any more raises before the house is asked for the others")
def test_an_answer_that_cannot_be_worked_off_does_not_hold_up_the_others(
    clearing: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    from doenda.kernel.sealing import seal

    DebitAnswer(name="old", sha256="0" * 64, kind="results", accepted=True, sealed=seal(b"garbage")).insert()
    clearing.clear()
    noon.set(clock.at(date(2014, 10, 29), 3, 5))
    try:
        answers.poll(100)
    except Exception:  # noqa: BLE001 - that is the mistake
        pytest.fail("nothing was fetched")
    assert attempt_of(bill).state == "paid"


@attack("deposits' parked lines are in no list of the desk")
def test_the_desk_lists_parked_deposits(pool: DepositWorld) -> None:
    pool.deposit("088900000099", 52_300, late=True)
    run()
    assert deposit_desk.parked()
    assert any(desk.waiting().values())


@attack("parked records of an answer are in no list of the desk")
def test_the_desk_lists_parked_records_and_late_files_of_debits(clearing: DebitWorld, noon: clock.Frozen) -> None:
    customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    noon.advance(timedelta(days=7))
    sweeps.run("debits overdue")  # the file's result is late: it has "a person"
    answer = DebitAnswer(name="x", sha256="1" * 64, accepted=True, done_at=clock.now())
    answer.insert()
    DebitParked.objects.create(answer=answer, line=1, serial=9, amount=1, code="9999", done=True, reason="UNKNOWN")
    assert any(desk.waiting().values())


@attack("MONEY names neither the file of debits nor the return of a deposit")
@pytest.mark.parametrize("kind", ["debit_file", "deposit_return"])
def test_the_desk_lists_every_effect_on_money_that_will_not_succeed(db: None, kind: str) -> None:
    OutboxRow(kind=kind, key="k", payload={}, due_at=clock.now(), parked_at=clock.now(), reason="FILE_DIFFERS").insert()
    assert desk.waiting("parked")["parked"]


# A hostile customer


def scripted_begin(bill: Bill, method: str = "card") -> Attempt:
    said = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider="scripted",
        return_url="",
        lang="ko",
    )
    return Attempt.objects.get(pk=str(said.attempt_id))


def come_back(attempt: Attempt) -> attempts.Result:
    return charge.confirm(
        attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount=str(attempt.amount)
    )


@attack("every unknown that comes to nothing takes three days off the clock, however many there were")
def test_who_comes_back_unpaid_every_three_days_does_not_stop_the_clock_for_ever(
    truth: Truth, noon: clock.Frozen
) -> None:
    """Nothing is paid, nothing is approved: the return address is opened by hand, the provider has nothing there."""
    bill, first = overdue_bill(), clock.now()
    for _ in range(20):
        attempt = scripted_begin(bill)
        truth.said[outside(attempt.pk)] = Answer(Outcome.NOT_FOUND, "PAYMENT_NOT_FOUND")
        come_back(attempt)
        for _ in range(4):
            noon.advance(timedelta(minutes=10))
            sweeps.run("inquiries")
        attempt.refresh_from_db()
        assert attempt.state == State.REFUSED
        noon.advance(timedelta(days=2, hours=23))
    stopped = sum(((end or clock.now()) - start for start, end in pending.unknowns(bill.account_id)), timedelta())
    assert stopped < (clock.now() - first) / 2


@attack("a new amount is a new number, and each rests for thirty days")
def test_one_customer_does_not_use_up_the_pool_of_account_numbers(pool: DepositWorld) -> None:
    bill = overdue_bill()
    session = UUID(int=7)
    for less in range(12):
        attempts.start(
            bill.account_id,
            [(bill.pk, bill.remaining - less)],
            channel="web",
            method="deposit",
            provider="deposit",
            return_url="",
            lang="ko",
            session_id=session,
        )
        run()
    assert DepositLease.objects.filter(account=bill.account_id).values("number").distinct().count() <= 5


@attack("a secret that is no text in UTF-8 raises while it is compared")
def test_a_doorbell_with_half_a_letter_for_a_secret_is_forged_and_breaks_nothing(
    truth: Truth, noon: clock.Frozen
) -> None:
    attempt = scripted_begin(overdue_bill())
    said = json.loads('{"secret": "\\ud800"}')
    truth.ring = Ring("t", outside(attempt.pk), None, said["secret"])
    assert doorbells.ring("scripted", {}, b"{}") is False

