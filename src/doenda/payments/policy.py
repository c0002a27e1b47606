"""Figures of the payments room that are policy, not code: a dated, versioned file per country (design rule 10)."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from django.conf import settings

from doenda.kernel import clock

POLICIES = Path(__file__).parent / "policies"


class PolicyBroken(ValueError):
    """The policy file says something that cannot be; the message names the file."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds from `since` on.

    `four_eyes_above`: minor units above which a refund needs a second person. `refund_days`: by when an overpaid sum is
    back. `undone_days`: days without any adverse step
    after a payment came undone. `fruitless_a_month`: unknown outcomes that came to nothing and moved the date.
    `attempts_an_hour`: that one account may begin. `heard_minutes`: nothing adverse on older news of who has paid in.
    """

    version: int
    since: date
    four_eyes_above: int
    refund_days: int
    undone_days: int
    fruitless_a_month: int
    attempts_an_hour: int
    heard_minutes: int


@cache
def versions(country: str) -> tuple[Policy, ...]:
    """Every version of a country's policy, oldest first. Raises PolicyBroken."""
    path = POLICIES / f"{country.lower()}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [Policy(**each) for each in data["version"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyBroken(f"{path.name}: {error}") from error
    if not found:
        raise PolicyBroken(f"{path.name}: no version")
    return tuple(sorted(found, key=lambda each: each.since))


def now() -> Policy:
    """The version that holds today."""
    known, today = versions(settings.DOENDA_COUNTRY), clock.today()
    return next((each for each in reversed(known) if each.since <= today), known[0])
