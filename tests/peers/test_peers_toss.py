"""The fake Toss Payments without HTTP: what its API and its page answer, and what its books say."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.peers.peer_tools import Clock

from peers.http import Request, Response
from peers.toss import Toss

KEY = "test_sk_doenda"
ORDER = {
    "method": "CARD",
    "amount": 52_300,
    "currency": "KRW",
    "orderId": "order-0001",
    "orderName": "9월 이용요금",
    "successUrl": "http://127.0.0.1:1/back?a=1",
    "failUrl": "http://127.0.0.1:1/back?a=2",
}
ACCOUNT = {
    "amount": 52_300,
    "orderId": "order-0001",
    "orderName": "9월 이용요금",
    "customerName": "김민수",
    "bank": "88",
}
BACK_TO = {"bank": "06", "accountNumber": "123412341234", "holderName": "김민수"}


def basic(key: str = KEY, after: str = ":") -> str:
    return "Basic " + base64.b64encode(f"{key}{after}".encode()).decode()


class Api:
    """Calls the pure class, with Toss's own kind of Authorization."""

    def __init__(self, peer: Toss, key: str = KEY) -> None:
        self.peer, self.key = peer, key

    def __call__(self, method: str, path: str, document: object = None, **headers: str) -> Response:
        body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.peer.handle(Request(method, path, {"Authorization": basic(self.key), **named}, body))

    def faults(self, **board: object) -> None:
        said = {"*" if key == "all" else key: fault for key, fault in board.items()}
        assert self("PUT", "/_control/faults", said).status == 200

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = self("GET", "/_control/books").json()
        return found

    def status(self, order_id: str = "order-0001") -> str:
        return str(self("GET", f"/v1/payments/orders/{order_id}").json().get("status"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Api:
    return Api(Toss(clock=clock))


def code(response: Response) -> tuple[int, str]:
    return response.status, response.json()["code"]


def create(call: Api, **changes: object) -> dict[str, Any]:
    made = call("POST", "/v1/payments", ORDER | changes)
    assert made.status == 200, made.body
    found: dict[str, Any] = made.json()
    return found


def page(payment: dict[str, Any]) -> str:
    return urlsplit(str(payment["checkout"]["url"])).path


def press(call: Api, payment: dict[str, Any], decision: str = "approve") -> dict[str, str]:
    """The payer's button; the words that come back."""
    back = call("POST", page(payment), f"decision={decision}".encode())
    assert back.status == 303
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}


def approved(call: Api, **changes: object) -> dict[str, Any]:
    payment = create(call, **changes)
    press(call, payment)
    return payment


def confirm(call: Api, payment: dict[str, Any], key: str = "key-1", **changes: object) -> Response:
    body = {"paymentKey": payment["paymentKey"], "orderId": payment["orderId"], "amount": payment["totalAmount"]}
    return call("POST", "/v1/payments/confirm", body | changes, Idempotency_Key=key)


def cancel(call: Api, payment: dict[str, Any], key: str = "cancel-1", **asked: object) -> Response:
    path = f"/v1/payments/{payment['paymentKey']}/cancel"
    return call("POST", path, {"cancelReason": "test", **asked}, Idempotency_Key=key)


def issue(call: Api, **changes: object) -> Response:
    return call("POST", "/v1/virtual-accounts", ACCOUNT | changes)


def deposit(call: Api, payment: dict[str, Any], **more: object) -> Response:
    return call("POST", "/_control/deposits", {"payment_key": payment["paymentKey"], **more})


def kept(call: Api, customer: str = "customer-1") -> dict[str, Any]:
    said = {"authKey": "auth-1", "customerKey": customer}
    found: dict[str, Any] = call("POST", "/v1/billing/authorizations/issue", said).json()
    return found


def charge(call: Api, card: dict[str, Any], key: str = "bill-1", **changes: object) -> Response:
    body = {"customerKey": card["customerKey"], "amount": 52_300, "orderId": "order-0001", "orderName": "9월 이용요금"}
    return call("POST", f"/v1/billing/{card['billingKey']}", body | changes, Idempotency_Key=key)


def test_a_payment_goes_over_the_page_to_in_progress_and_by_confirm_to_done(call: Api) -> None:
    payment = create(call)
    assert (payment["status"], payment["mId"], payment["method"]) == ("READY", "doenda", "카드")
    assert payment["checkout"]["url"] == f"http://127.0.0.1/checkout/{payment['paymentKey']}"
    back = press(call, payment)
    said = {"a": "1", "paymentKey": payment["paymentKey"], "orderId": "order-0001", "amount": "52300"}
    assert back == said | {"paymentType": "NORMAL"}
    assert (call.status(), call.books()["net"]) == ("IN_PROGRESS", 0)
    done = confirm(call, payment).json()
    assert (done["status"], done["totalAmount"], done["balanceAmount"], done["currency"]) == (
        "DONE",
        52_300,
        52_300,
        "KRW",
    )
    assert done["requestedAt"].endswith("+09:00")
    by_key = call("GET", f"/v1/payments/{payment['paymentKey']}").json()
    assert by_key == call("GET", "/v1/payments/orders/order-0001").json() == done
    books = call.books()
    assert (books["captured"], books["net"], books["by_order"]) == ({"card": 52_300}, 52_300, {"order-0001": 52_300})


def test_the_way_back_of_a_payer_who_turns_back_carries_the_reason(call: Api) -> None:
    payment = create(call)
    back = press(call, payment, "cancel")
    assert (back["a"], back["code"], back["orderId"]) == ("2", "PAY_PROCESS_CANCELED", "order-0001")
    assert back["message"]
    assert call.status() == "ABORTED"
    assert press(call, payment)["code"] == "PAY_PROCESS_CANCELED", "that payment is over"
    assert code(confirm(call, payment)) == (404, "NOT_FOUND_PAYMENT_SESSION")


def test_a_second_press_changes_nothing(call: Api, clock: Clock) -> None:
    payment = create(call)
    first = press(call, payment)
    clock.advance(599)
    assert press(call, payment) == first
    clock.advance(2)
    call.peer.tick()
    assert call.status() == "EXPIRED", "ten minutes from the first press"


def test_thirty_minutes_to_approve_and_ten_to_confirm(call: Api, clock: Clock) -> None:
    slow, quick = create(call), approved(call, orderId="order-0002")
    clock.advance(599.9)
    call.peer.tick()
    assert call.status("order-0002") == "IN_PROGRESS"
    clock.advance(0.1)
    assert code(confirm(call, quick)) == (404, "NOT_FOUND_PAYMENT_SESSION")
    assert (call.status("order-0002"), call.status()) == ("EXPIRED", "READY")
    clock.advance(1200)
    assert call.status() == "EXPIRED"
    assert "code" in press(call, slow)
    assert call.books()["net"] == 0


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"amount": 52_301}, (400, "INVALID_REQUEST")), ({"amount": "52300"}, (400, "INVALID_REQUEST")),
     ({"orderId": "order-0009"}, (404, "NOT_FOUND_PAYMENT_SESSION")), ({"paymentKey": ""}, (400, "INVALID_REQUEST")),
     ({"paymentKey": "x"}, (404, "NOT_FOUND_PAYMENT"))],
)  # fmt: skip
def test_confirm_compares_whatever_it_is_told(call: Api, wrong: dict[str, Any], expected: tuple[int, str]) -> None:
    payment = approved(call)
    assert code(confirm(call, payment, **wrong)) == expected
    assert call.books()["net"] == 0
    assert confirm(call, payment, "key-2").status == 200


def test_what_was_not_approved_is_not_confirmed(call: Api) -> None:
    assert code(confirm(call, create(call))) == (404, "NOT_FOUND_PAYMENT_SESSION")
    assert call.books()["net"] == 0


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"amount": 99}, "BELOW_MINIMUM_AMOUNT"), ({"method": "TRANSFER", "amount": 199}, "BELOW_MINIMUM_AMOUNT"),
     ({"orderId": "short"}, "INVALID_REQUEST"), ({"orderId": "o" * 65}, "INVALID_REQUEST"),
     ({"orderId": "order id"}, "INVALID_REQUEST"), ({"orderName": ""}, "INVALID_REQUEST"),
     ({"method": "CASH"}, "INVALID_REQUEST"), ({"successUrl": "javascript:x"}, "INVALID_REQUEST"),
     ({"amount": True}, "INVALID_REQUEST"), ({"currency": "USD"}, "INVALID_REQUEST")],
)  # fmt: skip
def test_a_wrong_order_is_refused(call: Api, wrong: dict[str, Any], expected: str) -> None:
    assert code(call("POST", "/v1/payments", ORDER | wrong)) == (400, expected)
    assert call.books()["payments"] == []


def test_an_order_id_counts_once(call: Api) -> None:
    create(call)
    assert code(call("POST", "/v1/payments", ORDER)) == (400, "DUPLICATED_ORDER_ID")
    assert code(issue(call)) == (400, "DUPLICATED_ORDER_ID")


def test_the_least_amounts_are_taken(call: Api) -> None:
    assert create(call, amount=100)["totalAmount"] == 100
    assert create(call, amount=200, method="TRANSFER", orderId="order-0002")["method"] == "계좌이체"
    assert code(issue(call, amount=199, orderId="order-0003")) == (400, "BELOW_MINIMUM_AMOUNT")


def test_the_colon_is_required_and_a_wrong_key_is_refused(call: Api) -> None:
    for wrong in (basic("test_sk_other"), "", "Bearer test_sk_doenda", "Basic !!!", basic(after=":more")):
        answered = call("GET", "/v1/payments/orders/order-0001", Authorization=wrong)
        assert answered.status in (401, 403), wrong
    assert code(call("POST", "/v1/payments", ORDER, Authorization=basic("test_sk_other"))) == (401, "UNAUTHORIZED_KEY")
    assert code(call("POST", "/v1/payments", ORDER, Authorization=basic(after=""))) == (
        403,
        "INCORRECT_BASIC_AUTH_FORMAT",
    )


def test_two_keys_are_alive_and_of_three_none_is_taken(call: Api) -> None:
    assert call("PUT", "/_control/merchant", {"keys": f"test_sk_new,{KEY}"}).status == 200
    create(call)
    assert Api(call.peer, "test_sk_new").status() == "READY"
    assert call("PUT", "/_control/merchant", {"keys": "a,b,c"}).status == 400
    assert call("PUT", "/_control/merchant", {"keys": ""}).status == 400
    assert call("PUT", "/_control/merchant", {"name": "other", "keys": KEY}).status == 409
    call("PUT", "/_control/merchant", {"keys": "test_sk_new"})
    assert code(call("GET", "/v1/payments/orders/order-0001")) == (401, "UNAUTHORIZED_KEY")


def test_another_merchant_sees_nothing_of_it(call: Api) -> None:
    payment = approved(call)
    call("PUT", "/_control/merchant", {"name": "other", "keys": "test_sk_other"})
    other = Api(call.peer, "test_sk_other")
    assert code(other("GET", f"/v1/payments/{payment['paymentKey']}")) == (404, "NOT_FOUND_PAYMENT")
    assert code(confirm(other, payment)) == code(cancel(other, payment)) == (404, "NOT_FOUND_PAYMENT")


def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOSS_SECRET_KEYS", "test_sk_a, test_sk_b")
    monkeypatch.setenv("TOSS_MERCHANT", "our-shop")
    monkeypatch.setenv("TOSS_WEBHOOK_URL", "http://127.0.0.1:9/toss")
    peer = Toss(clock=Clock())
    assert create(Api(peer, "test_sk_b"))["mId"] == "our-shop"
    assert peer.state.merchants["our-shop"].webhook_url == "http://127.0.0.1:9/toss"


def test_the_same_key_brings_the_stored_answer_whatever_the_body_says(call: Api, clock: Clock) -> None:
    payment = approved(call)
    first = confirm(call, payment)
    assert confirm(call, payment) == first
    assert confirm(call, payment, amount=1) == first, "matched on key, API key, address and method; not on the body"
    assert code(confirm(call, payment, "key-2")) == (400, "ALREADY_PROCESSED_PAYMENT")
    clock.advance(15 * 86400 + 1)
    assert code(confirm(call, payment)) == (400, "ALREADY_PROCESSED_PAYMENT"), "forgotten after 15 days"
    assert call.books()["net"] == 52_300


def test_a_stored_refusal_stays_one_and_another_api_key_knows_nothing_of_it(call: Api) -> None:
    payment = create(call)
    refused = confirm(call, payment)
    press(call, payment)
    assert confirm(call, payment) == refused
    call("PUT", "/_control/merchant", {"keys": f"test_sk_new,{KEY}"})
    assert confirm(Api(call.peer, "test_sk_new"), payment).status == 200


def test_a_key_is_at_most_300_characters(call: Api) -> None:
    payment = approved(call)
    assert code(confirm(call, payment, "k" * 301)) == (400, "INVALID_IDEMPOTENCY_KEY")
    assert confirm(call, payment, "k" * 300).status == 200


def test_a_payment_is_given_back_in_parts_and_no_more_than_it_was(call: Api) -> None:
    payment = approved(call)
    confirm(call, payment)
    part = cancel(call, payment, cancelAmount=300).json()
    assert (part["status"], part["balanceAmount"], part["totalAmount"]) == ("PARTIAL_CANCELED", 52_000, 52_300)
    assert [(one["cancelAmount"], one["cancelReason"]) for one in part["cancels"]] == [(300, "test")]
    assert cancel(call, payment, cancelAmount=300).json() == part, "the same key, once"
    for wrong in (52_001, 0, -1):
        assert code(cancel(call, payment, f"c{wrong}", cancelAmount=wrong)) == (403, "NOT_CANCELABLE_AMOUNT")
    whole = cancel(call, payment, "cancel-2").json()
    assert (whole["status"], whole["balanceAmount"], len(whole["cancels"])) == ("CANCELED", 0, 2)
    assert code(cancel(call, payment, "cancel-3")) == (400, "ALREADY_CANCELED_PAYMENT")
    books = call.books()
    assert (books["captured"], books["canceled"], books["net"]) == ({"card": 52_300}, {"card": 52_300}, 0)


def test_what_was_not_paid_is_not_cancelled(call: Api) -> None:
    payment = approved(call)
    assert code(cancel(call, payment)) == (403, "NOT_CANCELABLE_PAYMENT")
    assert code(cancel(call, {"paymentKey": "x"}, "c2")) == (404, "NOT_FOUND_PAYMENT")
    assert code(cancel(call, payment, "c3", cancelReason="")) == (400, "INVALID_REQUEST")
    assert code(cancel(call, payment, "c4", cancelReason="r" * 201)) == (400, "INVALID_REQUEST")


def test_an_account_waits_is_paid_exactly_and_can_come_undone(call: Api) -> None:
    issued = issue(call).json()
    account = issued["virtualAccount"]
    assert (issued["status"], issued["method"], account["bankCode"], account["expired"]) == (
        "WAITING_FOR_DEPOSIT",
        "가상계좌",
        "88",
        False,
    )
    assert 0 < len(issued["secret"]) <= 50
    assert code(deposit(call, issued, amount=52_301)) == (409, "WRONG_AMOUNT"), "the bank takes nothing else"
    by_number = {"account_number": account["accountNumber"], "amount": 52_300}
    assert call("POST", "/_control/deposits", by_number).json()["status"] == "DONE"
    assert code(deposit(call, issued)) == (409, "NOT_WAITING_FOR_DEPOSIT")
    assert call("POST", "/_control/undo", {"payment_key": issued["paymentKey"]}).json()["status"] == (
        "WAITING_FOR_DEPOSIT"
    )
    assert call.books()["net"] == 0
    assert deposit(call, issued).status == 200
    assert call.books()["net"] == 52_300


def test_an_account_whose_deadline_passes_takes_no_more_and_stays_waiting(call: Api, clock: Clock) -> None:
    issued = issue(call, validHours=1).json()
    clock.advance(3600)
    found = call("GET", "/v1/payments/orders/order-0001").json()
    assert (found["status"], found["virtualAccount"]["expired"]) == ("WAITING_FOR_DEPOSIT", True)
    assert code(deposit(call, issued)) == (409, "NOT_WAITING_FOR_DEPOSIT")


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"bank": "999"}, "INVALID_BANK"), ({"validHours": 0}, "INVALID_REQUEST"),
     ({"validHours": 721}, "INVALID_REQUEST"),
     ({"dueDate": "soon"}, "INVALID_REQUEST"), ({"dueDate": "2027-01-01T00:00:00"}, "INVALID_REQUEST"),
     ({"validHours": 1, "dueDate": "2027-01-20T00:00:00"}, "INVALID_REQUEST"),
     ({"customerName": ""}, "INVALID_REQUEST")],
)  # fmt: skip
def test_a_wrong_account_is_not_issued(call: Api, wrong: dict[str, Any], expected: str) -> None:
    assert code(issue(call, **wrong)) == (400, expected)


def test_the_due_date_is_korean_time(call: Api) -> None:
    account = issue(call, dueDate="2027-01-20T00:00:00").json()["virtualAccount"]
    assert account["dueDate"] == "2027-01-20T00:00:00+09:00"
    usual = issue(call, orderId="order-0002").json()["virtualAccount"]["dueDate"]
    assert usual == "2027-01-22T17:00:00+09:00", "168 hours"


def test_a_waiting_account_is_closed_without_and_a_paid_one_refunded_with_an_account(call: Api, clock: Clock) -> None:
    waiting = issue(call).json()
    closed = cancel(call, waiting).json()
    assert (closed["status"], closed["virtualAccount"]["refundStatus"]) == ("CANCELED", "NONE")
    assert code(deposit(call, waiting)) == (409, "NOT_WAITING_FOR_DEPOSIT")
    paid = issue(call, orderId="order-0002").json()
    deposit(call, paid)
    for wrong in (
        None,
        {},
        BACK_TO | {"accountNumber": "1" * 21},
        BACK_TO | {"bank": "x"},
        BACK_TO | {"holderName": ""},
    ):
        refused = cancel(call, paid, f"c{wrong}", refundReceiveAccount=wrong)
        assert code(refused) == (400, "INVALID_REFUND_ACCOUNT_INFO")
    part = cancel(call, paid, "c2", cancelAmount=300, refundReceiveAccount=BACK_TO).json()
    assert (part["status"], part["virtualAccount"]["refundStatus"]) == ("PARTIAL_CANCELED", "PENDING")
    assert call.books()["net"] == 52_300, "it is on its way"
    clock.advance(60)
    found = call("GET", "/v1/payments/orders/order-0002").json()
    assert (found["virtualAccount"]["refundStatus"], call.books()["net"]) == ("COMPLETED", 52_000)
