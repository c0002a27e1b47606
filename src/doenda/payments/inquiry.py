"""Unknowns are asked about until the provider knows or a person owns them; none is ever closed by a timeout alone.

"Not found" counts only after the provider's own longest time; a charge that the provider knows and has not carried out
is voided, and counts as refused only when the void is acknowledged (design rule 3). How often is asked, and when a
person owns it, each provider says; one that does not answer holds up no question to another.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from django.conf import settings

from doenda.kernel import clock, facts, outbox, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside
from doenda.kernel.models import OutboxRow
from doenda.payments import providers
from doenda.payments.listening import next_look
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of, close_there, holds, locked, move
from doenda.payments.outcomes import apply
from doenda.payments.providers.contract import Answer, Moves, Outcome, Provider
from doenda.payments.states import DATED, IN_FLIGHT, WAITING, State

log = logging.getLogger(__name__)
VOID_AFTER = timedelta(seconds=20)
LEASE = timedelta(seconds=20)
CLOSES_FOR = timedelta(days=2)
"""How long we go on closing an account that is not needed any more; money in it would be booked anyway."""
_CERTAINLY_NOT = frozenset({Outcome.REFUSED, Outcome.EXPIRED, Outcome.GIVEN_BACK})
_NEWS = frozenset({Outcome.PAID, Outcome.REFUSED, Outcome.GIVEN_BACK, Outcome.UNDONE, Outcome.NEEDS_DEPOSIT})


@dataclass(frozen=True, slots=True)
class Ownership:
    """Who has to find out what became of an unknown attempt, and by when a person takes over."""

    owner: Literal["inquiry", "desk"]
    deadline: datetime


def ownership(attempt: Attempt) -> Ownership:
    """Every attempt in flight has one: the machine that asks, until the provider's own deadline for it."""
    since = attempt.sent_at or attempt.created_at
    deadline = since + providers.get(attempt.provider).a_person_after
    return Ownership("inquiry" if attempt.person_owns_at is None else "desk", attempt.person_owns_at or deadline)


@sweeps.sweep("inquiries", every=2)
def sweep(limit: int = 100) -> int:
    """Ask about whatever is due, each provider in turn; also about what its customer did not finish in time, once."""
    done, silent = 0, set[str]()
    while done < limit:
        before = done
        for name in settings.DOENDA_PROVIDERS:
            if name in silent or done == limit or (attempt := _claim(name)) is None:
                continue
            done += 1
            try:
                answer = ask(attempt)
            except Exception:
                log.exception("the question about attempt %s failed; it will be asked again", attempt.id)
                answer = Answer(Outcome.UNKNOWN, "ERROR")
                _tidy(attempt, answer)
            if answer.code in {"NO_ANSWER", "NOT_REACHED"}:
                silent.add(name)
        if done == before:
            break
    return done


def _claim(provider: str) -> Attempt | None:
    """The next attempt to ask about; the next question is dated first, so that a crash only delays it."""
    now = clock.now()
    with atomic():
        due = Attempt.objects.select_for_update(skip_locked=True).filter(provider=provider)
        attempt = (
            due.filter(ask_at__lte=now).order_by("ask_at", "pk").first()
            or due.filter(state__in=sorted(DATED), expires_at__lt=now, ask_at=None).order_by("expires_at", "pk").first()
        )
        if attempt is not None:
            pauses: Sequence[float] = providers.get(provider).pauses
            pause = pauses[min(attempt.asked, len(pauses) - 1)]
            attempt.asked += 1
            attempt.ask_at = now + max(LEASE, timedelta(seconds=pause))
            attempt.save(update_fields=["ask_at", "asked"])
        return attempt


def ask(attempt: Attempt, *, leaving: bool = False) -> Answer:
    """Ask the provider about one attempt and bring home what it says.

    `leaving`: the customer has turned to another way, so what has not happened is to be stopped at once.
    """
    terms = providers.get(attempt.provider)
    answer = terms.inquire(charge_of(attempt))
    conclude = _conclusion(attempt, answer, leaving=leaving)
    if conclude is Outcome.GIVEN_BACK and answer.outcome is Outcome.PENDING:
        answer = terms.void(charge_of(attempt))
        conclude = answer.outcome
    if conclude in _NEWS:
        words = answer if answer.outcome is conclude else Answer(conclude, f"{answer.code or 'VOID'}_SURE")
        apply(attempt, words, "inquiry")
    _tidy(attempt, answer)
    return answer


def _conclusion(attempt: Attempt, answer: Answer, *, leaving: bool) -> Outcome:
    """What the answer means for an attempt of this age. GIVEN_BACK for one that is pending means: void it and see.

    While an attempt is SENT, a sender may still bring it: what is not there yet says nothing, and is not voided.
    """
    said = answer.outcome
    if said is Outcome.EXPIRED and attempt.state == State.PAID and _is_a_deposit(attempt):
        return Outcome.UNDONE  # its bank took it back, after the time in which the account waits
    if said is Outcome.PAID or attempt.state not in IN_FLIGHT:
        return said
    if said in _CERTAINLY_NOT:
        return Outcome.REFUSED
    if attempt.state == State.SENT:
        return Outcome.UNKNOWN
    late = _late(attempt)
    if said is Outcome.PENDING and (leaving or late >= VOID_AFTER):
        return Outcome.GIVEN_BACK
    if said is Outcome.NOT_FOUND and late >= providers.get(attempt.provider).longest:
        return Outcome.REFUSED
    return Outcome.UNKNOWN


def _is_a_deposit(attempt: Attempt) -> bool:
    return providers.get(attempt.provider).methods[attempt.method] is Moves.AT_DEPOSIT


def _late(attempt: Attempt) -> timedelta:
    """How long ago the last try to charge ended without an answer (the first may have been long before a crash), or the
    customer's time on the provider's page was over."""
    if attempt.state == State.AT_PROVIDER:
        return clock.now() - (attempt.expires_at or clock.now())
    return clock.now() - attempt.moves.filter(target=State.UNKNOWN).latest("created_at").created_at


def _tidy(asked: Attempt, answer: Answer) -> None:
    """What is over needs no more questions, unless a doorbell rang while we asked; what stays unknown for as long as
    its provider's deadline gets a person."""
    with atomic():
        _, attempt = locked(asked.id)
        now = clock.now()
        over = attempt.expires_at is not None and attempt.expires_at < now
        if attempt.state in WAITING & DATED and over:
            if answer.outcome is not Outcome.UNKNOWN:
                held = holds(attempt)
                move(attempt, State.EXPIRED, answer.code, ask_at=None)
                if held:
                    close_there(attempt)
        elif attempt.state not in IN_FLIGHT:
            waits = attempt.state == State.NEEDS_DEPOSIT
            again = next_look(attempt, attempt.expires_at) if waits else None
            Attempt.objects.filter(pk=attempt.pk, ask_at=asked.ask_at).update(ask_at=again)
            if waits and answer.outcome is not Outcome.UNKNOWN:
                Attempt.objects.filter(pk=attempt.pk).update(heard_at=now)
        elif attempt.person_owns_at is None and now > ownership(attempt).deadline:
            Attempt.objects.filter(pk=attempt.pk).update(person_owns_at=now)
            facts.record("payments.person_owns", attempt.account_id, {"attempt": str(attempt.id), "reason": "a day"})


def ask_now(attempt_id: UUID, *, says: Outcome | None = None) -> None:
    """Have the attempt asked about at the next sweep (a doorbell rang). In the caller's transaction.

    `says`: what the doorbell claims; one that claims what we know already spares the question.
    """
    due = Attempt.objects.filter(pk=attempt_id).exclude(state=State.REVERSED)
    if says is Outcome.PAID or says is None:
        due = due.exclude(state=State.PAID)
    due.update(ask_at=clock.now())
    sweeps.nudge("inquiries")


@outbox.handles("close", lease=20.0)
def close(row: OutboxRow) -> outbox.Outcome:
    """Close at the provider what something else has paid: the account that waits for a deposit, the debit to come."""
    attempt = Attempt.objects.get(pk=inside(row.key.rpartition("-")[0]))
    if attempt.state not in {State.CLOSED, State.EXPIRED, State.INSTRUCTED}:
        return outbox.Sent()
    terms: Provider = providers.get(attempt.provider)
    answer = terms.void(charge_of(attempt))
    if answer.outcome in {Outcome.PAID, Outcome.GIVEN_BACK, Outcome.REFUSED, Outcome.EXPIRED}:
        if answer.outcome is Outcome.PAID or attempt.state == State.INSTRUCTED:
            apply(attempt, answer, "recalled")
        return outbox.Sent()
    if answer.outcome in {Outcome.PENDING, Outcome.NOT_FOUND} or clock.now() - row.created_at > CLOSES_FOR:
        return outbox.Sent()
    return outbox.Again(None, answer.code)
