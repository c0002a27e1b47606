"""What the counter took and gave back, receipt by receipt, as a provider's feed for reconciliation."""

from datetime import datetime

from doenda.kernel.ids import outside
from doenda.payments.counter.models import Receipt
from doenda.payments.counter.receipts import number_of
from doenda.payments.providers.contract import Feed, FeedLine

PAGE = 500


def page(since: datetime, until: datetime, cursor: str) -> Feed:
    """Movements from `since` up to `until`, oldest first; a voided receipt is two. `cursor`: how many were read."""
    rows = Receipt.objects.select_related("store").order_by("pk")
    lines = [
        _line(row, "given_back" if row.kind == "given_back" else "paid")
        for row in rows.filter(created_at__gte=since, created_at__lt=until)
    ]
    lines += [_line(row, "void") for row in rows.filter(voided_at__gte=since, voided_at__lt=until)]
    lines.sort(key=lambda line: (line.at, line.line_id))
    start = int(cursor) if cursor.isdigit() else 0
    more = str(start + PAGE) if len(lines) > start + PAGE else ""
    return Feed(lines[start : start + PAGE], cursor=more)


def _line(row: Receipt, kind: str) -> FeedLine:
    number = number_of(row)
    at = row.voided_at if kind == "void" and row.voided_at else row.created_at
    return FeedLine(
        f"{number}/void" if kind == "void" else number,
        outside(row.attempt_id),
        number,
        "paid" if kind == "paid" else "given_back",
        row.amount,
        row.currency,
        at,
    )
