"""What the tests of Stripe share: a scripted line, and Stripe's documents."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from doenda.kernel import net
from doenda.payments.providers.contract import Charge
from doenda.payments.providers.stripe.provider import Stripe

KEY, OLD, NEW = "sk_test_planted", "whsec_old", "whsec_new"
CONFIG: dict[str, Any] = {
    "url": "https://stripe.test",
    "key": KEY,
    "publishable_key": "pk_test_x",
    "account": "acct_doenda",
    "webhook_secrets": [NEW, OLD],
}
CHARGE = Charge("ORDER1", 52_300, "KRW", "card", "요금", "http://house.test/return?s=1", ref="pi_1")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Scripted:
    """Answers in turn what it was given; keeps what was asked."""

    def __init__(self, *replies: net.Reply | Exception) -> None:
        self.replies, self.asked = list(replies), list[net.Request]()

    def __call__(self, request: net.Request) -> net.Reply:
        self.asked.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def form(self, index: int = -1) -> dict[str, str]:
        return dict(parse_qsl(self.asked[index].content.decode()))


def said(document: object, status: int = 200) -> net.Reply:
    return net.Reply(status, {}, json.dumps(document).encode())


def error(status: int, **more: object) -> net.Reply:
    return said({"error": {"type": "invalid_request_error", "message": "no", **more}}, status)


def intent(status: str = "succeeded", **more: Any) -> dict[str, object]:
    return {
        "object": "payment_intent",
        "id": "pi_1",
        "status": status,
        "amount": 52_300,
        "amount_received": 52_300 if status == "succeeded" else 0,
        "currency": "krw",
        "livemode": False,
        "client_secret": "pi_1_secret_x",
        "metadata": {"order_id": "ORDER1", "merchant": "acct_doenda"},
        "latest_charge": {"object": "charge", "captured": status == "succeeded", "paid": True, "amount_refunded": 0},
        **more,
    }


def stripe(**more: object) -> Stripe:
    return Stripe(CONFIG | more)
