"""Who was misled, and when: offers against the stretches in which the offered way failed.

A text or a letter cannot be recalled: what it named counts for `LASTING` after it was sent. A page or a voice is gone
when the customer is: what it named counts for `VISIT`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from doenda.assurance.models import Exposure, Offer

LASTING = timedelta(days=30)
VISIT = timedelta(hours=1)
_LASTING_MEDIA = frozenset({"notice", "receipt"})

type Interval = tuple[datetime, datetime | None, str]


def until(at: datetime, medium: str) -> datetime:
    """How long an offer made at `at` may still send a customer somewhere."""
    return at + (LASTING if medium in _LASTING_MEDIA else VISIT)


def intervals(account_id: UUID) -> list[Interval]:
    """(start, end or None while it lasts, way): when this account had been offered a way that was failing.

    A stretch begins at the way's failure or at the offer, whichever is later; overlapping ones of a way are one.
    """
    offers = list(Offer.objects.filter(account_id=account_id).values_list("way_id", "at", "medium"))
    if not offers:
        return []
    first = min(at for _, at, _ in offers)
    failures = list(
        Exposure.objects.filter(Q(ended_at=None) | Q(ended_at__gte=first), way_id__in={way for way, _, _ in offers})
    )
    return merge(
        (max(failure.onset, at), failure.ended_at, way)
        for way, at, medium in offers
        for failure in failures
        if failure.way_id == way and _meet(failure, at, until(at, medium))
    )


def _meet(failure: Exposure, named_at: datetime, named_until: datetime) -> bool:
    return failure.onset <= named_until and (failure.ended_at is None or failure.ended_at >= named_at)


def merge(found: Iterable[Interval]) -> list[Interval]:
    """The same stretches without overlaps within a way, in order of their start (pure)."""
    merged: list[Interval] = []
    open_of: dict[str, int] = {}
    for start, end, way in sorted(found, key=lambda one: one[0]):
        index = open_of.get(way)
        if index is not None:
            old_start, old_end, _ = merged[index]
            if old_end is None or start <= old_end:
                merged[index] = (old_start, None if old_end is None or end is None else max(old_end, end), way)
                continue
        open_of[way] = len(merged)
        merged.append((start, end, way))
    return merged


def misled(slug: str) -> list[UUID]:
    """The accounts to which the way was named while its running failure lasted, or in a text that still counts."""
    running = Exposure.objects.filter(way_id=slug, ended_at=None).first()
    if running is None:
        return []
    lasting = Q(medium__in=_LASTING_MEDIA, at__gte=running.onset - LASTING)
    recent = Offer.objects.filter(lasting | Q(at__gte=running.onset - VISIT), way_id=slug)
    return list(recent.order_by("account_id").values_list("account_id", flat=True).distinct())
