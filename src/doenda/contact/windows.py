"""When a customer may be called back: the window they asked for, in opening hours, never in quiet ones. Pure, but for
the carrier's zone."""

from datetime import datetime, time, timedelta

from doenda.contact.hours import Hours
from doenda.contact.policy import CallBack
from doenda.kernel import clock

SOONEST = "soonest"


def quiet(instant: datetime, rules: CallBack) -> bool:
    local = clock.local(instant).time()
    return not rules.quiet_until <= local < rules.quiet_from


def window(wanted: str, now: datetime, centre: Hours, rules: CallBack) -> tuple[datetime, datetime]:
    """The next window of this name (`rules.windows`; "soonest" or an unknown word: as soon as we are open), from when
    it begins or from now if it runs."""
    hour = rules.windows.get(wanted) if wanted != SOONEST else None
    instant = now
    while True:
        begins = _awake(centre.opens(instant), rules)
        if hour is not None:
            begins = max(begins, clock.at(clock.local(begins).date(), hour))
        start = begins if hour is None else clock.at(clock.local(begins).date(), hour)
        ends = min(start + rules.window, centre.closes(begins), _hushed(begins, rules))
        if centre.is_open(begins) and begins < ends:
            return begins, ends
        instant = clock.day_start(clock.local(instant).date() + timedelta(days=1))


def _awake(instant: datetime, rules: CallBack) -> datetime:
    return max(instant, _at(instant, rules.quiet_until))


def _hushed(instant: datetime, rules: CallBack) -> datetime:
    return _at(instant, rules.quiet_from)


def _at(instant: datetime, when: time) -> datetime:
    return clock.at(clock.local(instant).date(), when.hour, when.minute)
