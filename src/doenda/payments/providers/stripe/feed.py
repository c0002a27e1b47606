"""Stripe's balance transactions as movements: for reconciliation, in the customers' amounts and currencies."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from doenda.payments.providers.contract import Feed, FeedLine
from doenda.payments.providers.stripe.codes import MOVES
from doenda.payments.providers.stripe.wire import ours


def rows_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The rows of one of Stripe's lists."""
    data = document.get("data")
    return [row for row in data if isinstance(row, dict)] if isinstance(data, list) else []


def read(document: Mapping[str, Any], since: datetime, until: datetime) -> Feed:
    """A page, newest first. One line that cannot be read fails the page: none may be lost."""
    rows = rows_of(document)
    try:
        lines = [line for line in map(_line, rows) if line is not None]
        more = document.get("has_more") is True and bool(rows)
        before = bool(rows) and _at(rows[-1]) < since  # the rest is older still
        last = str(rows[-1]["id"]) if more and not before else ""
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return Feed((), code="NOT_READABLE")
    return Feed([line for line in lines if since <= line.at < until], cursor=last)


def _line(row: Mapping[str, Any]) -> FeedLine | None:
    if row.get("type") not in MOVES:
        return None
    source = row["source"] if isinstance(row.get("source"), dict) else {}
    amount, currency = source.get("amount_captured") or source.get("amount"), source.get("currency")
    if type(amount) is not int:  # no source to read: the line as it moved the balance
        amount, currency = row["amount"], row["currency"]
    currency = str(currency).upper()
    kind = "paid" if int(row["amount"]) >= 0 else "given_back"
    order_id = str((source.get("metadata") or {}).get("order_id") or "")
    ref = str(source.get("payment_intent") or "")
    return FeedLine(str(row["id"]), order_id, ref, kind, abs(ours(amount, currency) or 0), currency, _at(row))


def _at(row: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(row["created"]), UTC)
