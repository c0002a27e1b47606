"""A case in the database, with the real rooms below and the network's own truth beside."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import ProgrammingError, transaction
from tests.dunning.dunning_house import House

from doenda.billing import accounts, bills, post
from doenda.billing.models import Bill, Line
from doenda.billing.owed import BillOwed
from doenda.dunning import cases, explain, gather, outlook
from doenda.dunning.case_facts import Debt
from doenda.dunning.models import Case, CaseStep, DueReminder, LateFee
from doenda.kernel import clock, words
from doenda.kernel.db import atomic
from doenda.kernel.texts import say
from doenda.notices.models import Notice

BEFORE, NOTICE, BAR = date(2014, 10, 22), date(2014, 11, 1), date(2014, 11, 11)


def kinds(bill: Bill) -> list[str]:
    return list(Notice.objects.filter(account_id=bill.account_id).order_by("created_at").values_list("kind", flat=True))


def test_an_unpaid_bill_is_barred_by_the_ladder_and_payment_brings_the_line_back_at_once(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 10))
    assert house.history(bill.account) == []
    assert house.case(bill).stage == "noticed"
    house.day(BAR)
    assert house.network(bill.account) == "outgoing"
    assert Line.objects.get(account=bill.account).barring == "outgoing"
    house.pay(bill)
    assert house.case(bill).closed_at is not None
    house.settle()
    assert house.network(bill.account) == "none"
    assert Line.objects.get(account=bill.account).barring == "none"
    assert kinds(bill) == ["reminder_before", "reminder", "suspension_notice", "late_fee", "restored"]


def test_every_decision_can_be_replayed_from_its_stored_facts(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR + timedelta(12))
    house.pay(bill)
    steps = list(CaseStep.objects.filter(account_id=bill.account_id))
    assert [step.step for step in steps] == ["remind", "notice", "fee", "bar", "notice", "close"]
    assert all(cases.replay(step) for step in steps)


def test_a_second_run_on_the_same_day_changes_nothing(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR)
    before = (CaseStep.objects.count(), kinds(bill), house.history(bill.account))
    house.settle()
    cases.review(bill.account_id)
    assert (CaseStep.objects.count(), kinds(bill), house.history(bill.account)) == before


def test_oc1_days_on_which_nothing_ran_lose_nothing(house: House) -> None:
    bill = house.bill()
    for day in (BEFORE, date(2014, 10, 29), date(2014, 11, 5), date(2014, 11, 17)):
        house.day(day)
    assert sorted(kinds(bill)) == ["late_fee", "reminder", "reminder_before", "suspension_notice"]
    assert house.network(bill.account) == "outgoing"


def test_lg3_oc2_one_bad_account_stops_nobody_and_is_parked_with_its_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = house.bill(), house.bill(phone="+821000005678")
    real = gather.debts

    def breaks(account_id: UUID, bills: list[BillOwed], steps: list[CaseStep]) -> tuple[Debt, ...]:
        if any(bill.bill_id == bad.pk for bill in bills):
            raise ZeroDivisionError("no address")
        return real(account_id, bills, steps)

    monkeypatch.setattr(gather, "debts", breaks)
    house.days(BEFORE, date(2014, 10, 29))
    assert house.case(good).stage == "reminded"
    assert house.case(bad).parked_at is not None
    assert "no address" in house.case(bad).park_reason
    monkeypatch.setattr(gather, "debts", real)
    cases.unpark(house.case(bad).pk)
    house.settle()
    assert house.case(bad).stage == "reminded"


def test_kb1_paying_the_older_bill_calls_the_announced_bar_off(house: House) -> None:
    older = house.bill(50_000)
    newer = house.another(older, 50_000, due=date(2014, 10, 28))
    house.days(BEFORE, date(2014, 11, 5))
    assert house.case(older).stage == "noticed"
    house.pay(older)
    assert house.case(newer).stage == "reminded"
    house.days(date(2014, 11, 6), date(2014, 12, 5))
    assert house.history(older.account) == []


def test_lg6_any_payment_closes_and_undoing_it_begins_at_the_first_step(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 5))
    house.pay(bill)
    first = house.case(bill)
    assert first.closed_at is not None
    fact = CaseStep.objects.filter(case=first).latest("decided_at")
    assert fact.step == "close"
    posted = bill.postings.filter(fact_kind="counter").get()
    with transaction.atomic():
        accounts.lock(bill.account_id)
        post.undo_payment("counter", posted.fact_id, ("bounce", "1"))
    again = house.case(bill)
    assert again.pk != first.pk
    assert again.stage in {"watching", "reminded"}


def test_lg4_a_customer_without_a_number_is_never_barred_and_the_failure_is_kept(house: House) -> None:
    bill = house.bill(phone="+821000004321")
    bill.account.roles.get().party.__class__.objects.update(phone="")
    house.days(BEFORE, date(2014, 11, 30))
    assert house.history(bill.account) == []
    assert Notice.objects.filter(account_id=bill.account_id, state="failed").exists()
    assert house.case(bill).closed_at is None


def test_a_case_that_waits_for_a_proven_way_goes_on_as_soon_as_there_is_one(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 31))
    house.proving = False
    house.day(NOTICE)
    assert house.case(bill).waiting_for == "no_way_proven"
    house.proving = True
    house.settle()
    assert house.case(bill).stage == "noticed"
    assert clock.now() < clock.at(NOTICE, 10, 15)


def test_the_bill_is_reminded_of_before_its_due_date_once(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 25))
    assert kinds(bill) == ["reminder_before"]
    assert DueReminder.objects.count() == 1


def test_the_late_fee_is_decided_once_and_posted_by_billing(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 20))
    bill.refresh_from_db()
    assert bill.late_fee == 1_800
    assert LateFee.objects.get().last_free == date(2014, 10, 31)


def test_en2_paying_only_the_principal_leaves_the_fee_owed(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 4))
    house.pay(bill, 90_000)
    bill.refresh_from_db()
    assert (bill.remaining, bill.state) == (1_800, "open")
    assert house.case(bill).closed_at is None
    house.days(date(2014, 11, 5), date(2014, 12, 5))
    assert house.history(bill.account) == []  # a fee alone bars nobody


def test_a_payment_made_in_time_but_posted_late_takes_the_fee_back(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 4))
    house.pay(bill, 90_000, at=date(2014, 10, 31))
    bill.refresh_from_db()
    assert (bill.late_fee, bill.state) == (0, "settled")
    assert house.case(bill).closed_at is not None


@pytest.mark.parametrize(
    ("amount", "due", "fee"),
    [(60_000, date(2014, 10, 25), 0), (90_000, date(2014, 11, 25), 0), (120_000, date(2014, 10, 25), 1_800)],
)
def test_a_fee_on_a_bill_that_was_wrong_goes_back(house: House, amount: int, due: date, fee: int) -> None:
    """Found by the simulator: the fee on what had been billed too much stood after the bill was put right."""
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 4))
    with atomic():
        account = accounts.lock(bill.account_id)
        bills.correct(account, bill, 2, [bills.Item("service", amount)], due_date=due)
    bill.refresh_from_db()
    assert (bill.late_fee, bill.remaining) == (fee, amount + fee)
    assert LateFee.objects.filter(reversed_at=None).exists() == bool(fee)


def test_kb8_a_credit_note_counts_and_lets_the_notice_fall(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 3))
    assert house.case(bill).stage == "noticed"
    with atomic():
        account = accounts.lock(bill.account_id)
        assert bills.credit(account, 30_000, bill=bill, fact_id="CN-1", at=clock.now())
    bill.refresh_from_db()
    assert (bill.credited, bill.paid) == (30_000, 0)
    house.settle()
    assert house.case(bill).stage == "reminded"
    assert CaseStep.objects.filter(step="stand_down").exists()


def test_a_step_once_written_cannot_be_rewritten(house: House) -> None:
    house.bill()
    house.days(BEFORE, date(2014, 10, 27))
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        CaseStep.objects.update(step="nothing")


def test_a_probe_account_is_never_dunned(house: House) -> None:
    bill = house.bill()
    type(bill.account).objects.update(probe=True)
    house.days(BEFORE, date(2014, 11, 20))
    assert not Case.objects.exists()


def test_the_outlook_tells_the_dates_that_the_rules_will_keep(house: House) -> None:
    bill = house.bill()
    house.day(BEFORE)
    ahead = outlook.of(bill.account_id)
    assert (ahead.fee_after, ahead.fee_day, ahead.fee_amount) == (date(2014, 10, 31), date(2014, 11, 1), 1_800)
    assert (ahead.last_day_to_pay, ahead.bar_from) == (date(2014, 11, 9), date(2014, 11, 10))
    assert (ahead.bar_kind, ahead.bar_told, ahead.barred, ahead.held) == ("outgoing", False, "none", False)
    house.days(BEFORE, NOTICE)
    told = outlook.of(bill.account_id)
    assert (told.bar_from, told.bar_told) == (date(2014, 11, 10), True)
    house.days(NOTICE, BAR)
    barred = outlook.of(bill.account_id)
    assert (barred.barred, barred.bar_kind) == ("outgoing", "both")
    house.pay(bill)
    assert outlook.of(bill.account_id).back_soon
    house.settle()
    assert outlook.of(bill.account_id) == outlook.Outlook()


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_why_a_line_was_barred_is_told_in_plain_words(house: House, lang: str) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR)
    said = explain.why(bill.account_id, lang)
    whole = "\n".join(said)
    for part in {
        "ko": ["11월 10일(월)부터 발신", "연체가산금 1,800원", "도착했어요"],
        "en": ["Mon 10 November", "₩1,800", "arrived"],
    }[lang]:
        assert part in whole
    house.pay(bill)
    assert explain.why(bill.account_id, lang)[-1] == say("why-close", lang, day=words.day(BAR, lang))


def test_nothing_overdue_is_said_plainly(house: House) -> None:
    bill = house.bill()
    assert explain.why(bill.account_id, "en") == ["Nothing is overdue."]
    assert clock.today() == BEFORE
