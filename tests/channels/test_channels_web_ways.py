"""The ways to pay that take their time: an account to pay into, a slip for a store, a debit; walked from outside."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from tests.channels.customers import Audited, Customer
from tests.channels.many_ways import ManyWays, many_ways, paid
from tests.worlds import link, overdue_bill, settle_down

from doenda.channels.web import walker
from doenda.dunning import holds, outlook
from doenda.dunning.models import Promise
from doenda.journeys.models import Session
from doenda.kernel import clock, net
from doenda.notices.models import Notice
from doenda.payments.debit.models import DebitItem, Mandate
from doenda.payments.models import Attempt
from doenda.payments.states import State

Shop = tuple[ManyWays, Customer]


@pytest.fixture(params=["ko", "en"])
def shop(request: pytest.FixtureRequest, db: None, noon: clock.Frozen) -> Iterator[Shop]:
    with many_ways() as made, net.using(Audited(made, request.param)):
        yield made, Customer(lang=request.param)


def chosen(customer: Customer, bill_link: str, method: str) -> str:
    customer.open(bill_link)
    return customer.at_provider(method).step


def test_one_way_a_method_is_offered(shop: Shop) -> None:
    _, customer = shop
    customer.open(link(overdue_bill()))
    customer.goes("pay")
    assert sorted(way.split("/")[1] for way in customer.radios("way")) == [
        "card",
        "debit",
        "deposit",
        "store",
        "transfer",
    ]


@pytest.mark.parametrize("method", ["deposit", "store"])
def test_a_number_on_the_page_is_paid_and_the_page_becomes_a_receipt(shop: Shop, method: str) -> None:
    made, customer = shop
    bill = overdue_bill()
    hand = made.pay_in if method == "deposit" else made.clerk
    walked = walker.pay(link(bill), method=method, lang=customer.lang, customer=customer, hand=hand)
    assert (walked.outcome, walked.trouble) == ("paid", ""), walked
    assert walked.steps == ("pay.bill", "pay.method", "pay.account", "pay.paid")
    assert "KRW 52,300" in walked.text
    assert paid(bill)


def test_a_deposit_is_found_by_asking_when_no_doorbell_rings(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    assert chosen(customer, link(bill), "deposit") == "pay.account"
    assert customer.page.into is not None
    assert customer.goes("check_again").step == "pay.account"
    made.pay_in(*customer.page.into)
    assert customer.goes("check_again").step == "pay.paid"


def test_a_deposit_that_came_meanwhile_is_seen_by_opening_the_page_again(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    chosen(customer, link(bill), "deposit")
    assert customer.page.into is not None
    made.pay_in(*customer.page.into)
    for delivery in made.pool.tick():
        made._house(
            net.Request("web", "POST", delivery.url, dict(delivery.headers), delivery.body), "/webhooks/deposit"
        )
    settle_down()
    assert paid(bill)
    assert customer.open(customer.page.url).step == "pay.paid"
    assert Notice.objects.filter(kind="receipt", account_id=bill.account_id).count() == 1


@pytest.mark.parametrize("method", ["deposit", "store"])
def test_enough_is_a_promise_until_the_account_closes_and_the_number_stays_on_the_page(shop: Shop, method: str) -> None:
    _, customer = shop
    bill = overdue_bill()
    chosen(customer, link(bill), method)
    number = customer.page.into
    assert customer.goes("enough").step == "pay.promised"
    assert customer.page.into == number
    promise = Promise.objects.get(account_id=bill.account_id)
    attempt = Attempt.objects.get()
    assert promise.whose == "customer"
    assert attempt.expires_at is not None
    assert clock.local(promise.until).date() <= clock.local(attempt.expires_at).date()
    assert holds.running(bill.account_id, promise.until - timedelta(minutes=1))
    assert customer.goes("again").step == "pay.bill"
    assert customer.page.into == number, "whoever comes back finds the number on the bill"
    assert customer.at_provider(method).step == "pay.account"
    assert customer.page.into == number, "the same number, not a second one"
    assert customer.goes("enough").step == "pay.promised"
    assert Promise.objects.count() == 1


def test_a_promise_beyond_the_policy_leads_to_a_person_and_the_account_stays(shop: Shop) -> None:
    _, customer = shop
    bill = overdue_bill()
    for days in (3, 4):
        customer.open(link(bill))
        customer.goes("more_time")
        customer.goes("given", date=(clock.today() + timedelta(days=days)).isoformat())
    chosen(customer, link(bill), "deposit")
    assert customer.goes("enough").step == "pay.person"
    assert Attempt.objects.get().state == State.NEEDS_DEPOSIT
    assert customer.goes("given", phone="010-0000-1234", when="soonest").step == "pay.promised"


def test_another_way_closes_the_account_at_the_bank(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    chosen(customer, link(bill), "deposit")
    assert customer.page.into is not None
    number, amount = customer.page.into
    assert customer.goes("other").step == "pay.method"
    settle_down()
    assert made.pool.state.numbers[number].public(clock.now().timestamp())["status"] == "CLOSED"
    customer.at_provider("card")
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"
    assert amount == 52300


def test_a_bill_paid_elsewhere_shows_no_account_any_more(shop: Shop) -> None:
    _, customer = shop
    bill = overdue_bill()
    chosen(customer, link(bill), "deposit")
    page = customer.page.url
    promised = Customer(lang=customer.lang)
    chosen(promised, link(bill), "deposit")
    promised.goes("enough")
    other = Customer(lang=customer.lang)
    assert walker.pay(link(bill), method="card", lang=customer.lang, customer=other).outcome == "paid"
    for each in (page, promised.page.url, link(bill)):
        assert customer.open(each).into is None, each
        assert customer.page.step == "pay.paid", each


def test_while_a_card_is_being_charged_elsewhere_nobody_is_shown_where_to_pay_into(shop: Shop) -> None:
    made, customer = shop
    bill = overdue_bill()
    chosen(customer, link(bill), "deposit")
    page = customer.page.url
    made.control(made.bank, "PUT", "faults", {"card": [{"fault": "timeout_after"}, {"fault": "inquiry_down"}]})
    other = Customer(lang=customer.lang)
    other.open(link(bill))
    other.at_provider("card")
    other.press("approve")
    assert other.goes("returned").step == "pay.asking"
    assert customer.open(page).step == "pay.asking"
    assert customer.page.into is None
    assert customer.open(link(bill)).into is None
    assert customer.open(page).step == "pay.asking"


def test_an_account_whose_time_is_over_leads_back_to_the_ways(shop: Shop, noon: clock.Frozen) -> None:
    _, customer = shop
    chosen(customer, link(overdue_bill()), "deposit")
    page, expires = customer.page.url, Attempt.objects.get().expires_at
    assert expires is not None
    noon.set(expires + timedelta(hours=10))
    assert customer.open(page).step == "web.working"
    assert customer.page.into is None
    assert customer.goes("check").step == "pay.method"


@pytest.mark.parametrize(("arrives", "said"), [(20_000, "32,300"), (60_000, "KRW 60,000")])
def test_another_sum_than_was_asked_for_is_said_as_what_it_is(shop: Shop, arrives: int, said: str) -> None:
    made, customer = shop
    bill = overdue_bill()
    chosen(customer, link(bill), "deposit")
    assert customer.page.into is not None
    made.pay_in(customer.page.into[0], arrives)
    assert customer.goes("check_again").step == "pay.paid"
    assert f"KRW {arrives:,}" in customer.page.text
    assert said in customer.page.text
    too_much = "더 내신 금액은 돌려 드려요" if customer.lang == "ko" else "What you paid too much goes back"
    assert (too_much in customer.page.text) == (arrives > 52_300)
    assert paid(bill) == (arrives > 52_300)


# --- debit

TYPED = {"bank": "088", "number": "110-555-123456", "holder": "김민수", "birth": "800101", "agreed": "debit-1"}


def test_a_debit_is_signed_for_instructed_promised_and_paid_when_the_bank_says_so(
    shop: Shop, noon: clock.Frozen
) -> None:
    made, customer = shop
    bill = overdue_bill()
    made.has_money("110123456789", 100_000)
    walked = walker.pay(link(bill), method="debit", lang=customer.lang, customer=customer)
    assert (walked.outcome, walked.trouble) == ("promised", ""), walked
    assert walked.steps == ("pay.bill", "pay.method", "pay.mandate", "pay.promised")
    item = DebitItem.objects.get()
    stands = outlook.of(bill.account_id, bill_id=bill.id)
    assert stands.held
    assert Promise.objects.get().reason == "debit"
    assert customer.goes("again").step == "pay.bill"
    customer.goes("pay")
    assert not [way for way in customer.radios("way") if "/debit/" in way], "one debit of a bill at a time"
    made.a_banking_day_later(noon, item.day)
    assert paid(bill)
    assert customer.open(link(bill)).step == "pay.paid"


def test_the_bill_says_when_it_is_debited_and_can_be_paid_another_way_before(shop: Shop) -> None:
    _, customer = shop
    bill = overdue_bill()
    walker.pay(link(bill), method="debit", lang=customer.lang, customer=customer)
    customer.open(link(bill))
    assert ("자동이체돼요" if customer.lang == "ko" else "will be debited") in customer.page.text
    assert walker.pay(link(bill), lang=customer.lang, customer=Customer(lang=customer.lang)).outcome == "paid"
    settle_down()
    assert DebitItem.objects.get().state == "recalled"
    assert Attempt.objects.filter(state=State.PAID).count() == 1


def test_a_second_bill_needs_no_second_signature(shop: Shop) -> None:
    _, customer = shop
    bill = overdue_bill()
    walker.pay(link(bill), method="debit", lang=customer.lang, customer=customer)
    from doenda.billing import accounts, bills
    from doenda.kernel.db import atomic

    with atomic():
        account = accounts.lock(bill.account_id)
        more = bills.issue(account, "B-2", [bills.Item("service", 20_000)], due_date=date(2014, 10, 20))
    assert chosen(customer, link(more), "debit") == "pay.promised"
    assert Mandate.objects.count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bank", ""),
        ("bank", "999"),
        ("number", "12345"),
        ("number", "1105551234567890123"),
        ("number", "110-555-12345x"),
        ("holder", ""),
        ("birth", "801301"),
        ("birth", "8001011234567"),
        ("birth", "1234567890"),
        ("agreed", ""),
        ("agreed", "debit-0"),
    ],
)
def test_what_cannot_be_read_is_asked_again_and_no_number_is_kept(shop: Shop, field: str, value: str) -> None:
    _, customer = shop
    chosen(customer, link(overdue_bill()), "debit")
    page = customer.goes("given", **(TYPED | {field: value}))
    assert page.step == "pay.mandate"
    typed = [form.fields.get(name, "") for form in page.forms for name in ("number", "birth")]
    assert not any(typed), typed
    for secret in ("110-555", "110555", "800101", "5123456"):
        assert secret not in page.text
        assert secret not in str(Session.objects.get().data)
    assert not Mandate.objects.exists()
    assert customer.goes("given", **TYPED).step == "pay.promised"


@pytest.mark.parametrize("birth", ["800101", "1980-01-01", "19800101", "80.01.01", "220-81-62517"])
def test_a_number_is_sealed_and_stands_nowhere_else(shop: Shop, birth: str, caplog: pytest.LogCaptureFixture) -> None:
    _, customer = shop
    chosen(customer, link(overdue_bill()), "debit")
    assert customer.goes("given", **(TYPED | {"birth": birth})).step == "pay.promised"
    mandate = Mandate.objects.get()
    assert (mandate.state, mandate.last_two, mandate.consent_text) == ("active", "56", f"debit-1-{customer.lang}")
    kept = str(Session.objects.get().data) + str(vars(mandate)) + caplog.text + "".join(p.text for p in customer.pages)
    assert "110555123456" not in kept
    assert "110-555-123456" not in kept


def test_a_crash_between_the_form_and_the_signature_asks_again(shop: Shop) -> None:
    """What was typed is nowhere, so that nobody can find it: it is typed once more."""
    from doenda.journeys import actions

    _, customer = shop
    chosen(customer, link(overdue_bill()), "debit")
    session = Session.objects.get()
    assert actions.run("sign_mandate", actions.Context(session, session.data, "x"))[0] == "again"


# --- a payment that came undone


def test_a_payment_that_the_bank_took_back_is_told_without_blame(shop: Shop, noon: clock.Frozen) -> None:
    made, customer = shop
    bill = overdue_bill()
    walker.pay(link(bill), method="deposit", lang=customer.lang, customer=customer, hand=made.pay_in)
    attempt = Attempt.objects.get()
    from doenda.payments import outcomes
    from doenda.payments.providers.contract import Answer, Outcome

    outcomes.apply(attempt, Answer(Outcome.UNDONE, "TAKEN_BACK"), "test")
    page = customer.open(link(bill))
    assert page.step == "pay.bill"
    assert ("되돌려 갔어요" if customer.lang == "ko" else "has taken your payment back") in page.text
    assert ("탓하지 않아요" if customer.lang == "ko" else "not hold it against you") in page.text
    assert walker.pay(link(bill), lang=customer.lang, customer=Customer(lang=customer.lang)).outcome == "paid"
