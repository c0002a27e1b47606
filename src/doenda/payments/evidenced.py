"""What an attempt's outcome proves of its way: payments own provider code -> outcome, assurance owns what follows."""

import logging
from collections.abc import Sequence
from datetime import datetime

from doenda.assurance import evidence
from doenda.payments.models import Attempt

log = logging.getLogger(__name__)


def worked(attempt: Attempt, *, at: datetime | None) -> None:
    """A success counts from when it was asked for: one that an inquiry finds later proves nothing about now."""
    _record(attempt, "worked", "attempt", at)


def worked_many(found: Sequence[tuple[Attempt, datetime]]) -> None:
    """The same of many attempts at once, none of them a probe's."""
    paid = evidence.Outcome.WORKED
    told = [
        evidence.Tried(
            each.way,
            paid,
            "attempt",
            _source(each),
            False,
            each.account_id,
            at,
            each.reason,
            each.device,
        )
        for each, at in found
    ]
    for way in evidence.record_many(told):
        log.warning("no way %s to learn about", way)


def failed(attempt: Attempt, *, by_us: bool, unanswered: bool = False) -> None:
    """A failure counts from when it was asked for, too: what failed in closed hours says nothing of the open ones.

    `by_us`: not the customer's doing (ours or the provider's). `unanswered`: not known yet."""
    outcome = "failed_by_provider" if by_us else "failed_by_customer"
    _record(attempt, outcome, "attempt_unanswered" if unanswered else "attempt", attempt.sent_at)


def _record(attempt: Attempt, outcome: str, source_kind: str, at: datetime | None) -> None:
    try:
        evidence.record(
            attempt.way,
            outcome,
            source_kind=source_kind,
            source_id=_source(attempt),
            synthetic=attempt.synthetic,
            account_id=attempt.account_id,
            at=at,
            detail=attempt.reason,
            device=attempt.device,
        )
    except evidence.UnknownWay:  # money is booked whether or not this installation tells customers of the way
        log.warning("no way %s to learn about", attempt.way)


def _source(attempt: Attempt) -> str:
    """Each of its payments is a proof of its own."""
    return f"{attempt.id}#{attempt.times_paid}" if attempt.times_paid > 1 else str(attempt.id)
