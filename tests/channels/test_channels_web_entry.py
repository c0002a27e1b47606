"""The door without a link: a number and a code, a new link, a call back; and the language switch."""

from datetime import timedelta

import pytest
from tests.channels.customers import Customer, audited
from tests.channels.doors import Shop, base, code_of, pay, stands
from tests.worlds import link, overdue_bill

from doenda.contact.models import Ticket
from doenda.dunning import holds
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.notices.models import Notice


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


def test_a_code_of_a_bill_closed_long_ago_opens_nothing(shop: Shop, noon: clock.Frozen) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    code = code_of(bill)
    pay(Customer(lang=customer.lang), bill)
    noon.advance(timedelta(days=31))
    customer.open(f"{base()}/")
    assert customer.goes("given", phone="010-0000-1234", code=code).step == "enter.code"


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
