"""What strands for ever, or lets a customer stop the clock for ever: found by a hostile reader."""

import contextlib
import json
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.conf import LazySettings
from tests.payments.debit_tools import (
    DebitWorld,
    attempt_of,
    by_hand,
    customer,
    number_of,
    results,
    send,
    to_cut_off,
)
from tests.payments.payments_scripted import Truth
from tests.payments.test_payments_deposit import DepositWorld, run
from tests.payments.test_payments_portone import CONFIG as PORTONE
from tests.payments.test_payments_portone import Wired as PortOneWired
from tests.worlds import World, overdue_bill

from doenda.access.models import Role, User
from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.kernel.sealing import open_sealed, seal
from doenda.payments import attempts, charge, desk, doorbells, pending, providers
from doenda.payments import policy as house_policy
from doenda.payments.counter import shifts
from doenda.payments.debit import answers, files, home, policy
from doenda.payments.debit import house as house_of_debits
from doenda.payments.debit.models import DebitAnswer, DebitItem, DebitParked
from doenda.payments.deposits import desk as deposit_desk
from doenda.payments.deposits.models import DepositLease
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Answer, Outcome, Ring
from doenda.payments.states import State

KIM, LEE, BOSS = "clerk:kim", "clerk:lee", "operator:park"


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
