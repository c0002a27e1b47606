"""The bank's own list of what moved, for reconciliation. One line that cannot be read fails the page: none is lost."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from doenda.payments.providers.contract import FeedLine

KINDS = {"capture": "paid", "cancel": "given_back"}


class Unreadable(ValueError):
    """It is not in the documented form; nothing of it is repeated here."""


def read(said: object, after: int) -> tuple[list[FeedLine], int]:
    """The lines of a page, and the number of its last. Raises Unreadable, also for a page that leads nowhere."""
    if not isinstance(said, list):
        raise Unreadable("a list")
    try:
        numbers = [_whole(row["n"]) for row in said]
        lines = [_line(row) for row in said]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unreadable("a line") from None
    if any(late <= early for early, late in zip([after, *numbers], numbers, strict=False)):
        raise Unreadable("the order of the lines")
    return lines, numbers[-1] if numbers else after


def _line(row: Mapping[str, Any]) -> FeedLine:
    at, amount = datetime.fromisoformat(str(row["at"])), _whole(row["amount"])
    if at.tzinfo is None or amount <= 0:
        raise ValueError("an instant without its zone, or no amount")
    return FeedLine(
        line_id=str(row["n"]),
        order_id=str(row["order_id"])[:64],
        ref=str(row["payment_key"])[:200],
        kind=KINDS[row["kind"]],
        amount=amount,
        currency=str(row["currency"])[:3],
        at=at,
        merchant=str(row["merchant"])[:80],
    )


def _whole(said: object) -> int:
    if type(said) is not int:
        raise ValueError("not a whole number")
    return said
