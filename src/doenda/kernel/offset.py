"""How far the house's clock runs ahead of the wall's: one row that only grows, in demo and simulation only.

Every process reads it at most `CACHE_SECONDS` late (design rule 16).
"""

import threading
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error, transaction
from django.db.models import F

from doenda.kernel import clock
from doenda.kernel.models import ClockOffset

CACHE_SECONDS = 0.5


class _Known:
    """The row as this process last saw it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seconds = 0.0
        self.read_at = float("-inf")
        self.known = False


_known = _Known()


def current() -> float:
    """Seconds ahead of the wall; 0 where the clock is not movable."""
    if not settings.DOENDA_MOVABLE_CLOCK:
        return 0.0
    if time.monotonic() - _known.read_at > CACHE_SECONDS:
        _read()
    return _known.seconds


def _read() -> None:
    _known.read_at = time.monotonic()
    try:
        seconds = ClockOffset.objects.values_list("seconds", flat=True).first()
    except Error:  # a broken transaction, or a database that is starting: the last known offset still holds
        if not _known.known:  # and if there is none, the wall's time must not hold for long
            _known.read_at = float("-inf")
        return
    with _known.lock:
        _known.seconds, _known.known = max(_known.seconds, float(seconds or 0)), True


def forget() -> None:
    """Another database, another clock (tests)."""
    _known.seconds, _known.read_at, _known.known = 0.0, float("-inf"), False


def advance(step: timedelta) -> datetime:
    """Move the house's clock forward. Returns the new now.

    Raises RuntimeError where the clock is not movable, ValueError for a step back.
    """
    if not settings.DOENDA_MOVABLE_CLOCK:
        raise RuntimeError("this installation's clock cannot be moved (DOENDA_MOVABLE_CLOCK is off)")
    if step < timedelta(0):
        raise ValueError("the clock only moves forward")
    with transaction.atomic():
        ClockOffset.objects.get_or_create(pk=1)
        ClockOffset.objects.filter(pk=1).update(seconds=F("seconds") + step.total_seconds())
    _read()
    return clock.now()
