"""Figures of leased numbers that are policy, not code: a dated, versioned file per country (design rule 10)."""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from doenda.kernel import clock
from doenda.payments.policy import PolicyBroken

POLICIES = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds from `since` on. `rest`: before a number is anybody else's; `park`: a person's time for a line.

    `numbers_an_account`: that one account may have had for its bills within one rest: the pool is for everybody.
    """

    version: int
    since: date
    rest: timedelta
    probe_rest: timedelta
    park: timedelta
    unconfirmed: timedelta
    reread: timedelta
    reread_every: timedelta
    skew: timedelta
    numbers_an_account: int


@cache
def versions(country: str) -> tuple[Policy, ...]:
    """Every version of a country's policy, oldest first. Raises PolicyBroken."""
    path = POLICIES / f"{country.lower()}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [
            Policy(
                version=int(each["version"]),
                since=each["since"],
                rest=timedelta(days=each["rest_days"]),
                probe_rest=timedelta(minutes=each["probe_rest_minutes"]),
                park=timedelta(days=each["park_days"]),
                unconfirmed=timedelta(minutes=each["unconfirmed_minutes"]),
                reread=timedelta(hours=each["reread_hours"]),
                reread_every=timedelta(minutes=each["reread_minutes"]),
                skew=timedelta(minutes=each["skew_minutes"]),
                numbers_an_account=int(each["numbers_an_account"]),
            )
            for each in data["version"]
        ]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PolicyBroken(f"{path.name}: {error}") from error
    if not found or any(each.rest <= 4 * each.skew for each in found):
        raise PolicyBroken(f"{path.name}: at least one version, and a rest far longer than the skew of two clocks")
    return tuple(sorted(found, key=lambda each: each.since))


def now() -> Policy:
    """The version that holds today."""
    known, today = versions(settings.DOENDA_COUNTRY), clock.today()
    return next((each for each in reversed(known) if each.since <= today), known[0])
