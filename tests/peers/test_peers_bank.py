"""The bank without HTTP: what it answers, and what its books say."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.peers.peer_tools import Clock, Direct, cancel, confirm, net, opened, order, status

from peers.bank import Bank
from peers.bank.page import amount_words
from peers.truth import iso


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Direct:
    return Direct(Bank(clock=clock))


def code(response: Any) -> tuple[int, str]:
    return response.status, response.json()["code"]


def test_a_payment_goes_from_ready_over_the_customers_approval_to_done(call: Direct) -> None:
    payment = opened(call, approve=False)
    assert payment["status"] == "READY"
    assert payment["redirect_url"] == f"http://127.0.0.1/pay/{payment['payment_key']}"
    back = call("POST", f"/pay/{payment['payment_key']}", b"decision=approve")
    assert back.status == 303
    assert back.headers["Location"] == (
        f"http://127.0.0.1:1/back?a=1&payment_key={payment['payment_key']}&order_id=order-0001&amount=52300"
    )
    assert status(call, payment) == "IN_PROGRESS"
    assert net(call) == 0
    done = confirm(call, payment)
    assert (done.status, done.json()["status"]) == (200, "DONE")
    assert done.json()["approved_at"]
    books = call("GET", "/_control/books").json()
    assert (books["captured"], books["net"], books["by_order"]) == ({"card": 52_300}, 52_300, {"order-0001": 52_300})
    assert call("GET", "/v1/payments/orders/order-0001").json() == done.json()


def test_the_same_order_again_is_the_same_payment_and_another_body_is_refused(call: Direct) -> None:
    payment = opened(call, approve=False)
    assert opened(call, approve=False) == payment
    assert code(call("POST", "/v1/payments", order(amount=1))) == (409, "DUPLICATED_ORDER_ID")


@pytest.mark.parametrize(
    "wrong",
    [{"order_id": "short"}, {"amount": 0}, {"amount": True}, {"amount": 1.5}, {"currency": "won"}, {"method": "cash"},
     {"order_name": ""}, {"return_url": "javascript:alert(1)"}, {"return_url": "http://a/\r\nX: y"},
     {"order_id": None}],
)  # fmt: skip
def test_a_wrong_order_is_refused_and_the_field_is_named(call: Direct, wrong: dict[str, object]) -> None:
    answered = call("POST", "/v1/payments", order() | wrong)
    assert code(answered) == (400, "INVALID_REQUEST")
    assert answered.json()["message"].startswith(next(iter(wrong)))


def test_without_the_right_key_nothing_is_answered(call: Direct) -> None:
    assert code(call("GET", "/v1/transactions", Authorization="Bearer wrong")) == (401, "UNAUTHORIZED_KEY")


def test_a_repeated_key_gets_the_stored_answer_and_another_key_is_told_that_it_is_over(call: Direct) -> None:
    payment = opened(call)
    first = confirm(call, payment)
    assert confirm(call, payment) == first
    cancel(call, payment)
    assert confirm(call, payment) == first, "the answer of then, not the state of now"
    assert code(confirm(call, payment, "key-2")) == (409, "ALREADY_PROCESSED_PAYMENT")
    assert code(confirm(call, payment, amount=1)) == (400, "INVALID_IDEMPOTENCY_KEY")
    assert net(call) == 0


def test_a_stored_refusal_stays_what_it_was(call: Direct) -> None:
    payment = opened(call)
    assert code(confirm(call, payment, "k", amount=1)) == (400, "AMOUNT_MISMATCH")
    assert confirm(call, payment, "l").status == 200
    assert code(confirm(call, payment, "k", amount=1)) == (400, "AMOUNT_MISMATCH")


def test_what_the_customer_has_not_approved_cannot_be_confirmed(call: Direct) -> None:
    assert code(confirm(call, opened(call, approve=False))) == (400, "NOT_FOUND_PAYMENT_SESSION")
    assert net(call) == 0


def test_a_payment_expires_unapproved_after_30_and_unconfirmed_after_10_minutes(call: Direct, clock: Clock) -> None:
    unapproved, unconfirmed = opened(call, 1, approve=False), opened(call, 2)
    clock.advance(599)
    assert status(call, unconfirmed) == "IN_PROGRESS"
    clock.advance(1)
    assert (status(call, unapproved), status(call, unconfirmed)) == ("READY", "EXPIRED")
    assert code(confirm(call, unconfirmed)) == (400, "NOT_FOUND_PAYMENT_SESSION")
    assert call.peer.due() is not None
    clock.advance(1200)
    call.peer.tick()
    assert status(call, unapproved) == "EXPIRED"
    assert call.peer.due() is None


def test_the_customer_may_cancel_on_the_page_and_then_no_money_can_move(call: Direct) -> None:
    payment = opened(call)
    back = call("POST", f"/pay/{payment['payment_key']}", b"decision=cancel").headers["Location"]
    assert "?a=1&code=PAY_PROCESS_CANCELED&message=" in back
    assert back.endswith("&order_id=order-0001")
    assert status(call, payment) == "ABORTED"
    assert code(confirm(call, payment)) == (400, "NOT_FOUND_PAYMENT_SESSION")
    assert (
        "code=PAY_PROCESS_CANCELED"
        in call("POST", f"/pay/{payment['payment_key']}", b"decision=approve").headers["Location"]
    )


def test_a_payment_is_paid_back_in_parts_and_never_more_than_it_was(call: Direct) -> None:
    payment = opened(call)
    confirm(call, payment)
    part = cancel(call, payment, amount=300)
    assert (part.json()["status"], part.json()["canceled_amount"]) == ("PARTIAL_CANCELED", 300)
    assert cancel(call, payment, amount=300) == part
    assert code(cancel(call, payment, "c2", amount=52_001)) == (400, "NOT_CANCELABLE_AMOUNT")
    assert code(cancel(call, payment, "c3", amount=0)) == (400, "NOT_CANCELABLE_AMOUNT")
    assert cancel(call, payment, "c4").json()["status"] == "CANCELED"
    assert code(cancel(call, payment, "c5")) == (400, "ALREADY_CANCELED_PAYMENT")
    assert net(call) == 0


@pytest.mark.parametrize("approve", [False, True])
def test_cancelling_what_was_not_taken_voids_it_for_good(call: Direct, approve: bool) -> None:
    payment = opened(call, approve=approve)
    assert cancel(call, payment).json()["status"] == "ABORTED"
    assert (
        "code=PAY_PROCESS_ABORTED"
        in call("POST", f"/pay/{payment['payment_key']}", b"decision=approve").headers["Location"]
    )
    assert code(confirm(call, payment)) == (400, "NOT_FOUND_PAYMENT_SESSION")
    assert code(cancel(call, payment, "c2")) == (400, "NOT_CANCELABLE_PAYMENT")
    assert net(call) == 0


def test_transactions_are_listed_in_pages(call: Direct) -> None:
    for number in (1, 2, 3):
        confirm(call, opened(call, number), f"k{number}")
    cancel(call, opened(call, 2, approve=False))
    pages = [call("GET", f"/v1/transactions?after={after}&limit=2").json() for after in (0, 2, 4)]
    assert [[(one["n"], one["order_id"][-1], one["kind"]) for one in page] for page in pages] == [
        [(1, "1", "capture"), (2, "2", "capture")],
        [(3, "3", "capture"), (4, "2", "cancel")],
        [],
    ]
    assert code(call("GET", "/v1/transactions?after=x")) == (400, "INVALID_REQUEST")


def test_transactions_are_listed_by_their_time_and_say_whose_they_are(call: Direct, clock: Clock) -> None:
    for number in (1, 2, 3):
        confirm(call, opened(call, number), f"k{number}")
        clock.advance(60)
    since, until = (quote(iso(clock.at - seconds)) for seconds in (120, 60))
    (second,) = call("GET", f"/v1/transactions?since={since}&until={until}").json()
    assert (second["n"], second["merchant"], second["currency"], second["amount"]) == (2, "doenda", "KRW", 52_300)
    for wrong in ("yesterday", "2026-01-01T00:00:00", ""):
        assert code(call("GET", f"/v1/transactions?since={wrong}")) == (400, "INVALID_REQUEST")


def test_a_merchant_sees_only_its_own_payments(call: Direct) -> None:
    payment = opened(call)
    call("PUT", "/_control/merchant", {"name": "other", "key": "other-key", "secret": "s"})
    other = {"Authorization": "Bearer other-key"}
    assert code(call("GET", f"/v1/payments/{payment['payment_key']}", **other)) == (404, "NOT_FOUND_PAYMENT")
    assert code(call("GET", "/v1/payments/orders/order-0001", **other)) == (404, "NOT_FOUND_PAYMENT")
    assert call("POST", "/v1/payments", order(amount=7), **other).json()["merchant"] == "other"
    assert call("GET", "/v1/payments/orders/order-0001", **other).json()["amount"] == 7
    assert status(call, payment) == "IN_PROGRESS"


def test_the_page_speaks_both_languages_and_needs_no_script(call: Direct) -> None:
    key = opened(call, approve=False, order_name="<b>9월</b>")["payment_key"]
    korean = call("GET", f"/pay/{key}").body.decode()
    english = call("GET", f"/pay/{key}", Accept_Language="fr,en-GB;q=0.8").body.decode()
    assert '<html lang="ko">' in korean
    assert '<html lang="en">' in english
    assert call("GET", f"/pay/{key}?lang=en").body.decode() == english
    for page in (korean, english):
        assert "KRW 52,300" in page
        assert '<button class="go" type="submit" name="decision" value="approve">승인 Approve</button>' in page
        assert '<button class="no" type="submit" name="decision" value="cancel">취소 Cancel</button>' in page
        assert "&lt;b&gt;9월&lt;/b&gt;" in page
        assert "<script" not in page
    assert call("GET", "/pay/none").status == 404
    assert call("POST", f"/pay/{key}", b"decision=maybe").status == 400


def test_a_finished_payments_page_only_leads_back(call: Direct) -> None:
    payment = opened(call)
    confirm(call, payment)
    page = call("GET", f"/pay/{payment['payment_key']}?lang=en").body.decode()
    assert "<form" not in page
    assert "Back to the merchant" in page


def test_amounts_are_written_in_ascii() -> None:
    assert [amount_words(52_300, "KRW"), amount_words(1_234_05, "USD"), amount_words(5, "KWD")] == [
        "KRW 52,300", "USD 1,234.05", "KWD 0.005",
    ]  # fmt: skip


def test_there_is_no_door_to_forget_anything(call: Direct) -> None:
    assert call("POST", "/_control/forget-nothing").status == 404
