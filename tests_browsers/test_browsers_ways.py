"""Each way to pay through each provider's page in real browsers: scripts on only where a provider needs them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.worlds import link, overdue_bill
from tests_browsers.conftest import missing
from tests_browsers.test_browsers_pages import axe, opened, problems_of, shoot
from tests_browsers.ways_house import House, ways_house

from doenda.assurance import by_hand, standing
from doenda.billing.models import Bill
from doenda.channels.web import in_chromium, in_lynx, in_w3m
from doenda.channels.web.walker import Walk
from doenda.payments.models import Attempt

made = 0


@pytest.fixture(scope="module")
def street(django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with django_db_blocker.unblock(), ways_house(tmp_path_factory.mktemp("street")) as house:
        yield house


def bill_of(street: House) -> tuple[Bill, str]:
    return street.here(_bill)


def _bill() -> tuple[Bill, str]:
    global made  # noqa: PLW0603 - each bill has a number of its own
    made += 1
    bill = overdue_bill(number=f"2026-9{made:05d}", phone=f"+82109{made:07d}")
    return bill, link(bill)


def only(method: str, provider: str, *, nothing_else: bool = False) -> None:
    """Customers are told of this provider's way alone, among those of its method or among all."""
    for slug in standing.current("pay"):
        if nothing_else or slug.split("/")[1] == method:
            act = by_hand.vouch if slug == f"web/{method}/{provider}" else by_hand.withdraw
            act(slug, who="test", reason="to walk one provider's page")


def walked(walk: Callable[[], Walk]) -> Walk:
    try:
        return walk()
    except in_chromium.NoBrowser as error:
        missing(str(error))
        raise


def settled(bill: Bill, provider: str) -> None:
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert Attempt.objects.get(bills__bill=bill, state="paid").provider == provider


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("provider", ["sandbox", "toss"])
@pytest.mark.parametrize("method", ["card", "transfer"])
def test_a_page_of_the_providers_own_needs_no_script(
    street: House, lang: str, width: int, provider: str, method: str
) -> None:
    only(method, provider)
    bill, url = bill_of(street)
    walk = walked(lambda: in_chromium.pay(url, method=method, provider=provider, lang=lang, width=width))
    assert (walk.outcome, walk.steps) == ("paid", WHOLE), walk
    settled(bill, provider)


WHOLE = ("pay.bill", "pay.method", "provider", "pay.away.returned", "pay.paid")


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("provider", ["portone", "stripe"])
def test_a_providers_script_runs_on_a_page_of_its_own(street: House, lang: str, provider: str) -> None:
    only("card", provider)
    bill, url = bill_of(street)
    walk = walked(lambda: in_chromium.pay(url, provider=provider, lang=lang, scripts=True, width=320))
    assert walk.outcome == "paid", walk
    assert walk.steps[:3] == ("pay.bill", "pay.method", "pay.script")
    settled(bill, provider)


@pytest.mark.parametrize("provider", ["portone", "stripe"])
def test_where_no_script_runs_one_tap_leads_to_what_works(street: House, provider: str) -> None:
    only("card", provider)
    bill, url = bill_of(street)
    walk = walked(lambda: _taps(url, provider, street))
    assert walk.outcome == "paid", walk
    settled(bill, "deposit")


def _taps(url: str, provider: str, street: House) -> Walk:
    """By card until the page that needs scripts; from there on by deposit."""

    class Turning(in_chromium._InBrowser):
        def on(self, step: str) -> bool:
            if step == "pay.script":
                self.method, self.provider = "deposit", "deposit"
            return super().on(step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_chromium, "_InBrowser", Turning)
        return in_chromium.pay(url, provider=provider, hand=street.pay_in)


@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("method", ["deposit", "store", "debit"])
def test_any_device_pays_without_scripts(street: House, lang: str, width: int, method: str) -> None:
    only("deposit", "deposit")
    bill, url = bill_of(street)
    hand = {"deposit": street.pay_in, "store": street.clerk}.get(method)
    walk = walked(lambda: in_chromium.pay(url, method=method, lang=lang, width=width, hand=hand))
    if method == "debit":
        assert (walk.outcome, walk.steps[-2:]) == ("promised", ("pay.mandate", "pay.promised")), walk
        return
    assert (walk.outcome, walk.steps[-2:]) == ("paid", ("pay.account", "pay.paid")), walk
    settled(bill, {"deposit": "deposit", "store": "counter"}[method])


@pytest.mark.parametrize("browser", [in_w3m, in_lynx], ids=["w3m", "lynx"])
@pytest.mark.parametrize("method", ["card/toss", "deposit/deposit", "store/counter", "debit/debit"])
def test_a_text_browser_pays(street: House, browser: Any, method: str) -> None:
    name, provider = method.split("/")
    only(name, provider, nothing_else=True)
    bill, url = bill_of(street)
    hand = {"deposit": street.pay_in, "store": street.clerk}.get(name)
    walk = walked(lambda: browser.pay(url, method=name, hand=hand))
    assert (walk.outcome, walk.trouble) == ("promised" if name == "debit" else "paid", ""), walk
    if name != "debit":
        settled(bill, provider)


def pages_of(street: House, page: Any, lang: str) -> Iterator[str]:
    """Every page that the ways of this issue add, one after the other."""

    def at(url: str) -> None:
        page.goto(f"{url}?lang={lang}")

    def press(value: str) -> None:
        page.click(f'button[value="{value}"]:visible')

    def begin(method: str) -> str:
        _, url = bill_of(street)
        at(url)
        press("pay")
        page.check(f'input[name=way][value*="/{method}/"]')
        press("chosen")
        return url

    _, url = bill_of(street)
    at(url)
    press("pay")
    yield "method.all"
    url = begin("deposit")
    yield "account"
    press("check_again")
    yield "account.not_yet"
    press("enough")
    yield "promised.deposit"
    at(url)
    yield "bill.account"
    begin("store")
    yield "account.store"
    url = begin("debit")
    yield "mandate"
    page.fill("#number", "12")
    page.fill("#holder", "김민수")
    press("given")
    page.select_option("#bank", "088")
    press("given")
    yield "mandate.wrong"
    page.fill("#number", "110-123-456789")
    page.fill("#birth", "800101")
    page.check("#agreed")
    press("given")
    yield "promised.debit"
    at(url)
    yield "bill.instructed"
    begin("card")
    yield "script"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_new_page_can_be_seen_touched_and_heard(street: House, shots: Path, lang: str, scripts: bool) -> None:
    for method, provider in (("deposit", "deposit"), ("card", "portone"), ("transfer", "toss"), ("debit", "debit")):
        only(method, provider)
    only("store", "counter")
    code, problems = axe(), {}
    with opened(lang, scripts=scripts) as page:
        for name in pages_of(street, page, lang):
            if scripts:
                shoot(page, shots, f"{lang}-{name}")
                if found := problems_of(page, code):
                    problems[name] = found
            else:
                page.screenshot(path=shots / f"{lang}-{name}.plain.png", full_page=True)
    assert not problems, "\n".join(f"{name}: {each}" for name, found in problems.items() for each in found)
