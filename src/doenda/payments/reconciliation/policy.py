"""Figures of reconciliation that are policy, not code: a dated, versioned file per country (design rule 10)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings

from doenda.kernel import clock
from doenda.payments.policy import PolicyBroken
from doenda.payments.reconciliation.reasons import Reason

POLICIES = Path(__file__).parent / "policies"
OWNERS = ("desk", "billing", "system")


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds from `since` on. `four_eyes_above`: minor units above which two persons post a line by hand."""

    version: int
    since: date
    park: timedelta
    early: timedelta
    four_eyes_above: int
    owners: Mapping[Reason, str]

    def due(self, reason: Reason, now: datetime) -> datetime:
        """By when somebody has looked at a line that waits for this reason."""
        return now + (self.early if self.owners[reason] == "system" else self.park)


@cache
def versions(country: str) -> tuple[Policy, ...]:
    """Every version of a country's policy, oldest first. Raises PolicyBroken."""
    path = POLICIES / f"{country.lower()}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [_version(each) for each in data["version"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PolicyBroken(f"{path.name}: {error}") from error
    if not found or any(set(each.owners) != set(Reason) for each in found):
        raise PolicyBroken(f"{path.name}: at least one version, and an owner for every reason")
    return tuple(sorted(found, key=lambda each: each.since))


def _version(each: Mapping[str, object]) -> Policy:
    said = dict(each)
    owners = {Reason(reason): owner for owner in OWNERS for reason in said.pop(owner)}  # type: ignore[attr-defined]
    park, early = (timedelta(days=said.pop(name)) for name in ("park_days", "early_days"))  # type: ignore[arg-type]
    return Policy(park=park, early=early, owners=owners, **said)  # type: ignore[arg-type]


def now() -> Policy:
    """The version that holds today."""
    known, today = versions(settings.DOENDA_COUNTRY), clock.today()
    return next((each for each in reversed(known) if each.since <= today), known[0])
