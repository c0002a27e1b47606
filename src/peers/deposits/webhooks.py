"""What the deposit bank reports by itself: only that something has arrived at a number; and how reports go wrong."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable

from peers.deposits.state import Entry, Merchant
from peers.faults import Faults
from peers.http import to_json
from peers.truth import Hook, iso

FAULTS = ("no_webhook", "duplicate_webhook", "late_webhook", "forged_webhook")


def signature(secret: str, ident: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, as Standard Webhooks do it."""
    digest = hmac.new(secret.encode(), f"{ident}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def headers(hook: Hook, now: float) -> dict[str, str]:
    """The headers of one try: the id stays, the time is that of the try; one signature for each live secret."""
    timestamp, body = str(int(now)), hook.body.encode()
    signed = " ".join(signature(secret, hook.ident, timestamp, body) for secret in json.loads(hook.secret))
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Deposit-Transmission-Id": hook.ident,
        "Deposit-Timestamp": timestamp,
        "Deposit-Signature": signed,
    }


def reports(
    entry: Entry,
    merchant: Merchant,
    faults: Faults,
    now: float,
    *,
    number: Callable[[], int],
    ident: Callable[[], str],
) -> list[Hook]:
    """The hooks that follow from a movement; none without an address."""
    if not merchant.webhook_url or faults.fires(("no_webhook",)):
        return []
    late = faults.fires(("late_webhook",))
    copies = 3 if faults.fires(("duplicate_webhook",)) else 1
    at = now + (late.hold() if late else 0.0)
    secrets = json.dumps(merchant.secrets)
    data = {"bank": entry.bank, "number": entry.number}
    body = to_json({"event_type": "NUMBER_MOVED", "created_at": iso(now), "data": data}).decode()
    name = ident()
    hooks = [Hook(number(), name, merchant.webhook_url, body, at, secrets) for _ in range(copies)]
    if faults.fires(("forged_webhook",)):
        wrong = json.dumps([f"not {secret}" for secret in merchant.secrets])
        hooks.append(Hook(number(), ident(), merchant.webhook_url, body, at, wrong, again=False))
    return hooks
