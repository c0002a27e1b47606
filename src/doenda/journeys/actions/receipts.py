"""What a session keeps of an attempt: which one is meant, who said no, and whom not to ask again first."""

from collections.abc import Mapping
from uuid import UUID

from doenda.journeys.actions.binding import Answered
from doenda.journeys.declarations import ATTEMPT
from doenda.payments import attempts
from doenda.payments.models import Attempt
from doenda.payments.states import State

TRIED = "tried"
"""The key of the ways that said no in this session: they come last, or another provider takes their place."""
_MOST_TRIED = 6
_WHO = {"card": "card", "billing": "card", "transfer": "account", "debit": "account"}
_NOTHING_TAKEN = frozenset({"refused", "our_fault", "expired"})


def receipt(attempt_id: UUID | None) -> dict[str, str]:
    return {ATTEMPT: str(attempt_id)} if attempt_id else {}


def of_bill(bill_id: UUID, state: State) -> Attempt | None:
    """The bill's latest attempt in that state, on whichever channel."""
    found = Attempt.objects.filter(bills__bill_id=bill_id, state=state)
    return found.order_by("-settled_at", "-created_at").first()


def that_paid(bill_id: UUID) -> Attempt | None:
    """The attempt that paid the bill last, on whichever channel."""
    return of_bill(bill_id, State.PAID)


def paid_before(bill_id: UUID) -> Answered:
    """Nothing is owed: the receipt is that of whatever paid last, on whichever channel, if it was an attempt."""
    last = that_paid(bill_id)
    return "paid", {ATTEMPT: str(last.id) if last else "", "receipt": "nothing_due"}


def ended(seen: attempts.Result) -> bool:
    """Is it over, and certainly without money?"""
    return seen.outcome in _NOTHING_TAKEN


def tried(data: Mapping[str, str], *more: str) -> tuple[str, ...]:
    """The ways that said no so far, the latest last."""
    before = [way for way in data.get(TRIED, "").split(",") if way and way not in more]
    return (*before, *more)[-_MOST_TRIED:]


def refused(seen: attempts.Result, data: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a refusal."""
    attempt = Attempt.objects.filter(pk=seen.attempt_id).first() if seen.attempt_id else None
    if attempt is None:
        return {"refusal": "other"}
    theirs = seen.outcome == "refused" and seen.reason != "RETURN_MISMATCH"
    who = _WHO.get(attempt.method, "other") if theirs else "other"
    return {"refusal": who, TRIED: ",".join(tried(data, attempt.way))}
