"""The one place from which texts, prompts, pages and scripts learn which ways they may name (design rule 9).

Paper, text messages and voices name proven ways only, a degraded one last. Who already has a page open may also try,
listed last and marked, a way that is merely not proven right now; never one that evidence withdrew, that is closed, or
retired.
A text names methods, and whoever reads it may have any device: a way that cannot be finished on all common kinds, be it
by what is known of them (`devices`) or by evidence (`cells`), is named there only while another proven way of the same
method can. On a page each customer is offered what their own kind of device can finish.
Whatever is named is recorded as an offer, from rows read in that same transaction; readers that record nothing share a
snapshot for a few seconds. If the database does not answer, nothing is named.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction

from doenda.assurance import cells, devices, hours, standing, ways
from doenda.assurance.models import Offer
from doenda.assurance.rule import NAMED, Name
from doenda.assurance.standing import Standing
from doenda.assurance.ways import SCRIPTS
from doenda.kernel import clock, many, texts, words

MEDIA = ("page", "voice", "notice", "receipt", "panel", "script")
VALID = timedelta(seconds=10)
"""How long a renderer may use what it was given; afterwards it names nothing until it has asked again."""
_PAGE_ORDER = (*NAMED, Name.SUSPECT, Name.HALF_OPEN, Name.UNPROVEN)
_UNREACHABLE = (OperationalError, InterfaceError)


@dataclass(frozen=True, slots=True)
class OfferedWay:
    """A way that may be named. `proven` False: show it last, with a word of doubt.

    `capabilities`: what it asks of the customer's device ("scripts"). `standing`: for choosing among providers.
    """

    slug: str
    method: str
    channel: str
    proven: bool
    provider: str
    capabilities: frozenset[str] = frozenset()
    standing: Name = Name.UNPROVEN

    @property
    def scripts(self) -> bool:
        return SCRIPTS in self.capabilities


@dataclass(frozen=True, slots=True)
class ClosedWay:
    """A way that is merely closed at this hour, and from when on (UTC) it can be chosen again."""

    slug: str
    method: str
    until: datetime


type Choose = Callable[[tuple[OfferedWay, ...]], tuple[OfferedWay, ...]]


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
    """All ways of a moment. `against`: what evidence says against ways on kinds of device, by the cell's slug."""

    ways: tuple[Standing, ...]
    taken_at: datetime
    valid_until: datetime
    version: int
    against: Mapping[str, Name] = field(default_factory=dict)
    _named: dict[tuple[str, str, str, int], tuple[OfferedWay, ...]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def named(self, medium: str, purpose: str = "pay", device: str = "") -> tuple[OfferedWay, ...]:
        """The ways that `medium` may name, best first; on a page those that this kind of device can finish."""
        if medium not in MEDIA:
            raise ValueError(f"no such medium: {medium!r}")
        if (now := clock.now()) > self.valid_until:
            return ()
        key = medium, purpose, device, int(now.timestamp())  # hours begin and end at whole seconds
        if key not in self._named:
            self._named[key] = self._name(medium, purpose, device, now)
        return self._named[key]

    def _name(self, medium: str, purpose: str, device: str, now: datetime) -> tuple[OfferedWay, ...]:
        allowed = _PAGE_ORDER if medium == "page" else NAMED
        mine = [way for way in self.ways if way.purpose == purpose and way.standing in allowed and not _shut(way, now)]
        if medium != "page":
            mine.sort(key=lambda way: allowed.index(way.standing))
            offered = tuple(_offered(way, way.standing) for way in mine)
            # A telephone is one kind of device: what cannot be finished on it is no way of its channel.
            return offered if medium == "voice" else self._for_any_device(offered)
        found = [(self._on(way, device), way) for way in mine]
        can = [(word, way) for word, way in found if word is not None]
        can.sort(key=lambda each: allowed.index(each[0]))
        return tuple(_offered(way, word) for word, way in can)

    def _on(self, way: Standing, device: str) -> Name | None:
        """How the way stands for whoever holds that kind of device; None: it is not to be offered there."""
        if not device:
            return way.standing
        finishes = devices.finishes(way.slug, way.capabilities, device)
        word = self.against.get(devices.cell(way.slug, device))
        if finishes == "no" or word is Name.WITHDRAWN:
            return None
        doubts = [each for each in (word, Name.SUSPECT if finishes == "doubtful" else None) if each is not None]
        return max([way.standing, *doubts], key=_PAGE_ORDER.index)

    def _for_any_device(self, found: tuple[OfferedWay, ...]) -> tuple[OfferedWay, ...]:
        anywhere = {way.method for way in found if not way.scripts and not self._fails_on_common(way)}
        return tuple(way for way in found if way.method in anywhere)

    def _fails_on_common(self, way: OfferedWay) -> bool:
        return any(
            devices.cell(way.slug, device) in self.against
            or devices.finishes(way.slug, way.capabilities, device) == "no"
            for device in devices.common()
        )

    def elsewhere(self, channel: str, device: str, purpose: str = "pay") -> tuple[OfferedWay, ...]:
        """The proven ways of methods that this kind of device cannot finish, and others can: one a method."""
        here = {way.method for way in self.named("page", purpose, device)}
        found = {way.method: way for way in reversed(self.named("page", purpose)) if way.proven}
        return tuple(way for way in found.values() if way.channel == channel and way.method not in here)


def _offered(way: Standing, word: Name) -> OfferedWay:
    return OfferedWay(way.slug, way.method, way.channel, word in NAMED, way.provider, way.capabilities, word)


def _shut(way: Standing, now: datetime) -> bool:
    """Has its calendar closed it since the snapshot was taken?"""
    return hours.closed_until(ways.calendar_of(way.slug), now) is not None


_shared: dict[str, Snapshot] = {}
_shared_lock = Lock()


def read() -> Snapshot:
    """A snapshot of the rows as they are. Database errors pass."""
    found, on_devices = standing.everything()
    now = clock.now()
    against = {slug: cell.standing for slug, cell in on_devices.items() if cell.standing in cells.AGAINST}
    version = sum(way.version for way in (*found.values(), *on_devices.values()))
    return Snapshot(tuple(found.values()), now, now + VALID, version, against)


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


def forget() -> None:
    """Empty this process's memory (tests and simulations that replace the database under it)."""
    with _shared_lock:
        _shared.clear()


def offer(
    purpose: str,
    account_id: UUID | None,
    medium: str,
    *,
    lang: str,
    subject_id: UUID | None = None,
    device: str = "",
    choose: Choose | None = None,
) -> Guidance:
    """The ways that may be named to this account now, recorded as offered (once a subject, way and medium).

    `device`: the kind in front of the customer (devices.recognised), for a page.
    `choose` picks and orders those that are really shown (one provider a method, this channel's): only what it returns
    is an offer, and it can add nothing. Without an account nothing is recorded. When the database does not answer and
    no transaction is open: no way. Raises ValueError for a choice that was not given.
    """
    outer = connection.in_atomic_block
    try:
        with transaction.atomic():
            seen = read()
            shown = _chosen(seen.named(medium, purpose, device), choose)
            if account_id is not None and shown:
                about = _About(purpose, account_id, medium, lang, subject_id, device)
                _record(shown, about)
    except _UNREACHABLE:
        if outer:
            raise
        return Guidance((), clock.now(), 0)
    return Guidance(shown, seen.valid_until, seen.version)


def _chosen(named: tuple[OfferedWay, ...], choose: Choose | None) -> tuple[OfferedWay, ...]:
    if choose is None:
        return named
    found = tuple(choose(named))
    if not set(found) <= set(named):
        raise ValueError("only what guidance names may be offered")
    return found


@dataclass(frozen=True, slots=True)
class _About:
    purpose: str
    account_id: UUID
    medium: str
    lang: str
    subject_id: UUID | None
    device: str


def _record(shown: tuple[OfferedWay, ...], about: _About) -> None:
    many.insert(
        Offer,
        {"way_id": [way.slug for way in shown], "proven": [way.proven for way in shown]},
        once=True,
        at=clock.now(),
        account_id=about.account_id,
        purpose=about.purpose,
        medium=about.medium,
        subject_id=about.subject_id,
        lang=about.lang,
        device=about.device,
    )


def closed(slug: str) -> bool:
    """May nobody use this way now, not even from an open page? Withdrawn, closed, retired and unknown ways."""
    found = next((way for way in snapshot().ways if way.slug == slug), None)
    return found is None or not found.open or _shut(found, clock.now())


def closed_now(channel: str, purpose: str = "pay") -> tuple[ClosedWay, ...]:
    """The methods of `channel` that nobody can choose at this hour, each with its way that opens first.

    For a page that says "bank transfer again from 0:30" (`opens_again`). Not among them: a method that has another way
    open now, and a way that is withdrawn besides: for that one the hour would be a promise that we may not keep.
    """
    now, seen = clock.now(), snapshot()
    mine = [way for way in seen.ways if way.channel == channel and way.purpose == purpose]
    possible = {way.method for way in mine if way.open and not _shut(way, now)}
    found: dict[str, ClosedWay] = {}
    for way in mine:
        until = hours.closed_until(ways.calendar_of(way.slug), now) or way.closed_until
        if until is None or until <= now or way.method in possible or way.withdrawn_at is not None:
            continue
        if way.standing is not Name.RETIRED and (way.method not in found or until < found[way.method].until):
            found[way.method] = ClosedWay(way.slug, way.method, until)
    return tuple(found.values())


def opens_again(way: ClosedWay, lang: str) -> str:
    """One line for a page: "카드: 0:30부터 다시 됩니다", with the day if that is neither today nor tonight."""
    local, now = clock.local(way.until), clock.local(clock.now())
    near = way.until - clock.now() < timedelta(hours=12) or local.date() == now.date()
    when = f"{local.hour}:{local:%M}" if near else words.moment(way.until, lang)
    return texts.say("way-opens-again", lang, method=method_name(way.method, lang), when=when)


def method_name(method: str, lang: str) -> str:
    """The customers' word for a method: "실시간 계좌이체", "bank transfer". Raises texts.TextMissing."""
    return texts.say(f"way-{method}", lang)


def names(named: tuple[OfferedWay, ...], lang: str) -> str:
    """The methods of `named` in one line, each once: "카드, 실시간 계좌이체"."""
    return ", ".join(dict.fromkeys(method_name(way.method, lang) for way in named))
