"""Bringing a debit's outcome home one by one, where it is not plain; and who owns what has no result.

An item carries its outcome from the moment its file, its recall or its missed cut-off was written; until `home_at` is
set it has yet to reach its attempt. So a crash in between loses nothing.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic
from doenda.payments import outcomes, providers, staff
from doenda.payments.debit import mandates, policy
from doenda.payments.debit.models import DebitFile, DebitItem
from doenda.payments.debit.tries import next_days
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of, locked
from doenda.payments.owned import to_a_person
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.debit.codes import WORDS, Code
from doenda.payments.states import State

log = logging.getLogger(__name__)
CAUSE = "result file"
S = DebitItem.State


@sweeps.sweep("debits home", every=5)
def bring(limit: int = 100) -> int:
    """Bring outcomes to their attempts through `outcomes.apply`; returns how many."""
    over = [S.RECALLED, S.PAID, S.REFUSED, S.RETURNED]
    rows = DebitItem.objects.filter(home_at=None, state__in=over).order_by("created_at")
    done = 0
    for item in list(rows.exclude(attempt__state=State.CREATED)[:limit]):
        _one(item)
        done += 1
    return done


def _one(item: DebitItem) -> None:
    if item.kind == "debit":
        attempt = Attempt.objects.get(pk=item.attempt_id)
        was = attempt.state
        answer = providers.get("debit").inquire(charge_of(attempt))
        outcomes.apply(attempt, answer, CAUSE)
        word = WORDS.get(item.code)
        if was != attempt.state and word is not None and word.outcome in (Outcome.REFUSED, Outcome.OUR_FAULT):
            with atomic():
                tell_failed([(attempt, item.code)])
    with atomic():
        DebitItem.objects.filter(pk=item.pk, state=item.state).update(home_at=clock.now())


def after(item: DebitItem, code: Code) -> None:
    """What else a result means: a mandate that is over, a refund that is not to leave any more. In the transaction that
    writes the result, the account locked."""
    if code.ends:
        mandates.end_locked(item.mandate_id, code.word)
    if item.state == S.RETURNED:
        waiting = DebitItem.objects.filter(attempt=item.attempt_id, kind="refund", state=S.WAITING)
        now = clock.now()
        waiting.update(state=S.RECALLED, code="RETURNED", result_at=now, home_at=now)


def tell_failed(failed: Sequence[tuple[Attempt, str]]) -> None:
    """News of debits that failed, with the day of the next try. In the caller's transaction."""
    if not failed:
        return
    days = next_days(attempt.pk for attempt, _ in failed)
    told = []
    for attempt, word in failed:
        day = days[attempt.pk]
        said = {"attempt": str(attempt.pk), "code": word, "next": day.isoformat() if day else ""}
        told.append((attempt.account_id, said | {"amount": attempt.amount, "currency": attempt.currency}))
    facts.record_many("payments.debit_failed", told)


def decide(item_id: UUID, *, word: str, by: str) -> DebitItem:
    """A person has found out what became of a debit whose record never came, or was parked: as if it had said so.

    `word` is one of providers/debit/codes.py. Raises ValueError for another, for a result of a debit that has one, and
    for a return of one that was not paid.
    """
    staff.require(by, "refund")
    code = WORDS.get(word)
    states = {
        Outcome.PAID: S.PAID,
        Outcome.REFUSED: S.REFUSED,
        Outcome.OUR_FAULT: S.REFUSED,
        Outcome.UNDONE: S.RETURNED,
    }
    if code is None or code.outcome not in states or not by:
        raise ValueError(f"{word}: not a result, or nobody says so")
    with atomic():
        locked(DebitItem.objects.values_list("attempt_id", flat=True).get(pk=item_id))
        item = DebitItem.objects.select_for_update().get(pk=item_id)
        returned = code.outcome is Outcome.UNDONE
        if item.state != (S.PAID if returned else S.FILED) or (returned and item.kind == "refund"):
            raise ValueError(f"this {item.kind} is {item.state}")
        item.state, item.code, item.result_at, item.home_at = states[code.outcome], word, clock.now(), None
        item.save(update_fields=["state", "code", "result_at", "home_at"])
        after(item, code)
        told = {"item": str(item.pk), "attempt": str(item.attempt_id), "code": word, "by": by}
        facts.record("payments.debit_decided", item.account_id, told)
    _one(item)
    return item


@sweeps.sweep("debits overdue", every=300)
def own_overdue(limit: int = 100) -> int:
    """A file without an answer, or a debit without a record in it, gets a person; neither is ever closed by time."""
    now, done = clock.now(), 0
    files = DebitFile.objects.filter(checked_at=None, results_due_at__lt=now).order_by("results_due_at")
    waiting = files.exclude(results_at=None, person_owns_at__isnull=False)
    for file in waiting.exclude(state=DebitFile.State.REFUSED)[:limit]:
        if now < policy.of_scheme(file.scheme, file.day).owned_from(file.day):
            continue
        done += 1
        if file.results_at is None:
            _own_file(file)
        else:
            _own_items(file)
    return done


def _own_file(file: DebitFile) -> None:
    """All of it is late: one person for the file, not one for each debit."""
    log.error("there is no result for %s", file.name)
    with atomic():
        if DebitFile.objects.filter(pk=file.pk, person_owns_at=None).update(person_owns_at=clock.now()):
            facts.record("payments.debit_file_late", None, {"file": file.name, "debits": file.debits})


def _own_items(file: DebitFile) -> None:
    missing = DebitItem.objects.filter(file=file, state=S.FILED)
    for item in list(missing):
        with atomic():
            _, attempt = locked(item.attempt_id)
            if item.kind == "refund" or attempt.state == State.INSTRUCTED:
                to_a_person(attempt, "RESULT_MISSING")
    with atomic():
        DebitFile.objects.filter(pk=file.pk).update(checked_at=clock.now())
