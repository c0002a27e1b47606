"""Calling back: when a turn has come, how often, and which numbers are never dialled.

A callback is the same place without a channel: it keeps `queued_at`, is dialled when its turn comes, and neither jumps
nor loses the line. Times in seconds.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

import phonenumbers
from phonenumbers import PhoneNumberType

from doenda.contact.rules.order import Place
from doenda.contact.rules.waits import Z_FOUR_FIFTHS, qlm

type Range = Literal["mobile", "landline"]

_ALLOWED: dict[int, Range] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "landline",
}


class Refused(ValueError):
    """This number is never dialled by a machine; the reason is a word: foreign, short, invalid, costly."""


def range_of(number: str, country: str) -> Range:
    """The range of an E.164 number of `country` (ISO 3166) that we may dial. Raises Refused for every other: foreign,
    satellite, short, premium, shared cost, personal and every range that is not plainly mobile or landline."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException as error:
        raise Refused("short" if len(number) < 7 else "invalid") from error
    if parsed.country_code != phonenumbers.country_code_for_region(country):
        raise Refused("foreign")
    if phonenumbers.is_valid_short_number_for_region(parsed, country) or len(str(parsed.national_number)) < 7:
        raise Refused("short")
    if not phonenumbers.is_valid_number_for_region(parsed, country):
        raise Refused("invalid")
    found = _ALLOWED.get(phonenumbers.number_type(parsed))
    if found is None:
        raise Refused("costly")
    return found


def coming_free(horizon: float, busy: int, mu: float | None) -> int:
    """Of `busy` agents, how many become free within `horizon` with four chances in five, each finishing at `mu`."""
    if mu is None or busy <= 0:
        return 0
    free = 0
    while free < busy and qlm(free, busy, mu, 0.0).quantile(Z_FOUR_FIFTHS) <= horizon:
        free += 1
    return free


def due(line: Iterable[Place], *, free: int, coming: int, in_flight: int) -> list[Place]:
    """Whom to dial now: callbacks whose position is within the agents that are free or are about to be, and never
    more calls in flight than agents are free."""
    room = free - in_flight
    found: list[Place] = []
    for position, place in enumerate(line, start=1):
        if len(found) >= room or position > free + coming:
            break
        if place.standing == "callback":
            found.append(place)
    return found


def next_try(tries: int, pauses: Sequence[float], ended: datetime) -> datetime | None:
    """When to dial again after `tries` that reached nobody; None when that was the last."""
    return ended + timedelta(seconds=pauses[tries - 1]) if 0 < tries <= len(pauses) else None
