"""What a `Wait` step waits for, if it has happened. Reads only."""

from collections.abc import Mapping
from uuid import UUID

from doenda.journeys.actions.binding import Answered
from doenda.journeys.actions.receipts import ended, paid_before, receipt, refused
from doenda.journeys.declarations import ATTEMPT
from doenda.journeys.models import Session
from doenda.payments import attempts


def happened(on: str, session: Session, data: Mapping[str, str]) -> Answered | None:
    """The outcome that has come of what the step waits for, and what it leaves in the session's data; or None."""
    if ATTEMPT not in data:
        return None
    seen = attempts.look(UUID(data[ATTEMPT]))
    if on in {"customer_returns", "script_returns"}:
        return ("expired", {}) if ended(seen) or seen.outcome == "paid" else None
    if on == "deposit_arrives":
        return _arrived(seen, session)
    if seen.outcome == "paid":
        return "paid", receipt(seen.attempt_id)
    return ("refused", refused(seen, data)) if ended(seen) else None
    # Where a person owns it the page goes on saying so; `enough` makes it a dated promise.


def _arrived(seen: attempts.Result, session: Session) -> Answered | None:
    """Nobody is shown where to pay into once the bill is paid, or while something else is paying it."""
    if seen.outcome == "paid":
        return "paid", receipt(seen.attempt_id)
    if session.bill is None or session.bill_id is None:
        return None
    if not session.bill.remaining:
        return paid_before(session.bill_id)
    if other := attempts.in_flight_id([session.bill_id]):
        return "moving", receipt(other)
    return None if seen.outcome == "deposit" else ("expired", {})
