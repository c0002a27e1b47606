"""A demo that is begun at night in Korea begins next morning instead: at night no reminder may be sent."""

from datetime import timedelta

from doenda.kernel import clock, offset, words

FIRST_HOUR, LAST_HOUR = 9, 19


def wake() -> str:
    """Move the clock on to half past nine, if people may not be written to now. Returns the moment, or nothing."""
    now = clock.local(clock.now())
    if FIRST_HOUR <= now.hour < LAST_HOUR:
        return ""
    day = now.date() + timedelta(days=1 if now.hour >= LAST_HOUR else 0)
    return words.moment(offset.advance(clock.at(day, 9, 30) - clock.now()), "en")
