"""How the end of a promise, of an account and of a closed hour is said."""

from datetime import datetime, timedelta

from doenda.kernel import clock, words


def until(instant: datetime, lang: str) -> str:
    """What ends with a day is said as that day: midnight of the 5th, or a minute before, is "the 4th"."""
    local = clock.local(instant)
    if (local.hour, local.minute) in {(0, 0), (23, 59)}:
        return words.day(clock.local(instant - timedelta(minutes=1)).date(), lang)
    return words.moment(instant, lang)


def from_when(instant: datetime, lang: str) -> str:
    """A beginning, soon: the time alone if it is today, or tonight."""
    local, now = clock.local(instant), clock.local(clock.now())
    said = words.moment(instant, lang)
    if local.date() == now.date() or instant - clock.now() < timedelta(hours=6):
        day = words.day(local.date(), lang)
        return said.removeprefix(day).lstrip(", ")
    return said
