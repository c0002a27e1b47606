"""Pages under a double click, two tabs, a crowd and a crash: nothing is taken twice and nobody is stuck."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connections
from tests.channels.attackers import fields_of, post
from tests.channels.customers import Customer, audited
from tests.worlds import World, link, overdue_bill, world

from doenda.billing.models import Bill
from doenda.contact.models import Ticket
from doenda.dunning import holds, outlook
from doenda.journeys.models import Session
from doenda.kernel import clock, sweeps
from doenda.kernel.database import seam
from doenda.payments.models import Attempt


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[World]:
    with audited() as (made, _):
        yield made


@pytest.fixture
def street(committed_db: str, noon: clock.Frozen) -> Iterator[World]:
    """With real commits."""
    with world() as made:
        yield made


def test_a_second_press_of_each_button_lands_where_the_first_did(shop: World) -> None:
    bill = overdue_bill()
    customer = Customer()
    customer.open(link(bill))
    customer.goes("pay")
    before = customer.page
    customer.press("chosen", {"way": "web/card/sandbox"})
    customer.pages.append(before)
    assert customer.press("chosen", {"way": "web/card/sandbox"}).step == "provider"
    assert Attempt.objects.count() == 1
    customer.press("approve")
    before = customer.page
    customer.press("returned")
    customer.pages.append(before)
    assert customer.press("returned").step == "pay.paid"
    assert "stale" not in customer.page.url, "a double click is nothing to be told about"
    assert customer.open(before.url).step == "pay.paid", "going back shows the receipt"
    assert shop.books()["net"] == 52300


def test_an_old_page_answered_late_changes_nothing_and_says_where_one_is(shop: World) -> None:
    customer = Customer()
    customer.open(link(overdue_bill()))
    customer.goes("more_time")
    old = customer.page
    customer.goes("back")
    customer.goes("pay")
    customer.pages.append(old)
    page = customer.goes("given", date="2014-10-25")
    assert page.step == "pay.method"
    assert "stale=1" in page.url
    assert Session.objects.count() == 1


def test_two_tabs_pay_one_bill_once(shop: World) -> None:
    bill = overdue_bill()
    one, two = Customer(), Customer()
    for tab in (one, two):
        tab.open(link(bill))
        tab.at_provider()
        tab.press("approve")
    assert (one.goes("returned").step, two.goes("returned").step) == ("pay.paid", "pay.paid")
    assert shop.books()["net"] == 52300
    assert Attempt.objects.filter(state="paid").count() == 1


@pytest.mark.parametrize("press", ["pay", "chosen", "returned", "given", "person_given"])
def test_twenty_at_once_are_one(street: World, press: str) -> None:
    bill = overdue_bill()
    customer = Customer()
    customer.open(link(bill))
    values: dict[str, str] = {}
    customer.goes("person" if press == "person_given" else "more_time")
    if press in {"pay", "chosen", "returned"}:
        customer.goes("back")
    if press in {"chosen", "returned"}:
        customer.goes("pay")
        values = {"way": "web/card/sandbox"}
    if press == "returned":
        customer.at_provider()
        customer.press("approve")
    values |= {"given": {"date": "2014-10-30"}, "person_given": {"phone": "01000001234", "when": "soonest"}}.get(
        press, {}
    )
    path = f"/s/{customer.page.url.split('/s/')[1][:26]}"
    body = urlencode(fields_of(customer) | values | {"do": "given" if press == "person_given" else press})

    def one(_: int) -> int:
        try:
            return post(path, body).status
        finally:
            for connection in connections.all():
                connection.close()

    with ThreadPoolExecutor(20) as crowd:
        assert set(crowd.map(one, range(20))) == {303}
    counted = {
        "pay": (Attempt.objects.count(), 0),
        "chosen": (Attempt.objects.count(), 1),
        "returned": (street.books()["net"], 52300),
        "given": (len(holds.running(bill.account_id)), 1),
        "person_given": (Ticket.objects.count(), 1),
    }[press]
    assert counted[0] == counted[1]
    after = Customer()
    after.open(f"{settings.DOENDA_BASE_URL}{path}")
    finish(after, street)


def finish(customer: Customer, made: World) -> str:
    """Go on from wherever the page stands, to the end. Returns which end."""
    for _ in range(12):
        if customer.page.step in {"pay.paid", "pay.promised"}:
            return customer.page.step
        _go_on(customer)
    raise AssertionError(f"no end: {[page.step for page in customer.pages]}")


def work() -> None:
    """What the worker would do for a payment."""
    for name in ("outbox", "inquiries", "outbox"):
        sweeps.run(name)


ONE_PRESS = {
    "pay.bill": "pay",
    "pay.away.returned": "returned",
    "web.working": "check",
    "pay.faulted": "enough",
    "pay.reported": "enough",
}


def _go_on(customer: Customer) -> None:
    match customer.page.step:
        case "pay.method":
            customer.at_provider()
        case "provider" if "approve" in customer.buttons():
            customer.press("approve")
        case "provider":
            customer.open(customer.link("/return"))
        case "pay.away":
            customer.open(customer.link("/pay/"))
        case "pay.asking":
            work()
            customer.goes("check_again")
        case "pay.date":
            customer.goes("given", date=(clock.today() + timedelta(days=3)).isoformat())
        case "pay.person":
            customer.goes("given", phone="01000001234", when="soonest")
        case step:
            customer.goes(ONE_PRESS[step])


def to_bill(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))


def to_method(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.goes("pay")


def to_return(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")


def to_date(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.goes("more_time")


def to_person(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.goes("person")


CRASHES: dict[str, tuple[Callable[[Customer, Bill], None], str, dict[str, str]]] = {
    "pay": (to_bill, "pay", {}),
    "chosen": (to_method, "chosen", {"way": "web/card/sandbox"}),
    "returned": (to_return, "returned", {}),
    "date": (to_date, "given", {"date": "2014-10-30"}),
    "person": (to_person, "given", {"phone": "01000001234", "when": "soonest"}),
    "does_not_work": (to_bill, "does_not_work", {}),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("answer", CRASHES)
def test_a_crash_at_any_commit_leaves_a_visit_that_can_be_finished(
    street: World, noon: clock.Frozen, answer: str, when: seam.When
) -> None:
    prepare, press, values = CRASHES[answer]
    for at in range(1, 30):
        bill = overdue_bill(number=f"C-{answer}-{when}-{at}", phone=f"+8210000{at:05d}")
        paid_before = street.books()["net"]
        customer = Customer()
        prepare(customer, bill)
        try:
            with seam.crash(when, at_commit=at):
                customer.goes(press, **values)
        except seam.Crash:
            for connection in connections.all():
                connection.close()
        else:
            assert at > 1, "the answer commits something"
            break
        noon.advance(timedelta(seconds=20))
        here = customer.page.url if "/s/" in customer.page.url else link(bill)
        again = Customer()
        again.open(here)
        end = finish(again, street)
        work()
        bill.refresh_from_db()
        taken = street.books()["net"] - paid_before
        assert (taken, bill.remaining) == ((52300, 0) if end == "pay.paid" else (0, 52300)), (at, end)
        if end == "pay.promised":
            assert outlook.of(bill.account_id).held
    else:
        raise AssertionError("more commits than anybody thought")
