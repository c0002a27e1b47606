"""The ways that exist, as data (`ways.toml`), and the rule's state to and from a way's row."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Greatest

from doenda.assurance import deciding, devices, hours, rule
from doenda.assurance.hours import Calendar
from doenda.assurance.models import Exposure, Transition, Way
from doenda.assurance.rule import Name, WayState
from doenda.kernel import clock

SOURCE = Path(__file__).with_name("ways.toml")
SCRIPTS = "scripts"
PAY, TELL, ASK, DEVICE = "pay", "tell", "ask", "device"
"""What a way is for: a customer pays by it, is told by it, or asks a person by it. Guidance names those to pay by.
`DEVICE`: a way on one kind of device, judged by itself (`cells`)."""
LINE = "line"
"""Our own telephone line as a "provider": there where DOENDA_ARI_URL names an Asterisk."""
CAPABILITIES = frozenset({SCRIPTS})
_PLAIN = {
    *("mode", "real", "synthetic", "by_hand", "blind", "sprt", "real_successes", "retired_by_hand"),
    *("baseline", "slow", "degraded", "doubt_failed", "doubt_passed"),
    *("reports_answered", "reports_needed", "by_parent"),
}
_IN_COLUMNS = {"lease", "lease_night", "confirms", "closed_until", "retired_at", "calendar", "part"}
CONFIRMS = 2
"""Walks that are made at once when one has failed: three that agree are certain, one alone may be our own flake."""
_WALKED_METHODS = frozenset({"card", "transfer"})


@dataclass(frozen=True, slots=True)
class WayDefinition:
    """One entry of `ways.toml`, which says what each field means; leases in seconds. Raises ValueError."""

    slug: str
    purpose: str
    lease: int
    lease_unwalked: int = 0
    lease_night: int = 0
    capability: frozenset[str] = frozenset()
    calendar: str = "always"
    carried_out: str = "always"

    def __post_init__(self) -> None:
        object.__setattr__(self, "capability", frozenset(self.capability))
        if self.slug.count("/") != 2:
            raise ValueError(f"{self.slug!r} is not channel/method/provider")
        if self.purpose not in (PAY, TELL, ASK):
            raise ValueError(f"no purpose {self.purpose!r}")
        if unknown := self.capability - CAPABILITIES:
            raise ValueError(f"no capability {', '.join(sorted(unknown))}")
        hours.named(self.calendar)
        hours.named(self.carried_out)

    @property
    def parts(self) -> tuple[str, str, str]:
        """Channel, method, provider."""
        channel, method, provider = self.slug.split("/")
        return channel, method, provider

    @property
    def walked(self) -> bool:
        """Can a synthetic customer walk it here, to its last step?"""
        return self.walked_in(devices.PLAIN) or any(self.walked_in(browser) for browser in browsers())

    def walked_in(self, browser: str) -> bool:
        """Can it be walked in this browser? `devices.PLAIN`: by a walker without scripts.

        On a provider's own page only where `DOENDA_WALKED` names the provider: a stand-in, or a test mode without a
        real payer's card. A deposit, where a hand is configured that pays in (`hand_address`). What carries texts,
        where a number of the carrier's own is configured that they can loop to. By telephone, where the address of a
        SIP server is configured that leads to ours (`DOENDA_SIP_ADDRESS`).
        """
        channel, method, provider = self.parts
        plain = browser == devices.PLAIN
        if self.purpose == ASK:
            return False
        if self.purpose == TELL:
            return plain and bool(getattr(settings, "DOENDA_LOOP_NUMBER", ""))
        if method == "deposit" and channel in ("web", "voice"):
            reached = channel == "web" or bool(getattr(settings, "DOENDA_SIP_ADDRESS", ""))
            return plain and reached and bool(hand_address(provider))
        if channel != "web" or (plain and self.capability) or not (plain or browser in browsers()):
            return False
        return method in _WALKED_METHODS and provider in getattr(settings, "DOENDA_WALKED", ("sandbox",))

    @property
    def lease_here(self) -> int:
        """The lease of this installation."""
        return self.lease if self.walked else self.lease_unwalked or self.lease


def browsers() -> tuple[str, ...]:
    """The real browsers that synthetic customers use here (`DOENDA_BROWSERS`)."""
    return tuple(getattr(settings, "DOENDA_BROWSERS", ()))


def browser_for(slug: str) -> str:
    """In which browser a way, or a way on one kind of device, is walked here; "" where nobody walks it."""
    way, device = devices.parts(slug)
    terms_of = terms(way)
    if device:
        kind = devices.table().kinds.get(device)
        walker = kind.walker if kind else ""
        return walker if walker not in ("", devices.PLAIN) and terms_of.walked_in(walker) else ""
    if terms_of.walked_in(devices.PLAIN):
        return devices.PLAIN
    return next((browser for browser in browsers() if terms_of.walked_in(browser)), "")


def hand_address(provider: str) -> str:
    """The address that pays into virtual accounts of `provider`, from `DOENDA_DEPOSIT_HAND_URL`: one for all of them (a
    test account at a bank pays into any), or `provider=address` for each, with commas between; "" without one."""
    for entry in getattr(settings, "DOENDA_DEPOSIT_HAND_URL", "").split(","):
        name, equals, address = entry.strip().partition("=")
        if not equals or "://" in name:  # a plain address, which may have a query of its own
            return str(entry.strip())
        if name == provider:
            return str(address)
    return ""


def definitions(source: Path = SOURCE) -> tuple[WayDefinition, ...]:
    """The declared ways, in the order in which customers are told. Raises ValueError naming the entry."""
    found: list[WayDefinition] = []
    for number, entry in enumerate(tomllib.loads(source.read_text(encoding="utf-8")).get("ways", ()), 1):
        try:
            made = WayDefinition(**entry)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{source.name}, way {number}: {error}") from error
        if made.lease <= 0 or any(made.slug == other.slug for other in found):
            raise ValueError(f"{source.name}, way {number}: {made.slug} is listed twice or has no lease")
        found.append(made)
    return tuple(found)


@cache
def _declared() -> Mapping[str, WayDefinition]:
    return {one.slug: one for one in definitions()}


def terms(slug: str) -> WayDefinition:
    """What is declared of a way (on whichever device). One that is declared no more is bound to no hours and asks
    nothing of a device."""
    way, _ = devices.parts(slug)
    return _declared().get(way) or WayDefinition(way, "pay", 1)


def declared(slug: str) -> bool:
    """Does the list know this way?"""
    return slug in _declared()


def calendar_of(slug: str) -> Calendar:
    """When the way can be chosen. From the declaration and not the row: its words and hours are of one version."""
    return hours.named(terms(slug).calendar)


def carried_out_from(slug: str, chosen_at: datetime) -> datetime:
    """The first instant from `chosen_at` on at which the money of this way can move: a debit file's banking day, a
    store's opening hours."""
    return hours.opens(hours.named(terms(slug).carried_out), chosen_at)


def ensure_ways(using: str = "default") -> int:
    """Make the rows agree with `ways.toml`, `DOENDA_OFFERED`, `DOENDA_GATEWAY` and `DOENDA_ARI_URL`; returns the ways
    offered.

    A way that is not listed, or whose provider is not offered, is retired; listed and offered again it comes back where
    evidence left it: withdrawn stays withdrawn, anything else needs a fresh proof. What a person retired stays retired
    (by_hand.offer_again). Each change is a transition; nothing of the past is changed.
    """
    offered = {
        PAY: getattr(settings, "DOENDA_OFFERED", ("sandbox",)),
        TELL: (getattr(settings, "DOENDA_GATEWAY", ""),),
        ASK: (LINE,) if getattr(settings, "DOENDA_ARI_URL", "") else (),
    }
    listed = [(at, one) for at, one in enumerate(definitions()) if one.parts[2] in offered[one.purpose]]
    with transaction.atomic(using=using):
        rows = Way.objects.using(using)
        for position, one in listed:
            channel, method, provider = one.parts
            values = {
                "channel": channel,
                "method": method,
                "provider": provider,
                "purpose": one.purpose,
                "position": position,
                "lease_seconds": one.lease_here,
            }
            way, _ = rows.update_or_create(slug=one.slug, defaults=values)
            if way.retired_at is not None and not load(way).retired_by_hand:
                _turn(way, "offer_again", "its provider is offered again", using)
        stays = {one.slug for _, one in listed}
        here = rows.filter(retired_at=None).values_list("slug", flat=True)
        gone = [slug for slug in here if devices.parts(slug)[0] not in stays]
        for way in rows.filter(slug__in=gone).order_by("slug").select_for_update():
            _end_exposures([way.slug], using)
            _turn(way, "retire", "no longer offered", using)
    return len(listed)


def _turn(way: Way, kind: str, cause: str, using: str) -> None:
    """Write a change that the configuration made (see standing.write for others)."""
    now, was = clock.now(), Name(way.standing)
    state = deciding.decided(
        way, load(way), kind, now, who="configuration", reason=cause, value="configuration", using=using
    )
    way.standing, way.state, way.calm = rule.standing(state, now), store(state), state.calm
    way.proven_until, way.retired_at = state.proven_until, state.retired_at
    way.since, way.version = now, way.version + 1
    way.save(using=using)
    Transition.objects.using(using).create(way=way, was=was, now=way.standing, at=now, cause=cause, version=way.version)


def _end_exposures(slugs: list[str], using: str) -> None:
    """A way that is gone fails nobody from now on: else the clock of whoever it misled would stand for ever."""
    running = Exposure.objects.using(using).filter(way_id__in=slugs, ended_at=None)
    running.update(ended_at=Greatest("committed_at", clock.now()))


def load(way: Way) -> WayState:
    """The rule's state of a row."""
    known = {field.name for field in fields(WayState)} - _IN_COLUMNS
    state = WayState(**{name: _inside(name, value) for name, value in way.state.items() if name in known})
    return replace(
        state,
        lease=timedelta(seconds=way.lease_seconds),
        lease_night=_night(way),
        confirms=CONFIRMS if browser_for(way.slug) else 0,
        closed_until=way.closed_until,
        retired_at=way.retired_at,
        calendar=calendar_of(way.slug),
        part=way.purpose == DEVICE,
    )


def _night(way: Way) -> timedelta | None:
    """Only where walks prove it: they are then made more seldom."""
    terms_of = terms(way.slug)
    return timedelta(seconds=terms_of.lease_night) if terms_of.lease_night and browser_for(way.slug) else None


def store(state: WayState) -> dict[str, Any]:
    """The part of the state that has no column of its own, as JSON; what is at its default is left out."""
    plain = WayState()
    names = [field.name for field in fields(WayState) if field.name not in _IN_COLUMNS]
    return {name: _outside(getattr(state, name)) for name in names if getattr(state, name) != getattr(plain, name)}


def _outside(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return [one.isoformat() for one in value] if isinstance(value, tuple) else value


def _inside(name: str, value: Any) -> Any:
    if name in _PLAIN:
        return value
    if name in {"withdrawals", "reports"}:
        return tuple(datetime.fromisoformat(one) for one in value)
    return None if value is None else datetime.fromisoformat(value)
