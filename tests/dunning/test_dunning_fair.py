"""What a regulator and a customer's advocate would look for: each was once wrong here."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.dunning.dunning_house import House
from tests.dunning.dunning_world import KR, START, World, debt, uid

from doenda.assurance import by_hand, guidance
from doenda.billing import accounts, bills
from doenda.billing.models import Bill
from doenda.dunning import cases, explain, holds, outlook, promises
from doenda.dunning import decide as rule
from doenda.dunning.case_facts import Facts, as_json, of_json
from doenda.dunning.models import Case, CaseStep, DueReminder, LateFee, Promise
from doenda.dunning.words import Bar, Stage
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.notices.models import Notice
from doenda.payments.models import Attempt, AttemptMove
from doenda.payments.moves import move
from doenda.payments.states import State

BEFORE, NOTICE, BAR = date(2014, 10, 22), date(2014, 11, 1), date(2014, 11, 11)
DUE = date(2014, 10, 25)


def texts(house: House, bill: Bill, kind: str) -> list[Notice]:
    return list(Notice.objects.filter(account_id=bill.account_id, kind=kind).order_by("created_at"))


# --- the late fee


def test_no_fee_before_a_reminder_of_that_bill_left_so_many_days_ago() -> None:
    w = World(bills={uid(1): debt(1, date(2014, 8, 25))})  # imported long after its free days
    w.run(START, 12)
    assert w.decided(rule.Remind) == [START]
    fee = next(d for _, d in w.log if isinstance(d, rule.AssessFee))
    assert fee.last_free == START + timedelta(KR.fee_reminded_days)
    assert w.decided(rule.AssessFee)[0] > fee.last_free


def test_a_fee_waits_for_a_bill_whose_reminder_has_not_left() -> None:
    w = World(bills={uid(1): debt(1, DUE)})
    w.run(START, 10)
    w.bills[uid(1)] = replace(w.bills[uid(1)], told_on=None)
    w.run(START + timedelta(10), 30)
    assert not w.decided(rule.AssessFee)


def test_the_first_sweep_after_an_import_adds_no_fee_and_the_reminder_tells_the_last_free_day(house: House) -> None:
    bill = house.bill(due=date(2014, 9, 25))
    house.day(BEFORE)
    bill.refresh_from_db()
    assert bill.late_fee == 0
    assert texts(house, bill, "reminder")[0].params["fee_after"] == "2014-10-25"
    assert outlook.of(bill.account_id).fee_after == date(2014, 10, 25)
    house.days(BEFORE + timedelta(1), date(2014, 10, 27))
    assert LateFee.objects.get().last_free == date(2014, 10, 25)


def test_a_fee_waits_while_the_reminder_is_held_for_want_of_a_way(house: House) -> None:
    bill = house.bill(due=date(2014, 9, 25))
    house.proving = False
    house.days(BEFORE, date(2014, 10, 29))
    bill.refresh_from_db()
    assert bill.late_fee == 0
    assert texts(house, bill, "reminder")[0].handed_at is None


def test_the_outlook_names_the_fees_of_its_date_and_no_others(house: House) -> None:
    bill = house.bill(90_000)
    house.another(bill, 50_000, due=date(2014, 11, 25))
    house.day(BEFORE)
    ahead = outlook.of(bill.account_id)
    assert (ahead.fee_after, ahead.fee_amount) == (date(2014, 10, 31), 1_800)
    house.day(date(2014, 10, 26))
    said = [one for one in explain.why(bill.account_id, "en") if "late fee of" in one]
    assert said == ["After Fri 31 October a late fee of ₩1,800 is added once."]


# --- dates and notices


def test_a_notice_held_past_its_margin_is_cancelled_and_a_new_one_gets_a_new_date(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 31))
    house.clock.set(clock.at(NOTICE, 10))
    house.prove()
    cases.review(bill.account_id)  # decided, and then nothing is proven any more
    house.proving = False
    house.clock.advance(timedelta(minutes=5))
    sweeps.run("outbox")
    held = texts(house, bill, "suspension_notice")[0]
    assert held.state == "held"
    house.days(NOTICE, date(2014, 11, 4))
    house.proving = True
    house.days(date(2014, 11, 5), date(2014, 11, 6))
    first, second = texts(house, bill, "suspension_notice")
    assert (first.state, first.handed_at) == ("cancelled", None)
    assert second.state == "delivered"
    assert second.params["effective"] >= "2014-11-13"
    assert second.params["effective"] > first.params["effective"]


def test_an_announcement_that_was_called_off_before_it_left_never_leaves(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 31))
    house.clock.set(clock.at(NOTICE, 7))
    house.prove()
    cases.review(bill.account_id)  # at seven in the morning: it waits for eight
    sweeps.run("outbox")
    assert texts(house, bill, "suspension_notice")[0].state == "held"
    house.pay(bill, 30_000)
    house.days(NOTICE, date(2014, 11, 3))
    assert [one.state for one in texts(house, bill, "suspension_notice")] == ["cancelled"]


def test_an_announcement_does_not_leave_after_the_clock_was_stopped(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 31))
    house.clock.set(clock.at(NOTICE, 7))
    house.prove()
    cases.review(bill.account_id)
    assert promises.by_customer(bill.account_id, [bill.pk], day=date(2014, 11, 5), key="p")
    house.days(NOTICE, date(2014, 11, 10))
    first, second = texts(house, bill, "suspension_notice")
    assert first.state == "cancelled"
    assert clock.local(second.created_at).date() > date(2014, 11, 5)


def test_nothing_that_asks_for_money_leaves_while_a_payment_is_under_way(house: House) -> None:
    """Found by the simulator: decided, then the customer paid and nobody answered, then the announcement left."""
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 31))
    house.clock.set(clock.at(NOTICE, 10))
    house.prove()
    cases.review(bill.account_id)
    attempt = unknown(bill, clock.now(), None)
    sweeps.run("outbox")
    held = texts(house, bill, "suspension_notice")[0]
    assert (held.state, held.handed_at, held.held_reason) == ("held", None, "a payment is under way")
    with atomic():
        move(attempt, State.REFUSED, "test", settled_at=clock.now())
    house.clock.advance(timedelta(minutes=2))
    sweeps.run("outbox")
    held.refresh_from_db()
    assert held.state == "sent"


def test_a_fee_waits_for_the_days_after_the_gateway_took_the_reminder_not_after_a_sender_began(house: House) -> None:
    """Found by the simulator: a worker stood still for two days between the two."""
    bill = house.bill(due=date(2014, 9, 25))
    house.day(BEFORE)
    late = clock.at(BEFORE + timedelta(2), 10)
    Notice.objects.filter(account_id=bill.account_id, kind="reminder").update(sent_at=late)
    house.days(BEFORE + timedelta(1), date(2014, 10, 31))
    assert LateFee.objects.get().last_free == BEFORE + timedelta(2) + timedelta(KR.fee_reminded_days)


def test_a_reminder_before_the_due_date_never_leaves_after_it(house: House) -> None:
    bill = house.bill()
    house.proving = False
    house.days(BEFORE, DUE)
    house.proving = True
    house.days(DUE + timedelta(1), DUE + timedelta(2))
    assert [one.state for one in texts(house, bill, "reminder_before")] == ["cancelled"]
    assert [one.state for one in texts(house, bill, "reminder")] == ["delivered"]


def test_the_longest_bar_is_the_longest_and_then_a_person_decides() -> None:
    w = World(bills={uid(1): debt(1, DUE)})
    w.run(START, 250)
    bars = [d.step for _, d in w.log if isinstance(d, rule.DoBar)]
    assert bars == [Bar.OUTGOING, Bar.BOTH]
    assert w.lines[uid(1000)] == Bar.NONE
    now = clock.at(START + timedelta(250), 10)
    assert rule.decide(w.facts(now), KR, now).why == "person_decides"  # type: ignore[union-attr]


def test_the_end_of_the_longest_bar_is_known_from_the_stored_steps(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR)
    house.day(BAR + timedelta(60))
    assert house.network(bill.account) == "none"
    for ahead in range(61, 100):
        house.day(BAR + timedelta(ahead))
    assert house.history(bill.account).count("outgoing") == 1
    assert house.case(bill).waiting_for == "person_decides"
    assert outlook.of(bill.account_id).bar_from is None


def test_nobody_is_barred_on_the_eve_of_a_day_without_working_hours() -> None:
    assert not KR.adverse_day(date(2014, 11, 7))  # a Friday: nobody could be reached until Monday
    assert KR.adverse_day(date(2014, 11, 6))


# --- the clock


def unknown(bill: Bill, since: datetime, settled: datetime | None, state: State = State.REFUSED) -> Attempt:
    with atomic():
        attempt = Attempt.objects.create(
            account_id=bill.account_id,
            provider="sandbox",
            method="card",
            channel="web",
            amount=1000,
            currency="KRW",
            state=state if settled else State.UNKNOWN,
            in_flight=settled is None,
            settled_at=settled,
            created_at=since,
        )
        AttemptMove.objects.create(
            attempt=attempt, source=State.SENT, target=State.UNKNOWN, cause="test", created_at=since
        )
    return attempt


def test_days_on_which_an_outcome_was_unknown_do_not_count_and_a_refusal_leaves_time_to_pay(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 4))
    unknown(bill, clock.at(date(2014, 11, 5), 12), clock.at(date(2014, 11, 10), 23))
    house.day(BAR)
    assert house.history(bill.account) == []  # told not to pay again until late the evening before
    house.days(BAR + timedelta(1), date(2014, 11, 14))
    assert house.history(bill.account) == []
    assert len(texts(house, bill, "suspension_notice")) == 2


# --- what a person says


def test_what_is_only_said_moves_the_date_so_often_and_then_a_person_takes_over(house: House) -> None:
    bill = house.bill()
    house.day(BEFORE)
    for number in range(KR.said_each_bill):
        assert not promises.word_is_spent(bill.account_id, bill.pk, but=f"k{number}")
        until = clock.now() + timedelta(days=3)
        promises.make(bill.account_id, [bill.pk], whose="ours", until=until, reason="said", key=f"k{number}")
    assert promises.word_is_spent(bill.account_id, bill.pk, but="another")
    assert not promises.word_is_spent(bill.account_id, bill.pk, but="k0")  # the same step run again
    house.proving = False
    house.clock.advance(timedelta(minutes=5))
    assert promises.fault_is_known(bill.account_id)  # nothing is proven: our own evidence
    house.proving = True
    house.prove()
    assert not promises.fault_is_known(bill.account_id)


def test_a_way_that_misled_this_customer_is_evidence_enough(house: House) -> None:
    bill = house.bill()
    house.prove()
    with atomic():
        guidance.offer("pay", bill.account_id, "notice", lang="ko", subject_id=bill.pk)
    by_hand.withdraw("web/card/sandbox", who="kim", reason="no answer")
    assert promises.fault_is_known(bill.account_id)


# --- ways


def test_a_fault_of_a_way_that_was_retired_is_mended_by_any_that_works(house: House) -> None:
    bill = house.bill()
    house.day(date(2014, 10, 27))
    attempt = unknown(bill, clock.now(), clock.now(), State.OUR_FAULT)
    AttemptMove.objects.filter(attempt=attempt)
    made = promises.make(
        bill.account_id, [bill.pk], whose="ours", until=clock.now() + timedelta(1), reason="fault", key="f"
    )
    by_hand.retire("web/card/sandbox", who="kim", reason="ended")
    house.clock.advance(timedelta(hours=1))
    house.settle()
    made.refresh_from_db()
    assert made.told_at is not None


def test_during_a_total_outage_nobody_looks_at_every_promise_again_and_again(house: House) -> None:
    bills = [house.bill(phone=f"+8210000012{n:02}") for n in range(4)]
    house.proving = False
    house.clock.advance(timedelta(minutes=5))
    for bill in bills:
        until = clock.now() + timedelta(days=3)
        promises.make(bill.account_id, [bill.pk], whose="ours", until=until, reason="no_way", key=f"k{bill.pk}")
    house.clock.advance(timedelta(minutes=1))
    with CaptureQueriesContext(connection) as seen:
        assert promises.look(100) == 0
    assert len(seen) <= 3
    house.proving = True
    house.settle()
    assert Promise.objects.filter(told_at=None).count() == 0


def test_a_way_that_is_proven_again_wakes_the_sweeps_and_locks_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 31))
    house.proving = False
    house.day(NOTICE)
    sweeps.run("standing")
    assert house.case(bill).waiting_for == "no_way_proven"
    woken: list[str] = []
    monkeypatch.setattr(sweeps, "nudge", woken.append)
    house.proving = True
    with CaptureQueriesContext(connection) as seen:
        house.prove()
    assert {"cases", "promises"} <= set(woken)
    assert not [one["sql"] for one in seen if "billing_account" in one["sql"] and "FOR UPDATE" in one["sql"]]


def test_reminders_before_the_due_date_reach_those_behind_a_crowd_that_is_on_hold(house: House) -> None:
    crowd = [house.bill(phone=f"+8210000013{n:02}") for n in range(5)]
    last = house.bill(phone="+821000001399")
    for bill in crowd:
        holds.place(bill.account_id, "manual", reason="a flood", key=f"m{bill.pk}")
    house.prove()
    for _ in range(6):
        sweeps.run("due_soon", batch=2)
    assert DueReminder.objects.filter(bill=last).exists()


def test_facts_of_an_older_decision_can_be_read_with_newer_code() -> None:
    w = World(bills={uid(1): debt(1, DUE)})
    w.run(START, 15)
    plain = as_json(w.facts(clock.at(START + timedelta(15), 10)))
    del plain["bar_used_up"], plain["debts"][0]["told_on"], plain["told"][0]["cancelled"]
    read = of_json(plain)
    assert isinstance(read, Facts)
    assert read.told[0].cancelled is False


def test_a_cancelled_notice_is_no_notice() -> None:
    w = World(bills={uid(1): debt(1, DUE)})
    w.run(START, 22)
    now = clock.at(BAR, 10)
    facts = w.facts(now)
    assert isinstance(rule.decide(facts, KR, now), rule.DoBar)
    fallen = replace(facts, told=(replace(facts.told[0], cancelled=True),))
    assert isinstance(rule.decide(fallen, KR, now), rule.NoticeSuspension)
    assert facts.stage == Stage.NOTICED


def test_what_is_stored_of_all_this_can_be_replayed(house: House) -> None:
    bill = house.bill(due=date(2014, 9, 25))
    house.days(BEFORE, BAR)
    assert Case.objects.filter(account_id=bill.account_id).exists()
    assert all(cases.replay(step) for step in CaseStep.objects.filter(account_id=bill.account_id))


def test_a_correction_moves_no_due_date_earlier(house: House) -> None:
    bill = house.bill(due=date(2014, 11, 25))
    house.day(BEFORE)
    for revision, due in ((2, date(2014, 9, 25)), (3, date(2014, 12, 1)), (4, date(2014, 11, 26))):
        with atomic():
            account = accounts.lock(bill.account_id)
            bills.correct(account, bill, revision, [bills.Item("service", 90_000)], due_date=due)
    bill.refresh_from_db()
    assert bill.due_date == date(2014, 12, 1)
    house.day(BEFORE + timedelta(1))
    assert not Case.objects.exists()
