"""The fake PortOne without HTTP: what its API and its page answer, and what its books say."""

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from tests.peers.peer_tools import Clock

from peers.http import Request, Response
from peers.portone import PortOne

SECRET = "portone-secret"
CHECKOUT = {
    "storeId": "store-doenda",
    "channelKey": "channel-key-card",
    "paymentId": "order-0001",
    "orderName": "9월 이용요금",
    "totalAmount": "52300",
    "currency": "CURRENCY_KRW",
    "payMethod": "CARD",
    "redirectUrl": "http://127.0.0.1:1/back?a=1",
    "locale": "KO_KR",
}
INSTANT = {
    "channelKey": "channel-key-deposit",
    "method": {"virtualAccount": {"bank": "SHINHAN", "expiry": {"validHours": 24}, "option": {"type": "NORMAL"}}},
    "orderName": "9월 이용요금",
    "amount": {"total": 52_300},
    "currency": "KRW",
}
ACCOUNT = {"bank": "KOOKMIN", "number": "123412341234", "holderName": "김민수"}


class Api:
    """Calls the pure class, with PortOne's own kind of Authorization."""

    def __init__(self, peer: PortOne) -> None:
        self.peer = peer

    def __call__(self, method: str, path: str, document: object = None, **headers: str) -> Response:
        body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.peer.handle(Request(method, path, {"Authorization": f"PortOne {SECRET}", **named}, body))

    def faults(self, **board: object) -> None:
        said = {"*" if key == "all" else key: fault for key, fault in board.items()}
        assert self("PUT", "/_control/faults", said).status == 200

    def books(self) -> dict[str, Any]:
        found: dict[str, Any] = self("GET", "/_control/books").json()
        return found

    def status(self, payment_id: str = "order-0001") -> str:
        return str(self("GET", f"/payments/{payment_id}").json().get("status"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Api:
    return Api(PortOne(clock=clock))


def code(response: Response) -> tuple[int, str]:
    return response.status, response.json()["type"]


def register(call: Api, payment_id: str = "order-0001", amount: int = 52_300) -> Response:
    return call("POST", f"/payments/{payment_id}/pre-register", {"totalAmount": amount, "currency": "KRW"})


def page(**changes: str) -> str:
    return f"/checkout?{urlencode(CHECKOUT | changes)}"


def approved(call: Api, payment_id: str = "order-0001", **changes: str) -> str:
    """The payer's way over the page; the token that comes back."""
    register(call, payment_id)
    address = page(paymentId=payment_id, **changes)
    assert call("GET", address).status == 200
    back = call("POST", address, b"decision=approve")
    assert back.status == 303
    return parse_qs(urlsplit(back.headers["Location"]).query)["paymentToken"][0]


def confirm(call: Api, token: str, payment_id: str = "order-0001", key: str = "k" * 16, **changes: object) -> Response:
    body = {"paymentToken": token, "totalAmount": 52_300, "currency": "KRW", **changes}
    return call("POST", f"/payments/{payment_id}/confirm", body, Idempotency_Key=f'"{key}"')


def cancel(call: Api, key: str = "c" * 16, payment_id: str = "order-0001", **asked: object) -> Response:
    body = {"reason": "test", **asked}
    return call("POST", f"/payments/{payment_id}/cancel", body, Idempotency_Key=f'"{key}"')


def issue(call: Api, payment_id: str = "order-0001", **changes: object) -> Response:
    return call("POST", f"/payments/{payment_id}/instant", INSTANT | changes)


def deposit(call: Api, payment_id: str = "order-0001", **more: object) -> Response:
    return call("POST", "/_control/deposits", {"payment_id": payment_id, **more})


def test_a_payment_goes_over_the_page_to_ready_and_by_confirm_to_paid(call: Api) -> None:
    assert register(call).json() == {}
    assert code(call("GET", "/payments/order-0001")) == (404, "PAYMENT_NOT_FOUND"), "known only once a browser came"
    token = approved(call)
    assert (call.status(), call.books()["net"]) == ("READY", 0)
    done = confirm(call, token)
    assert (done.status, sorted(done.json())) == (200, ["paidAt", "pgTxId"])
    document = call("GET", "/payments/order-0001?storeId=store-doenda").json()
    assert (document["status"], document["id"], document["storeId"]) == ("PAID", "order-0001", "store-doenda")
    assert (document["amount"]["total"], document["amount"]["paid"], document["currency"]) == (52_300, 52_300, "KRW")
    books = call.books()
    assert (books["captured"], books["net"], books["by_order"]) == ({"card": 52_300}, 52_300, {"order-0001": 52_300})


def test_the_way_back_carries_the_token_or_the_reason(call: Api) -> None:
    register(call)
    call("GET", page())
    first, second = (call("POST", page(), b"decision=approve").headers["Location"] for _ in range(2))
    assert first == second, "a second press gives the same token"
    assert first.startswith("http://127.0.0.1:1/back?a=1&paymentId=order-0001&txId=")
    away = call("POST", page(), b"decision=cancel").headers["Location"]
    said = {name: values[0] for name, values in parse_qs(urlsplit(away).query).items()}
    assert (said["code"], said["pgCode"], said["paymentId"]) == (
        "FAILURE_TYPE_PG",
        "PAY_PROCESS_CANCELED",
        "order-0001",
    )
    assert "message" in said
    assert "paymentToken" not in said
    assert call.status() == "FAILED"
    assert "FAILURE_TYPE_PG" in call("POST", page(), b"decision=approve").headers["Location"], "that attempt is over"


def test_the_pinned_amount_wins_over_what_the_browser_says(call: Api) -> None:
    register(call)
    for wrong in ({"totalAmount": "1"}, {"currency": "USD"}):
        away = call("GET", page(**wrong))
        assert away.status == 303
        assert "code=INFORMATION_MISMATCH" in away.headers["Location"]
        assert call("POST", page(**wrong), b"decision=approve").status == 303
    assert call("GET", "/payments/order-0001").status == 404, "no attempt was begun"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"storeId": "store-x"}, "STORE_NOT_FOUND"), ({"channelKey": "x"}, "CHANNEL_NOT_FOUND"),
     ({"totalAmount": "-1"}, "INVALID_REQUEST"), ({"payMethod": "VIRTUAL_ACCOUNT"}, "INVALID_REQUEST")],
)  # fmt: skip
def test_a_wrong_request_of_the_browser_leads_back_with_its_reason(
    call: Api, wrong: dict[str, str], expected: str
) -> None:
    assert f"code={expected}" in call("GET", page(**wrong)).headers["Location"]
    assert call("GET", page(**wrong, redirectUrl="javascript:alert(1)")).status == 400


def test_a_failed_payment_can_be_tried_again_and_every_attempt_is_listed(call: Api) -> None:
    approved(call)
    call("POST", page(), b"decision=cancel")
    token = approved(call)
    assert confirm(call, token).status == 200
    tries = call("GET", "/payments/order-0001/transactions").json()["items"]
    assert [one["status"] for one in tries] == ["FAILED", "PAID"]
    assert tries[0]["id"] != tries[1]["id"]
    assert "<form" not in call("GET", page()).body.decode(), "a paid payment's page only leads back"


def test_a_paid_payment_is_neither_registered_nor_confirmed_again(call: Api) -> None:
    token = approved(call)
    first = confirm(call, token)
    assert confirm(call, token) == first, "the same key, the stored answer"
    assert code(confirm(call, token, key="another-key-12345")) == (409, "ALREADY_PAID")
    assert code(register(call)) == (409, "ALREADY_PAID")
    assert code(issue(call)) == (409, "ALREADY_PAID")
    assert call.books()["net"] == 52_300


@pytest.mark.parametrize(
    "wrong", [{"totalAmount": 52_301}, {"currency": "USD"}, {"txId": "other"}, {"isTest": False}, {"taxFreeAmount": 1}]
)
def test_confirm_compares_whatever_it_is_told(call: Api, wrong: dict[str, Any]) -> None:
    token = approved(call)
    assert code(confirm(call, token, **wrong)) == (409, "INFORMATION_MISMATCH")
    assert call.books()["net"] == 0
    assert confirm(call, token, key="a-second-key-1234").status == 200


def test_a_wrong_used_or_old_token_takes_nothing(call: Api, clock: Clock) -> None:
    token = approved(call)
    assert code(confirm(call, "token-x", key="x" * 20)) == (400, "INVALID_PAYMENT_TOKEN")
    assert code(confirm(call, "token-x", "order-0009")) == (404, "PAYMENT_NOT_FOUND")
    assert code(confirm(call, "", key="y" * 20)) == (400, "INVALID_REQUEST")
    clock.advance(600)
    assert code(confirm(call, token)) == (400, "INVALID_PAYMENT_TOKEN")
    assert call.books()["net"] == 0


def test_a_key_is_a_quoted_string_kept_for_three_hours(call: Api, clock: Clock) -> None:
    token = approved(call)
    for key in ("k" * 16, '"short"', '"' + "k" * 257 + '"', '"한' + "k" * 16 + '"'):
        answered = call("POST", "/payments/order-0001/confirm", {"paymentToken": token}, Idempotency_Key=key)
        assert code(answered) == (400, "INVALID_REQUEST")
    first = confirm(call, token)
    assert code(confirm(call, token, totalAmount=1)) == (400, "INVALID_REQUEST"), "another body under the same key"
    clock.advance(3 * 3600 - 1)
    assert confirm(call, token) == first
    clock.advance(1)
    assert code(confirm(call, token)) == (409, "ALREADY_PAID"), "forgotten; but a payment is paid once only"
    assert call.books()["net"] == 52_300


def test_only_a_live_secret_of_the_store_opens(call: Api) -> None:
    call("PUT", "/_control/merchant", {"secrets": f"new-secret,{SECRET}"})
    assert register(call).status == 200
    assert call("GET", "/payments/x", Authorization="PortOne new-secret").status == 404
    for said in ("PortOne wrong", f"Bearer {SECRET}", ""):
        assert code(call("GET", "/payments/x", Authorization=said)) == (401, "UNAUTHORIZED")
    assert code(call("GET", "/payments/x?storeId=store-other")) == (403, "FORBIDDEN")
    assert call("PUT", "/_control/merchant", {"secrets": "a,b,c"}).status == 400, "two at a time"
    call("PUT", "/_control/merchant", {"secrets": "new-secret"})
    assert code(register(call)) == (401, "UNAUTHORIZED")


def test_an_account_without_a_browser_takes_the_exact_sum_in_time(call: Api, clock: Clock) -> None:
    assert sorted(issue(call).json()["payment"]) == ["paidAt", "pgTxId"], "the number is told by the payment only"
    document = call("GET", "/payments/order-0001").json()
    method = document["method"]
    assert (document["status"], method["type"], method["bank"]) == (
        "VIRTUAL_ACCOUNT_ISSUED",
        "PaymentMethodVirtualAccount",
        "SHINHAN",
    )
    assert deposit(call, amount=1).status == 409
    assert call("POST", "/_control/deposits", {"account_number": method["accountNumber"]}).json()["status"] == "PAID"
    assert deposit(call).status == 409
    assert call.books()["by_order"] == {"order-0001": 52_300}
    issue(call, "order-0002")
    clock.advance(24 * 3600)
    assert deposit(call, "order-0002").status == 409, "too late; nothing is reported of that"
    assert call.status("order-0002") == "VIRTUAL_ACCOUNT_ISSUED"


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"channelKey": "x"}, "CHANNEL_NOT_FOUND"), ({"amount": {"total": 0}}, "INVALID_REQUEST"),
     ({"amount": 5}, "INVALID_REQUEST"), ({"method": {"card": {}}}, "INVALID_REQUEST"),
     ({"orderName": ""}, "INVALID_REQUEST"), ({"currency": "won"}, "INVALID_REQUEST"),
     ({"method": {"virtualAccount": {"bank": "SHINHAN", "option": {"type": "NORMAL"}}}}, "INVALID_REQUEST")],
)  # fmt: skip
def test_a_wrong_wish_for_an_account_is_refused(call: Api, wrong: dict[str, Any], expected: str) -> None:
    assert issue(call, **wrong).json()["type"] == expected
    assert call("GET", "/payments/order-0001").status == 404


def test_a_closed_account_takes_nothing_and_is_closed_once(call: Api) -> None:
    issue(call)
    assert call("POST", "/payments/order-0001/virtual-account/close").json()["closedAt"]
    assert (call.status(), deposit(call).status) == ("CANCELLED", 409)
    again = call("POST", "/payments/order-0001/virtual-account/close")
    assert code(again) == (409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT")
    assert code(call("POST", "/payments/none/virtual-account/close")) == (404, "PAYMENT_NOT_FOUND")


def test_a_deposit_can_be_undone_and_made_again(call: Api) -> None:
    issue(call)
    assert call("POST", "/_control/undo", {"payment_id": "order-0001"}).status == 409
    deposit(call)
    assert call("POST", "/_control/undo", {"payment_id": "order-0001"}).json()["status"] == "VIRTUAL_ACCOUNT_ISSUED"
    assert call.books()["net"] == 0
    assert deposit(call).json()["status"] == "PAID"
    assert call.books()["net"] == 52_300


def test_a_payment_is_given_back_in_parts_and_never_more_than_it_was(call: Api) -> None:
    confirm(call, approved(call))
    part = cancel(call, amount=300, currentCancellableAmount=52_300)
    assert part.json()["cancellation"]["status"] == "SUCCEEDED"
    assert cancel(call, amount=300, currentCancellableAmount=52_300) == part
    stale = cancel(call, "d" * 16, amount=300, currentCancellableAmount=52_300)
    assert code(stale) == (409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN")
    assert code(cancel(call, "e" * 16, amount=52_001)) == (409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT")
    assert code(cancel(call, "f" * 16, amount=0)) == (400, "INVALID_REQUEST")
    assert code(cancel(call, "h" * 16, reason="")) == (400, "INVALID_REQUEST")
    assert call.status() == "PARTIAL_CANCELLED"
    assert cancel(call, "g" * 16).json()["cancellation"]["totalAmount"] == 52_000
    assert code(cancel(call, "i" * 16)) == (409, "PAYMENT_ALREADY_CANCELLED")
    assert (call.status(), call.books()["net"]) == ("CANCELLED", 0)


def test_what_was_not_paid_cannot_be_cancelled(call: Api) -> None:
    approved(call)
    assert code(cancel(call)) == (409, "PAYMENT_NOT_PAID")
    assert code(cancel(call, payment_id="none")) == (404, "PAYMENT_NOT_FOUND")


def test_a_virtual_account_is_refunded_later_and_to_a_named_account(call: Api, clock: Clock) -> None:
    issue(call)
    deposit(call)
    assert code(cancel(call)) == (400, "INVALID_REQUEST")
    asked = cancel(call, "r" * 16, amount=300, refundAccount=ACCOUNT)
    assert asked.json()["cancellation"]["status"] == "REQUESTED"
    assert (call.status(), call.books()["net"]) == ("PAID", 52_300)
    stale = cancel(call, "s" * 16, amount=1, refundAccount=ACCOUNT, currentCancellableAmount=52_300)
    assert code(stale) == (409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN")
    clock.advance(60)
    call.peer.tick()
    assert (call.status(), call.books()["net"]) == ("PARTIAL_CANCELLED", 52_000)
    (done,) = call("GET", "/payments/order-0001").json()["cancellations"]
    assert (done["status"], done["totalAmount"]) == ("SUCCEEDED", 300)


def listed(call: Api, path: str, **asked: object) -> list[Any]:
    answered = call("GET", f"/{path}?requestBody={quote(json.dumps(asked))}")
    assert answered.status == 200, answered.body
    return list(answered.json()["items"])


def test_what_moved_is_listed_by_cursor_and_by_time(call: Api, clock: Clock) -> None:
    for number in (1, 2, 3):
        confirm(call, approved(call, f"order-000{number}"), f"order-000{number}")
    clock.advance(100)
    cancel(call, payment_id="order-0002", amount=300)
    events = listed(call, "payment-events-by-cursor", size=3)
    assert [(one["paymentEvent"]["type"], one["paymentEvent"]["eventAmount"]) for one in events] == [
        ("PAID", 52_300)
    ] * 3
    (last,) = listed(call, "payment-events-by-cursor", size=3, cursor=events[-1]["cursor"])
    assert (last["paymentEvent"]["type"], last["paymentEvent"]["eventAmount"]) == ("PARTIAL_CANCELLED", -300)
    since = "2027-01-15T08:00:50+00:00"
    assert [one["cursor"] for one in listed(call, "payment-events-by-cursor", **{"from": since})] == [last["cursor"]]
    assert [one["payment"]["id"] for one in listed(call, "payments-by-cursor")] == [f"order-000{n}" for n in (1, 2, 3)]
    for wrong in ({"size": 1001}, {"cursor": "x"}, {"from": "yesterday"}):
        path = f"/payments-by-cursor?requestBody={quote(json.dumps(wrong))}"
        assert code(call("GET", path)) == (400, "INVALID_REQUEST")


def test_a_store_sees_only_its_own(call: Api) -> None:
    confirm(call, approved(call))
    webhook_secret = "whsec_b3RoZXI="
    call("PUT", "/_control/merchant", {"name": "other", "secrets": "other-secret", "webhook_secrets": webhook_secret})
    other = {"Authorization": "PortOne other-secret"}
    assert call("GET", "/payments/order-0001", **other).status == 404
    assert call("GET", "/payment-events-by-cursor", **other).json() == {"items": []}
    taken = call("PUT", "/_control/merchant", {"name": "other", "secrets": SECRET})
    assert (taken.status, taken.json()["type"]) == (409, "DUPLICATED_KEY")


def test_the_page_speaks_both_languages_and_needs_no_script(call: Api) -> None:
    korean = call("GET", page(orderName="<b>9월</b>")).body.decode()
    english = call("GET", page(orderName="<b>9월</b>", locale="EN_US")).body.decode()
    assert '<html lang="ko">' in korean
    assert '<html lang="en">' in english
    assert '<html lang="en">' in call("GET", page() + "&lang=en").body.decode(), "its own link goes before the locale"
    for seen in (korean, english):
        assert "KRW 52,300" in seen
        assert '<button class="go" type="submit" name="decision" value="approve">승인 Approve</button>' in seen
        assert '<button class="no" type="submit" name="decision" value="cancel">취소 Cancel</button>' in seen
        assert "&lt;b&gt;9월&lt;/b&gt;" in seen
        assert "<script" not in seen
        assert 'name="viewport"' in seen
    assert call("POST", page(orderName="<b>9월</b>"), b"decision=maybe").status == 400


def test_the_script_needs_no_key_and_leads_to_the_page(call: Api) -> None:
    script = call("GET", "/v2/browser-sdk.js", Authorization="")
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert b"requestPayment" in script.body
    assert b'"/checkout?"' in script.body
    assert b"=>" not in script.body, "old browsers read it too"
