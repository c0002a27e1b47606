"""What collections must read before anything adverse (design rule 8)."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from doenda.kernel import clock, once
from doenda.payments import policy
from doenda.payments.models import Attempt, AttemptMove
from doenda.payments.states import State

if TYPE_CHECKING:
    from django.db.models import QuerySet

HELD_AFTER_OUR_FAULT = timedelta(days=3)
"""A customer whose try failed through our fault gets this long before anything adverse: nobody is punished for it.

Who was told not to pay again, until we knew that nothing had been taken, gets as long."""


def adverse_blocked(account_id: UUID) -> str | None:
    """Why nothing adverse may happen to the account now, or None: money may be moving, or a debit is to come."""
    row = _moving.first(account_id=account_id, instructed=State.INSTRUCTED.value)
    return None if row is None else f"attempt {row.id} is {row.state}"


@once.query
def _moving(account_id: once.Open, instructed: once.Open) -> "QuerySet[Attempt]":
    return Attempt.objects.filter(Q(in_flight=True) | Q(state=instructed), account_id=account_id).order_by("pk")[:1]


@once.query
def _in_state(account_id: once.Open, state: once.Open) -> "QuerySet[Attempt]":
    return Attempt.objects.filter(account_id=account_id, state=state).order_by("created_at")


@once.query
def _moves_to(account_id: once.Open, target: once.Open) -> "QuerySet[AttemptMove]":
    moves = AttemptMove.objects.filter(attempt__account_id=account_id, target=target)
    return moves.select_related("attempt").order_by("created_at")


def our_faults(account_id: UUID) -> list[tuple[datetime, datetime]]:
    """Intervals that do not count against the customer: a try that failed through us, and some days to try again."""
    faults = _in_state(account_id=account_id, state=State.OUR_FAULT.value)
    return [(row.created_at, (row.settled_at or clock.now()) + HELD_AFTER_OUR_FAULT) for row in faults]


def unknowns(account_id: UUID) -> list[tuple[datetime, datetime | None]]:
    """Intervals in which nobody knew whether money had moved, and the customer was asked not to pay again.

    None: not known yet. After an outcome other than `paid`, with some days to try again: so often a month that nobody
    can stop the clock for ever by coming back from a provider's page without having paid.
    """
    rules, found = policy.now(), list[tuple[datetime, datetime | None]]()
    given: list[datetime] = []
    for move in _moves_to(account_id=account_id, target=State.UNKNOWN.value):
        end = _known_at(move.attempt)
        if end is not None and move.attempt.state != State.PAID:
            lately = [at for at in given if move.created_at - at < timedelta(days=30)]
            if len(lately) < rules.fruitless_a_month:
                given.append(move.created_at)
            else:
                end -= HELD_AFTER_OUR_FAULT
        found.append((move.created_at, end))
    return found


def _known_at(attempt: Attempt) -> datetime | None:
    if attempt.in_flight:
        return None
    known = attempt.settled_at or clock.now()
    return known if attempt.state == State.PAID else known + HELD_AFTER_OUR_FAULT


def instructed(account_id: UUID) -> list[tuple[datetime, datetime | None]]:
    """Intervals in which a debit was on its way to the customer's bank, who had no reason to pay otherwise."""
    found = _moves_to(account_id=account_id, target=State.INSTRUCTED.value)
    return [(move.created_at, _ended_at(move)) for move in found]


def _ended_at(move: AttemptMove) -> datetime | None:
    if move.attempt.state == State.INSTRUCTED:
        return None
    left = AttemptMove.objects.filter(attempt=move.attempt_id, source=State.INSTRUCTED)
    return left.latest("created_at").created_at


def undone(account_id: UUID) -> list[tuple[datetime, datetime]]:
    """Intervals that do not count: a payment stood in the books, then was taken back, and some days to pay again."""
    back = AttemptMove.objects.filter(
        attempt__account_id=account_id, source=State.PAID, target__in=[State.UNDONE, State.NEEDS_DEPOSIT]
    )
    days = timedelta(days=policy.now().undone_days)
    return [(_paid_before(move), move.created_at + days) for move in back.order_by("created_at")]


def _paid_before(move: AttemptMove) -> datetime:
    paid = AttemptMove.objects.filter(attempt=move.attempt_id, target=State.PAID, created_at__lte=move.created_at)
    return paid.latest("created_at").created_at
