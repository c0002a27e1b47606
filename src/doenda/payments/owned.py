"""What no machine can decide gets a person as its owner, by name of the reason; it is never closed by a timeout."""

import logging

from doenda.kernel import clock, facts
from doenda.kernel.ids import outside
from doenda.payments.models import Attempt

log = logging.getLogger(__name__)


def to_a_person(attempt: Attempt, reason: str) -> None:
    """Give the attempt to the desk. In the caller's transaction; once."""
    log.error("attempt %s needs a person: %s", outside(attempt.id), reason)
    if attempt.person_owns_at is None:
        attempt.person_owns_at, attempt.reason = clock.now(), reason[:80]
        if not attempt.in_flight:  # what is in flight is asked about until it is known
            attempt.ask_at = None
        attempt.save(update_fields=["person_owns_at", "reason", "ask_at"])
        facts.record("payments.person_owns", attempt.account_id, {"attempt": str(attempt.id), "reason": reason})
