"""When a notice may leave: quiet hours and contact caps, from dated policy data. Pure but for the carrier's zone."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from doenda.kernel import clock
from doenda.notices.kinds import KINDS

FOLDER = Path(__file__).with_name("policies")


@dataclass(frozen=True, slots=True)
class Policy:
    """`quiet_from` to `quiet_until` (local times) spans midnight; `contacts` per `window` an account."""

    version: str
    valid_from: date
    quiet_from: time
    quiet_until: time
    quiet_kinds: frozenset[str]
    never_urgent: frozenset[str]
    contacts: int
    window: timedelta
    capped: frozenset[str]
    legal: frozenset[str]
    longest: timedelta


def load(source: Path) -> Policy:
    """A policy from its file. Raises ValueError naming file and place."""
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    try:
        made = Policy(
            version=data["version"],
            valid_from=data["valid_from"],
            quiet_from=time.fromisoformat(data["quiet"]["from"]),
            quiet_until=time.fromisoformat(data["quiet"]["until"]),
            quiet_kinds=frozenset(data["quiet"]["kinds"]),
            never_urgent=frozenset(data["quiet"]["never_urgent"]),
            contacts=int(data["cap"]["contacts"]),
            window=timedelta(days=data["cap"]["days"]),
            capped=frozenset(data["cap"]["kinds"]),
            legal=frozenset(data["legal"]["kinds"]),
            longest=timedelta(hours=data["delivery"]["longest_hours"]),
        )
    except KeyError as error:
        raise ValueError(f"{source.name}: {error} is missing") from error
    unknown = (made.quiet_kinds | made.never_urgent | made.capped | made.legal) - KINDS.keys()
    if unknown:
        raise ValueError(f"{source.name}: no such kinds of notices: {', '.join(sorted(unknown))}")
    if made.contacts < 1 or made.window <= timedelta(0) or made.quiet_until >= made.quiet_from:
        raise ValueError(f"{source.name}: the cap or the quiet hours make no sense")
    if made.capped & made.legal:
        raise ValueError(f"{source.name}: a notice that law requires is not counted against the cap")
    return made


@cache
def current() -> Policy:
    """The policy of the carrier's country."""
    return load(FOLDER / f"{settings.DOENDA_COUNTRY.lower()}.toml")


def awake_at(policy: Policy, kind: str, now: datetime, *, urgent: bool) -> datetime:
    """The first instant from `now` on at which a notice of this kind may leave."""
    if kind not in policy.quiet_kinds or (urgent and kind not in policy.never_urgent):
        return now
    local = clock.local(now)
    if policy.quiet_until <= local.time() < policy.quiet_from:
        return now
    day = local.date() if local.time() < policy.quiet_until else local.date() + timedelta(days=1)
    return clock.at(day, policy.quiet_until.hour, policy.quiet_until.minute)


def uncapped_at(policy: Policy, kind: str, contacts: Sequence[datetime], now: datetime) -> datetime:
    """The first instant from `now` on at which one more contact keeps to the cap, given those made so far."""
    if kind not in policy.capped:
        return now
    recent = sorted((at for at in contacts if now - at < policy.window), reverse=True)
    if len(recent) < policy.contacts:
        return now
    return recent[policy.contacts - 1] + policy.window
