"""Who was misled, and when: offers against the stretches in which the offered way failed.

A text or a letter cannot be recalled: what it named counts for `LASTING` after it was sent. A page or a voice is gone
when the customer is: what it named counts for `VISIT`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Q

from doenda.assurance import devices
from doenda.assurance.models import Exposure, Offer

LASTING = timedelta(days=30)
VISIT = timedelta(hours=1)
_LASTING_MEDIA = frozenset({"notice", "receipt"})

# Whoever was shown a way on a kind of device was shown the way, and the way on that kind.
_EXPOSED = """
SELECT x.way_id, x.onset, x.ended_at, o.at, o.medium
  FROM assurance_offer o
  JOIN assurance_exposure x ON x.way_id = o.way_id OR (o.device <> '' AND x.way_id = o.way_id || '@' || o.device)
 WHERE o.account_id = %s AND (x.ended_at IS NULL OR x.ended_at >= o.at)
"""

type Interval = tuple[datetime, datetime | None, str]


def until(at: datetime, medium: str) -> datetime:
    """How long an offer made at `at` may still send a customer somewhere."""
    return at + (LASTING if medium in _LASTING_MEDIA else VISIT)


def intervals(account_id: UUID) -> list[Interval]:
    """(start, end or None while it lasts, way): when this account had been offered a way that was failing.

    A stretch begins at the way's failure or at the offer, whichever is later; overlapping ones of a way are one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EXPOSED, [account_id])
        rows = cursor.fetchall()
    return merge(
        (max(onset, at), ended_at, way)
        for way, onset, ended_at, at, medium in rows
        if onset <= until(at, medium) and (ended_at is None or ended_at >= at)
    )


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
    way, device = devices.parts(slug)
    recent = Offer.objects.filter(lasting | Q(at__gte=running.onset - VISIT), way_id=way)
    if device:
        recent = recent.filter(device=device)
    return list(recent.order_by("account_id").values_list("account_id", flat=True).distinct())
