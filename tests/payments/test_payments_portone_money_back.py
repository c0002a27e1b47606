"""PortOne as a provider: giving money back once, its doorbells, its list of what moved, and nothing in the logs."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.payments.test_payments_portone import (
    ACCOUNT,
    CHARGE,
    CONFIG,
    DEPOSIT,
    ORDER,
    Wired,
    approved,
    paid,
    reply_of,
    said,
)

from doenda.kernel import net
from doenda.payments.providers.contract import BackTo, Charge, FeedLine, Outcome
from doenda.payments.providers.portone import codes
from doenda.payments.providers.portone.provider import PortOne as Provider

KEY = "refund-0192f0c1-2c7f-7000-8000-000000000001"
O = Outcome  # noqa: E741 - read in tables of outcomes


@pytest.fixture
def wired() -> Iterator[Wired]:
    made = Wired()
    with net.using(made):
        yield made


@pytest.fixture
def portone(wired: Wired) -> Provider:
    return Provider(CONFIG)


def deposited(wired: Wired, portone: Provider) -> Charge:
    portone.start(DEPOSIT)
    wired.control("POST", "deposits", {"payment_id": ORDER})
    return DEPOSIT


def back(portone: Provider, charge: Charge, amount: int = 300, key: str = KEY, to: BackTo | None = None) -> Any:
    return said(portone.refund(charge, amount=amount, key=key, reason="overpaid", back_to=to))


def cancels(wired: Wired) -> list[dict[str, Any]]:
    return [json.loads(call.content) for call in wired.calls if call.url.endswith("/cancel")]


def test_a_part_goes_back_once_whatever_is_asked_again_and_however_late(wired: Wired, portone: Provider) -> None:
    charge = paid(wired, portone)
    assert back(portone, charge) == (O.GIVEN_BACK, "CANCEL_SUCCEEDED")
    (sent,) = cancels(wired)
    assert (sent["amount"], sent["currentCancellableAmount"]) == (300, 52_300)
    assert sent["reason"].startswith("overpaid [")
    for pause in (0, 3 * 3600 + 1, 400 * 86400):
        wired.advance(pause)
        assert back(portone, charge) == (O.GIVEN_BACK, "CANCEL_SUCCEEDED")
    assert wired.net() == 52_000
    found = portone.inquire(charge)
    assert (found.outcome, found.amount, found.given_back) == (O.PAID, 52_300, 300)


def test_two_refunds_of_the_same_sum_are_two(wired: Wired, portone: Provider) -> None:
    charge = paid(wired, portone)
    assert back(portone, charge)[0] is back(portone, charge, key=KEY + "2")[0] is O.GIVEN_BACK
    assert wired.net() == 51_700


def test_all_of_it_goes_back_and_then_nothing_more(wired: Wired, portone: Provider) -> None:
    charge = paid(wired, portone)
    assert back(portone, charge, 52_300)[0] is O.GIVEN_BACK
    assert (portone.inquire(charge).outcome, portone.inquire(charge).given_back) == (O.GIVEN_BACK, 52_300)
    assert back(portone, charge, 300, "another") == (O.GIVEN_BACK, "PAYMENT_ALREADY_CANCELLED")
    assert wired.net() == 0


@pytest.mark.parametrize("fault", ["timeout_before", "error_before", "timeout_after", "error_after", "slow"])
def test_a_refund_that_was_not_answered_is_done_once_in_the_end(wired: Wired, portone: Provider, fault: str) -> None:
    charge = paid(wired, portone)
    wired.faults(card={"fault": fault, "on": ["cancel"], "remaining": 1, "seconds": 20})
    assert back(portone, charge)[0] is O.UNKNOWN
    wired.advance(20)
    assert back(portone, charge)[0] is O.GIVEN_BACK
    wired.advance(4 * 3600)
    assert back(portone, charge)[0] is O.GIVEN_BACK
    assert wired.net() == 52_000


def test_a_balance_that_moved_meanwhile_is_looked_at_again(wired: Wired, portone: Provider) -> None:
    charge = paid(wired, portone)
    seen = net.call(
        "x", "GET", f"{CONFIG['url']}/payments/{ORDER}", headers={"Authorization": "PortOne portone-secret"}
    )
    assert back(portone, charge, 1_000, "of somebody else")[0] is O.GIVEN_BACK

    class Stale:
        """The question was answered before the other refund, the cancellation arrives after it."""

        def __call__(self, request: net.Request) -> net.Reply:
            return seen if request.method == "GET" else wired(request)

    with net.using(Stale()):
        assert back(portone, charge) == (O.UNKNOWN, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN")
    assert back(portone, charge)[0] is O.GIVEN_BACK
    assert wired.net() == 51_000


def test_a_virtual_account_is_refunded_to_a_named_account_and_unknown_until_it_is_there(
    wired: Wired, portone: Provider
) -> None:
    charge = deposited(wired, portone)
    assert back(portone, charge) == (O.REFUSED, "REFUND_ACCOUNT_NEEDED")
    assert back(portone, charge, to=BackTo("999", "1", "x")) == (O.REFUSED, "REFUND_ACCOUNT_NEEDED")
    assert cancels(wired) == []
    for _ in range(2):
        assert back(portone, charge, to=ACCOUNT) == (O.UNKNOWN, "CANCEL_REQUESTED")
    assert cancels(wired)[0]["refundAccount"] == {"bank": "SHINHAN", "number": "110123456789", "holderName": "김민수"}
    assert portone.inquire(charge).given_back == 0
    wired.advance(60)
    assert back(portone, charge, to=ACCOUNT) == (O.GIVEN_BACK, "CANCEL_SUCCEEDED")
    assert (wired.net(), len(cancels(wired))) == (52_000, 1)


def test_a_cancellation_that_failed_stays_failed_for_its_key(wired: Wired, portone: Provider) -> None:
    charge = paid(wired, portone)
    wired.faults(card={"fault": "cancel_failed", "remaining": 1})
    assert back(portone, charge) == back(portone, charge) == (O.REFUSED, "CANCEL_FAILED")
    assert back(portone, charge, key="a new decision")[0] is O.GIVEN_BACK


def test_what_was_never_paid_or_is_too_much_does_not_go_back(wired: Wired, portone: Provider) -> None:
    ready = approved(wired, portone)
    assert back(portone, ready) == (O.REFUSED, "PAYMENT_NOT_PAID")
    charge = paid(wired, portone, replace(CHARGE, order_id="B" * 26))
    assert back(portone, charge, 52_301) == (O.REFUSED, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT")
    assert back(portone, replace(charge, order_id="C" * 26)) == (O.UNKNOWN, "PAYMENT_NOT_FOUND")
    assert wired.net() == 52_300


@pytest.mark.parametrize("code", codes.CANCEL_CODES)
def test_every_code_of_a_cancellation_means_what_it_says(wired: Wired, portone: Provider, code: str) -> None:
    charge = paid(wired, portone)

    def refuses(request: net.Request) -> net.Reply:
        return reply_of(409, {"type": code}) if request.method == "POST" else wired(request)

    with net.using(refuses):
        assert back(portone, charge) == (codes.CANCEL_CODES[code], code)


@pytest.mark.parametrize("status", [*codes.CANCELLATIONS, "ABROAD", ""])
def test_every_end_of_a_cancellation_means_what_it_says(wired: Wired, portone: Provider, status: str) -> None:
    charge = paid(wired, portone)

    def answers(request: net.Request) -> net.Reply:
        done = {"cancellation": {"status": status}}
        return reply_of(200, done if status else {}) if request.method == "POST" else wired(request)

    with net.using(answers):
        assert back(portone, charge) == (codes.CANCELLATIONS.get(status, O.UNKNOWN), f"CANCEL_{status or 'UNREADABLE'}")


@pytest.mark.parametrize("code", codes.CLOSE_CODES)
def test_every_code_of_a_closing_is_never_certain(wired: Wired, portone: Provider, code: str) -> None:
    wired.says = reply_of(409, {"type": code})
    assert portone.void(DEPOSIT).outcome in (O.UNKNOWN, O.NOT_FOUND)


SECRETS = [base64.b64encode(word).decode() for word in (b"the newest", b"the older")]
NOW = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)
BODY = {
    "type": "Transaction.Paid",
    "timestamp": "2026-11-01T03:00:00Z",
    "data": {"storeId": "store-doenda", "paymentId": ORDER, "transactionId": "tx", "cancellationId": "c"},
}


@pytest.fixture
def door(wired: Wired) -> Provider:
    return Provider(CONFIG | {"webhook_secrets": [f"whsec_{SECRETS[0]}", SECRETS[1]]})


def body_of(**changes: object) -> bytes:
    return json.dumps(BODY | changes).encode()


def signed(body: bytes, *, at: datetime = NOW, secret: bytes = b"the newest", ident: str = "msg_1") -> dict[str, str]:
    """Written from the standard, not from our code."""
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": ident, "Webhook-Timestamp": stamp, "WEBHOOK-SIGNATURE": f"v1,b3RoZXI= v2,x {signature}"}


@pytest.mark.parametrize("secret", [b"the newest", b"the older"])
def test_a_genuine_doorbell_names_our_order_under_both_secrets(door: Provider, secret: bytes) -> None:
    ring = door.ring(signed(body_of(), secret=secret), body_of(), NOW)
    assert (ring.genuine, ring.order_id, ring.transmission, ring.says, ring.secret) == (
        True,
        ORDER,
        "msg_1",
        O.PAID,
        "",
    )


def test_a_forged_or_changed_doorbell_is_not_genuine(door: Provider) -> None:
    right = signed(body_of())
    changed = body_of(data=BODY["data"] | {"paymentId": "B" * 26})  # type: ignore[operator]
    assert door.ring(signed(body_of(), secret=b"not ours"), body_of(), NOW).genuine is False
    assert door.ring(right, changed, NOW).genuine is False
    assert door.ring(right, body_of() + b" ", NOW).genuine is False, "the raw body is signed"
    assert door.ring(right | {"webhook-id": "msg_2"}, body_of(), NOW).genuine is False
    for missing in right:
        left = {name: value for name, value in right.items() if name != missing}
        assert door.ring(left, body_of(), NOW).genuine is False
    assert door.ring({}, body_of(), NOW).genuine is False, "no signature is a wrong one"
    accent = right | {"WEBHOOK-SIGNATURE": "v1,é v1 ,, v1,"}
    assert door.ring(accent, body_of(), NOW).genuine is False


@pytest.mark.parametrize(("minutes", "genuine"), [(-5, True), (5, True), (-5.1, False), (5.1, False), (9999, False)])
def test_an_old_or_early_doorbell_is_not_genuine(door: Provider, minutes: float, genuine: bool) -> None:
    at = NOW + timedelta(minutes=minutes)
    assert door.ring(signed(body_of(), at=at), body_of(), NOW).genuine is genuine


def test_a_replayed_doorbell_carries_the_same_transmission(door: Provider) -> None:
    headers = signed(body_of())
    assert door.ring(headers, body_of(), NOW) == door.ring(headers, body_of(), NOW + timedelta(seconds=60))


@pytest.mark.parametrize(
    ("kind", "order", "says"),
    [*((kind, ORDER, says) for kind, says in codes.SAYS.items()),
     *((f"Transaction.{kind}", ORDER, None) for kind in
       ("PartialCancelled", "PayPending", "CancelPending", "DisputeCreated", "DisputeResolved", "Invented")),
     *((f"BillingKey.{kind}", "", None) for kind in ("Issued", "Deleted")), ("Something", "", None)],
)  # fmt: skip
def test_every_type_is_heard(door: Provider, kind: str, order: str, says: Outcome | None) -> None:
    body = body_of(type=kind)
    ring = door.ring(signed(body), body, NOW)
    assert (ring.genuine, ring.order_id, ring.says) == (True, order, says)


def test_a_doorbell_of_another_store_names_no_order(door: Provider) -> None:
    body = body_of(data=BODY["data"] | {"storeId": "store-x"})  # type: ignore[operator]
    ring = door.ring(signed(body), body, NOW)
    assert (ring.genuine, ring.order_id, ring.says) == (True, "", None)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"type":1,"data":[]}', b'{"data":null}', b"[" * 50_000])
def test_a_doorbell_without_form_is_not_genuine(door: Provider, body: bytes) -> None:
    assert door.ring(signed(body), body, NOW).genuine is False
    assert door.ring(signed(body_of()) | {"Webhook-Timestamp": "soon"}, body_of(), NOW).genuine is False


def test_a_webhook_secret_must_be_one(wired: Wired) -> None:
    for wrong in ("whsec_not base64", "whsec_", ""):
        with pytest.raises(ValueError, match="webhook secret") as caught:
            Provider(CONFIG | {"webhook_secrets": [wrong]})
        assert "not base64!" not in str(caught.value)


def test_the_fakes_own_doorbells_are_understood(wired: Wired, portone: Provider) -> None:
    wired.control("PUT", "merchant", {"webhook_url": "http://127.0.0.1:9/hook"})
    wired.faults(deposit={"fault": "forged_webhook"})
    deposited(wired, portone)
    now = datetime.fromtimestamp(wired.at, UTC)
    rung = [portone.ring(one.headers, one.body, now) for one in wired.peer.tick()]
    assert [(ring.genuine, ring.order_id) for ring in rung] == [(True, ORDER), (False, ORDER), (True, "")] * 2


def test_what_moved_is_listed_a_page_at_a_time(wired: Wired) -> None:
    portone = Provider(CONFIG | {"page": 2})
    first = paid(wired, portone)
    paid(wired, portone, replace(CHARGE, order_id="B" * 26, method="transfer"))
    wired.advance(60)
    back(portone, first)
    since = datetime.fromtimestamp(wired.at, UTC) - timedelta(days=1)
    until = since + timedelta(days=2)
    one = portone.transactions(since, until)
    two = portone.transactions(since, until, one.cursor)
    assert (one.code, two.code, two.cursor, len(one.lines)) == ("", "", "", 2)
    lines: list[FeedLine] = [*one.lines, *two.lines]
    assert [(line.order_id, line.kind, line.amount, line.currency) for line in lines] == [
        (ORDER, "paid", 52_300, "KRW"),
        ("B" * 26, "paid", 52_300, "KRW"),
        (ORDER, "given_back", 300, "KRW"),
    ]
    assert len({line.line_id for line in lines}) == 3
    assert lines[2].at - lines[0].at == timedelta(seconds=60)
    assert portone.transactions(until, until + timedelta(days=1)).lines == ()


@pytest.mark.parametrize(
    ("reply", "code"),
    [(reply_of(200, {"items": [{"paymentEvent": {"type": "NEW"}, "cursor": "1"}]}), "UNREADABLE"),
     (reply_of(200, {}), "UNREADABLE"), (reply_of(200, {"items": [3]}), "UNREADABLE"),
     (reply_of(500, b""), "HTTP_500"), (net.NoAnswer("x"), "NO_ANSWER")],
)  # fmt: skip
def test_a_list_that_cannot_be_read_whole_is_not_read_at_all(
    wired: Wired, portone: Provider, reply: Any, code: str
) -> None:
    wired.says = reply
    feed = portone.transactions(NOW, NOW)
    assert (feed.lines, feed.code) == ((), code)


def test_no_secret_and_no_account_number_is_logged_or_answered(
    wired: Wired, portone: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    charge = deposited(wired, portone)
    answers = [portone.inquire(charge), portone.refund(charge, amount=1, key=KEY, reason="r", back_to=ACCOUNT)]
    wired.says = reply_of(400, {"type": f"BAD {ACCOUNT.number}", "message": "portone-secret"})
    answers += [portone.inquire(charge), portone.refund(charge, amount=1, key=KEY, reason="r", back_to=ACCOUNT)]
    told = caplog.text + "".join(answer.code for answer in answers)
    assert not any(secret in told for secret in (ACCOUNT.number, "portone-secret", "whsec"))
