"""Stripe's webhooks: the `Stripe-Signature` header, and which order an event is about."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

TOLERANCE = timedelta(minutes=5)


def signed(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: datetime) -> bool:
    """Does `t=…,v1=…` carry, for one of our live secrets, the HMAC-SHA256 of `{t}.{raw body}`, stamped within 5 min?"""
    said = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")[:2000]
    pairs = [part.strip().partition("=") for part in said.split(",")]
    stamp = next((value for name, _, value in pairs if name == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        return False
    brought = [value.encode() for name, _, value in pairs if name == "v1"]
    payload = f"{stamp}.".encode() + body
    wanted = [hmac.new(one.encode(), payload, hashlib.sha256).hexdigest().encode() for one in secrets]
    return any(hmac.compare_digest(a, b) for a in brought for b in wanted)


def event(body: bytes) -> tuple[str, str, Mapping[str, Any]]:
    """(event id, type, object), each empty where the body has none. Never raises."""
    try:
        said = json.loads(body)
        ident, kind, about = str(said.get("id") or ""), str(said.get("type") or ""), said["data"]["object"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", "", {}
    return ident[:80], kind, about if isinstance(about, dict) else {}
