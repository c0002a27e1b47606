"""What collections must read before anything adverse (design rule 8)."""

from datetime import datetime, timedelta
from uuid import UUID

from doenda.kernel import clock
from doenda.payments.models import Attempt
from doenda.payments.states import State

HELD_AFTER_OUR_FAULT = timedelta(days=3)
"""A customer whose try failed through our fault gets this long before anything adverse: nobody is punished for it."""


def adverse_blocked(account_id: UUID) -> str | None:
    """Why nothing adverse may happen to the account now, or None: money may be moving, or is known to be on its way."""
    row = Attempt.objects.filter(account_id=account_id, in_flight=True).first()
    return None if row is None else f"attempt {row.id} is {row.state}"


def our_faults(account_id: UUID) -> list[tuple[datetime, datetime]]:
    """Intervals that do not count against the customer: a try that failed through us, and some days to try again."""
    faults = Attempt.objects.filter(account_id=account_id, state=State.OUR_FAULT).order_by("created_at")
    return [(row.created_at, (row.settled_at or clock.now()) + HELD_AFTER_OUR_FAULT) for row in faults]
