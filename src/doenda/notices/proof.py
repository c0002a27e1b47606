"""Was the customer told, and what was named? Read by whoever may act only after a delivered notice (design rule 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from doenda.kernel import clock, once
from doenda.notices.models import Delivery, Notice


@dataclass(frozen=True, slots=True)
class DeliveredNotice:
    """`ways`: the slugs that the text named as proven, whichever of several tries it was that arrived.

    `effective` is the date that it announced (ISO), if it announced one.
    """

    notice_id: UUID
    delivered_at: datetime
    ways: tuple[str, ...]
    sent_at: datetime | None = None
    effective: str | None = None


def delivered(notice_id: UUID) -> datetime | None:
    """When, by the gateway's receipt; None if that is not known or there is no such notice."""
    return Notice.objects.filter(pk=notice_id).values_list("delivered_at", flat=True).first()


def cancelled(notice_ids: Iterable[UUID]) -> set[UUID]:
    """Which of them were cancelled before they left."""
    gone = Notice.objects.filter(pk__in=list(notice_ids), state=Notice.State.CANCELLED)
    return set(gone.values_list("pk", flat=True))


def first_left(account_id: UUID, kinds: Iterable[str], bill_ids: Iterable[UUID]) -> dict[UUID, date]:
    """The day on which the first notice of these kinds about each bill was taken in by its gateway, or failed for good.

    Not when it was handed over: whoever did that may have stood still in between.
    """
    asked, about = frozenset(kinds), frozenset(bill_ids)
    found: dict[UUID, date] = {}
    for kind, bill_id, taken, handed, made in _left(account_id=account_id):
        if kind not in asked or bill_id not in about:
            continue
        day = clock.local(taken or handed or made).date()
        found[bill_id] = min(day, found.get(bill_id, day))
    return found


@once.query
def _left(account_id: once.Open) -> "QuerySet[Any, Any]":
    gone = [Notice.State.SENT, Notice.State.DELIVERED, Notice.State.FAILED]
    left = Notice.objects.filter(account_id=account_id, bill_id__isnull=False, state__in=gone)
    return left.values_list("kind", "bill_id", "sent_at", "handed_at", "created_at")


def delivered_with_proof(kind: str, account_id: UUID, since: datetime) -> list[DeliveredNotice]:
    """The account's notices of a kind delivered from `since` on, the oldest first."""
    rows = Notice.objects.filter(
        account_id=account_id, kind=kind, state=Notice.State.DELIVERED, delivered_at__gte=since
    ).order_by("delivered_at")
    found = list(rows.prefetch_related("deliveries"))
    return [
        DeliveredNotice(row.pk, row.delivered_at, _ways(row), row.sent_at, row.params.get("effective"))
        for row in found
        if row.delivered_at is not None
    ]


def _ways(notice: Notice) -> tuple[str, ...]:
    """A try that certainly did not arrive told nobody anything; of the others only what all of them named is sure."""
    named: list[list[str]] = []
    for event in sorted(notice.deliveries.all(), key=lambda one: (one.at, one.pk)):
        if event.event == Delivery.Event.HANDED_OVER:
            named.append(event.ways)
        elif event.event == Delivery.Event.NOT_SENT and named:
            named.pop()
    return tuple(slug for slug in named[0] if all(slug in other for other in named)) if named else ()
