"""Pages under a double click, two tabs, a forger, a crowd and a crash: nothing is taken twice and nobody is stuck."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from tests.channels.customers import Customer, audited, faults_of_page
from tests.worlds import World, link, overdue_bill, world

from doenda.billing.models import Bill
from doenda.channels.web import forms
from doenda.contact.models import Ticket
from doenda.dunning import holds, outlook
from doenda.journeys.models import Session
from doenda.kernel import clock, net, sweeps
from doenda.kernel.database import seam
from doenda.payments.models import Attempt

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[World]:
    with audited() as (made, _):
        yield made


@pytest.fixture
def street(committed_db: str, noon: clock.Frozen) -> Iterator[World]:
    """With real commits."""
    with world() as made:
        yield made


def post(path: str, body: bytes | str, kind: str = FORM, **headers: str) -> net.Reply:
    said = Client(raise_request_exception=False).generic("POST", path, body, content_type=kind, headers=headers)
    return net.Reply(said.status_code, {k.lower(): v for k, v in said.headers.items()}, said.content)


def fields_of(customer: Customer) -> dict[str, str]:
    return customer.page.forms[0].fields


def path_of(customer: Customer) -> str:
    return customer.page.url.removeprefix(settings.DOENDA_BASE_URL).partition("?")[0]


# --- the same answer again


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


# --- a crash at every commit of an answer


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


# --- forgers


@pytest.mark.parametrize("field", ["", "nonsense", "bill/0", "bill/0:AAAA", "\0", "x" * 5000])
def test_an_unsigned_form_does_nothing(shop: World, field: str) -> None:
    bill = overdue_bill()
    path = link(bill).removeprefix(settings.DOENDA_BASE_URL)
    reply = post(path, urlencode({"f": field, "do": "pay"}))
    assert reply.status == 400
    assert not faults_of_page(reply, "ko")
    assert not Session.objects.exists()


def test_a_signature_is_of_no_use_elsewhere(shop: World) -> None:
    mine, theirs = overdue_bill(), overdue_bill(number="B-2", phone="+821000005678")
    customer = Customer()
    customer.open(link(mine))
    foreign = fields_of(customer)["f"]
    customer.goes("pay")
    address = path_of(customer)
    other = Customer()
    other.open(link(theirs))
    other.goes("pay")
    for path in (link(theirs).removeprefix(settings.DOENDA_BASE_URL), path_of(other), address, "/"):
        assert post(path, urlencode({"f": foreign, "do": "pay"})).status == 400, path
    assert post(address, urlencode({"f": forms.sign("enter", "bill", 0), "do": "pay"})).status == 400


@pytest.mark.parametrize(
    "outcome", ["paid", "chosen", "none_open", "", "given", "nothing_due", "opened", "again", "\0"]
)
def test_an_outcome_that_no_button_has_is_refused(shop: World, outcome: str) -> None:
    customer = Customer()
    customer.open(link(overdue_bill()))
    for door in ("", "more_time"):
        if door:
            customer.goes(door)
        sent = fields_of(customer) | {"do": outcome}
        expected = {303} if (door, outcome) == ("more_time", "given") else {400}
        assert post(path_of(customer), urlencode(sent)).status in expected, (door, outcome)
    assert not Attempt.objects.exists()


def test_what_only_the_system_may_say_cannot_be_said_at_the_asking_step(shop: World) -> None:
    shop.control(shop.bank, "PUT", "faults", {"card": [{"fault": "timeout_after"}, {"fault": "inquiry_down"}]})
    customer = Customer()
    customer.open(link(overdue_bill()))
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.asking"
    for outcome in ("paid", "refused", "person_owns"):
        assert post(path_of(customer), urlencode(fields_of(customer) | {"do": outcome})).status == 400


@pytest.mark.parametrize(
    "path", ["/s/" + "A" * 26, "/s/x", "/s/%00", "/s/" + "A" * 26 + "/return", "/nothing", "/p/", "/%ff"]
)
def test_an_unknown_address_is_a_page_that_helps(shop: World, path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        said = Client(raise_request_exception=False).generic(method, path, b"f=x", content_type=FORM)
        reply = net.Reply(said.status_code, {k.lower(): v for k, v in said.headers.items()}, said.content)
        assert reply.status in {404, 405}
        if method != "HEAD":
            assert not faults_of_page(reply, "ko"), path
            assert "114" in reply.body.decode()


MANY = urlencode([(f"n{i}", "x") for i in range(10_000)])


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"x" * 3_000_000, FORM),
        (b"f=" + b"%00" * 2000, FORM),
        (b"f=%ED%A0%80%FF%FE&do=%C0%AF", FORM),
        (MANY.encode(), FORM),
        (b"{}", "application/json"),
        (b"<a/>", "text/xml"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"broken", "multipart/form-data"),
        (b"f=1", "multipart/form-data; boundary=" + "y" * 400),
        (b"f=1", ""),
        (b"f=1", "\xff"),
        (b"f=1", f"{FORM}; charset=utf-7"),
        (b"f=1", f"{FORM}; charset=no-such"),
    ],
)
def test_a_body_that_is_no_form_of_ours_gets_a_page_and_does_nothing(shop: World, body: bytes, kind: str) -> None:
    paths = [link(overdue_bill()).removeprefix(settings.DOENDA_BASE_URL), "/", "/p/" + "A" * 26, "/s/" + "A" * 26]
    for path in paths:
        reply = post(path, body, kind)
        assert reply.status in {400, 404, 413, 415}, (path, reply.status)
        assert not faults_of_page(reply, "ko"), faults_of_page(reply, "ko")
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "query", ["?" + MANY, "?lang=" + "x" * 5000, "?lang=%00", "?lang[]=en", "?stale=" + "9" * 900, "?lang=fr"]
)
def test_a_strange_query_is_survived(shop: World, query: str) -> None:
    bill = overdue_bill()
    customer = Customer()
    customer.open(link(bill))
    customer.at_provider()
    visit = shop.bank.state.payments[next(iter(shop.bank.state.payments))].return_url
    for url in (link(bill), f"{settings.DOENDA_BASE_URL}/", visit, visit.removesuffix("/return")):
        reply = Client(raise_request_exception=False).get(url.removeprefix(settings.DOENDA_BASE_URL) + query)
        assert reply.status_code in {200, 400}
        assert not faults_of_page(net.Reply(reply.status_code, dict(reply.headers), reply.content), "ko")


def test_null_bytes_and_novels_in_every_field_are_survived(shop: World) -> None:
    bill = overdue_bill()
    doors = {
        "pay_part": ["amount"],
        "more_time": ["date"],
        "already": ["when", "how"],
        "not_mine": ["why", "words"],
        "person": ["phone", "when"],
    }
    for door, names in doors.items():
        for text in (
            "\0",
            "\0" * 500,
            "가" * 3000,
            "١٢٣",
            "1e9",
            "NaN",
            "-0",
            "9" * 400,
            "'; DROP TABLE x;--",
            "{$x}",
            "%s",
        ):
            customer = Customer()
            customer.open(link(bill))
            customer.goes(door)
            assert customer.goes("given", **dict.fromkeys(names, text)).status == 200, (door, text)


def test_null_bytes_from_the_providers_page_are_survived(shop: World) -> None:
    customer = Customer()
    customer.open(link(overdue_bill()))
    customer.at_provider()
    customer.press("approve")
    for name in ("order_id", "ref", "paid_amount"):
        sent = fields_of(customer) | {"do": "returned", name: "\0x\0"}
        assert post(f"/s/{customer.page.url.split('/s/')[1][:26]}", urlencode(sent)).status == 303
    assert shop.books()["net"] == 0


def test_other_methods_are_told_which_there_are(shop: World) -> None:
    for path in ("/", link(overdue_bill()).removeprefix(settings.DOENDA_BASE_URL), "/s/" + "A" * 26):
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            said = Client().generic(method, path)
            assert (said.status_code, said.headers["Allow"]) == (405, "GET, HEAD, POST")


def test_head_shows_nothing_and_moves_nothing(shop: World) -> None:
    customer = Customer()
    customer.open(link(overdue_bill()))
    customer.at_provider()
    customer.press("approve")
    before = (Session.objects.get().version, Attempt.objects.get().state)
    for url in (customer.page.url, customer.page.url.partition("/return")[0]):
        said = Client().head(url.removeprefix(settings.DOENDA_BASE_URL))
        assert (said.status_code, said.content) == (200, b"")
    assert (Session.objects.get().version, Attempt.objects.get().state) == before
