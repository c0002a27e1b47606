"""Paying that does not go well: refused, unknown, our fault, no way at all, given up, paid by somebody else."""

from datetime import timedelta
from unittest.mock import patch

import pytest
from tests.channels.customers import Customer
from tests.channels.doors import Shop, stands
from tests.worlds import link, overdue_bill, settle_down

from doenda.assurance import by_hand
from doenda.contact.models import Ticket
from doenda.dunning import holds, outlook
from doenda.kernel import clock
from doenda.notices.models import Notice
from doenda.payments.models import Attempt


def test_does_not_work_is_noted_each_time_and_held_once(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    for times in (1, 2):
        customer.open(link(bill))
        assert customer.goes("does_not_work").step == "pay.reported", times
        stands(bill)
    assert Ticket.objects.filter(account=bill.account_id, kind="report").count() == 1
    assert customer.goes("enough").step == "pay.promised"
    stands(bill, timedelta(days=2))
    assert not any(hold.kind == "no_way" for hold in holds.running(bill.account_id)), "saying so opens no barred line"
    customer.open(link(bill))
    customer.goes("does_not_work")
    assert customer.goes("pay").step == "pay.method"


def test_no_way_at_all_is_our_fault_and_stops_the_clock(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    for slug in ("web/card/sandbox", "web/transfer/sandbox"):
        by_hand.withdraw(slug, who="kim", reason="the bank is down")
    customer.open(link(bill))
    assert customer.goes("pay").step == "pay.promised"
    stands(bill, timedelta(days=2))
    assert any(hold.kind == "no_way" for hold in holds.running(bill.account_id))


def test_ways_withdrawn_while_the_page_is_open_end_in_a_promise_too(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("pay")
    for slug in ("web/card/sandbox", "web/transfer/sandbox"):
        by_hand.withdraw(slug, who="kim", reason="the bank is down")
    customer.open(customer.page.url)
    assert customer.radios("way") == []
    assert customer.goes("chosen").step == "pay.promised"
    stands(bill, timedelta(days=2))


def test_the_chosen_way_is_gone_the_other_is_offered(shop: Shop) -> None:
    _, _, customer = shop
    customer.open(link(overdue_bill()))
    customer.goes("pay")
    by_hand.withdraw("web/card/sandbox", who="kim", reason="the card network is down")
    assert customer.goes("chosen", way="web/card/sandbox").step == "pay.method"
    assert customer.radios("way") == ["web/transfer/sandbox"]


@pytest.mark.parametrize("when", ["start", "confirm"])
@pytest.mark.parametrize("door", ["enough", "person", "pay"])
def test_our_fault_costs_the_customer_nothing(shop: Shop, when: str, door: str) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    if when == "start":
        customer.goes("pay")
        made.down.add("bank")
        customer.goes("chosen", way="web/card/sandbox")
    else:
        customer.at_provider()
        customer.press("approve")
        made.down.add("bank")
        customer.goes("returned")
    assert customer.page.step == "pay.faulted"
    stands(bill, timedelta(days=2))
    assert made.books()["net"] == 0
    if door == "enough":
        assert customer.goes("enough").step == "pay.promised"
    elif door == "person":
        customer.goes("person")
        assert customer.goes("given", phone="01000001234", when="evening").step == "pay.promised"
    else:
        made.down.clear()
        customer.goes("pay")
        customer.at_provider("transfer")
        customer.press("approve")
        assert customer.goes("returned").step == "pay.paid"
        assert made.books()["net"] == 52300
    if door != "pay":
        stands(bill)


def test_a_refused_card_leads_to_another_way(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    made.fault("card", "refuse")
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.refused"
    customer.goes("other")
    customer.at_provider("transfer")
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"
    assert made.books()["net"] == 52300


def test_a_refused_card_may_also_mean_more_time(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    made.fault("card", "refuse")
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    customer.goes("returned")
    customer.goes("more_time")
    assert customer.goes("given", date=clock.today().isoformat()).step == "pay.promised"
    stands(bill)


@pytest.mark.parametrize("end", ["check_again", "enough"])
def test_an_unknown_outcome_is_asked_about_and_told_later(shop: Shop, noon: clock.Frozen, end: str) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    made.control(made.bank, "PUT", "faults", {"card": [{"fault": "timeout_after"}, {"fault": "inquiry_down"}]})
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.asking"
    assert outlook.of(bill.account_id).held, "the unknown itself stops the clock"
    assert customer.goes("check_again").step == "pay.asking"
    again = Customer(lang=customer.lang)
    again.open(link(bill))
    assert again.goes("pay").step == "pay.asking", "no second charge is offered anywhere"
    if end == "enough":
        assert customer.goes("enough").step == "pay.promised"
        stands(bill)
        assert customer.buttons() == [], "nothing to press that could pay twice"
    made.heal()
    noon.advance(timedelta(seconds=40))
    settle_down()
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert made.books()["net"] == 52300
    assert Notice.objects.filter(account_id=bill.account_id, kind="receipt").count() == 1
    if end == "check_again":
        assert customer.goes("check_again").step == "pay.paid"
        assert "KRW 52,300" in customer.page.text
    assert again.open(again.page.url).step == "pay.paid"


def test_a_page_that_expired_says_so_and_does_not_sound_paid(shop: Shop, noon: clock.Frozen) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.at_provider()
    back = made.bank.state.payments
    url = next(iter(back.values())).return_url.removesuffix("/return")
    noon.advance(timedelta(minutes=31))
    page = customer.open(url)
    assert page.step == "web.working"
    assert not any(word in page.text for word in ("다시 결제하지 않아도", "do not need to pay again"))
    assert customer.goes("check").step == "pay.method"
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"


def test_cancelled_at_the_bank_takes_nothing_and_offers_everything(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.at_provider()
    assert customer.goes("cancel").step == "pay.away.cancelled"
    assert customer.goes("cancelled").step == "pay.refused"
    assert customer.goes("more_time").step == "pay.date"
    assert made.books()["net"] == 0


def test_back_without_the_providers_words_is_not_asked_to_pay(shop: Shop) -> None:
    _, _, customer = shop
    customer.open(link(overdue_bill()))
    customer.at_provider()
    customer.press("approve")
    customer.open(customer.page.url.partition("?")[0])
    assert customer.page.step == "pay.away"
    assert "returned" not in customer.buttons()


def test_somebody_else_paid_meanwhile(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    other = Customer(lang=customer.lang)
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    other.open(link(bill))
    other.at_provider("transfer")
    other.press("approve")
    assert other.goes("returned").step == "pay.paid"
    assert customer.goes("returned").step == "pay.paid"
    assert made.books()["net"] == 52300
    receipts = [Attempt.objects.get(state="paid").id.hex]
    assert receipts
    for door in ("", "again"):
        customer.open(link(bill))
        assert customer.page.step == "pay.paid", door
        assert "KRW 52,300" in customer.page.text
        assert "KRW 0" not in customer.page.text
        assert customer.buttons() == []


def test_a_forged_return_is_refused_and_moves_nothing(shop: Shop) -> None:
    made, _, customer = shop
    customer.open(link(overdue_bill()))
    customer.at_provider()
    customer.press("approve")
    customer.open(customer.page.url.replace("amount=52300", "amount=1"))
    assert customer.goes("returned").step == "pay.refused"
    assert made.books()["net"] == 0
    assert customer.goes("other").step == "pay.method"


def test_a_fault_of_ours_is_said_in_words(shop: Shop) -> None:
    made, _, customer = shop
    with patch("doenda.channels.web.views.tokens.find", side_effect=RuntimeError("boom")):
        said = made.web.get(f"/p/{'A' * 26}?lang={customer.lang}")
    assert said.status_code == 500
    text = said.content.decode()
    assert ("다시 결제하지 마세요" if customer.lang == "ko" else "do not pay again") in text
    assert "boom" not in text
    assert "02-2014-1023" in text
