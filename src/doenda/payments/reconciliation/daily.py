"""Figures of the looks at providers' lists that are policy, not code: a dated, versioned file a country (rule 10)."""

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
    """What holds from `since` on.

    `hour`: of the carrier's day after which the day before is looked at. `overlap`: how far before a period its list is
    read again, `skew`: how far after. `back`: how far back a list is read for what we have and cannot find. `catch_up`:
    days that are still looked at. `retry`: until a look that failed is tried again. `alarm`: without any look, the desk
    sees it. `questions`: put to a provider in one look. `paid_out`: days until what
    was taken is paid out to the carrier. `fee_most`: of what was taken, in basis points.
    """

    version: int
    since: date
    hour: int
    overlap: timedelta
    skew: timedelta
    back: timedelta
    catch_up: int
    retry: timedelta
    alarm: timedelta
    questions: int
    paid_out: timedelta
    fee_most: int


@cache
def versions(country: str) -> tuple[Policy, ...]:
    """Every version of a country's policy, oldest first. Raises PolicyBroken."""
    path = POLICIES / f"daily-{country.lower()}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [
            Policy(
                version=int(each["version"]),
                since=each["since"],
                hour=int(each["hour"]),
                overlap=timedelta(hours=each["overlap_hours"]),
                skew=timedelta(minutes=each["skew_minutes"]),
                back=timedelta(days=each["back_days"]),
                catch_up=int(each["catch_up_days"]),
                retry=timedelta(minutes=each["retry_minutes"]),
                alarm=timedelta(hours=each["alarm_hours"]),
                questions=int(each["questions"]),
                paid_out=timedelta(days=each["paid_out_days"]),
                fee_most=int(each["fee_most_basis_points"]),
            )
            for each in data["version"]
        ]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PolicyBroken(f"{path.name}: {error}") from error
    if not found or any(not 0 <= each.hour <= 23 or each.catch_up < 1 for each in found):
        raise PolicyBroken(f"{path.name}: at least one version, an hour of the day, and a day to catch up")
    return tuple(sorted(found, key=lambda each: each.since))


def now() -> Policy:
    """The version that holds today."""
    known, today = versions(settings.DOENDA_COUNTRY), clock.today()
    return next((each for each in reversed(known) if each.since <= today), known[0])
