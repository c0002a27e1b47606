"""Slips: a short number that a customer gets on a page, by text or by voice, and shows in a store.

A number is random, has a check digit, lives as long as its attempt, and is never given to anybody again; wrong ones are
counted against the clerk who typed them.
"""

from dataclasses import dataclass
from uuid import UUID

from doenda.access import tries
from doenda.kernel import clock
from doenda.kernel.db import atomic, durable
from doenda.payments import staff
from doenda.payments.counter import numbers, policy
from doenda.payments.counter.models import Slip
from doenda.payments.models import Attempt


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many numbers that do not exist; the customer is found in another way."""


def issue(attempt_id: UUID) -> Slip:
    """The slip of an attempt, made if there is none. Raises Attempt.DoesNotExist."""

    def work() -> Slip:
        attempt = Attempt.objects.select_for_update().get(pk=attempt_id)
        known = Slip.objects.filter(attempt=attempt).first()
        while known is None:
            row = Slip(number=numbers.fresh_slip(), attempt=attempt)
            if row.insert(once=True):  # a number that was ever given to anybody is not given again
                known = row
        return known

    return durable(work)


def find(text: str, *, by: str) -> Slip | Throttled | None:
    """The slip that a customer shows. A slip of the finger costs nothing; a number that does not exist is counted."""
    staff.require(by, "take")
    number = numbers.slip(text)
    if number is None:
        return None
    who = f"slip:{by}"
    with atomic():
        wrong = tries.hold(who)
        found = Slip.objects.select_related("attempt").filter(number=number).first()
        if wrong >= policy.now().wrong_slips:
            return Throttled()
        if found is None:
            tries.count(who)
        return found


def close(slip: Slip) -> None:
    """It is not to be paid with any more. In the caller's transaction."""
    Slip.objects.filter(pk=slip.pk, closed_at=None).update(closed_at=clock.now())
