"""What PortOne reports by itself, how it signs (Standard Webhooks), and how reports go wrong."""

import base64
import hashlib
import hmac
from collections.abc import Callable

from peers.faults import Faults
from peers.http import to_json
from peers.portone.state import Merchant, Payment, Report, listed
from peers.truth import Hook, iso

FAULTS = ("no_webhook", "duplicate_webhook", "late_webhook", "forged_webhook")
RETRY_MINUTES = (1, 4, 16, 64, 256)  # after the first at once; documented with jitter, which a fake has not
TIMEOUT = 30.0
NOT_OURS = "whsec_" + base64.b64encode(b"the secret of somebody else").decode()


def key_of(secret: str) -> bytes:
    """The key behind `whsec_` and base64. Raises ValueError."""
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def signature(secret: str, ident: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{raw body}`."""
    digest = hmac.new(key_of(secret), f"{ident}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(hook: Hook, now: float) -> dict[str, str]:
    """The headers of one try: the id stays, the time is that of the try; signed with every secret that is alive."""
    timestamp = str(int(now))
    signed = (signature(one, hook.ident, timestamp, hook.body.encode()) for one in listed(hook.secret))
    return {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": hook.ident,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signed),
    }


def reports(
    payment: Payment,
    kind: str,
    merchant: Merchant,
    faults: Faults,
    now: float,
    *,
    cancellation: str = "",
    number: Callable[[], int],
    ident: Callable[[], str],
) -> list[object]:
    """The hooks that follow from a payment's new status, and the record of what was sent; none without an address."""
    if not merchant.webhook_url or faults.fires(("no_webhook",), payment.method):
        return []
    late = faults.fires(("late_webhook",), payment.method)
    copies = 3 if faults.fires(("duplicate_webhook",), payment.method) else 1
    at = now + (late.hold() if late else 0.0)
    name, secret, url = ident(), merchant.webhook_secrets, merchant.webhook_url
    body = _body(payment, payment.store, kind, cancellation, now)
    made: list[object] = [Hook(number(), name, url, body, at, secret) for _ in range(copies)]
    if faults.fires(("forged_webhook",), payment.method):
        lie = _body(payment, payment.store, "Paid", "", now)
        made.append(Hook(number(), ident(), url, lie, at, NOT_OURS, again=False))
        other = _body(payment, "store-of-somebody-else", "Paid", "", now)
        made.append(Hook(number(), ident(), url, other, at, secret, again=False))
    return [*made, Report(name, payment.store, payment.payment_id, kind, url, body)]


def _body(payment: Payment, store: str, kind: str, cancellation: str, now: float) -> str:
    data = {"storeId": store, "paymentId": payment.payment_id, "transactionId": payment.tx_id}
    if cancellation:
        data["cancellationId"] = cancellation
    return to_json({"type": f"Transaction.{kind}", "timestamp": iso(now), "data": data}).decode()
