"""An outcome becomes durable: one transaction that moves the attempt, posts the money, records evidence and the news.

Whoever learns of an outcome first (the customer's own request, the worker, an inquiry after a doorbell) brings it here;
under the account's lock the second to come finds it done.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from doenda.assurance import evidence
from doenda.billing import post
from doenda.billing.models import Account
from doenda.kernel import clock, facts, outbox
from doenda.kernel.db import durable
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.notices import send
from doenda.payments import refunds
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import close_waiting, lock, move
from doenda.payments.providers import get
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.states import IN_FLIGHT, OVER, WAITING, State

log = logging.getLogger(__name__)
FIRST_QUESTION = timedelta(seconds=2)
CERTAINLY_NOT = frozenset({Outcome.REFUSED, Outcome.EXPIRED, Outcome.OUR_FAULT, Outcome.GIVEN_BACK})


def apply(attempt: Attempt, answer: Answer, cause: str, *, row: OutboxRow | None = None) -> None:
    """Bring a provider's answer to the attempt; also marks the outbox row done. `attempt` is up to date afterwards.

    `attempt` comes as it was when the provider was asked: an answer may be older than what we concluded since.
    """
    asked_in = attempt.state

    def work() -> None:
        account = lock(attempt)
        if answer.outcome is Outcome.PAID and attempt.state in OVER and asked_in not in OVER:
            inquiry_due(attempt)
        elif answer.outcome is Outcome.PAID:
            settle(account, attempt, answer, cause)
        elif answer.outcome is Outcome.GIVEN_BACK and attempt.state == State.PAID:
            refunds.reverse(account, attempt, ("given_back", f"{attempt.provider}:{attempt.provider_ref}"), cause)
        elif attempt.state in IN_FLIGHT:
            if answer.outcome in CERTAINLY_NOT and not _one_of_several(answer, row):
                refuse(attempt, answer)
            elif attempt.state == State.SENT:
                _unknown(attempt, answer)
        if row is not None:
            outbox.finish(row)

    durable(work)


def _one_of_several(answer: Answer, row: OutboxRow | None) -> bool:
    """Our fault is certain of the one request that met it; another one of the same charge may have arrived."""
    return answer.outcome is Outcome.OUR_FAULT and row is not None and outbox.tried_by_others(row)


def inquiry_due(attempt: Attempt) -> None:
    """Have the attempt asked about at the next sweep."""
    attempt.ask_at = clock.now()
    attempt.save(update_fields=["ask_at"])


def settle(account: Account, attempt: Attempt, answer: Answer, cause: str) -> None:
    """The provider took the money: post it once, close what else was begun, tell everyone. Needs the account's lock."""
    if attempt.state in (State.PAID, State.REVERSED):
        return
    if not _matches(attempt, answer):
        _to_a_person(attempt, f"MISMATCH {answer.amount} {answer.currency} {answer.order_id}")
        return
    late = attempt.state in OVER
    now = clock.now()
    parts, begun = _parts(attempt)
    post.payment(
        account,
        parts,
        provider=attempt.provider,
        fact_kind="payment",
        fact_id=f"{attempt.provider}:{answer.ref}",
        at=now,
    )
    move(attempt, State.PAID, cause, settled_at=now, provider_ref=answer.ref, ask_at=None, reason=answer.code)
    if begun:
        close_waiting(Attempt.objects.filter(pk__in=begun), "paid")
    if attempt.synthetic:
        refunds.ask(attempt, "probe")
    else:
        _evidence(attempt, "worked", "attempt", at=attempt.sent_at)
        send("receipt", account.id, bill_id=parts[0][0], params=_receipt(attempt), key=f"receipt-{attempt.id}")
    facts.record(
        "payments.paid",
        account.id,
        {"attempt": str(attempt.id), "way": attempt.way, "amount": attempt.amount, "late": late},
    )


def _parts(attempt: Attempt) -> tuple[list[tuple[UUID, int]], set[UUID]]:
    """What part of the attempt is for which bill, and the other attempts that were begun for these bills."""
    mine = AttemptBill.objects.filter(attempt=attempt).values("bill")
    rows = AttemptBill.objects.filter(bill__in=mine).values_list("attempt_id", "bill_id", "amount", "attempt__state")
    found = list(rows.order_by("pk"))
    parts = [(bill_id, amount) for attempt_id, bill_id, amount, _ in found if attempt_id == attempt.pk]
    return parts, {each for each, _, _, state in found if each != attempt.pk and state in WAITING}


def refuse(attempt: Attempt, answer: Answer) -> None:
    """Certainly nothing was taken. Needs the account's lock."""
    ours = answer.outcome is Outcome.OUR_FAULT
    was_unknown = attempt.state == State.UNKNOWN
    target = State.OUR_FAULT if ours and not was_unknown else State.REFUSED
    move(attempt, target, answer.code, reason=answer.code, settled_at=clock.now(), ask_at=None)
    if attempt.synthetic:
        return
    _evidence(attempt, "failed_by_provider" if ours else "failed_by_customer", "attempt")
    if was_unknown:
        send("refused_later", attempt.account_id, params=_receipt(attempt), key=f"refused-{attempt.id}")
    kind = "payments.our_fault" if ours else "payments.refused"
    facts.record(kind, attempt.account_id, {"attempt": str(attempt.id), "way": attempt.way, "code": answer.code})


def _unknown(attempt: Attempt, answer: Answer) -> None:
    move(attempt, State.UNKNOWN, answer.code, reason=answer.code, ask_at=clock.now() + FIRST_QUESTION)
    if not attempt.synthetic:
        _evidence(attempt, "failed_by_provider", "attempt_unanswered")
    facts.record(
        "payments.unknown", attempt.account_id, {"attempt": str(attempt.id), "way": attempt.way, "code": answer.code}
    )


def _to_a_person(attempt: Attempt, reason: str) -> None:
    log.error("attempt %s needs a person: %s", outside(attempt.id), reason)
    if attempt.person_owns_at is None:
        attempt.person_owns_at, attempt.reason, attempt.ask_at = clock.now(), reason[:80], None
        attempt.save(update_fields=["person_owns_at", "reason", "ask_at"])
        facts.record("payments.person_owns", attempt.account_id, {"attempt": str(attempt.id), "reason": reason})


def _matches(attempt: Attempt, answer: Answer) -> bool:
    terms = get(attempt.provider)
    return (answer.order_id, answer.amount, answer.currency, answer.merchant) == (
        outside(attempt.id),
        attempt.amount,
        attempt.currency,
        terms.merchant,
    )


def _evidence(attempt: Attempt, outcome: str, source_kind: str, *, at: datetime | None = None) -> None:
    """A success counts from when it was asked for: one that an inquiry finds later proves nothing about now."""
    evidence.record(
        attempt.way,
        outcome,
        source_kind=source_kind,
        source_id=str(attempt.id),
        synthetic=attempt.synthetic,
        account_id=attempt.account_id,
        at=at,
        detail=attempt.reason,
    )


def _receipt(attempt: Attempt) -> dict[str, object]:
    return {
        "attempt": str(attempt.id),
        "amount": attempt.amount,
        "currency": attempt.currency,
        "method": attempt.method,
    }
