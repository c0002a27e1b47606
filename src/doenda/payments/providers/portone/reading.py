"""PortOne's documents in our words: pure, and deaf to whatever does not have the documented form."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from doenda.payments.providers.contract import Answer, FeedLine, Outcome, PayInto
from doenda.payments.providers.portone.codes import BANK_CODES, CANCELLATIONS, EVENTS, STATUSES
from doenda.payments.providers.portone.wire import code_of

VIRTUAL_ACCOUNT = "PaymentMethodVirtualAccount"


class Unreadable(ValueError):
    """It is not in the documented form; nothing of it is repeated here."""


def payment(document: Mapping[str, Any]) -> Answer:
    """A payment as an answer. Raises Unreadable."""
    try:
        status, amount = code_of(document["status"]), document["amount"]
        outcome = STATUSES.get(status, Outcome.UNKNOWN)
        deposited = (document.get("method") or {}).get("type") == VIRTUAL_ACCOUNT and outcome is Outcome.PAID
        return Answer(
            outcome=outcome,
            code=code_of((document.get("failure") or {}).get("pgCode")) or status or "NO_STATUS",
            ref=_text(document, "id"),
            order_id=_text(document, "id"),
            amount=whole(amount["total"]),
            currency=_text(document, "currency").removeprefix("CURRENCY_"),
            merchant=_text(document, "storeId"),
            given_back=whole(amount.get("cancelled", 0)),
            pay_into=_pay_into(document["method"]) if outcome is Outcome.NEEDS_DEPOSIT else None,
            at=_instant(document["paidAt"]) if deposited and document.get("paidAt") else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unreadable("a payment") from None


def _pay_into(method: Mapping[str, Any]) -> PayInto:
    bank, until = _text(method, "bank"), method.get("expiredAt")
    return PayInto(
        bank=BANK_CODES.get(bank, bank),
        number=_text(method, "accountNumber"),
        holder=str(method.get("remitteeName") or ""),
        until=_instant(until) if until else None,
    )


def cancellable(document: Mapping[str, Any]) -> int:
    """What PortOne can still give back of a payment. Raises Unreadable."""
    try:
        amount = document["amount"]
        asked = sum(whole(one["totalAmount"]) for one in _cancellations(document) if one.get("status") == "REQUESTED")
        return whole(amount["total"]) - whole(amount["cancelled"]) - asked
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unreadable("the sums of a payment") from None


def mark(key: str) -> str:
    """What a cancellation's reason ends with, so that it is found again when its idempotency key is long forgotten."""
    return f"[{hashlib.sha256(key.encode()).hexdigest()[:20]}]"


def earlier(document: Mapping[str, Any], key: str) -> Answer | None:
    """What became of the cancellation that carries this key's mark, if there is one. Raises Unreadable."""
    try:
        ours = [one for one in _cancellations(document) if str(one.get("reason", "")).endswith(mark(key))]
        found = [cancellation(one) for one in ours]
    except (TypeError, AttributeError):
        raise Unreadable("the cancellations of a payment") from None
    order = (Outcome.GIVEN_BACK, Outcome.UNKNOWN, Outcome.REFUSED)
    return min(found, key=lambda one: order.index(one.outcome), default=None)


def _cancellations(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(document.get("cancellations") or [])


def cancellation(document: Mapping[str, Any]) -> Answer:
    """A cancellation as an answer; one that is not readable is UNKNOWN."""
    status = code_of(document.get("status")) if isinstance(document, Mapping) else ""
    return Answer(CANCELLATIONS.get(status, Outcome.UNKNOWN), f"CANCEL_{status or 'UNREADABLE'}")


def event(document: Mapping[str, Any]) -> FeedLine:
    """A line of the event list. Raises Unreadable, also for a type that is not documented: no line may be lost."""
    try:
        return FeedLine(
            line_id=_text(document, "id"),
            order_id=_text(document, "paymentId"),
            ref=_text(document, "paymentId"),
            kind=EVENTS[document["type"]],
            amount=abs(whole(document["eventAmount"])),
            currency=_text(document, "currency").removeprefix("CURRENCY_"),
            at=_instant(document["createdAt"]),
            merchant=str(document.get("storeId") or "")[:80],
        )
    except (KeyError, TypeError, ValueError):
        raise Unreadable("an event") from None


def _instant(text: object) -> datetime:
    instant = datetime.fromisoformat(str(text))
    if instant.tzinfo is None:
        raise ValueError("an instant without its zone")
    return instant


def whole(value: object) -> int:
    """Raises ValueError: 52300.9 is not 52300."""
    if type(value) is not int:
        raise ValueError("not a whole number")
    return value


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{name} is not a text")
    return value[:200]
