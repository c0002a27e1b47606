"""Every door of the journey, walked from outside to its end in both languages, and what must be true behind it."""

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest
from tests.channels.customers import Audited, Customer, audited
from tests.worlds import World, link, overdue_bill, settle_down

from doenda.access import codes
from doenda.assurance import by_hand
from doenda.billing.models import Bill
from doenda.contact import tickets
from doenda.contact.models import Ticket
from doenda.dunning import holds, outlook
from doenda.dunning.models import Promise
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.notices.models import Notice
from doenda.payments.models import Attempt

PHONE = "+821000001234"
Shop = tuple[World, Audited, Customer]


@pytest.fixture(params=["ko", "en"])
def shop(request: pytest.FixtureRequest, db: None, noon: clock.Frozen) -> Iterator[Shop]:
    with audited(request.param) as (made, auditor):
        yield made, auditor, Customer(lang=request.param)


def stands(bill: Bill, until_after: timedelta = timedelta()) -> None:
    """The clock of the bill's account stands now, and still just before the end that was promised."""
    ahead = outlook.of(bill.account_id, bill_id=bill.id)
    assert ahead.held, ahead
    assert holds.running(bill.account_id)
    assert holds.running(bill.account_id, clock.now() + until_after)


def code_of(bill: Bill) -> str:
    with atomic():
        return codes.issue(bill.id, bill.account_id, PHONE)


def test_a_part_is_paid_and_then_the_rest(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("pay_part")
    assert customer.goes("given", amount="다섯").step == "pay.part"
    assert 'value="다섯"' in made_body(shop), "what was typed must not be lost"
    customer.goes("given", amount="20,000원")
    assert customer.page.step == "pay.method"
    assert "KRW 20,000" in customer.page.text
    customer.at_provider()
    customer.press("approve")
    assert "20,000" in customer.page.text
    assert customer.goes("returned").step == "pay.paid"
    assert "KRW 20,000" in customer.page.text
    assert "32,300" in customer.page.text
    bill.refresh_from_db()
    assert (bill.remaining, bill.state) == (32300, "open")
    assert customer.goes("again").step == "pay.bill"
    assert "KRW 32,300" in customer.page.text
    customer.at_provider("transfer")
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert made.books()["net"] == 52300
    assert Attempt.objects.filter(account=bill.account_id, state="paid").count() == 2


def made_body(shop: Shop) -> str:
    return shop[1].bodies[-1].decode()


def test_after_a_part_was_tried_the_whole_is_said_and_charged_as_the_whole(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("pay_part")
    customer.goes("given", amount="20000")
    customer.at_provider()
    customer.press("cancel")
    customer.goes("other")
    customer.goes("back")
    assert customer.goes("pay").step == "pay.method"
    assert "KRW 52,300" in customer.page.text
    assert "20,000" not in customer.page.text
    customer.at_provider()
    customer.press("approve")
    customer.goes("returned")
    assert made.books()["net"] == 52300


def test_a_day_is_agreed_twice_and_the_third_time_a_person_finds_a_way(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    day = clock.today() + timedelta(days=5)
    for times in (1, 2):
        customer.open(link(bill))
        customer.goes("more_time")
        assert customer.goes("given", date="gestern").step == "pay.date"
        assert customer.goes("given", date=day.isoformat()).step == "pay.promised", times
        stands(bill, timedelta(days=5))
        assert not holds.running(bill.account_id, clock.now() + timedelta(days=7))
    customer.open(link(bill))
    assert customer.goes("more_time").step == "pay.date"
    assert customer.goes("given", date=day.isoformat()).step == "pay.person"
    assert customer.goes("given", phone="010-0000-9999", when="morning").step == "pay.promised"
    assert Ticket.objects.get(account=bill.account_id, kind="person").phone == "+821000009999"
    assert Promise.objects.filter(account=bill.account_id, whose="customer").count() == 2


def test_a_day_too_far_away_leads_to_a_person_at_once(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("more_time")
    assert customer.goes("given", date=(clock.today() + timedelta(days=200)).isoformat()).step == "pay.person"
    assert customer.goes("back").step == "pay.bill"


def test_a_mistake_in_one_form_is_not_blamed_on_another(shop: Shop) -> None:
    _, _, customer = shop
    customer.open(link(overdue_bill()))
    customer.goes("pay_part")
    customer.goes("given", amount="-1")
    assert "aria-invalid" in made_body(shop)
    customer.goes("back")
    for door in ("pay_part", "more_time", "already"):
        customer.goes(door)
        assert "aria-invalid" not in made_body(shop), door
        assert 'value="-1"' not in made_body(shop), door
        customer.goes("back")


@pytest.mark.parametrize("filled", [{"when": ""}, {"when": "2014-10-20", "how": "shop"}])
def test_already_paid_is_looked_for_while_the_clock_stands(shop: Shop, filled: dict[str, str]) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("already")
    assert customer.goes("given", when="2015-01-01").step == "pay.already", "nobody has paid tomorrow"
    assert customer.goes("given", **filled).step == "pay.promised"
    ticket = Ticket.objects.get(account=bill.account_id, kind="already_paid")
    stands(bill, ticket.answer_by - clock.now() - timedelta(minutes=1))
    assert outlook.of(bill.account_id, bill_id=bill.id).held_for == "claim"


def test_not_mine_is_looked_into_and_words_are_kept_as_words(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("not_mine")
    assert customer.goes("given", why="nonsense").step == "pay.dispute"
    words = "<script>alert(1)</script>\0 제 번호가\r\n아니에요"
    assert customer.goes("given", why="not_my_line", words=words).step == "pay.promised"
    ticket = Ticket.objects.get(account=bill.account_id, kind="dispute")
    assert ticket.words == "not_my_line: <script>alert(1)</script> 제 번호가 아니에요"
    stands(bill, ticket.answer_by - clock.now() - timedelta(minutes=1))


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


def test_a_person_calls_back_and_the_place_in_line_is_kept(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    queued = []
    for _ in range(2):
        customer.open(link(bill))
        customer.goes("person")
        assert customer.goes("given", phone="12", when="soonest").step == "pay.person"
        assert 'value="12"' in made_body(shop)
        assert customer.goes("given", phone="010 0000 1234", when="soonest").step == "pay.promised"
        queued.append(Ticket.objects.get(account=bill.account_id, kind="person").queued_at)
    assert queued[0] == queued[1]
    stands(bill)


def test_an_answer_that_we_owe_keeps_the_clock_standing_until_we_give_it(shop: Shop, noon: clock.Frozen) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("person")
    customer.goes("given", phone="010 0000 1234", when="soonest")
    for _ in range(4):
        ticket = Ticket.objects.get(account=bill.account_id, kind="person")
        noon.set(ticket.answer_by - timedelta(minutes=1))
        tickets.stand_by(100)
        stands(bill, timedelta(minutes=2))
    tickets.answer(ticket.id, by="user:kim", words="agreed")
    assert not holds.running(bill.account_id, clock.now() + timedelta(seconds=1))
    noon.advance(timedelta(days=9))
    assert tickets.stand_by(100) == 0


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


# --- the door without a link


def test_the_right_code_opens_the_bill_and_pays_it(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    code = code_of(bill)
    customer.open(f"{base()}/")
    assert customer.goes("given", phone="010-0000-1234", code=f"{code[:3]} {code[3:]}").step == "pay.bill"
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"
    assert made.books()["net"] == 52300
    settled = Customer(lang=customer.lang)
    settled.open(f"{base()}/")
    assert settled.goes("given", phone="010-0000-1234", code=code).step == "pay.paid", "its receipt"


def base() -> str:
    from django.conf import settings

    return str(settings.DOENDA_BASE_URL)


def test_a_code_of_a_bill_closed_long_ago_opens_nothing(shop: Shop, noon: clock.Frozen) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    code = code_of(bill)
    pay(Customer(lang=customer.lang), bill)
    noon.advance(timedelta(days=31))
    customer.open(f"{base()}/")
    assert customer.goes("given", phone="010-0000-1234", code=code).step == "enter.code"


def pay(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"


def test_a_wrong_code_asks_again_without_saying_which_part_was_wrong(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    wrong = f"{(int(code_of(bill)) + 1) % 10**6:06d}"
    customer.open(f"{base()}/")
    assert customer.goes("given", phone="010-0000-1234", code=wrong).step == "enter.code"
    assert customer.goes("given", phone="010-0000-1234", code="12").step == "enter.code"
    assert "12" not in [form.fields.get("code") for form in customer.page.forms], "a code is not kept"
    code = code_of(bill)
    opened = customer.goes("given", phone="010-0000-1234", code=code)
    assert opened.step == "pay.bill"


def test_a_second_press_on_the_right_code_opens_the_same_visit(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(f"{base()}/")
    customer.goes("given", phone="010-0000-1234", code="000000")
    asked = customer.page
    first = customer.goes("given", phone="010-0000-1234", code=code_of(bill))
    customer.pages.append(asked)
    second = customer.goes("given", phone="010-0000-1234", code=code_of(bill))
    assert first.url == second.url
    assert customer.open(asked.url).url != asked.url or customer.page.step == "pay.bill"


def test_ten_wrong_codes_lock_the_number_for_an_hour_and_links_still_pay(shop: Shop, noon: clock.Frozen) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    code = code_of(bill)
    customer.open(f"{base()}/")
    for n in range(10):
        assert customer.goes("given", phone="010-0000-1234", code=wrong_of(code, n)).step == "enter.code", n
    assert customer.goes("given", phone="010-0000-1234", code=code).step == "enter.help"
    payer = Customer(lang=customer.lang)
    payer.open(link(bill))
    assert payer.goes("pay").step == "pay.method"
    noon.advance(timedelta(minutes=61))
    customer.goes("again")
    assert customer.goes("given", phone="010-0000-1234", code=code).step == "pay.bill"


def wrong_of(code: str, n: int) -> str:
    return f"{(int(code) + n + 1) % 10**6:06d}"


def test_a_new_link_comes_for_known_numbers_only_and_not_without_end(shop: Shop, noon: clock.Frozen) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    for phone in ("010-0000-1234", "010-0000-7777"):
        for _ in range(3):
            customer.open(f"{base()}/")
            customer.goes("send_again")
            assert customer.goes("given", phone="x").step == "enter.number"
            assert customer.goes("given", phone=phone).step == "enter.sent"
    sweeps.run("outbox")
    assert Notice.objects.filter(kind="new_link").count() == 1
    for _ in range(8):
        noon.advance(timedelta(minutes=11))
        customer.open(f"{base()}/")
        customer.goes("send_again")
        customer.goes("given", phone="010-0000-1234")
        sweeps.run("outbox")
    assert Notice.objects.filter(kind="new_link", bill=bill).count() == 5, "so many a day"
    assert customer.goes("again").step == "enter.code"


def test_an_old_link_sends_a_new_one(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    address = link(bill)
    with atomic():
        from doenda.access import tokens

        tokens.revoke(bill.id)
    assert customer.open(address).step == "enter.expired"
    assert customer.goes("send_again").step == "enter.sent"
    customer.open(address)
    assert customer.goes("code").step == "enter.code"
    customer.open(address)
    assert customer.goes("person").step == "enter.callback"


@pytest.mark.parametrize("known", [True, False])
def test_anybody_is_called_back_and_the_clock_of_a_known_number_stands(shop: Shop, known: bool) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(f"{base()}/")
    customer.goes("person")
    assert customer.goes("given", phone="010").step == "enter.callback"
    phone = "010-0000-1234" if known else "010-0000-7777"
    assert customer.goes("given", phone=phone, when="afternoon").step == "enter.promised"
    ticket = Ticket.objects.get(kind="person")
    assert (ticket.account_id == bill.account_id) is known
    if known:
        stands(bill, ticket.answer_by - clock.now() - timedelta(minutes=1))
    else:
        assert not holds.running(bill.account_id)


def test_the_door_itself_not_working_leads_to_a_person(shop: Shop) -> None:
    _, _, customer = shop
    customer.open(f"{base()}/")
    assert customer.goes("does_not_work").step == "enter.help"
    customer.goes("person")
    assert customer.goes("given", phone="010-0000-7777", when="soonest").step == "enter.promised"


def test_the_language_is_switched_without_losing_the_place(shop: Shop) -> None:
    _, auditor, customer = shop
    other = {"ko": "en", "en": "ko"}[customer.lang]
    bill = overdue_bill()
    customer.open(link(bill))
    customer.at_provider()
    customer.press("approve")
    back = customer.page.url
    auditor.lang = other
    switched = customer.open(customer.link("lang="))
    assert switched.step == "pay.away.returned"
    assert all(part in switched.url for part in back.partition("?")[2].split("&"))
    assert customer.goes("returned").step == "pay.paid", "the form remembers the language and the provider's words"


def test_titles_tell_pages_apart(db: None, noon: clock.Frozen) -> None:
    """A title may serve two steps only where they are the same question."""
    same = [{"pay.person", "enter.callback"}, {"pay.refused", "pay.away.cancelled"}, {"enter.promised", "pay.promised"}]
    for lang in ("ko", "en"):
        with audited(lang) as (_, auditor):
            bill = overdue_bill(number=f"T-{lang}", phone="+821000004321")
            customer = Customer(lang=lang)
            for door in ("pay_part", "more_time", "already", "not_mine", "does_not_work", "person", "pay"):
                customer.open(link(bill))
                customer.goes(door)
            customer.at_provider()
            customer.press("approve")
            customer.goes("returned")
            for door in ("send_again", "person", "does_not_work"):
                customer.open(f"{base()}/")
                customer.goes(door)
            doubled = [steps for steps in auditor.titles.values() if len(steps) > 1 and steps not in same]
            assert not doubled, doubled


def test_a_fault_of_ours_is_said_in_words(shop: Shop) -> None:
    made, _, customer = shop
    with patch("doenda.channels.web.views.tokens.find", side_effect=RuntimeError("boom")):
        said = made.web.get(f"/p/{'A' * 26}?lang={customer.lang}")
    assert said.status_code == 500
    text = said.content.decode()
    assert ("다시 결제하지 마세요" if customer.lang == "ko" else "do not pay again") in text
    assert "boom" not in text
    assert "02-2014-1023" in text
