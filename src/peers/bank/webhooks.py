"""What the bank reports by itself, how it signs, and how reports go wrong."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from peers.bank.state import Merchant, Payment
from peers.faults import Faults
from peers.http import to_json
from peers.truth import Hook, iso

FAULTS = ("no_webhook", "duplicate_webhook", "late_webhook", "forged_webhook")


def signature(secret: str, ident: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, as Standard Webhooks do it."""
    digest = hmac.new(secret.encode(), f"{ident}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(hook: Hook, now: float) -> dict[str, str]:
    """The headers of one try: the id stays, the time is that of the try."""
    timestamp = str(int(now))
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Sandbox-Transmission-Id": hook.ident,
        "Sandbox-Timestamp": timestamp,
        "Sandbox-Signature": signature(hook.secret, hook.ident, timestamp, hook.body.encode()),
    }


def reports(
    payment: Payment,
    merchant: Merchant,
    faults: Faults,
    now: float,
    *,
    number: Callable[[], int],
    ident: Callable[[], str],
) -> list[Hook]:
    """The hooks that follow from a payment's new status; none without an address."""
    if not merchant.webhook_url or faults.fires(("no_webhook",), payment.method):
        return []
    late = faults.fires(("late_webhook",), payment.method)
    copies = 3 if faults.fires(("duplicate_webhook",), payment.method) else 1
    at = now + (late.hold() if late else 0.0)

    def hook(name: str, amount: int, secret: str, again: bool) -> Hook:
        return Hook(number(), name, merchant.webhook_url, _body(payment, amount, now), at, secret, again=again)

    name = ident()
    hooks = [hook(name, payment.amount, merchant.secret, True) for _ in range(copies)]
    if faults.fires(("forged_webhook",), payment.method):
        hooks.append(hook(ident(), payment.amount, f"not {merchant.secret}", False))
        hooks.append(hook(ident(), payment.amount + 1000, merchant.secret, False))
    return hooks


def _body(payment: Payment, amount: int, now: float) -> str:
    data: dict[str, Any] = {
        "payment_key": payment.payment_key,
        "order_id": payment.order_id,
        "merchant": payment.merchant,
        "status": payment.status,
        "amount": amount,
        "currency": payment.currency,
    }
    return to_json({"event_type": "PAYMENT_STATUS_CHANGED", "created_at": iso(now), "data": data}).decode()
