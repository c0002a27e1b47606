"""The counter's figures are policy, not code: a dated, versioned file per country (design rule 10)."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from django.conf import settings

from doenda.kernel import clock
from doenda.payments.policy import PolicyBroken

POLICIES = Path(__file__).parent / "policies"


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds from `since` on. Minor units above which a second person is needed; wrong slips an hour and clerk."""

    version: int
    since: date
    difference_above: int
    drawer_above: int
    wrong_slips: int


@cache
def versions(country: str) -> tuple[Policy, ...]:
    """Every version of a country's policy, oldest first. Raises PolicyBroken."""
    path = POLICIES / f"{country.lower()}.toml"
    try:
        found = [Policy(**each) for each in tomllib.loads(path.read_text(encoding="utf-8"))["version"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PolicyBroken(f"{path.name}: {error}") from error
    return tuple(sorted(found, key=lambda each: each.since))


def now() -> Policy:
    """The version that holds today."""
    known, today = versions(settings.DOENDA_COUNTRY), clock.today()
    return next((each for each in reversed(known) if each.since <= today), known[0])
