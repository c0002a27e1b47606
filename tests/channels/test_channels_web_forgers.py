"""Forged forms, strange addresses and bodies: nothing is moved, nothing is stored, and a page helps on."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from tests.channels.attackers import FORM, fields_of, path_of, post
from tests.channels.customers import Customer, audited, faults_of_page
from tests.worlds import World, link, overdue_bill

from doenda.channels.web import forms
from doenda.journeys.models import Session
from doenda.kernel import clock, net
from doenda.payments.models import Attempt


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[World]:
    with audited() as (made, _):
        yield made


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
