"""The feed back to the carrier's own books: postings as JSON lines, until they are acknowledged.

A posting that was exported and not acknowledged is exported again: the receiver drops what it has by `id`. Probes'
money is not the carrier's and stays out.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from doenda.billing.books import PROBE
from doenda.billing.models import Posting, PostingAck
from doenda.kernel.ids import inside, outside

CHUNK = 5000


class BadAck(ValueError):
    """The file of acknowledgements names something else than our postings; nothing of it was taken in."""


def export() -> Iterator[str]:
    """One JSON line for each posting not acknowledged yet, the oldest first."""
    rows = (
        Posting.objects.filter(ack=None)
        .exclude(Q(source_book__name__startswith=PROBE) | Q(target_book__name__startswith=PROBE))
        .select_related("source_book", "target_book", "account", "bill")
        .order_by("pk")
    )
    with transaction.atomic():
        for posting in rows.iterator(chunk_size=CHUNK):
            yield json.dumps(_line(posting), ensure_ascii=False)


def _line(posting: Posting) -> dict[str, Any]:
    return {
        "id": outside(posting.pk),
        "at": posting.at.isoformat(),
        "posted_at": posting.created_at.isoformat(),
        "account": posting.account.number if posting.account else None,
        "bill": posting.bill.number if posting.bill else None,
        "from": posting.source_book.name,
        "to": posting.target_book.name,
        "amount": posting.amount,
        "currency": posting.currency,
        "fact": {"kind": posting.fact_kind, "id": posting.fact_id, "leg": posting.leg},
    }


def acknowledge(lines: Iterable[str]) -> tuple[int, int]:
    """Note that the carrier has these postings: one id a line, bare or as {"id": …}. Returns (new, known before).

    Raises BadAck with the line of the first id that is none of ours. Opens its own transaction.
    """
    new = known = 0
    with transaction.atomic():
        chunk: dict[UUID, int] = {}
        for number, line in enumerate(lines, 1):
            if text := line.strip():
                chunk[_id(number, text)] = number
            if len(chunk) >= CHUNK:
                new, known = _add(chunk, new, known)
                chunk = {}
        new, known = _add(chunk, new, known)
    return new, known


def _id(number: int, text: str) -> UUID:
    try:
        found = json.loads(text)["id"] if text.startswith("{") else text
        return inside(found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadAck(f"line {number}: not a posting's id: {text[:60]!r}") from error


def _add(chunk: dict[UUID, int], new: int, known: int) -> tuple[int, int]:
    if not chunk:
        return new, known
    ours = set(Posting.objects.filter(pk__in=list(chunk)).values_list("pk", flat=True))
    if missing := set(chunk) - ours:
        number = min(chunk[each] for each in missing)
        raise BadAck(f"line {number}: we have no such posting")
    before = set(PostingAck.objects.filter(pk__in=list(chunk)).values_list("pk", flat=True))
    PostingAck.objects.bulk_create(
        [PostingAck(posting_id=each) for each in sorted(ours - before)], ignore_conflicts=True
    )
    return new + len(ours - before), known + len(before)
