"""Which ways the page offers: by which provider, in what order, and never one that is closed at this hour."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from tests.channels.customers import Audited, Customer, audited
from tests.channels.many_ways import PORTONE, ManyWays, many_ways, paid
from tests.worlds import link, overdue_bill

from doenda.assurance import by_hand
from doenda.channels.web import walker
from doenda.dunning import outlook
from doenda.dunning.models import Promise
from doenda.kernel import clock, net
from doenda.payments.models import Attempt

Shop = tuple[ManyWays, Customer]
NIGHT = clock.at(date(2014, 10, 22), 23, 45)
MIDNIGHT = clock.at(date(2014, 10, 23), 0, 10)


@pytest.fixture(params=["ko", "en"])
def night(request: pytest.FixtureRequest, db: None) -> Iterator[Shop]:
    """A quarter to midnight in Seoul: the banks are closed."""
    with clock.freeze(NIGHT), many_ways() as made, net.using(Audited(made, request.param)):
        yield made, Customer(lang=request.param)


def test_what_the_banks_close_at_night_is_said_with_its_hour_and_cannot_be_chosen(night: Shop) -> None:
    _, customer = night
    customer.open(link(overdue_bill()))
    customer.goes("pay")
    methods = {way.split("/")[1] for way in customer.radios("way")}
    assert methods == {"card", "transfer", "store", "debit"}, "the sandbox's bank has no night"
    assert ("가상계좌 입금: 지금은 쉬는 시간이에요. 오전 12시 30분부터" in customer.page.text) == (
        customer.lang == "ko"
    )
    assert ("closed at this hour. You can use it again from 12:30 am" in customer.page.text) == (customer.lang == "en")
    assert customer.goes("chosen", way="web/deposit/deposit").step == "pay.method", "not by a forged form either"
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("method", ["card", "store"])
def test_another_way_is_walked_to_its_end_at_night(night: Shop, method: str) -> None:
    made, customer = night
    bill = overdue_bill()
    walked = walker.pay(link(bill), method=method, lang=customer.lang, customer=customer, hand=made.clerk)
    assert (walked.outcome, walked.trouble) == ("paid", ""), walked
    assert paid(bill)


def test_a_debit_is_arranged_at_night_and_on_a_sunday(night: Shop) -> None:
    _, customer = night
    walked = walker.pay(link(overdue_bill()), method="debit", lang=customer.lang, customer=customer)
    assert (walked.outcome, walked.trouble) == ("promised", ""), walked


def test_an_account_that_was_given_before_the_banks_closed_says_when_they_open(db: None) -> None:
    with clock.freeze(NIGHT - timedelta(hours=1)) as frozen, many_ways():
        customer = Customer()
        customer.open(link(overdue_bill()))
        customer.at_provider("deposit")
        assert "은행이 쉬는 시간" not in customer.page.text
        frozen.set(NIGHT)
        customer.open(customer.page.url)
        assert "지금은 은행이 쉬는 시간이에요. 오전 12시 30분부터" in customer.page.text
        assert customer.goes("enough").step == "pay.promised"


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_where_everything_is_closed_nobody_is_blamed_and_the_clock_stands_until_it_opens(db: None, lang: str) -> None:
    with clock.freeze(NIGHT) as frozen, many_ways("deposit"):
        customer = Customer(lang=lang)
        bill = overdue_bill()
        customer.open(link(bill))
        assert customer.goes("pay").step == "pay.promised"
        assert ("저희 쪽 장애" if lang == "ko" else "our fault") not in customer.page.text
        assert ("오전 12시 30분부터" if lang == "ko" else "12:30 am") in customer.page.text
        assert Promise.objects.get().reason == "closed"
        assert outlook.of(bill.account_id, bill_id=bill.id).held
        frozen.set(clock.at(date(2014, 10, 23), 0, 31))
        assert customer.goes("again").step == "pay.bill"
        assert customer.goes("pay").step == "pay.method"


def test_closed_and_failed_besides_is_our_fault(db: None) -> None:
    with clock.freeze(MIDNIGHT), many_ways("sandbox", "deposit"):
        customer = Customer()
        for slug in ("web/card/sandbox", "web/transfer/sandbox"):
            by_hand.withdraw(slug, who="kim", reason="down")
        customer.open(link(overdue_bill()))
        assert customer.goes("pay").step == "pay.promised"
        assert Promise.objects.get().reason == "no_way"


@pytest.mark.parametrize("calendar", ["korean_banks", "store"])
def test_each_calendar_closes_its_way_and_the_walk_ends_all_the_same(
    db: None, monkeypatch: pytest.MonkeyPatch, calendar: str
) -> None:
    """Whatever calendar a way is given, closed it is named and not offered, and another way pays."""
    from dataclasses import replace

    from doenda.assurance import ways

    known = ways.terms
    monkeypatch.setattr(
        ways,
        "terms",
        lambda slug: replace(known(slug), calendar=calendar) if slug == "web/store/counter" else known(slug),
    )
    at = {"korean_banks": NIGHT, "store": clock.at(date(2014, 10, 26), 12)}[calendar]
    with clock.freeze(at), many_ways():
        customer, bill = Customer(), overdue_bill()
        customer.open(link(bill))
        customer.goes("pay")
        assert not [way for way in customer.radios("way") if "/store/" in way]
        assert "매장에서 내기: 지금은 쉬는 시간이에요" in customer.page.text
        assert walker.pay(link(bill), customer=Customer()).outcome == "paid"


# --- providers


def test_a_provider_that_is_certainly_down_is_passed_over_without_a_word(db: None, noon: clock.Frozen) -> None:
    with many_ways("sandbox", "portone") as made:
        customer, bill = Customer(), overdue_bill()
        customer.open(link(bill))
        made.down.add("bank")
        assert customer.at_provider("card").step == "pay.script", "PortOne took over"
        assert [attempt.state for attempt in Attempt.objects.order_by("created_at")] == ["our_fault", "needs_redirect"]
        assert "장애" not in customer.page.text


def test_where_every_provider_is_down_it_is_our_fault_once(db: None, noon: clock.Frozen) -> None:
    with many_ways("sandbox", "portone") as made:
        customer, bill = Customer(), overdue_bill()
        customer.open(link(bill))
        made.down.update({"bank", "portone"})
        assert customer.at_provider("card").step == "pay.faulted"
        assert Attempt.objects.count() == 2
        assert outlook.of(bill.account_id, bill_id=bill.id).held


def test_a_refused_card_comes_last_and_through_another_provider(db: None, noon: clock.Frozen) -> None:
    with many_ways("sandbox", "portone") as made:
        customer, bill = Customer(), overdue_bill()
        made.fault("card", "refuse")
        customer.open(link(bill))
        customer.at_provider("card")
        customer.press("approve")
        assert customer.goes("returned").step == "pay.refused"
        assert customer.goes("other").step == "pay.method"
        assert "web/card/portone" in customer.radios("way")
        assert "web/card/sandbox" not in customer.radios("way")
        fresh = Customer()
        fresh.open(link(bill))
        fresh.goes("pay")
        assert "web/card/sandbox" in fresh.radios("way"), "another visit begins anew"


def test_a_bank_transfer_that_failed_at_the_providers_page_is_not_the_first_any_more(
    db: None, noon: clock.Frozen
) -> None:
    with audited() as (made, _):
        customer = Customer()
        customer.open(link(overdue_bill()))
        customer.at_provider("card")
        payment = next(iter(made.bank.state.payments.values()))
        customer.open(f"{payment.return_url}?code=REJECT_CARD_COMPANY&order_id={payment.order_id}")
        assert customer.page.step == "pay.away.cancelled"
        assert "그만두셨어요" not in customer.page.text, "the customer did not"
        assert customer.goes("other").step == "pay.method"
        assert customer.radios("way") == ["web/transfer/sandbox", "web/card/sandbox"]


def test_portones_address_is_not_told_to_who_does_not_pay_there(db: None, noon: clock.Frozen) -> None:
    with many_ways("sandbox", "portone"):
        customer = Customer()
        customer.open(link(overdue_bill()))
        customer.goes("pay")
        assert all(PORTONE not in page.text for page in customer.pages)


def test_where_money_moves_on_the_providers_page_coming_back_asks_and_does_not_pay(
    db: None, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from doenda.payments.providers.contract import Moves
    from doenda.payments.providers.sandbox.provider import Sandbox

    monkeypatch.setattr(Sandbox, "methods", dict.fromkeys(("card", "transfer"), Moves.AT_REDIRECT))
    with audited() as (made, _):
        customer, bill = Customer(), overdue_bill()
        customer.open(link(bill))
        customer.at_provider("card")
        assert Attempt.objects.get().state == "at_provider"
        customer.press("approve")
        assert customer.page.step == "pay.away.returned"
        assert "돈이 새로 빠져나가지는 않아요" in customer.page.text
        assert customer.goes("returned").step == "pay.asking", "the sandbox takes nothing before it is told to"
        assert made.books()["net"] == 0
