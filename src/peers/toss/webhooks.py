"""What Toss reports by itself, unsigned as payment webhooks are, and how reports go wrong."""

from collections.abc import Callable
from typing import Any

from peers.faults import Faults
from peers.http import to_json
from peers.toss import documents
from peers.toss.state import ABORTED, CANCELED, DONE, EXPIRED, PARTIAL_CANCELED, Merchant, Payment
from peers.truth import Hook

FAULTS = ("no_webhook", "duplicate_webhook", "late_webhook", "forged_webhook")
RETRY_MINUTES = (1, 4, 16, 64, 256, 1024, 4096)
TIMEOUT = 10.0
REPORTED = frozenset({DONE, CANCELED, PARTIAL_CANCELED, ABORTED, EXPIRED})
NOT_OURS = "ps_of_somebody_else"


def headers(hook: Hook, now: float) -> dict[str, str]:
    """The headers of one try: the id stays, the time and the count are those of the try; nothing is signed."""
    return {
        "Content-Type": "application/json; charset=utf-8",
        "tosspayments-webhook-transmission-id": hook.ident,
        "tosspayments-webhook-transmission-time": documents.stamp(now),
        "tosspayments-webhook-transmission-retried-count": str(hook.tries),
    }


def reports(
    payment: Payment,
    document: dict[str, Any],
    merchant: Merchant,
    faults: Faults,
    now: float,
    *,
    number: Callable[[], int],
    ident: Callable[[], str],
) -> list[Hook]:
    """The hooks that follow from a payment's new status; none without an address, nor for a billing success."""
    if not merchant.webhook_url or (payment.method == "billing" and payment.status == DONE):
        return []
    if faults.fires(("no_webhook",), payment.method):
        return []
    late = faults.fires(("late_webhook",), payment.method)
    copies = 3 if faults.fires(("duplicate_webhook",), payment.method) else 1
    at = now + (late.hold() if late else 0.0)
    bodies = _bodies(payment, document, now)
    made = []
    for body in bodies:
        name = ident()
        made += [Hook(number(), name, merchant.webhook_url, body, at) for _ in range(copies)]
    if faults.fires(("forged_webhook",), payment.method):
        for body in _lies(payment, document, now):
            made.append(Hook(number(), ident(), merchant.webhook_url, body, at, again=False))
    return made


def _bodies(payment: Payment, document: dict[str, Any], now: float) -> list[str]:
    """Both events are registered, so of a virtual account two arrive."""
    found = []
    if payment.status in REPORTED:
        found.append(_changed(document, now))
    if payment.method == "deposit":
        found.append(_deposit(payment, payment.status, payment.secret, now))
    return found


def _lies(payment: Payment, document: dict[str, Any], now: float) -> list[str]:
    lie = document | {"status": DONE, "totalAmount": payment.amount + 1000, "balanceAmount": payment.amount + 1000}
    found = [_changed(lie, now), _changed(document | {"mId": "somebody-else"}, now)]
    if payment.method == "deposit":
        found.append(_deposit(payment, DONE, NOT_OURS, now))
    return found


def _changed(document: dict[str, Any], now: float) -> str:
    said = {"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": documents.bare_stamp(now), "data": document}
    return to_json(said).decode()


def _deposit(payment: Payment, status: str, secret: str, now: float) -> str:
    said = {
        "createdAt": documents.bare_stamp(now),
        "secret": secret,
        "status": status,
        "transactionKey": payment.last_transaction,
        "orderId": payment.order_id,
    }
    return to_json(said).decode()
