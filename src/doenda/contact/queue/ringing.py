"""Whether we can ring anybody just now: something that rings, opening hours, quiet hours, the day's money."""

from collections.abc import Callable
from datetime import datetime

from doenda.contact import hours, policy, windows
from doenda.contact.models import DialDay
from doenda.kernel import clock

_can_ring: Callable[[], bool] | None = None


def dials_while(can_ring: Callable[[], bool] | None) -> Callable[[], bool] | None:
    """What can ring, and whether it can just now; None: nothing can. Returns what could until now."""
    global _can_ring
    before, _can_ring = _can_ring, can_ring
    return before


def possible(now: datetime) -> bool:
    """Only then does a callback keep an agent for itself: one that cannot be rung must hold up nobody."""
    if _can_ring is None or not _can_ring() or not hours.hours().is_open(now):
        return False
    return not windows.quiet(now, policy.current().callback) and _money_left(now)


def _money_left(now: datetime) -> bool:
    money = policy.current().callback.money
    day = DialDay.objects.filter(day=clock.local(now).date()).first()
    dearest = max(money.reserved(found) for found in money.a_minute)
    return (day.spent if day else 0) + dearest <= (day.most if day else money.most_a_day)
