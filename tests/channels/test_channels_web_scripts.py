"""A page of ours that runs a provider's script: its own policy, and a way out for every device that cannot run it."""

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.conf import settings
from tests.channels.customers import Customer, Html
from tests.channels.many_ways import PORTONE, ManyWays, many_ways, paid
from tests.worlds import link, overdue_bill

from doenda.assurance import by_hand
from doenda.channels.web.launching import LAUNCHERS, code_of
from doenda.journeys.models import Session
from doenda.kernel import clock, net
from doenda.payments.models import Attempt

Shop = tuple[ManyWays, Customer]


@pytest.fixture(params=["ko", "en"])
def shop(request: pytest.FixtureRequest, db: None, noon: clock.Frozen) -> Iterator[Shop]:
    with many_ways("portone", "counter") as made:
        yield made, Customer(lang=request.param)


def launched(customer: Customer, made: ManyWays, url: str) -> dict[str, str]:
    """To our page with the script; the words that the launcher is given."""
    customer.open(url)
    assert customer.at_provider("card").step == "pay.script"
    body = body_of(customer, made)
    found = re.search(r'data-client="([^"]*)"', body)
    assert found is not None
    client: dict[str, str] = json.loads(unescape(found[1]))
    return client


def body_of(customer: Customer, made: ManyWays) -> str:
    return str(made.web.get(path_of(customer)).content.decode())


def path_of(customer: Customer) -> str:
    return customer.page.url.removeprefix(settings.DOENDA_BASE_URL)


def at_checkout(client: dict[str, str], decision: str) -> str:
    """What PortOne's script and then the payer do: the address at which they come back."""
    address = f"{PORTONE}/checkout?{urlencode(client)}"
    assert net.call("browser", "GET", address).status == 200
    said = net.call("browser", "POST", address, content=f"decision={decision}".encode())
    assert said.status == 303
    return {name.lower(): value for name, value in said.headers.items()}["location"]


def test_a_card_is_paid_through_the_script_and_our_own_last_question(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    back = at_checkout(launched(customer, made, link(bill)), "approve")
    assert customer.open(back).step == "pay.away.returned"
    assert not paid(bill), "coming back moves nothing"
    assert customer.goes("returned").step == "pay.paid"
    assert "KRW 52,300" in customer.page.text
    assert paid(bill)


def test_given_up_at_the_provider_takes_nothing_and_offers_the_rest(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    back = at_checkout(launched(customer, made, link(bill)), "cancel")
    assert customer.open(back).step == "pay.away.cancelled"
    assert customer.goes("other").step in {"pay.method", "pay.asking"}
    assert not paid(bill)


@pytest.mark.parametrize("word", ["paymentToken", "paymentId"])
def test_words_that_somebody_changed_pay_nothing(shop: Shop, word: str) -> None:
    made, customer = shop
    bill = overdue_bill()
    back = at_checkout(launched(customer, made, link(bill)), "approve")
    base, _, query = back.partition("?")
    words = dict(parse_qsl(query)) | {word: "forged"}
    customer.open(f"{base}?{urlencode(words)}")
    if customer.page.step == "pay.away.returned":
        assert customer.goes("returned").step in {"pay.refused", "pay.asking", "pay.faulted"}
    assert not paid(bill)


def test_only_this_page_runs_a_script_and_only_its_providers(shop: Shop) -> None:
    made, customer = shop
    launched(customer, made, link(overdue_bill()))
    said = made.web.get(path_of(customer))
    rules = dict(part.strip().split(" ", 1) for part in said.headers["Content-Security-Policy"].split(";"))
    nonce = re.search(r"<script nonce=\"([^\"]+)\"", said.content.decode())
    assert nonce is not None
    assert rules["default-src"] == "'none'"
    assert set(rules["script-src"].split()) == {f"'nonce-{nonce[1]}'", PORTONE}
    assert rules["connect-src"] == rules["frame-src"] == PORTONE
    assert set(rules["form-action"].split()) == {"'self'", PORTONE}
    assert "unsafe" not in said.headers["Content-Security-Policy"]
    assert said.headers["Cache-Control"] == "no-store"
    assert said.headers["Referrer-Policy"] == "no-referrer"
    html = Html(said.content.decode())
    assert [each for each in html.problems if each != "<script>"] == []
    assert html.scripts == ["script", "script"]
    customer.goes("other")
    assert "script-src" not in made.web.get(path_of(customer)).headers["Content-Security-Policy"]


def test_a_device_without_scripts_has_another_way_with_one_tap_and_is_not_shown_this_one_again(shop: Shop) -> None:
    made, customer = shop
    launched(customer, made, link(overdue_bill()))
    said = {
        "ko": "이렇게 내실 수 있어요: 가상계좌 입금, 매장",
        "en": "you can pay by: Deposit to an account number, Pay",
    }
    assert said[customer.lang] in customer.page.text
    assert customer.goes("no_scripts").step == "pay.method"
    assert customer.radios("way") == ["web/deposit/portone", "web/store/counter"]
    assert customer.at_provider("store").step == "pay.account"
    assert Attempt.objects.filter(state="closed").count() == 1


def test_where_nothing_works_without_scripts_it_ends_in_a_dated_promise(shop: Shop) -> None:
    made, customer = shop
    launched(customer, made, link(overdue_bill()))
    for slug in ("web/store/counter", "web/deposit/portone"):
        by_hand.withdraw(slug, who="kim", reason="closed for good")
    customer.goes("no_scripts")
    assert customer.page.step in {"pay.promised", "pay.person"}


def test_a_script_free_provider_of_the_same_method_takes_its_place(db: None, noon: clock.Frozen) -> None:
    with many_ways("sandbox", "portone") as made:
        by_hand.withdraw("web/card/sandbox", who="kim", reason="to see the other")
        customer = Customer()
        launched(customer, made, link(overdue_bill()))
        by_hand.vouch("web/card/sandbox", who="kim", reason="back")
        customer.goes("no_scripts")
        assert "web/card/sandbox" in customer.radios("way")
        assert "web/card/portone" not in customer.radios("way")


def test_public_words_cannot_leave_their_attribute(shop: Shop) -> None:
    made, customer = shop
    launched(customer, made, link(overdue_bill()))
    attempt = Attempt.objects.get()
    evil = {"orderName": '"><script>alert(1)</script>', "redirectUrl": "</script>'\u2028"}
    Attempt.objects.filter(pk=attempt.pk).update(details={"client": evil})
    body = body_of(customer, made)
    assert "<script>alert" not in body
    found = re.search(r'data-client="([^"]*)"', body)
    assert found is not None
    assert json.loads(unescape(found[1])) == evil


def test_every_launcher_can_stand_inside_a_page() -> None:
    names = sorted(path.stem for path in LAUNCHERS.glob("*.js"))
    assert names == ["portone", "stripe"]
    for name in names:
        code = code_of(name)
        assert "launch-without" in code, f"{name} has no way out"
        assert len(code) < 3000
        for danger in ("innerHTML", "eval(", "document.write", "console."):
            assert danger not in code, (name, danger)


def test_back_again_after_paying_shows_the_receipt(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    back = at_checkout(launched(customer, made, link(bill)), "approve")
    customer.open(back)
    customer.goes("returned")
    assert customer.open(back).step == "pay.paid"
    assert urlsplit(back).path.startswith("/s/")
    assert Session.objects.get().step == "paid"
