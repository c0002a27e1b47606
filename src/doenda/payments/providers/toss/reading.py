"""Toss's documents in our words: Payment objects, addresses that a payer came back with, doorbells."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from doenda.payments.providers.contract import Answer, Outcome, PayInto, Returned, Ring
from doenda.payments.providers.toss.codes import SAYS, STATUSES, bank_here
from doenda.payments.providers.toss.wire import readable

KST = timezone(timedelta(hours=9))
_BACK = frozenset({Outcome.GIVEN_BACK, Outcome.PAID})
_NOT_BACK = frozenset({"PENDING", "FAILED"})
_BROKEN = (KeyError, TypeError, AttributeError, ValueError)


def payment(said: Any) -> Answer:
    """A Payment object; UNKNOWN if it is not one. `amount` is None unless it is a whole number."""
    try:
        status = str(said["status"])
        amount, left = said["totalAmount"], said.get("balanceAmount")
        account = said.get("virtualAccount") or None
        outcome, approved = STATUSES.get(status, Outcome.UNKNOWN), bool(said.get("approvedAt"))
        if outcome is Outcome.NEEDS_DEPOSIT and account and account.get("expired") is True:
            outcome = Outcome.UNDONE if approved else Outcome.EXPIRED  # its deadline passes without a word
        not_yet = account is not None and account.get("refundStatus") in _NOT_BACK and outcome in _BACK
        if not_yet:
            outcome = Outcome.PAID  # cancelled, but the payer's account has not been given it
        whole = type(amount) is int and type(left) is int and not not_yet
        address = str((said.get("checkout") or {}).get("url") or "")
        return Answer(
            outcome=outcome,
            code=readable((said.get("failure") or {}).get("code"), readable(status, "STATUS")),
            ref=str(said["paymentKey"])[:200],
            redirect_url=address if urlsplit(address).scheme in ("http", "https") else "",
            order_id=str(said["orderId"])[:64],
            amount=amount if type(amount) is int else None,
            currency=str(said["currency"])[:3],
            merchant=str(said["mId"])[:64],
            given_back=amount - left if whole and approved and left < amount else 0,
            pay_into=_pay_into(account) if account else None,
            secret=str(said.get("secret") or "")[:50],
            at=instant(str(said["approvedAt"])) if account and approved else None,
        )
    except _BROKEN:
        return Answer(Outcome.UNKNOWN, "NOT_READABLE")


def _pay_into(account: Mapping[str, Any]) -> PayInto:
    due = account.get("dueDate")
    return PayInto(
        bank=bank_here(str(account["bankCode"]))[:8],
        number=str(account["accountNumber"])[:20],
        holder=str(account.get("customerName") or "")[:100],
        until=instant(str(due)) if due else None,
    )


def returned(query: Mapping[str, str]) -> Returned:
    """What the payer brought back: `paymentKey, orderId, amount`, or `code, message` and mostly `orderId`."""
    code = query.get("code", "")
    return Returned(
        order_id=query.get("orderId", "")[:64],
        ref=query.get("paymentKey", "")[:200],
        amount=query.get("amount", "")[:20],
        failed=readable(code, "FAILED") if code else "",
        cancelled=code == "PAY_PROCESS_CANCELED",
    )


def ring(headers: Mapping[str, str], body: bytes, merchant: str) -> Ring:
    """A doorbell: unsigned, so at best a reason to ask.

    A deposit's brings a `secret` that is to be compared, whatever status it claims; without one it is forged. One for
    another shop, and events that are not about a payment, ring for no order.
    """
    named = {name.lower(): value for name, value in headers.items()}
    transmission = named.get("tosspayments-webhook-transmission-id", "")[:80]
    transmission = transmission or f"body-{hashlib.sha256(body).hexdigest()[:40]}"
    try:
        said = json.loads(body)
        if "eventType" not in said:
            secret = said["secret"]
            genuine = None if isinstance(secret, str) and secret else False
            order = str(said["orderId"])[:64]
            return Ring(transmission, order, genuine, str(secret)[:64] if genuine is None else "", _claim(said))
        data = said["data"]
        if said["eventType"] not in ("PAYMENT_STATUS_CHANGED", "CANCEL_STATUS_CHANGED"):
            return Ring(transmission, "", genuine=None)
        order = str(data["orderId"])[:64]
        if data.get("mId", merchant) != merchant:
            return Ring(transmission, "", genuine=None)  # refused, Toss would bring it again for days
        # Its `secret` is not compared: of a card it comes to be after what we kept, and it may be left out anyway.
        return Ring(transmission, order, None, "", _claim(data))
    except (*_BROKEN, RecursionError):
        return Ring(transmission, "", genuine=False)


def _claim(said: Mapping[str, Any]) -> Outcome | None:
    return SAYS.get(str(said.get("status")))


def instant(said: str) -> datetime:
    """An instant of Toss's: Korean time where it names no zone. Raises ValueError."""
    read = datetime.fromisoformat(said)
    return read if read.tzinfo else read.replace(tzinfo=KST)


def local(at: datetime) -> str:
    """An instant as Toss takes it: Korean time, whole seconds, no zone."""
    return at.astimezone(KST).replace(tzinfo=None).isoformat(timespec="seconds")
