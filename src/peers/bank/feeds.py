"""The bank's list of what moved: a page at a time, in the order in which it was listed."""

from datetime import datetime
from typing import Any

from peers.bank.state import State
from peers.http import Refused, Request


def transactions(state: State, merchant: str, request: Request) -> list[dict[str, Any]]:
    """At most `limit` after number `after`, from `since` up to `until` by their time where these are given.

    Raises Refused (400).
    """
    after, limit = request.number("after", 0, most=10**15), request.number("limit", 100, most=10_000)
    since, until = _instant(request, "since", float("-inf")), _instant(request, "until", float("inf"))
    found: list[dict[str, Any]] = []
    for one in state.transactions[after:]:
        if len(found) == limit:
            break
        if one.merchant == merchant and since <= one.at < until:
            currency = state.payments[one.payment_key].currency if one.payment_key in state.payments else "KRW"
            found.append(one.public() | {"currency": currency})
    return found


def _instant(request: Request, name: str, default: float) -> float:
    said = request.query.get(name)
    if said is None:
        return default
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refused(400, "INVALID_REQUEST", f"{name}: an instant of ISO 8601 with its offset")
    return at.timestamp()
