"""Unknowns are asked about until the provider knows or a person owns them; none is ever closed by a timeout alone.

"Not found" counts only after the provider's own longest time; a charge that the provider knows and has not carried out
is voided, and counts as refused only when the void is acknowledged (design rule 3).
"""

import logging
from datetime import timedelta
from uuid import UUID

from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic
from doenda.payments import providers
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.outcomes import apply
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.states import IN_FLIGHT, WAITING, State

log = logging.getLogger(__name__)
LONGEST_PAUSE = 600.0
VOID_AFTER = timedelta(seconds=20)
A_PERSON_AFTER = timedelta(hours=24)
LEASE = timedelta(seconds=20)


@sweeps.sweep("inquiries", every=2)
def sweep(limit: int = 100) -> int:
    """Ask about whatever is due; also attempts whose customer did not come back in time, asked once."""
    for done in range(limit):
        attempt = _claim()
        if attempt is None:
            return done
        try:
            ask(attempt)
        except Exception:
            log.exception("the question about attempt %s failed; it will be asked again", attempt.id)
            _tidy(attempt, Answer(Outcome.UNKNOWN, "ERROR"))
    return limit


def _claim() -> Attempt | None:
    """The next attempt to ask about; the next question is dated first, so that a crash only delays it."""
    now = clock.now()
    with atomic():
        due = Attempt.objects.select_for_update(skip_locked=True)
        attempt = (
            due.filter(ask_at__lte=now).order_by("ask_at").first()
            or due.filter(state__in=WAITING, expires_at__lt=now, ask_at=None).order_by("expires_at").first()
        )
        if attempt is not None:
            attempt.asked += 1
            pause = min(LONGEST_PAUSE, 2.0 ** min(attempt.asked, 10))
            attempt.ask_at = now + max(LEASE, timedelta(seconds=pause))
            attempt.save(update_fields=["ask_at", "asked"])
        return attempt


def ask(attempt: Attempt) -> None:
    """Ask the provider about one attempt and bring home what it says."""
    terms = providers.get(attempt.provider)
    answer = terms.inquire(charge_of(attempt))
    conclude = _conclusion(attempt, answer)
    if conclude is Outcome.GIVEN_BACK and answer.outcome is Outcome.PENDING:
        answer = terms.void(charge_of(attempt))
        conclude = answer.outcome
    if conclude in (Outcome.PAID, Outcome.REFUSED, Outcome.GIVEN_BACK):
        words = answer if answer.outcome is conclude else Answer(conclude, f"{answer.code or 'VOID'}_SURE")
        apply(attempt, words, "inquiry")
    _tidy(attempt, answer)


def _conclusion(attempt: Attempt, answer: Answer) -> Outcome:
    """What the answer means for an attempt of this age. GIVEN_BACK for one that is pending means: void it and see.

    While an attempt is SENT, a sender may still bring it: what is not there yet says nothing, and is not voided.
    """
    if answer.outcome is Outcome.PAID or attempt.state not in IN_FLIGHT:
        return answer.outcome
    if answer.outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.GIVEN_BACK):
        return Outcome.REFUSED
    if attempt.state == State.UNKNOWN and answer.outcome is Outcome.PENDING and _age(attempt) >= VOID_AFTER:
        return Outcome.GIVEN_BACK
    longest = providers.get(attempt.provider).longest
    if attempt.state == State.UNKNOWN and answer.outcome is Outcome.NOT_FOUND and _age(attempt) >= longest:
        return Outcome.REFUSED
    return Outcome.UNKNOWN


def _age(attempt: Attempt) -> timedelta:
    """How long ago the last try to charge ended without an answer (the first may have been long before a crash)."""
    return clock.now() - attempt.moves.filter(target=State.UNKNOWN).latest("created_at").created_at


def _tidy(asked: Attempt, answer: Answer) -> None:
    """What is over needs no more questions, unless a doorbell rang while we asked; what stays unknown for a day gets a
    person."""
    with atomic():
        _, attempt = locked(asked.id)
        now = clock.now()
        if attempt.state in WAITING and attempt.expires_at and attempt.expires_at < now:
            if answer.outcome is not Outcome.UNKNOWN:
                move(attempt, State.EXPIRED, answer.code, ask_at=None)
        elif attempt.state not in IN_FLIGHT:
            Attempt.objects.filter(pk=attempt.pk, ask_at=asked.ask_at).update(ask_at=None)
        elif attempt.person_owns_at is None and now - (attempt.sent_at or attempt.created_at) > A_PERSON_AFTER:
            Attempt.objects.filter(pk=attempt.pk).update(person_owns_at=now)
            facts.record("payments.person_owns", attempt.account_id, {"attempt": str(attempt.id), "reason": "a day"})


def ask_now(attempt_id: UUID) -> None:
    """Have the attempt asked about at the next sweep (a doorbell rang). In the caller's transaction."""
    Attempt.objects.filter(pk=attempt_id).exclude(state__in=[State.PAID, State.REVERSED]).update(ask_at=clock.now())
    sweeps.nudge("inquiries")
