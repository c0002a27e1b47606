"""What a hostile reader found in the payments room: each is a mistake of the code as it stood, marked until mended."""

import contextlib
import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
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
    send,
    to_cut_off,
)
from tests.payments.payments_scripted import Truth, scripted
from tests.payments.test_payments_deposit import DepositWorld, deposit_world, run
from tests.payments.test_payments_portone import CONFIG as PORTONE
from tests.payments.test_payments_portone import Wired as PortOneWired
from tests.payments.test_payments_refunds import CHOI, LARGE, account_of_payer, arrives, asked, fake, goes_again, paid
from tests.worlds import World, overdue_bill, world

from doenda.access.models import Role, User
from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.kernel.sealing import open_sealed, seal
from doenda.payments import attempts, charge, desk, doorbells, outcomes, pending, providers
from doenda.payments import policy as house_policy
from doenda.payments.counter import shifts, till
from doenda.payments.debit import answers, files, home, instruct, policy
from doenda.payments.debit import house as house_of_debits
from doenda.payments.debit.models import DebitAnswer, DebitItem, DebitParked
from doenda.payments.deposits import desk as deposit_desk
from doenda.payments.deposits.models import DepositLease, DepositLine
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Answer, BackTo, Outcome, Ring
from doenda.payments.refunds import NotAllowed
from doenda.payments.states import State

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


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


# Stranded


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
    answers.take(open_sealed(DebitAnswer.objects.get().sealed), "by hand")
    assert attempt_of(bill).state == "paid"


def test_an_answer_that_cannot_be_worked_off_does_not_hold_up_the_others(
    clearing: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    DebitAnswer(name="old", sha256="0" * 64, kind="results", accepted=True, sealed=seal(b"garbage")).insert()
    clearing.clear()
    noon.set(clock.at(date(2014, 10, 29), 3, 5))
    try:
        answers.poll(100)
    except Exception:  # noqa: BLE001 - that is the mistake
        pytest.fail("nothing was fetched")
    assert attempt_of(bill).state == "paid"


def test_an_answer_that_cannot_be_fetched_does_not_hold_up_the_others(
    clearing: DebitWorld, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = customer()
    clearing.money(number_of(1), 60_000)
    to_cut_off(noon)
    listed = house_of_debits.answers
    empty = house_of_debits.Listed(0, "EMPTY", 0, "0" * 64)  # announced with no bytes: that never changes
    monkeypatch.setattr(house_of_debits, "answers", lambda after: [empty, *listed(after)])
    results(clearing, noon)
    assert attempt_of(bill).state == "paid"


def test_the_till_of_a_clerk_who_left_can_be_used_again(shop: World) -> None:
    left = User.objects.create(username="kim", role=Role.CLERK)
    store = shifts.open_store("S1", "강남점", by=BOSS)
    shift = shifts.open_shift(store.pk, "1", clerk=f"user:{left.pk}", float_amount=100_000)
    User.objects.filter(pk=left.pk).update(is_active=False)
    for by in (f"user:{left.pk}", BOSS):
        with contextlib.suppress(PermissionError):
            shifts.count(shift.pk, 100_000, clerk=by)
    with contextlib.suppress(PermissionError):
        shifts.close(shift.pk, by=BOSS, reason="the clerk has left")
    try:
        shifts.open_shift(store.pk, "1", clerk=LEE, float_amount=100_000)
    except PermissionError:
        pytest.fail("the till is blocked for ever")


def test_the_desk_lists_parked_deposits(pool: DepositWorld) -> None:
    pool.deposit("088900000099", 52_300, late=True)
    run()
    assert deposit_desk.parked()
    assert any(desk.waiting().values())


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


@pytest.mark.parametrize("kind", ["debit_file", "deposit_return"])
def test_the_desk_lists_every_effect_on_money_that_will_not_succeed(db: None, kind: str) -> None:
    OutboxRow(kind=kind, key="k", payload={}, due_at=clock.now(), parked_at=clock.now(), reason="FILE_DIFFERS").insert()
    assert desk.waiting("parked")["parked"]


# A hostile customer


def a_start(bill: Bill, method: str, provider: str, session: UUID | None = None) -> Attempt:
    said = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider=provider,
        return_url="http://shop.test/return",
        lang="ko",
        session_id=session,
    )
    return Attempt.objects.get(pk=str(said.attempt_id))


def scripted_begin(bill: Bill, *, session: UUID | None = None) -> Attempt:
    return a_start(bill, "card", "scripted", session)


def come_back(attempt: Attempt) -> attempts.Result:
    return charge.confirm(
        attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount=str(attempt.amount)
    )


def test_who_comes_back_unpaid_every_three_days_does_not_stop_the_clock_for_ever(
    db: None, noon: clock.Frozen, settings: LazySettings
) -> None:
    """Nothing is approved: PortOne's return address, which holds only our own order id, is opened by hand."""
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "portone": PORTONE}
    providers.get.cache_clear()
    bill, first = overdue_bill(), clock.now()
    with net.using(PortOneWired(lambda: clock.now().timestamp())):
        for _ in range(20):
            attempt = a_start(bill, "card", "portone")
            came = providers.get("portone").returned({"paymentId": outside(attempt.pk)})
            charge.confirm(attempt.pk, order_id=came.order_id, ref=came.ref, amount=came.amount, token=came.token)
            for _ in range(40):
                noon.advance(timedelta(minutes=1))
                sweeps.run("inquiries")
            attempt.refresh_from_db()
            assert attempt.state == State.REFUSED
            noon.advance(timedelta(days=2, hours=23))
    providers.get.cache_clear()
    stopped = sum(((end or clock.now()) - start for start, end in pending.unknowns(bill.account_id)), timedelta())
    assert stopped < (clock.now() - first) / 2


def test_debits_of_an_empty_account_by_hand_end_with_the_policys_tries(
    clearing: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    clearing.money(number_of(1), 0)
    for days in range(30):
        day = date(2014, 10, 27) + timedelta(days=days)
        noon.set(clock.at(day, 12))
        by_hand(bill)
        noon.set(clock.at(day, 16, 31))
        files.sweep(100)
        send()
        clearing.clear()
        noon.set(clock.at(day + timedelta(days=1), 3, 5))
        answers.poll(100)
        home.bring(100)
    assert DebitItem.objects.filter(code="NO_FUNDS").count() <= policy.of_scheme("cms", clock.today()).most_tries


def test_one_customer_does_not_fill_the_table_of_attempts(truth: Truth, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    for _ in range(house_policy.now().attempts_an_hour):
        noon.advance(timedelta(seconds=1))
        scripted_begin(bill, session=UUID(int=7))
    said = attempts.start(
        bill.account_id,
        [(bill.pk, 1000)],
        channel="web",
        method="card",
        provider="scripted",
        return_url="",
        lang="ko",
    )
    assert (said.outcome, said.reason) == ("refused", "TOO_MANY")
    assert Attempt.objects.count() == house_policy.now().attempts_an_hour


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


def test_a_doorbell_with_half_a_letter_for_a_secret_is_forged_and_breaks_nothing(
    truth: Truth, noon: clock.Frozen
) -> None:
    attempt = scripted_begin(overdue_bill())
    said = json.loads('{"secret": "\\ud800"}')
    truth.ring = Ring("t", outside(attempt.pk), None, said["secret"])
    assert doorbells.ring("scripted", {}, b"{}") is False
