"""The debit policy: days, hours and tries as dated and versioned data, one file a scheme (design rule 10).

`policies/<country>.toml` holds the figures and their meaning; this file knows what a cut-off and a retry are. Pure.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import holidays

from doenda.kernel import clock

POLICIES = Path(__file__).parent / "policies"
SCHEMES = ("cms", "sepa")
_HORIZON = 60


class PolicyBroken(ValueError):
    """The policy file says something that cannot be followed; the message names the version and the place."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The figures, as `policies/kr.toml` explains them."""

    name: str
    valid_from: date
    country: str
    scheme: str
    currency: str
    debit_days: tuple[int, ...]
    instruct_hours_before: int
    cut_off_bank_days_before: int
    cut_off: time
    house_until: time
    results_days_after: int
    results_at: time
    longest_hours: int
    owned_after_hours: int
    retry_after_days: tuple[int, ...]
    most_tries: int
    largest: int

    def bank_day(self, day: date) -> bool:
        return day.weekday() < 5 and day not in _holidays(self.country, day.year)

    def bank_day_from(self, day: date) -> date:
        """The day itself if banks work, else the next on which they do."""
        for ahead in range(_HORIZON):
            if self.bank_day(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        raise PolicyBroken(f"{self.name}: no bank day within {_HORIZON} days of {day}")

    def bank_day_before(self, day: date, count: int) -> date:
        """The bank day `count` bank days before `day`."""
        while count:
            day -= timedelta(days=1)
            count -= self.bank_day(day)
        return day

    def cut_off_at(self, day: date) -> datetime:
        """Until then a debit of `day` can be recalled; then its file is built."""
        return _at(self.bank_day_before(day, self.cut_off_bank_days_before), self.cut_off)

    def house_until_at(self, day: date) -> datetime:
        """Until then the clearing house takes the file of `day`."""
        return _at(self.bank_day_before(day, self.cut_off_bank_days_before), self.house_until)

    def instruct_from(self, day: date) -> datetime:
        return self.cut_off_at(day) - timedelta(hours=self.instruct_hours_before)

    def results_due(self, day: date) -> datetime:
        return _at(day + timedelta(days=self.results_days_after), self.results_at)

    def owned_from(self, day: date) -> datetime:
        """From then a person owns what still has no result."""
        return self.results_due(day) + timedelta(hours=self.owned_after_hours)

    def bound_hours(self, day: date) -> float:
        """How long a debit of `day` cannot be recalled and has no result: hours of bank days and of the last night."""
        at, end, hours = self.cut_off_at(day), self.results_due(day), 0.0
        while at < end:
            today = clock.local(at).date()
            until = min(end, clock.day_start(today + timedelta(days=1)))
            if self.bank_day(today) or today == clock.local(end).date():
                hours += (until - at).total_seconds() / 3600
            at = until
        return hours

    def open_day(self, now: datetime) -> date:
        """The first debit day whose cut-off is still ahead."""
        day = clock.local(now).date()
        for _ in range(_HORIZON):
            day = self.bank_day_from(day + timedelta(days=1))
            if now < self.cut_off_at(day):
                return day
        raise PolicyBroken(f"{self.name}: no cut-off within {_HORIZON} bank days of {now}")


def _at(day: date, hour: time) -> datetime:
    return clock.at(day, hour.hour, hour.minute)


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    if len(country) != 2:
        return frozenset(holidays.financial_holidays(country, years=year))
    named = holidays.country_holidays(country, years=year)
    kinds = tuple(kind for kind in ("public", "bank") if kind in named.supported_categories)
    return frozenset(holidays.country_holidays(country, years=year, categories=kinds))


def in_force(currency: str, on: date) -> Policy:
    """The policy for debits of a currency on a day. Raises PolicyBroken."""
    valid = [each for each in load() if each.currency == currency and each.valid_from <= on]
    if not valid:
        raise PolicyBroken(f"no debit policy for {currency} is valid on {on}")
    return max(valid, key=lambda each: each.valid_from)


def of_scheme(scheme: str, on: date) -> Policy:
    """The policy for files of a form on a day. Raises PolicyBroken."""
    valid = [each for each in load() if each.scheme == scheme and each.valid_from <= on]
    if not valid:
        raise PolicyBroken(f"no debit policy for {scheme} is valid on {on}")
    return max(valid, key=lambda each: each.valid_from)


def currencies() -> frozenset[str]:
    """What can be debited at all."""
    return frozenset(each.currency for each in load())


@cache
def load() -> tuple[Policy, ...]:
    """All versions of all files, checked. Raises PolicyBroken."""
    files = sorted(POLICIES.glob("*.toml"))
    return tuple(each for file in files for each in parse(file.name, file.read_text(encoding="utf-8")))


def parse(file: str, text: str) -> tuple[Policy, ...]:
    """Read and check a policy file's text. Every error names the version; a key that nobody reads is an error too."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyBroken(f"{file}: {error}") from error
    found = tuple(_version(file, entry) for entry in raw.get("version", []))
    if not found or len({each.valid_from for each in found}) != len(found):
        raise PolicyBroken(f"{file}: needs at least one version, each from another day")
    return found


def _version(file: str, entry: Mapping[str, Any]) -> Policy:
    where = f"{file} {entry.get('name', '?')}"
    known = {field.name for field in fields(Policy)}
    if wrong := known ^ set(entry):
        raise PolicyBroken(f"{where}: missing or unknown: {', '.join(sorted(wrong))}")
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in entry.items()}
    made = Policy(**values)
    for name, ok in _checks(made):
        if not ok:
            raise PolicyBroken(f"{where}: {name} cannot be followed")
    return made


def _checks(made: Policy) -> list[tuple[str, bool]]:
    whole = ("instruct_hours_before", "results_days_after", "owned_after_hours", "most_tries", "largest")
    return [
        *((name, type(getattr(made, name)) is int and getattr(made, name) > 0) for name in whole),
        *((name, type(getattr(made, name)) is time) for name in ("cut_off", "house_until", "results_at")),
        ("valid_from", type(made.valid_from) is date),
        ("scheme", made.scheme in SCHEMES),
        ("cut_off_bank_days_before", made.cut_off_bank_days_before >= 1),
        ("house_until", made.cut_off < made.house_until),
        ("debit_days", all(type(day) is int and 1 <= day <= 28 for day in made.debit_days)),
        ("retry_after_days", all(type(days) is int and days > 0 for days in made.retry_after_days)),
        ("most_tries", made.most_tries <= 1 + len(made.retry_after_days)),
        ("longest_hours", made.bound_hours(made.bank_day_from(date(2014, 10, 22))) <= made.longest_hours),
    ]
