"""Holds and promises: dated, kept or broken once, and nothing adverse while they run."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from tests.dunning.dunning_house import House

from doenda.billing.models import Bill
from doenda.dunning import holds, outlook, promises
from doenda.dunning.models import CaseStep, Hold, Promise
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.models import FactRow
from doenda.notices.models import Notice

BEFORE, BAR = date(2014, 10, 22), date(2014, 11, 11)


def promise(bill: Bill, day: date, key: str = "p1") -> Promise | None:
    return promises.by_customer(bill.account_id, [bill.pk], day=day, key=key)


def test_a_promise_stops_the_clock_until_its_day_and_keeping_it_ends_everything(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 7))
    made = promise(bill, date(2014, 11, 14))
    assert made is not None
    assert clock.local(made.until).date() == date(2014, 11, 14)
    assert outlook.of(bill.account_id).held_until == made.until
    house.days(date(2014, 11, 8), date(2014, 11, 14))
    assert house.history(bill.account) == []
    house.pay(bill)
    made.refresh_from_db()
    assert made.kept_at is not None
    assert house.case(bill).closed_at is not None


def test_a_broken_promise_goes_on_where_it_stood_with_a_new_notice_as_its_date_had_passed(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 7))
    made = promise(bill, date(2014, 11, 14))
    house.days(date(2014, 11, 8), date(2014, 11, 17))
    assert made is not None
    made.refresh_from_db()
    assert made.broken_at is not None
    assert house.case(bill).stage == "noticed"
    notices = CaseStep.objects.filter(step="notice").order_by("decided_at")
    assert len(notices) == 2
    assert house.history(bill.account) == []
    house.days(date(2014, 11, 18), date(2014, 11, 28))
    assert house.history(bill.account) == ["outgoing"]


def test_the_customers_own_promises_have_limits_and_say_so_by_not_being_made(house: House) -> None:
    bill = house.bill()
    house.day(date(2014, 10, 27))
    assert promise(bill, date(2014, 11, 11), "far") is None
    assert promise(bill, date(2014, 10, 26), "past") is None
    first = promise(bill, date(2014, 10, 28), "one")
    assert first == promise(bill, date(2014, 10, 28), "one")
    assert promise(bill, date(2014, 10, 30), "two") is not None
    assert promise(bill, date(2014, 10, 31), "three") is None
    with pytest.raises(promises.NotAllowed):
        promises.make(bill.account_id, [bill.pk], whose="customer", until=date(2015, 1, 1), reason="date", key="four")


def test_a_promise_is_about_bills_of_its_own_account(house: House) -> None:
    bill, other = house.bill(), house.bill(phone="+821000005678")
    with pytest.raises(ValueError, match="its own account"):
        promises.make(bill.account_id, [other.pk], whose="ours", until=BEFORE + timedelta(3), reason="fault", key="x")
    assert not Hold.objects.exists()


def test_our_promise_is_renewed_until_it_works_and_the_customer_is_told_at_once(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 10, 28))
    house.proving = False
    house.clock.advance(timedelta(minutes=10))
    until = clock.day_start(date(2014, 10, 31))
    made = promises.make(bill.account_id, [bill.pk], whose="ours", until=until, reason="no_way", key="k")
    house.days(date(2014, 10, 29), date(2014, 11, 3))
    made.refresh_from_db()
    assert made.kept_at is None
    assert made.until > clock.now()
    assert not Notice.objects.filter(kind="way_back").exists()
    house.proving = True
    house.settle()
    assert Notice.objects.filter(kind="way_back").count() == 1
    held_until = Hold.objects.get().until
    assert held_until == Promise.objects.get().until
    house.days(date(2014, 11, 4), date(2014, 11, 8))
    made.refresh_from_db()
    assert made.kept_at is not None
    assert Notice.objects.filter(kind="way_back").count() == 1
    bill.refresh_from_db()
    assert bill.late_fee == 0  # the free days moved with the fault


def test_a_barred_line_works_again_while_there_is_no_way_to_pay(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR)
    assert house.network(bill.account) == "outgoing"
    house.proving = False
    promises.make(bill.account_id, [bill.pk], whose="ours", until=BAR + timedelta(2), reason="no_way", key="k")
    house.settle()
    assert house.network(bill.account) == "none"
    house.proving = True
    house.days(BAR + timedelta(1), BAR + timedelta(12))
    assert house.history(bill.account) == ["outgoing", "none"]


def test_our_own_promise_may_move_later_and_never_earlier(house: House) -> None:
    bill = house.bill()
    house.day(date(2014, 10, 27))
    day = date(2014, 10, 29)
    made = promises.make(bill.account_id, [bill.pk], whose="ours", until=day, reason="unknown", key="k")
    for until in (day + timedelta(2), day + timedelta(1)):
        assert promises.make(bill.account_id, [bill.pk], whose="ours", until=until, reason="unknown", key="k") == made
    made.refresh_from_db()
    assert clock.local(made.until).date() == day + timedelta(2)
    assert Hold.objects.get().until == made.until


def test_a_hold_is_placed_once_lifted_by_its_prefix_and_kept_as_history(house: House) -> None:
    bill = house.bill()
    house.day(date(2014, 10, 27))
    now = clock.now()
    for until in (now + timedelta(days=2), now + timedelta(days=3), now + timedelta(days=1)):
        holds.place(bill.account_id, "ticket", start=now, until=until, reason="ticket 7", key="ticket-7-a")
    assert Hold.objects.get().until == now + timedelta(days=3)
    house.clock.advance(timedelta(hours=5))
    assert [hold.key for hold in holds.running(bill.account_id)] == ["ticket-7-a"]
    assert holds.lift("ticket-7-", reason="answered") == 1
    assert holds.lift("ticket-7-", reason="answered") == 0
    assert holds.running(bill.account_id) == []
    kept = Hold.objects.get()
    assert (kept.lifted_at, kept.lift_reason) == (clock.now(), "answered")


@pytest.mark.parametrize(("kind", "days"), [("claim", 3), ("dispute", 7), ("report", 1)])
def test_a_hold_without_an_end_lasts_as_long_as_the_policy_says(house: House, kind: str, days: int) -> None:
    bill = house.bill()
    hold = holds.place(bill.account_id, kind, reason="said so", key=kind)
    assert hold.until is not None
    assert clock.local(hold.until).date() == clock.today() + timedelta(days)


def test_a_manual_hold_lasts_until_it_is_lifted(house: House) -> None:
    bill = house.bill()
    holds.place(bill.account_id, "manual", reason="a bereavement", key="m")
    house.days(date(2014, 10, 27), date(2014, 11, 30))
    assert not CaseStep.objects.exists()
    holds.lift("m", reason="the family asked")
    house.days(date(2014, 12, 1), date(2014, 12, 3))
    assert CaseStep.objects.filter(step="remind").exists()


def test_nonsense_is_refused(house: House) -> None:
    bill = house.bill()
    with pytest.raises(ValueError, match="weather"):
        holds.place(bill.account_id, "weather", reason="", key="w")
    with pytest.raises(ValueError, match="ends after it starts"):
        holds.place(bill.account_id, "claim", start=clock.now(), until=clock.now(), reason="", key="w")


def test_a_promise_joins_its_callers_transaction(house: House) -> None:
    bill = house.bill()
    house.day(date(2014, 10, 27))
    outer = atomic()
    outer.__enter__()
    promise(bill, date(2014, 10, 29))
    outer.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert not Promise.objects.exists()
    with transaction.atomic():
        promise(bill, date(2014, 10, 29))
    assert FactRow.objects.filter(kind="dunning.promised").count() == 1
