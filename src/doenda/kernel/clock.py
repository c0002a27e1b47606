"""One clock for the house: wall time plus an offset that only grows, and that exists only in demo and simulation.

Instants are timezone-aware UTC; dates are the carrier's (`DOENDA_ZONE`). Deadlines of network calls use `monotonic`,
which no jump of the offset moves (design rule 16).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from django.conf import settings

_ahead: Callable[[], float] | None = None


def runs_ahead_by(seconds: Callable[[], float] | None) -> None:
    """Where the offset comes from (kernel/offset.py); None: this installation's clock is the wall's."""
    global _ahead  # noqa: PLW0603 - set once at start
    _ahead = seconds


class Frozen:
    """A test's clock: stands still until told to move. `deadlines`: `monotonic` stands with it (simulations, where
    nothing may follow from how fast this machine is)."""

    def __init__(self, instant: datetime, *, deadlines: bool = False) -> None:
        self.deadlines = deadlines
        if instant.tzinfo is None:
            raise ValueError("an instant needs a timezone")
        self.instant = instant.astimezone(UTC)

    def advance(self, step: timedelta) -> None:
        self.instant += step

    def set(self, instant: datetime) -> None:
        self.instant = instant.astimezone(UTC)


_frozen: Frozen | None = None


@contextmanager
def freeze(instant: datetime, *, deadlines: bool = False) -> Iterator[Frozen]:
    """Stand still at `instant` (tests and simulations only)."""
    global _frozen  # noqa: PLW0603 - the one seam for time
    before, _frozen = _frozen, Frozen(instant, deadlines=deadlines)
    try:
        yield _frozen
    finally:
        _frozen = before


def zone() -> ZoneInfo:
    return ZoneInfo(settings.DOENDA_ZONE)


def now() -> datetime:
    """This instant, in UTC."""
    if _frozen is not None:
        return _frozen.instant
    return datetime.now(UTC) + timedelta(seconds=_ahead() if _ahead else 0.0)


def wall() -> datetime:
    """The wall's instant, without the offset: only to compare with what another machine stamped."""
    return _frozen.instant if _frozen is not None else datetime.now(UTC)


def today() -> date:
    """Today's date where the carrier is."""
    return local(now()).date()


def local(instant: datetime) -> datetime:
    """The same instant on the carrier's wall clock."""
    return instant.astimezone(zone())


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    """The instant, in UTC, at which the carrier's clock shows `hour`:`minute` on `day`."""
    return datetime.combine(day, time_of_day(hour, minute), zone()).astimezone(UTC)


def day_start(day: date) -> datetime:
    """The first instant of `day` where the carrier is, in UTC."""
    return at(day)


def monotonic() -> float:
    """Seconds for deadlines; unrelated to dates."""
    if _frozen is not None and _frozen.deadlines:
        return _frozen.instant.timestamp()
    return time.monotonic()


def sleep(seconds: float) -> None:
    time.sleep(seconds)
