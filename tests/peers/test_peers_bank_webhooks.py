"""The bank's webhooks: signature, retries and the faults they suffer from."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Direct, Wire, cancel, confirm, faults, opened, receiving

from peers.bank import Bank
from peers.outgoing import Delivery
from peers.run import serving

HOOK = {"webhook_url": "http://127.0.0.1:9/hook"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Direct:
    bank = Direct(Bank(clock=clock))
    bank("PUT", "/_control/merchant", HOOK)
    return bank


def signed(headers: Any, body: bytes, secret: bytes = b"sandbox-webhook-secret") -> bool:
    """Written from the contract, not from the bank's code."""
    lower = {name.lower(): value for name, value in headers.items()}
    said = f"{lower['sandbox-transmission-id']}.{lower['sandbox-timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()
    return bool(lower["sandbox-signature"] == f"v1,{digest}")


def statuses(deliveries: list[Delivery]) -> list[str]:
    return [json.loads(one.body)["data"]["status"] for one in deliveries]


def test_a_webhook_says_what_changed_and_is_signed(call: Direct, clock: Clock) -> None:
    payment = opened(call)
    assert call.peer.tick() == [], "an approval alone is not reported"
    confirm(call, payment)
    (delivery,) = call.peer.tick()
    assert delivery.url == HOOK["webhook_url"]
    assert delivery.headers["Sandbox-Timestamp"] == str(int(clock()))
    assert signed(delivery.headers, delivery.body)
    document = json.loads(delivery.body)
    assert document["event_type"] == "PAYMENT_STATUS_CHANGED"
    assert document["data"] == {
        "payment_key": payment["payment_key"],
        "order_id": "order-0001",
        "merchant": "doenda",
        "status": "DONE",
        "amount": 52_300,
        "currency": "KRW",
    }
    assert call.peer.tick() == [], "a try under way is not given twice"
    call.peer.sent(delivery, 204)
    assert call.peer.due() == clock() + 600, "only the payment's old timer is left"


def test_a_webhook_is_tried_again_after_1_4_16_and_64_seconds_and_then_given_up(call: Direct, clock: Clock) -> None:
    confirm(call, opened(call))
    names = set()
    for wait in (1, 4, 16, 64):
        (delivery,) = call.peer.tick()
        names.add(delivery.headers["Sandbox-Transmission-Id"])
        assert signed(delivery.headers, delivery.body)
        call.peer.sent(delivery, 500 if wait == 4 else None)
        clock.advance(wait - 0.01)
        assert call.peer.tick() == []
        clock.advance(0.01)
    (last,) = call.peer.tick()
    call.peer.sent(last, None)
    clock.advance(10_000)
    assert call.peer.tick() == []
    assert len(names) == 1


def test_every_end_of_a_payment_is_reported(call: Direct, clock: Clock) -> None:
    confirm(call, opened(call, 1))
    cancel(call, opened(call, 1, approve=False), amount=5)
    cancel(call, opened(call, 2))
    call("POST", f"/pay/{opened(call, 3)['payment_key']}", b"decision=cancel")
    opened(call, 4)
    clock.advance(600)
    assert statuses(call.peer.tick()) == ["DONE", "PARTIAL_CANCELED", "ABORTED", "ABORTED", "EXPIRED"]


def test_no_webhook_sends_none(call: Direct) -> None:
    faults(call, all={"fault": "no_webhook"})
    confirm(call, opened(call))
    assert call.peer.tick() == []


def test_duplicate_webhook_sends_three_of_one_name(call: Direct) -> None:
    faults(call, card={"fault": "duplicate_webhook"})
    confirm(call, opened(call))
    deliveries = call.peer.tick()
    assert len(deliveries) == 3
    assert len({one.headers["Sandbox-Transmission-Id"] for one in deliveries}) == 1


def test_late_webhook_comes_later(call: Direct, clock: Clock) -> None:
    faults(call, card={"fault": "late_webhook", "seconds": 45})
    confirm(call, opened(call))
    clock.advance(44.9)
    assert call.peer.tick() == []
    clock.advance(0.1)
    assert statuses(call.peer.tick()) == ["DONE"]


def test_forged_webhook_adds_a_wrong_signature_and_a_wrong_amount(call: Direct, clock: Clock) -> None:
    faults(call, card={"fault": "forged_webhook"})
    confirm(call, opened(call))
    deliveries = call.peer.tick()
    seen = {(signed(one.headers, one.body), json.loads(one.body)["data"]["amount"]) for one in deliveries}
    assert seen == {(True, 52_300), (False, 52_300), (True, 53_300)}
    for one in deliveries:
        call.peer.sent(one, 400)
    clock.advance(1)
    assert len(call.peer.tick()) == 1, "only the real one is tried again"


def test_a_webhook_arrives_over_http_and_again_when_it_was_refused() -> None:
    with receiving() as (receiver, url), serving(Bank()) as server, Wire(server.port) as call:
        receiver.status = 503
        call("PUT", "/_control/merchant", {"webhook_url": url})
        confirm(call, opened(call))
        receiver.wait(1)
        receiver.status = 200
        first, second = receiver.wait(2)
        assert first.body == second.body
        assert signed(first.headers, first.body)
        assert signed(second.headers, second.body)
        assert first.header("sandbox-transmission-id") == second.header("sandbox-transmission-id")
        assert float(second.header("sandbox-timestamp")) > float(first.header("sandbox-timestamp"))


def test_a_webhook_address_that_is_none_is_refused(call: Direct) -> None:
    assert call("PUT", "/_control/merchant", {"webhook_url": "ftp://x"}).status == 400
    assert call("PUT", "/_control/merchant", {"webhook_url": ""}).status == 200
    confirm(call, opened(call))
    assert call.peer.tick() == []


def test_an_unreachable_receiver_delays_nobody() -> None:
    with serving(Bank()) as server, Wire(server.port) as call:
        call("PUT", "/_control/merchant", HOOK)
        assert confirm(call, opened(call)).status == 200
        assert call("GET", "/_control/health").json() == {"ok": True}
