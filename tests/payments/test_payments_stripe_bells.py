"""Stripe's webhooks, and its list of what moved."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.payments.payments_stripe import NEW, NOW, OLD, Scripted, intent, said, stripe

from doenda.kernel import net
from doenda.payments.providers.contract import FeedLine, Outcome

# doorbells


def event(kind: str = "payment_intent.succeeded", **more: Any) -> bytes:
    return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": intent(**more)}}).encode()


def header(body: bytes, secret: str = NEW, at: datetime = NOW, scheme: str = "v1") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={stamp},{scheme}={digest}"}


def test_a_webhook_rings_for_the_order_in_its_metadata() -> None:
    body = event()
    rung = stripe().ring(header(body), body, NOW)
    assert (rung.transmission, rung.order_id, rung.genuine, rung.says) == ("evt_1", "ORDER1", True, Outcome.PAID)


@pytest.mark.parametrize("name", ["stripe-signature", "STRIPE-SIGNATURE", "Stripe-Signature"])
def test_header_names_are_read_in_any_case(name: str) -> None:
    body = event()
    assert stripe().ring({name: header(body)["Stripe-Signature"]}, body, NOW).genuine is True


def test_both_live_secrets_verify_while_one_is_being_replaced() -> None:
    body = event()
    assert stripe().ring(header(body, OLD), body, NOW).genuine is True
    both = header(body, "whsec_gone")["Stripe-Signature"] + "," + header(body, NEW)["Stripe-Signature"].split(",")[1]
    assert stripe().ring({"Stripe-Signature": both}, body, NOW).genuine is True


@pytest.mark.parametrize(
    "headers",
    [
        lambda body: {},
        lambda body: {"Stripe-Signature": ""},
        lambda body: header(body, "whsec_other"),
        lambda body: header(body + b" "),
        lambda body: header(body, scheme="v0"),
        lambda body: header(body, at=NOW - timedelta(minutes=6)),
        lambda body: header(body, at=NOW + timedelta(minutes=6)),
        lambda body: {"Stripe-Signature": "t=,v1="},
        lambda body: {"Stripe-Signature": "t=" + "9" * 400 + ",v1=00"},
        lambda body: {"Stripe-Signature": f"t={int(NOW.timestamp())},v1=é"},
    ],
)
def test_an_unsigned_wrong_or_old_signature_is_forged(headers: Callable[[bytes], dict[str, str]]) -> None:
    body = event()
    assert stripe().ring(headers(body), body, NOW).genuine is False


def test_without_a_secret_nothing_is_genuine() -> None:
    """Peers let a webhook through where no secret is set."""
    body = event()
    assert stripe(webhook_secrets=[]).ring(header(body, ""), body, NOW).genuine is False


def test_an_event_of_another_merchant_or_of_a_rehearsal_asks_about_nobody() -> None:
    for body in (
        event(livemode=True),
        event(metadata={"order_id": "ORDER1", "merchant": "acct_x"}),
        event(metadata={}),
    ):
        rung = stripe().ring(header(body), body, NOW)
        assert (rung.genuine, rung.order_id) == (True, "")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"data": 1}', b'{"id": null, "data": {"object": []}}', b"\xff" * 9]
)
def test_any_body_is_read_without_a_fault(body: bytes) -> None:
    rung = stripe().ring(header(body), body, NOW)
    assert (rung.genuine, rung.order_id) == (True, "")
    assert rung.transmission


# the list of what moved


def moved(ident: str, kind: str, amount: int, source: object, at: datetime = NOW) -> dict[str, object]:
    stamp = int(at.timestamp())
    return {"id": ident, "type": kind, "amount": amount, "currency": "krw", "created": stamp, "source": source}


def feed(*rows: dict[str, object], more: bool = False, **config: object) -> tuple[Any, Scripted]:
    line = Scripted(said({"object": "list", "data": list(rows), "has_more": more}))
    with net.using(line):
        return stripe(**config).transactions(NOW - timedelta(days=1), NOW + timedelta(days=1)), line


def test_the_list_of_what_moved_names_orders_in_the_customers_currency() -> None:
    charge = {"payment_intent": "pi_1", "amount": 999, "currency": "usd", "metadata": {"order_id": "ORDER1"}}
    back = charge | {"amount": 99}
    said_, line = feed(
        moved("txn_3", "payout", -9, "po_1"),
        moved("txn_2", "refund", -130_000, back),
        moved("txn_1", "charge", 1_300_000, charge),
    )
    assert said_.lines == [
        FeedLine("txn_2", "ORDER1", "pi_1", "given_back", 99, "USD", NOW),
        FeedLine("txn_1", "ORDER1", "pi_1", "paid", 999, "USD", NOW),
    ]
    assert said_.cursor == ""
    assert "created%5Bgte%5D" in line.asked[0].url


def test_the_list_is_read_page_by_page_until_it_is_too_old() -> None:
    said_, line = feed(moved("txn_9", "charge", 1, None), more=True, plain=True)
    assert said_.cursor == "txn_9"
    assert "created" not in line.asked[0].url
    old = moved("txn_8", "charge", 1, None, at=NOW - timedelta(days=3))
    said_, _ = feed(old, more=True, plain=True)
    assert (said_.cursor, said_.lines) == ("", [])


def test_a_list_that_cannot_be_read_says_so() -> None:
    assert feed({"type": "charge"})[0].code == "NOT_READABLE"
    with net.using(Scripted(net.NoAnswer("x"))):
        assert stripe().transactions(NOW, NOW).code == "NO_ANSWER"
