"""The lists by cursor: what was begun, and what moved, in a time."""

from datetime import datetime
from typing import Any

from peers.http import Refused
from peers.portone import documents
from peers.portone.state import State

BY_ITSELF = 90 * 86400.0  # without `from`: the last 90 days
USUAL, MOST = 10, 1000


def payments(state: State, store: str, asked: dict[str, Any], now: float) -> dict[str, Any]:
    """What was begun, by its first attempt. Raises Refused (400)."""
    rows = []
    for number, (key, tries) in enumerate(state.tries.items(), start=1):
        first = next(iter(tries.values()))
        rows.append((number, first.store, first.requested, {"payment": documents.payment(state, state.payments[key])}))
    return _page(rows, store, asked, now)


def events(state: State, store: str, asked: dict[str, Any], now: float) -> dict[str, Any]:
    """What moved. Raises Refused (400)."""
    rows = [(one.n, one.store, one.at, {"paymentEvent": documents.event(state, one)}) for one in state.movements]
    return _page(rows, store, asked, now)


def _page(
    rows: list[tuple[int, str, float, dict[str, Any]]], store: str, asked: dict[str, Any], now: float
) -> dict[str, Any]:
    until = _instant(asked, "until", now)
    since = _instant(asked, "from", until - BY_ITSELF)
    size = asked.get("size", USUAL)
    if type(size) is not int or not 1 <= size <= MOST:
        raise Refused(400, "INVALID_REQUEST", f"size: 1 to {MOST}")
    cursor = str(asked.get("cursor") or "0")
    if not cursor.isascii() or not cursor.isdigit():
        raise Refused(400, "INVALID_REQUEST", "cursor: as it was given")
    found = [
        {**document, "cursor": str(number)}
        for number, whose, at, document in rows
        if whose == store and since <= at <= until and number > int(cursor)
    ]
    return {"items": found[:size]}


def _instant(asked: dict[str, Any], name: str, default: float) -> float:
    if asked.get(name) is None:
        return default
    try:
        return datetime.fromisoformat(str(asked[name])).timestamp()
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", f"{name}: an instant of RFC 3339") from None
