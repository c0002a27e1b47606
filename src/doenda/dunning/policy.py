"""The collections policy: what law and terms say, as dated and versioned data of one country (design rule 10).

`policies/<country>.toml` holds the figures and their meaning; this file knows what a ladder, a window, a limit are.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import holidays

from doenda.dunning.words import Bar, HoldKind, Stage
from doenda.kernel import clock
from doenda.kernel.money import exponent

_RESTORE = ("nothing_barring_overdue", "below_threshold")
_HORIZON_DAYS = 60


class PolicyBroken(ValueError):
    """The policy file says something that cannot be followed; the message names the version and the place."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the ladder: what is barred, by which notice, and how many counted days must have passed."""

    bar: Bar
    notice: str
    notice_after_days: int
    after_step_days: int


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    valid_from: date
    country: str
    opens: int
    closes: int
    weekdays: frozenset[int]
    not_before_rest: bool
    posting_grace_days: int
    restore_when: str
    lifts_bar: frozenset[HoldKind]
    longest_bar_days: int
    remind_before_days: int
    remind_after_days: int
    fee_basis_points: int
    fee_reminded_days: int
    threshold_bills: int
    threshold_amount: Mapping[str, int]
    notice_days: int
    delivery_margin_days: int
    usable_days: int
    stands_days: int
    ladder: tuple[Rung, ...]
    promise_longest_days: int
    promises_each_bill: int
    ours_days: int
    said_each_bill: int
    misled_near_hours: int
    misled_lasts_minutes: int
    misled_once_hours: int
    no_way_stops_minutes: int
    no_way_lifts_minutes: int
    hold_days: Mapping[HoldKind, int]

    def rung(self, stage: Stage) -> Rung | None:
        """The next rung above `stage`; None at the top. Termination is never a rung: a person decides it."""
        if stage == Stage.FULLY_BARRED:
            return None
        return self.ladder[1 if stage == Stage.OUTGOING_BARRED else 0]

    def meets_threshold(self, currency: str, amounts: list[int]) -> bool:
        """May these overdue bills (the part of each that may bar, minor units) lead to barring?"""
        limit = self.threshold_amount.get(currency)
        return len(amounts) >= self.threshold_bills or (limit is not None and sum(amounts) >= limit)

    def adverse_day(self, day: date) -> bool:
        """May something adverse happen on `day` at all?"""
        if self._at_rest(day):
            return False
        return not (self.not_before_rest and self._at_rest(day + timedelta(days=1)))

    def _at_rest(self, day: date) -> bool:
        """Nobody works then, so whoever is barred the day before reaches no person."""
        return day.weekday() not in self.weekdays or _rest(self.country, day)

    def adverse_now(self, now: datetime) -> bool:
        local = clock.local(now)
        return self.opens <= local.hour < self.closes and self.adverse_day(local.date())

    def first_adverse_day(self, day: date) -> date:
        for ahead in range(_HORIZON_DAYS):
            if self.adverse_day(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        raise PolicyBroken(f"{self.name}: no day for adverse steps within {_HORIZON_DAYS} days of {day}")

    def next_opening(self, now: datetime) -> datetime:
        """The next instant after `now` at which the window for adverse steps opens."""
        local = clock.local(now)
        today = local.date() + timedelta(days=0 if local.hour < self.opens else 1)
        return clock.at(self.first_adverse_day(today), self.opens)

    def next_morning(self, now: datetime) -> datetime:
        local = clock.local(now)
        return clock.at(local.date() + timedelta(days=0 if local.hour < self.opens else 1), self.opens)


def _rest(country: str, day: date) -> bool:
    """A Sunday or a public holiday."""
    return day.weekday() == 6 or day in _holidays(country, day.year)


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=[year]))


def in_force(country: str, on: date) -> Policy:
    """The policy of `country` (two letters, upper case) on a day. Raises PolicyBroken."""
    valid = [version for version in load(country) if version.valid_from <= on]
    if not valid:
        raise PolicyBroken(f"{country}: no version is valid on {on}")
    return valid[-1]


def named(country: str, name: str) -> Policy:
    """A version by its name, for replaying an old decision."""
    for version in load(country):
        if version.name == name:
            return version
    raise PolicyBroken(f"{country}: there is no version {name!r}; a version that was in force is never deleted")


@cache
def load(country: str) -> tuple[Policy, ...]:
    """All versions, oldest first, checked. Raises PolicyBroken."""
    path = Path(__file__).parent / "policies" / f"{country.lower()}.toml"
    if not path.is_file():
        raise PolicyBroken(f"there is no collections policy for {country!r}")
    return parse(path.read_text(encoding="utf-8"))


def parse(text: str) -> tuple[Policy, ...]:
    """Read and check a policy file's text. Every error names the version; a key that nobody reads is an error too."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyBroken(f"not TOML: {error}") from error
    versions = sorted((_version(dict(one)) for one in raw.get("version", [])), key=lambda one: one.valid_from)
    if not versions or set(raw) != {"version"}:
        raise PolicyBroken("a policy is a list of [[version]] tables and nothing else")
    for what in ("name", "valid_from"):
        if len({getattr(one, what) for one in versions}) != len(versions):
            raise PolicyBroken(f"two versions have the same {what}")
    return tuple(versions)


def _version(raw: dict[str, Any]) -> Policy:
    name = str(raw.get("name", "?"))
    try:
        policy = _read(raw)
        _check(policy)
    except KeyError as error:
        raise PolicyBroken(f"{name}: {error.args[0]} is missing") from error
    except PolicyBroken:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        raise PolicyBroken(f"{name}: {error}") from error
    if raw:
        raise PolicyBroken(f"{name}: nobody reads {', '.join(sorted(raw))}")
    return policy


def _read(raw: dict[str, Any]) -> Policy:
    reminder, fee, threshold, notice, promise, misled, no_way = (
        raw.pop(part) for part in ("reminder", "late_fee", "threshold", "notice", "promise", "misled", "no_way")
    )
    if fee.pop("free_until") != "end_of_due_month":
        raise ValueError("late_fee.free_until must be end_of_due_month")
    rungs = [dict(rung) for rung in raw.pop("ladder")]
    made = Policy(
        name=raw.pop("name"),
        valid_from=raw.pop("valid_from"),
        country=raw.pop("country"),
        opens=raw.pop("opens"),
        closes=raw.pop("closes"),
        weekdays=frozenset(raw.pop("weekdays")),
        not_before_rest=raw.pop("not_before_rest"),
        posting_grace_days=raw.pop("posting_grace_days"),
        restore_when=raw.pop("restore_when"),
        lifts_bar=frozenset(HoldKind(kind) for kind in raw.pop("lifts_bar")),
        longest_bar_days=raw.pop("longest_bar_days"),
        remind_before_days=reminder.pop("before_due_days"),
        remind_after_days=reminder.pop("after_due_days"),
        fee_basis_points=fee.pop("basis_points"),
        fee_reminded_days=fee.pop("reminded_days"),
        threshold_bills=threshold.pop("bills"),
        threshold_amount=MappingProxyType(dict(threshold.pop("amount"))),
        notice_days=notice.pop("days_before"),
        delivery_margin_days=notice.pop("delivery_margin_days"),
        usable_days=notice.pop("usable_days"),
        stands_days=notice.pop("stands_days"),
        ladder=tuple(Rung(**rung | {"bar": Bar(rung["bar"])}) for rung in rungs),
        promise_longest_days=promise.pop("longest_days"),
        promises_each_bill=promise.pop("each_bill"),
        ours_days=promise.pop("ours_days"),
        said_each_bill=promise.pop("said_each_bill"),
        misled_near_hours=misled.pop("near_hours"),
        misled_lasts_minutes=misled.pop("lasts_minutes"),
        misled_once_hours=misled.pop("once_hours"),
        no_way_stops_minutes=no_way.pop("stops_minutes"),
        no_way_lifts_minutes=no_way.pop("lifts_minutes"),
        hold_days=MappingProxyType({HoldKind(kind): days for kind, days in raw.pop("hold_days").items()}),
    )
    for part in (reminder, fee, threshold, notice, promise, misled, no_way):
        if part:
            raise ValueError(f"nobody reads {', '.join(sorted(part))}")
    return made


def _check(policy: Policy) -> None:
    """Refuse what the code could not follow, or what no customer should meet."""
    whole = {
        "posting_grace_days": 0, "longest_bar_days": 1, "remind_before_days": 0, "remind_after_days": 1,
        "fee_basis_points": 0, "threshold_bills": 1, "notice_days": 1, "delivery_margin_days": 0, "usable_days": 1,
        "stands_days": 0, "promise_longest_days": 1, "promises_each_bill": 0, "ours_days": 1,
        "fee_reminded_days": 1, "said_each_bill": 0,
        "misled_near_hours": 0, "misled_lasts_minutes": 0, "misled_once_hours": 1, "no_way_stops_minutes": 0,
        "no_way_lifts_minutes": 1,
    }  # fmt: skip
    wrong = [
        f"{key} must be a whole number, {least} or more"
        for key, least in whole.items()
        if type(getattr(policy, key)) is not int or getattr(policy, key) < least
    ]
    if not 0 <= policy.opens < policy.closes <= 24:
        wrong.append("opens must come before closes")
    if not policy.weekdays or not policy.weekdays <= set(range(7)):
        wrong.append("weekdays are numbers from 0 (Monday) to 6")
    if tuple(rung.bar for rung in policy.ladder) != (Bar.OUTGOING, Bar.BOTH):
        wrong.append("the ladder bars outgoing first, then both")
    if any(rung.notice_after_days < 1 or rung.after_step_days < 1 for rung in policy.ladder):
        wrong.append("a rung comes at least a day after the step before")
    if policy.restore_when not in _RESTORE:
        wrong.append(f"restore_when is one of {', '.join(_RESTORE)}")
    if any(days < 1 for days in policy.hold_days.values()):
        wrong.append("a hold lasts at least a day")
    for currency, amount in policy.threshold_amount.items():
        exponent(currency)
        if type(amount) is not int or amount < 1:
            wrong.append(f"threshold.amount.{currency} must be a whole number above 0")
    if wrong:
        raise PolicyBroken(f"{policy.name}: {'; '.join(wrong)}")
