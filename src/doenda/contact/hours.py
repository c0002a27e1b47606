"""The centre's opening hours, and the date of an answer promised in working hours. Pure, but for reading its policy."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import holidays
from django.conf import settings

from doenda.kernel import clock


@dataclass(frozen=True)
class Hours:
    """Open from hour `open` to hour `close` on `weekdays` (Monday is 0) that are no public holidays of `country`."""

    open: int
    close: int
    weekdays: frozenset[int]
    country: str
    answer_within: dict[str, int]

    def __post_init__(self) -> None:
        if not (0 <= self.open < self.close <= 24 and self.weekdays):
            raise ValueError("the centre is never open")

    def works(self, day: date) -> bool:
        return day.weekday() in self.weekdays and day not in _holidays(self.country, day.year)

    def is_open(self, instant: datetime) -> bool:
        local = clock.local(instant)
        return self.works(local.date()) and self.open <= local.hour < self.close

    def after(self, instant: datetime, working: timedelta) -> datetime:
        """The instant by which `working` time has passed while the centre was open."""
        day = clock.local(instant).date()
        while True:
            if self.works(day):
                begins, ends = max(clock.at(day, self.open), instant), self._closing(day)
                if begins < ends:
                    if working <= ends - begins:
                        return begins + working
                    working -= ends - begins
            day += timedelta(days=1)

    def opens(self, instant: datetime) -> datetime:
        """The first instant from `instant` on at which the centre is open."""
        if self.is_open(instant):
            return instant
        day = clock.local(instant).date()
        while not self.works(day) or clock.at(day, self.open) < instant:
            day += timedelta(days=1)
        return clock.at(day, self.open)

    def closes(self, instant: datetime) -> datetime:
        """When the centre closes on the day of `instant`."""
        return self._closing(clock.local(instant).date())

    def _closing(self, day: date) -> datetime:
        return clock.at(day, self.close) if self.close < 24 else clock.day_start(day + timedelta(days=1))


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays(country, years=year))


@cache
def hours() -> Hours:
    """The policy of the installation's country."""
    path = Path(__file__).parent / "policies" / f"{settings.DOENDA_COUNTRY.lower()}.toml"
    policy = tomllib.loads(path.read_text(encoding="utf-8"))
    told = policy["hours"]
    return Hours(
        told["open"],
        told["close"],
        frozenset(told["weekdays"]),
        settings.DOENDA_COUNTRY,
        dict(policy["answer_working_hours"]),
    )


def answer_by(kind: str, now: datetime) -> datetime:
    """When a ticket of this kind, opened now, is answered at the latest."""
    made = hours()
    return made.after(now, timedelta(hours=made.answer_within[kind]))
