"""The fake Toss without HTTP: kept cards, its lists, rehearsed errors, and its page."""

from urllib.parse import quote, urlencode

import pytest
from tests.peers.peer_tools import Clock
from tests.peers.test_peers_toss import (
    Api,
    approved,
    cancel,
    charge,
    code,
    confirm,
    create,
    issue,
    kept,
    page,
    press,
)

from peers.toss import Toss


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Api:
    return Api(Toss(clock=clock))


def test_a_kept_card_is_charged_without_its_holder_until_it_is_deleted(call: Api) -> None:
    card = kept(call)
    assert (card["customerKey"], card["mId"]) == ("customer-1", "doenda")
    done = charge(call, card).json()
    assert (done["status"], done["type"], done["orderId"]) == ("DONE", "BILLING", "order-0001")
    assert charge(call, card).json() == done
    assert code(charge(call, card, "bill-2")) == (400, "DUPLICATED_ORDER_ID")
    wrong = charge(call, card, "bill-3", customerKey="customer-2", orderId="order-0003")
    assert code(wrong) == (403, "NOT_MATCHES_CUSTOMER_KEY")
    assert code(charge(call, {**card, "billingKey": "x"}, orderId="order-0004")) == (404, "NOT_FOUND_BILLING_KEY")
    assert call("DELETE", f"/v1/billing/{card['billingKey']}").status == 200
    assert code(call("DELETE", f"/v1/billing/{card['billingKey']}")) == (404, "NOT_FOUND_BILLING_KEY")
    assert code(charge(call, card, "bill-5", orderId="order-0005")) == (404, "NOT_FOUND_BILLING_KEY")
    assert call.books()["captured"] == {"billing": 52_300}


def test_what_moved_is_listed_from_a_transaction_on(call: Api, clock: Clock) -> None:
    payment = approved(call)
    confirm(call, payment)
    clock.advance(60)
    cancel(call, payment, cancelAmount=300)
    days = {"startDate": "2027-01-15T00:00:00", "endDate": "2027-01-16T00:00:00"}
    lines = call("GET", f"/v1/transactions?{urlencode(days)}").json()
    assert [(line["status"], line["amount"]) for line in lines] == [("DONE", 52_300), ("PARTIAL_CANCELED", -300)]
    first = call("GET", f"/v1/transactions?{urlencode(days | {'limit': 1})}").json()
    assert first == lines[:1]
    rest = call("GET", f"/v1/transactions?{urlencode(days | {'startingAfter': first[0]['transactionKey']})}").json()
    assert rest == lines[1:]
    assert call("GET", f"/v1/transactions?{urlencode(days | {'startingAfter': 'x'})}").status == 400
    assert call("GET", "/v1/transactions").status == 400
    none = {"startDate": "2027-01-16T00:00:00", "endDate": "2027-01-17T00:00:00"}
    assert call("GET", f"/v1/transactions?{urlencode(none)}").json() == []


def test_what_is_paid_out_is_listed_by_its_day_a_page_at_a_time(call: Api) -> None:
    for number in range(3):
        confirm(call, approved(call, orderId=f"order-000{number}"), f"k{number}")
    days = {"startDate": "2027-01-17", "endDate": "2027-01-17", "dateType": "paidOutDate", "size": 2}
    one = call("GET", f"/v1/settlements?{urlencode(days)}").json()
    two = call("GET", f"/v1/settlements?{urlencode(days | {'page': 2})}").json()
    assert (len(one), len(two)) == (2, 1)
    line = one[0]
    assert (line["amount"], line["fee"], line["payOutAmount"]) == (52_300, 1_438, 50_862)
    assert line["fee"] == line["supplyAmount"] + line["vat"]
    assert (line["soldDate"], line["paidOutDate"]) == ("2027-01-15", "2027-01-17")
    by_day_sold = {"startDate": "2027-01-15", "endDate": "2027-01-15"}
    assert len(call("GET", f"/v1/settlements?{urlencode(by_day_sold)}").json()) == 3
    for wrong in ({"startDate": "x"}, {"dateType": "x"}, {"page": 0}, {"size": 0}):
        assert call("GET", f"/v1/settlements?{urlencode(days | wrong)}").status == 400


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("REJECT_CARD_COMPANY", 403), ("PROVIDER_ERROR", 400), ("INVALID_STOPPED_CARD", 400), ("UNAUTHORIZED_KEY", 401),
     ("NOT_FOUND_PAYMENT", 404), ("IDEMPOTENT_REQUEST_PROCESSING", 409), ("TOO_MANY_REQUESTS", 429),
     ("FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING", 500), ("SOMETHING_NEW", 400)],
)  # fmt: skip
def test_an_error_can_be_rehearsed_with_a_test_key_only(call: Api, wanted: str, status: int) -> None:
    payment = approved(call)
    body = {"paymentKey": payment["paymentKey"], "orderId": "order-0001", "amount": 52_300}
    answered = call("POST", "/v1/payments/confirm", body, TossPayments_Test_Code=wanted, Idempotency_Key="k")
    assert code(answered) == (status, wanted)
    assert call.books()["net"] == 0
    call("PUT", "/_control/merchant", {"keys": "live_sk_doenda"})
    live = Api(call.peer, "live_sk_doenda")
    assert live("POST", "/v1/payments/confirm", body, TossPayments_Test_Code=wanted).status == 200


def test_the_page_is_plain_in_two_languages_and_shows_what_is_paid(call: Api) -> None:
    payment = create(call, orderName="<b>요금</b>")
    korean = call("GET", page(payment))
    text = korean.body.decode()
    assert korean.headers["Content-Type"].startswith("text/html")
    assert all(each in text for each in ("KRW 52,300", "order-0001", 'lang="ko"', "&lt;b&gt;요금"))
    assert 'name="decision" value="approve"' in text
    assert 'name="decision" value="cancel"' in text
    assert "<script" not in text
    assert 'name="viewport" content="width=device-width' in text
    english = call("GET", page(payment), Accept_Language="en-US,en;q=0.9").body.decode()
    assert 'lang="en"' in english
    assert "Credit or debit card" in english
    assert 'lang="en"' in call("GET", f"{page(payment)}?lang=en").body.decode()
    assert call("POST", page(payment), b"decision=maybe").status == 400
    assert call("GET", "/checkout/none").status == 404
    assert call("GET", page(issue(call, orderId="order-0002").json())).status == 404, "an account has no page"
    press(call, payment)
    confirm(call, payment)
    over = call("GET", page(payment)).body.decode()
    assert "<form" not in over
    assert quote("order-0001") in over


def test_a_method_is_named_in_the_language_that_is_asked_for(call: Api) -> None:
    create(call)
    assert call("GET", "/v1/payments/orders/order-0001", Accept_Language="en-US").json()["method"] == "CARD"


@pytest.mark.parametrize("path", ["/", "/v1/payments/orders", "/v1/nothing", "/v2/payments"])
def test_other_paths_are_not_found(call: Api, path: str) -> None:
    assert call("GET", path).status == 404
    assert call("POST", path, {}).status == 404


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{"])
def test_a_body_without_form_is_a_bad_request(call: Api, body: bytes) -> None:
    for path in ("/v1/payments", "/v1/payments/confirm", "/v1/virtual-accounts", "/v1/billing/x"):
        assert call("POST", path, body or b"{}").status == 400
