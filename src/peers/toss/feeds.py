"""The lists: what moved, by its time, and what is paid out, by its day."""

from datetime import date, timedelta
from typing import Any

from peers.http import Refused, Request
from peers.toss import documents
from peers.toss.state import Movement, State

FEE_BASIS_POINTS = 275  # a fake's fee, its value added tax within
PAID_OUT_AFTER = timedelta(days=2)
USUAL, MOST = 100, 5000


def transactions(state: State, merchant: str, request: Request) -> list[dict[str, Any]]:
    """From `startDate` to `endDate`, both inside, after the transaction `startingAfter`. Raises Refused (400)."""
    since, until = _instant(request, "startDate"), _instant(request, "endDate")
    limit = request.number("limit", USUAL, most=10_000)
    if limit < 1:
        raise Refused(400, "INVALID_REQUEST", "limit")
    found = [one for one in state.movements if one.merchant == merchant and since <= one.at < until + 1]
    after = request.query.get("startingAfter", "")
    if after:
        place = next((at for at, one in enumerate(found) if one.transaction == after), None)
        if place is None:
            raise Refused(400, "INVALID_REQUEST", "startingAfter")
        found = found[place + 1 :]
    return [documents.transaction(one) for one in found[: min(limit, MOST)]]


def settlements(state: State, merchant: str, request: Request) -> list[dict[str, Any]]:
    """From day to day, both inside, by `dateType`, a `page` (from 1) of `size`. Raises Refused (400)."""
    since, until = _day(request, "startDate"), _day(request, "endDate")
    kind = request.query.get("dateType", "soldDate")
    page, size = request.number("page", 1, most=10**6), request.number("size", USUAL, most=10_000)
    if kind not in ("soldDate", "paidOutDate") or page < 1 or not 1 <= size <= MOST:
        raise Refused(400, "INVALID_REQUEST", "dateType, page, size")
    lines = [_settled(one) for one in state.movements if one.merchant == merchant]
    found = [line for line in lines if since <= date.fromisoformat(line[kind]) <= until]
    return found[(page - 1) * size : page * size]


def _settled(one: Movement) -> dict[str, Any]:
    sold = date.fromisoformat(documents.day(one.at))
    fee = round(one.amount * FEE_BASIS_POINTS / 10_000)
    signed = fee if one.kind == "capture" else -fee
    return documents.settlement(one, sold.isoformat(), (sold + PAID_OUT_AFTER).isoformat(), signed)


def _instant(request: Request, name: str) -> float:
    try:
        return documents.instant(request.query.get(name, ""))
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", f"{name}: an instant of ISO 8601") from None


def _day(request: Request, name: str) -> date:
    try:
        return date.fromisoformat(request.query.get(name, ""))
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", f"{name}: yyyy-MM-dd") from None
