"""The ways that exist, as data (`ways.toml`), and the rule's state to and from a way's row."""

import tomllib
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from doenda.assurance.models import Exposure, Way
from doenda.assurance.rule import WayState
from doenda.kernel import clock

SOURCE = Path(__file__).with_name("ways.toml")
_PLAIN = {"mode", "real", "synthetic", "by_hand", "blind", "sprt", "real_successes"}
_IN_COLUMNS = {"lease", "closed_until", "retired_at"}


@dataclass(frozen=True, slots=True)
class WayDefinition:
    """One entry of `ways.toml`; `lease` in seconds."""

    slug: str
    purpose: str
    lease: int

    @property
    def parts(self) -> tuple[str, str, str]:
        """Channel, method, provider."""
        channel, method, provider = self.slug.split("/")
        return channel, method, provider


def definitions(source: Path = SOURCE) -> tuple[WayDefinition, ...]:
    """The declared ways, in the order in which customers are told. Raises ValueError naming the entry."""
    found: list[WayDefinition] = []
    for number, entry in enumerate(tomllib.loads(source.read_text(encoding="utf-8")).get("ways", ()), 1):
        try:
            made = WayDefinition(**entry)
            _, _, _ = made.parts
        except (TypeError, ValueError) as error:
            raise ValueError(f"{source.name}, way {number}: {error}") from error
        if made.lease <= 0 or any(made.slug == other.slug for other in found):
            raise ValueError(f"{source.name}, way {number}: {made.slug} is listed twice or has no lease")
        found.append(made)
    return tuple(found)


def ensure_ways(using: str = "default") -> int:
    """Make the rows agree with `ways.toml`; a way no longer listed is retired. Returns the ways listed."""
    listed = definitions()
    with transaction.atomic(using=using):
        rows = Way.objects.using(using)
        for position, one in enumerate(listed):
            channel, method, provider = one.parts
            values = {
                "channel": channel,
                "method": method,
                "provider": provider,
                "purpose": one.purpose,
                "position": position,
                "lease_seconds": one.lease,
            }
            rows.update_or_create(slug=one.slug, defaults=values)
        gone = rows.exclude(slug__in=[one.slug for one in listed]).filter(retired_at=None)
        _end_exposures(list(gone.values_list("pk", flat=True)), using)
        gone.update(retired_at=clock.now(), standing="retired", since=clock.now())
    return len(listed)


def _end_exposures(slugs: list[str], using: str) -> None:
    """A way that is gone fails nobody from now on: else the clock of whoever it misled would stand for ever."""
    now = clock.now()
    Exposure.objects.using(using).filter(way_id__in=slugs, ended_at=None).update(ended_at=now)


def load(way: Way) -> WayState:
    """The rule's state of a row."""
    known = {field.name for field in fields(WayState)} - _IN_COLUMNS
    state = WayState(**{name: _inside(name, value) for name, value in way.state.items() if name in known})
    return replace(
        state, lease=timedelta(seconds=way.lease_seconds), closed_until=way.closed_until, retired_at=way.retired_at
    )


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
    if name == "withdrawals":
        return tuple(datetime.fromisoformat(one) for one in value)
    return None if value is None else datetime.fromisoformat(value)
