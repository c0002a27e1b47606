"""Toss's own lists, for reconciliation: what moved, and what it paid out. A page that cannot be read is none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from doenda.payments.providers.contract import Feed, FeedLine, Settlement
from doenda.payments.providers.toss.codes import MOVED
from doenda.payments.providers.toss.reading import KST, instant, local
from doenda.payments.providers.toss.wire import Said, Wire

SECONDS = 20.0


def transactions(wire: Wire, since: datetime, until: datetime, cursor: str, size: int) -> Feed:
    """GET /v1/transactions; the cursor is the last transaction's key."""
    asked = {"startDate": local(since), "endDate": local(until), "limit": str(size)}
    if cursor:
        asked["startingAfter"] = cursor
    said = wire.call("GET", f"/v1/transactions?{urlencode(asked)}", timeout=SECONDS)
    try:
        rows = _rows(said)
        lines = [_line(row) for row in rows if str(row["status"]) in MOVED]
        return Feed(lines, cursor=str(rows[-1]["transactionKey"]) if len(rows) == size else "")
    except _Unread as no:
        return Feed((), code=str(no))
    except (KeyError, TypeError, ValueError):
        return Feed((), code="NOT_READABLE")


def settlements(wire: Wire, since: datetime, until: datetime, cursor: str, size: int) -> Feed:
    """GET /v1/settlements by the day of the payout; the cursor is a page number. What went back is negative."""
    page = int(cursor) if cursor.isascii() and cursor.isdigit() else 1
    days = {"startDate": str(since.astimezone(KST).date()), "endDate": str(until.astimezone(KST).date())}
    asked = days | {"dateType": "paidOutDate", "page": str(page), "size": str(size)}
    said = wire.call("GET", f"/v1/settlements?{urlencode(asked)}", timeout=SECONDS)
    try:
        rows = _rows(said)
        return Feed([_paid_out(row) for row in rows], cursor=str(page + 1) if len(rows) == size else "")
    except _Unread as no:
        return Feed((), code=str(no))
    except (KeyError, TypeError, ValueError):
        return Feed((), code="NOT_READABLE")


class _Unread(Exception):
    """No list came; its text is the code."""


def _rows(said: Said) -> list[Mapping[str, Any]]:
    if said.code:
        raise _Unread(said.code)
    if not isinstance(said.document, list):
        raise _Unread("NOT_READABLE")
    return said.document


def _line(row: Mapping[str, Any]) -> FeedLine:
    return FeedLine(
        line_id=str(row["transactionKey"])[:64],
        order_id=str(row["orderId"])[:64],
        ref=str(row["paymentKey"])[:200],
        kind=MOVED[str(row["status"])],
        amount=abs(_whole(row["amount"])),
        currency=str(row["currency"])[:3],
        at=instant(str(row["transactionAt"])),
        merchant=str(row.get("mId") or "")[:80],
    )


def _paid_out(row: Mapping[str, Any]) -> Settlement:
    return Settlement(
        line_id=str(row["transactionKey"])[:64],
        ref=str(row["paymentKey"])[:200],
        amount=_whole(row["amount"]),
        fee=_whole(row["fee"]),
        currency=str(row["currency"])[:3],
        paid_out_on=str(row["paidOutDate"])[:10],
        paid_out=None if row.get("payOutAmount") is None else _whole(row["payOutAmount"]),
    )


def _whole(said: object) -> int:
    """Raises ValueError: an amount that is no whole number is not booked as one."""
    if type(said) is not int:
        raise ValueError("not a whole number")
    return said
