"""Each kind of device is offered what it can finish, and a failure page names what does not hang on what failed."""

from collections.abc import Iterator

import pytest
from tests.channels.customers import Audited, Customer
from tests.channels.many_ways import ManyWays, many_ways
from tests.worlds import link, overdue_bill

from doenda.assurance import devices, evidence, standing
from doenda.assurance.models import Evidence, Offer
from doenda.assurance.rule import Name
from doenda.channels.speech import method_name
from doenda.journeys.models import Session
from doenda.kernel import clock, net
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Attempt

Shop = tuple[ManyWays, str]
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36"
CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture(params=["ko", "en"])
def shop(request: pytest.FixtureRequest, db: None, noon: clock.Frozen) -> Iterator[Shop]:
    with many_ways() as made, net.using(Audited(made, request.param)):
        yield made, request.param


def tries(way: str, outcome: str, times: int = 1, device: str = "") -> None:
    for _ in range(times):
        with atomic():
            evidence.record(
                way, outcome, source_kind="test", source_id=outside(new_id()), synthetic=not device, device=device
            )


def fails_in_safari(way: str) -> None:
    tries(way, "worked")
    for _ in range(6):
        tries(way, "failed_by_provider", device="webkit")
        tries(way, "worked", 4, "chromium")


def ways_on(agent: str, bill_link: str, lang: str) -> tuple[set[str], str]:
    customer = Customer(lang=lang, agent=agent)
    customer.open(bill_link)
    customer.goes("pay")
    return set(customer.radios("way")), customer.page.text


def test_a_way_that_fails_in_one_browser_is_offered_in_the_others_and_said_to_work_there(shop: Shop) -> None:
    _, lang = shop
    fails_in_safari(TRANSFER)
    bill_link = link(overdue_bill())
    offered, text = ways_on(SAFARI, bill_link, lang)
    assert TRANSFER not in offered
    assert CARD in offered
    assert method_name("transfer", lang) in text, "it works in another browser, and that is said"
    elsewhere, _ = ways_on(CHROME, bill_link, lang)
    assert TRANSFER in elsewhere


def test_what_is_opened_in_another_browser_is_what_that_browser_can_finish(shop: Shop) -> None:
    _, lang = shop
    fails_in_safari(TRANSFER)
    customer = Customer(lang=lang, agent=SAFARI)
    customer.open(link(overdue_bill()))
    customer.goes("pay")
    assert TRANSFER not in customer.radios("way")
    other = Customer(lang=lang, agent=CHROME)
    other.open(customer.page.url)
    assert TRANSFER in other.radios("way"), "the same visit, opened elsewhere"
    other.at_provider("transfer")
    assert Session.objects.get(step="away").device == "chromium"
    assert Attempt.objects.get(method="transfer").device == "chromium"


def test_a_customers_own_try_is_counted_for_their_kind_of_device(shop: Shop) -> None:
    made, lang = shop
    made.fault("card", "last_step_down")
    customer = Customer(lang=lang, agent=SAFARI)
    customer.open(link(overdue_bill()))
    customer.at_provider("card")
    customer.goes("approve")
    if customer.page.step == "pay.away.returned":
        customer.goes("returned")
    assert Attempt.objects.get().device == "webkit"
    failed = Evidence.objects.filter(outcome="failed_by_provider").values_list("way_id", flat=True)
    assert set(failed) == {CARD, f"{CARD}@webkit"}
    assert set(Offer.objects.values_list("device", flat=True)) == {"webkit"}


def test_a_failure_page_names_every_method_that_works_and_does_not_hang_on_the_provider_that_failed(
    shop: Shop,
) -> None:
    made, lang = shop
    for slug in ("web/deposit/deposit", "counter/cash/counter"):
        tries(slug, "worked")
    tries(TRANSFER, "worked")
    made.fault("card", "last_step_down")
    customer = Customer(lang=lang)
    customer.open(link(overdue_bill()))
    customer.at_provider("card")
    customer.goes("approve")
    if customer.page.step == "pay.away.returned":
        customer.goes("returned")
    assert customer.page.step == "pay.faulted", customer.page.text
    named = [line for line in customer.page.text.splitlines() if method_name("deposit", lang) in line]
    assert named, "a way that works and is not named is a fault as well"
    assert method_name("cash", lang) in named[0], "by every channel"
    assert method_name("transfer", lang) not in named[0], "the provider that has just failed is not sent to again"


def test_a_report_is_counted_for_the_kind_of_device_on_which_it_was_made(shop: Shop) -> None:
    _, lang = shop
    customer = Customer(lang=lang, agent=SAFARI)
    customer.open(link(overdue_bill()))
    customer.at_provider("card")
    visit = next(page.url for page in customer.pages if "/s/" in page.url)
    customer.open(visit)
    customer.goes("does_not_work" if "does_not_work" in customer.buttons() else "report")
    reported = Evidence.objects.filter(outcome="reported").values_list("way_id", flat=True)
    assert set(reported) == {CARD, f"{CARD}@webkit"}
    cell = standing.one(devices.cell(CARD, "webkit"))
    assert cell is not None
    assert cell.standing is not Name.WITHDRAWN, "words never withdraw"


def test_a_forged_browser_name_changes_nothing_for_anybody_else(shop: Shop) -> None:
    _, lang = shop
    tries(CARD, "worked")
    for agent in ("KAKAOTALK" * 5_000, "\x00", "w3m/0 Trident/ Chrome/", "'; DROP TABLE"):
        offered, _ = ways_on(agent.replace("\x00", " "), link(overdue_bill(number=outside(new_id())[:20])), lang)
        assert CARD in offered
    assert standing.current()[CARD].standing is Name.PROVEN
