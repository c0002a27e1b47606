"""The rules of leased numbers (pure): a lease's stretch on the line of time, and whose a deposit is.

All numbers lie on one line of whole seconds, one stretch of `STRETCH` seconds each, so that "no two leases of a number
overlap" is an exclusion over a built-in range type and needs no extension of the database.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import NumericRange

STRETCH = 1 << 34
"""Seconds that each number has on the line: from 1970 until 2514."""
MOST_NUMBERS = 1 << 29
"""Numbers that fit on the line (their places fill 63 bits)."""


def span(number_id: int, since: datetime, rests_until: datetime | None) -> NumericRange:
    """The stretch of a lease with the rest after it; without an end until it has one."""
    end = STRETCH - 1 if rests_until is None else math.ceil(rests_until.timestamp())
    return NumericRange(number_id * STRETCH + math.floor(since.timestamp()), number_id * STRETCH + end)


@dataclass(frozen=True, slots=True)
class Held:
    """One lease of a number: for whom it was opened at the bank, and since when it was theirs."""

    lease_id: UUID
    order_id: str
    since: datetime


NEVER_LEASED = "never_leased"
AMBIGUOUS = "changed_hands"


def holder(
    leases: Sequence[Held], at: datetime, *, order_id: str = "", day_only: bool = False, skew: timedelta
) -> Held | str:
    """Whose a deposit of `at` into this number is, or why nobody can tell.

    The bank's own word (`order_id`: for whom the number was open) counts first; else it is theirs who had the number
    last at that moment, also while it rests. Where two clocks or a bare date leave a doubt between two holders, a
    person decides: it never goes to the next one by guess.
    """
    if not leases:
        return NEVER_LEASED
    named = next((each for each in leases if order_id and each.order_id == order_id), None)
    if named is not None:
        return named
    first, last = (at, at + timedelta(days=1)) if day_only else (at - skew, at + skew)
    ordered = sorted(leases, key=lambda each: each.since)
    before = [each for each in ordered if each.since <= first]
    within = [each for each in ordered if first < each.since <= last]
    if len(before[-1:]) + len(within) > 1:
        return AMBIGUOUS
    if within:
        return within[0]
    return before[-1] if before else NEVER_LEASED
