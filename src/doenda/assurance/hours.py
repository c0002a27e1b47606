"""The rule of opening hours: when is something closed, and until when? Pure, over calendars as data.

The data is calendars.toml, or the installation's own file in DOENDA_CALENDARS.

A calendar is weekly windows minus closures (weekly, monthly, dated), by the wall clock of its own zone. Closed
stretches contain their first instant and not their last: at the instant that `closed_until` gives it is open.
Where a clock change repeats an hour, closed wins: a closure lasts from its first beginning to its last end, a window
from its last beginning to its first end. An edge that a clock change skips is at the change itself.
"""

import calendar as months
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
from django.conf import settings

SOURCE = Path(__file__).with_name("calendars.toml")
DAY = 1440
WEEK = 7 * DAY
EVERY_DAY = frozenset(range(7))
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FURTHEST = 400
"""Days ahead in which a calendar must have a window; more than any run of holidays."""
_MOST_CLOSURES = 2000
"""More than follow each other in a year of monthly ones: found when the calendar is made."""
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


class NeverOpen(ValueError):
    """The calendar would be closed for ever."""


@dataclass(frozen=True, slots=True)
class Span:
    """A recurring stretch: minutes after a day's midnight, `start` < DAY, `start` < `end` <= `start` + DAY.

    On `weekdays` (Monday is 0), or if `day_of_month` is set on that day (-1: the last), or on the `nth` such weekday of
    the month.
    """

    start: int
    end: int
    weekdays: frozenset[int] = EVERY_DAY
    day_of_month: int = 0
    nth: int = 0

    def on(self, day: date) -> bool:
        """Does it begin on `day`?"""
        if self.day_of_month == -1:
            return day.day == months.monthrange(day.year, day.month)[1]
        if self.day_of_month:
            return day.day == self.day_of_month
        return day.weekday() in self.weekdays and self.nth in {0, (day.day + 6) // 7}

    @property
    def monthly(self) -> bool:
        return bool(self.day_of_month or self.nth)


def _minutes(spans: Sequence[Span]) -> set[int]:
    """The minutes of a week that the spans cover."""
    return {
        (day * DAY + minute) % WEEK for span in spans for day in span.weekdays for minute in range(span.start, span.end)
    }


@dataclass(frozen=True, slots=True)
class Calendar:
    """`windows`: when it is open (none: always) except on holidays of country `holidays`; `closures` and `dated`
    (instants in UTC, the last not in it): when it is closed all the same. Raises NeverOpen."""

    name: str = "always"
    zone: str = "Asia/Seoul"
    windows: tuple[Span, ...] = ()
    closures: tuple[Span, ...] = ()
    dated: tuple[tuple[datetime, datetime], ...] = ()
    holidays: str = ""

    def __post_init__(self) -> None:
        weekly = [span for span in self.closures if not span.monthly]
        if not _minutes(self.windows or (Span(0, DAY),)) - _minutes(weekly):
            raise NeverOpen(f"calendar {self.name}: no minute of the week is open")
        if len(weekly) < len(self.closures):
            closed_until(self, _SOME_DAY)

    def holiday(self, day: date) -> bool:
        return bool(self.holidays) and day in _holidays(self.holidays, day.year)


ALWAYS = Calendar()


def closed_until(calendar: Calendar, now: datetime) -> datetime | None:
    """None while `calendar` is open at `now`; else the first instant (UTC) after it at which it is open."""
    if not (calendar.windows or calendar.closures or calendar.dated):
        return None
    at = now
    for _ in range(_MOST_CLOSURES):
        end = _closed_by(calendar, at)
        if end is None:
            return None if at == now else at.astimezone(UTC)
        at = end
    raise NeverOpen(f"calendar {calendar.name}: one closure follows the other")


def opens(calendar: Calendar, now: datetime) -> datetime:
    """The first instant from `now` on at which it is open."""
    return closed_until(calendar, now) or now


def _closed_by(calendar: Calendar, at: datetime) -> datetime | None:
    """The end of something that has it closed at `at`; it may be closed by something else then."""
    for start, end in calendar.dated:
        if start <= at < end:
            return end
    zone = ZoneInfo(calendar.zone)
    today = at.astimezone(zone).date()
    days = (today - timedelta(days=1), today)  # no span is longer than a day
    for span in calendar.closures:
        for start, end in _instances(span, days, zone, closing=True):
            if start <= at < end:
                return end
    return _next_window(calendar, at, zone, today) if calendar.windows else None


def _next_window(calendar: Calendar, at: datetime, zone: ZoneInfo, today: date) -> datetime | None:
    """None inside a window, else the beginning of the next one."""
    if any(start <= at < end for start, end in _windows(calendar, today - timedelta(days=1), zone)):
        return None  # since last night
    for ahead in range(_FURTHEST):
        found = _windows(calendar, today + timedelta(days=ahead), zone)
        if any(start <= at < end for start, end in found):
            return None
        if later := [start for start, _ in found if start > at]:
            return min(later)
    raise NeverOpen(f"calendar {calendar.name}: no window within {_FURTHEST} days")


def _windows(calendar: Calendar, day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    if calendar.holiday(day):
        return []
    return [each for span in calendar.windows for each in _instances(span, (day,), zone, closing=False)]


def _instances(
    span: Span, days: tuple[date, ...], zone: ZoneInfo, *, closing: bool
) -> Iterator[tuple[datetime, datetime]]:
    for day in days:
        if span.on(day):
            start = _instant(day, span.start, zone, late=not closing)
            end = _instant(day, span.end, zone, late=closing)
            if start < end:
                yield start, end


def _instant(day: date, minutes: int, zone: ZoneInfo, *, late: bool) -> datetime:
    """When the wall clock of `zone` shows `minutes` after midnight of `day`; of two such instants the `late` one."""
    shown = datetime.combine(day + timedelta(days=minutes // DAY), time(minutes % DAY // 60, minutes % 60))
    first, second = (shown.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if late else first
    return _change(second, first, zone)  # the clock never shows it: it is skipped


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between the two at which the zone's offset changes, to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    known = holidays.country_holidays(country, years=year)
    if "bank" in known.supported_categories:
        known = holidays.country_holidays(country, years=year, categories=("public", "bank"))
    return frozenset(known)


# --- the data


@cache
def calendars(source: Path = SOURCE) -> Mapping[str, Calendar]:
    """The calendars by name. Raises ValueError naming the calendar."""
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    found = {"always": ALWAYS}
    for name, entry in data.get("calendars", {}).items():
        try:
            made = _read(name, {"zone": data.get("zone", ALWAYS.zone)} | entry)
        except (KeyError, TypeError, ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError(f"{source.name}, {name}: {error}") from error
        found[name] = ALWAYS if name == "always" else made
    return MappingProxyType(found)


def named(name: str) -> Calendar:
    """Raises ValueError for a name that is not in the installation's data."""
    try:
        return calendars(_source())[name]
    except KeyError:
        raise ValueError(f"no calendar {name!r}") from None


def _source() -> Path:
    return Path(settings.DOENDA_CALENDARS or SOURCE)


def store(number: str) -> Calendar:
    """A store's hours: its own if it has any, else those of all stores."""
    known = calendars(_source())
    return known.get(f"store_{number}", known["store"])


def _read(name: str, entry: dict[str, Any]) -> Calendar:
    unknown = set(entry) - {"zone", "open", "closed", "dated", "holidays"}
    if unknown:
        raise ValueError(f"unknown {', '.join(sorted(unknown))}")
    zone = ZoneInfo(entry["zone"])
    country = str(entry.get("holidays", ""))
    if country and country not in holidays.list_supported_countries():
        raise ValueError(f"no holidays of {country!r} are known")
    dated = []
    for each in entry.get("dated", ()):
        start, end = (each[edge].replace(tzinfo=zone).astimezone(UTC) for edge in ("from", "to"))
        if start >= end:
            raise ValueError(f"a dated closure ends before it begins: {each['from']}")
        dated.append((start, end))
    windows = tuple(_span(each) for each in entry.get("open", ()))
    if any(span.monthly for span in windows):
        raise ValueError("a window is weekly")
    closures = tuple(_span(each) for each in entry.get("closed", ()))
    return Calendar(name, entry["zone"], windows, closures, tuple(dated), country)


def _span(entry: dict[str, Any]) -> Span:
    start, end = _clock(entry["from"]), _clock(entry["to"])
    if start >= DAY:
        raise ValueError(f"from {entry['from']}: the day begins at 00:00")
    end = end if end > start else end + DAY
    monthly = entry.get("monthly")
    if monthly is None:
        return Span(start, end, _days(entry.get("days", "mon-sun")))
    if monthly == "last":
        return Span(start, end, day_of_month=-1)
    if isinstance(monthly, int) and 1 <= monthly <= 31:
        return Span(start, end, day_of_month=monthly)
    nth, weekday = str(monthly).split()
    if int(nth) not in range(1, 6):
        raise ValueError(f"monthly {monthly!r}: the first to the fifth")
    return Span(start, end, frozenset({_WEEKDAYS.index(weekday)}), nth=int(nth))


def _clock(shown: str) -> int:
    hour, minute = (int(part) for part in shown.split(":"))
    if not (0 <= hour <= 24 and 0 <= minute < 60 and hour * 60 + minute <= DAY):
        raise ValueError(f"no such time of day: {shown}")
    return hour * 60 + minute


def _days(words: str) -> frozenset[int]:
    found: set[int] = set()
    for part in words.split(","):
        first, _, last = part.strip().partition("-")
        begin, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
        found |= {day % 7 for day in range(begin, (end if end >= begin else end + 7) + 1)}
    return frozenset(found)
