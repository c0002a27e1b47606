"""The one place from which texts, prompts, pages and scripts learn which ways they may name (design rule 9).

Paper, text messages and voices name proven ways only. Who already has a page open may also try, listed last and marked,
a way that is merely not proven right now; never one that evidence withdrew, that is closed, or retired.
Whatever is named is recorded as an offer, from rows read in that same transaction; readers that record nothing share a
snapshot for a few seconds. If the database does not answer, nothing is named.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from doenda.assurance import standing
from doenda.assurance.models import Offer
from doenda.assurance.rule import Name
from doenda.assurance.standing import Standing
from doenda.kernel import clock, texts

MEDIA = ("page", "notice", "receipt", "panel", "script")
VALID = timedelta(seconds=10)
"""How long a renderer may use what it was given; afterwards it names nothing until it has asked again."""
_PAGE_ORDER = (Name.PROVEN, Name.SUSPECT, Name.HALF_OPEN, Name.UNPROVEN)
_UNREACHABLE = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class OfferedWay:
    """A way that may be named. `proven` False: show it last, with a word of doubt."""

    slug: str
    method: str
    channel: str
    proven: bool
    provider: str


@dataclass(frozen=True, slots=True)
class Guidance:
    """What may be named, best first; after `valid_until` (UTC) nothing of it. `no_way`: nothing may be named at all."""

    ways: tuple[OfferedWay, ...]
    valid_until: datetime
    version: int

    @property
    def no_way(self) -> bool:
        return not self.ways


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All ways of a moment."""

    ways: tuple[Standing, ...]
    taken_at: datetime
    valid_until: datetime
    version: int

    def named(self, medium: str, purpose: str = "pay") -> tuple[OfferedWay, ...]:
        """The ways that `medium` may name, best first."""
        if medium not in MEDIA:
            raise ValueError(f"no such medium: {medium!r}")
        if clock.now() > self.valid_until:
            return ()
        allowed = _PAGE_ORDER if medium == "page" else (Name.PROVEN,)
        mine = [way for way in self.ways if way.purpose == purpose and way.standing in allowed]
        mine.sort(key=lambda way: allowed.index(way.standing))
        return tuple(
            OfferedWay(way.slug, way.method, way.channel, way.standing is Name.PROVEN, way.provider) for way in mine
        )


_shared: dict[str, Snapshot] = {}
_shared_lock = Lock()


def read() -> Snapshot:
    """A snapshot of the rows as they are. Database errors pass."""
    ways = tuple(standing.current().values())
    now = clock.now()
    return Snapshot(ways, now, now + VALID, sum(way.version for way in ways))


def snapshot() -> Snapshot:
    """What this process knows, at most `VALID` old; fresh inside a transaction. Empty without a database."""
    if connection.in_atomic_block:
        return read()
    name = str(connection.settings_dict["NAME"])
    with _shared_lock:
        known = _shared.get(name)
    now = clock.now()
    if known is not None and known.taken_at <= now < known.taken_at + VALID / 2:
        return known
    try:
        fresh = read()
    except _UNREACHABLE:
        return known if known is not None and now <= known.valid_until else Snapshot((), now, now, 0)
    with _shared_lock:
        _shared[name] = fresh
    return fresh


def offer(purpose: str, account_id: UUID | None, medium: str, *, lang: str, subject_id: UUID | None = None) -> Guidance:
    """The ways that may be named to this account now, recorded as offered (once a subject, way and medium).

    Without an account nothing is recorded. When the database does not answer and no transaction is open: no way.
    """
    outer = connection.in_atomic_block
    try:
        with transaction.atomic():
            seen = read()
            ways = seen.named(medium, purpose)
            if account_id is not None and ways:
                _record(ways, purpose=purpose, account_id=account_id, medium=medium, lang=lang, subject_id=subject_id)
    except _UNREACHABLE:
        if outer:
            raise
        return Guidance((), clock.now(), 0)
    return Guidance(ways, seen.valid_until, seen.version)


def _record(
    ways: tuple[OfferedWay, ...], *, purpose: str, account_id: UUID, medium: str, lang: str, subject_id: UUID | None
) -> None:
    now = clock.now()
    rows = [
        Offer(
            way_id=way.slug,
            account_id=account_id,
            at=now,
            purpose=purpose,
            medium=medium,
            subject_id=subject_id,
            lang=lang,
            proven=way.proven,
        )
        for way in ways
    ]
    Offer.objects.bulk_create(rows, ignore_conflicts=True)


def closed(slug: str) -> bool:
    """May nobody use this way now, not even from an open page? Withdrawn, closed, retired and unknown ways."""
    found = next((way for way in snapshot().ways if way.slug == slug), None)
    return found is None or not found.open


def method_name(method: str, lang: str) -> str:
    """The customers' word for a method: "실시간 계좌이체", "bank transfer". Raises texts.TextMissing."""
    return texts.say(f"way-{method}", lang)


def names(ways: tuple[OfferedWay, ...], lang: str) -> str:
    """The methods of `ways` in one line, each once: "카드, 실시간 계좌이체"."""
    return ", ".join(dict.fromkeys(method_name(way.method, lang) for way in ways))
