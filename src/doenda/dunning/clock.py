"""The clock of a debt: days that count are calendar days less those on which it was stopped (pure).

A day touched by a stop, however briefly, does not count: in doubt for the customer. Stops are instants; days are the
carrier's (converted by the kernel). Nothing here reads the time.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from doenda.dunning.words import HoldKind
from doenda.kernel import clock

_DAY = timedelta(days=1)
_NEVER = date.max


@dataclass(frozen=True, slots=True)
class Stop:
    """An interval in which the clock does not run: a hold, an exposure, a failure of ours. `until` None: not over."""

    kind: HoldKind
    start: datetime
    until: datetime | None
    reason: str = ""

    @property
    def first_day(self) -> date:
        return clock.local(self.start).date()

    @property
    def last_day(self) -> date:
        """The last day touched; `date.max` while it is not over."""
        if self.until is None:
            return _NEVER
        return max(self.first_day, clock.local(self.until - timedelta(microseconds=1)).date())

    def running(self, now: datetime) -> bool:
        return self.start <= now and (self.until is None or now < self.until)

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def spans(stops: Iterable[Stop]) -> list[tuple[date, date]]:
    """The stopped days as disjoint spans (first, last), in order."""
    merged: list[tuple[date, date]] = []
    for first, last in sorted((stop.first_day, stop.last_day) for stop in stops):
        if merged and (merged[-1][1] == _NEVER or first <= merged[-1][1] + _DAY):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def counted(after: date, upto: date, stops: Iterable[Stop]) -> int:
    """How many days count after `after`, up to and with `upto`."""
    days = max(0, (upto - after).days)
    for first, last in spans(stops):
        begin, end = max(first, after + _DAY), min(last, upto)
        days -= max(0, (end - begin).days + 1)
    return days


def reached(after: date, days: int, stops: Iterable[Stop]) -> date | None:
    """The first day on which `days` days after `after` have counted; None while an open stop stands before it."""
    at, need = after, days
    for first, last in spans(stops):
        if last <= at:
            continue
        free = max(0, (first - at).days - 1)
        if need <= free:
            break
        if last == _NEVER:
            return None
        at, need = last, need - free
    return at + need * _DAY


def due_day(due: date, stops: Iterable[Stop]) -> date | None:
    """The due date, or the first day after it that was not stopped: our own outage on the due date moves it."""
    for first, last in spans(stops):
        if first <= due <= last:
            return None if last == _NEVER else last + _DAY
    return due


def end_of_month(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def last_free_day(due: date, stops: Iterable[Stop]) -> date | None:
    """The last day without a late fee: the end of the due month, later by every stopped day. None while stopped."""
    stops = tuple(stops)
    start = due_day(due, stops)
    if start is None:
        return None
    free = (end_of_month(due) - due).days
    last = reached(start, free, stops)
    first_after = None if last is None else reached(start, free + 1, stops)
    return None if first_after is None else first_after - _DAY
