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
from doenda.payments.models import Attempt
from doenda.payments.moves import close_waiting, locked, move
from doenda.payments.providers import get
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.states import IN_FLIGHT, OVER, State

log = logging.getLogger(__name__)
FIRST_QUESTION = timedelta(seconds=2)


def apply(attempt_id: UUID, answer: Answer, cause: str, *, row: OutboxRow | None = None) -> State:
    """Bring a provider's answer to the attempt; also marks the outbox row done. Returns the attempt's state."""

    def work() -> State:
        account, attempt = locked(attempt_id)
        if answer.outcome is Outcome.PAID:
            settle(account, attempt, answer, cause)
        elif attempt.state in IN_FLIGHT:
            if answer.outcome in (Outcome.REFUSED, Outcome.EXPIRED, Outcome.OUR_FAULT):
                refuse(attempt, answer)
            elif attempt.state == State.SENT:
                _unknown(attempt, answer)
        if row is not None:
            outbox.finish(row)
        return State(attempt.state)

    return durable(work)


def settle(account: Account, attempt: Attempt, answer: Answer, cause: str) -> None:
    """The provider took the money: post it once, close what else was begun, tell everyone. Needs the account's lock."""
    if attempt.state in (State.PAID, State.REVERSED):
        return
    if not _matches(attempt, answer):
        _to_a_person(attempt, f"MISMATCH {answer.amount} {answer.currency} {answer.order_id}")
        return
    late = attempt.state in OVER
    now = clock.now()
    parts = list(attempt.bills.values_list("bill_id", "amount"))
    post.payment(
        account,
        parts,
        provider=attempt.provider,
        fact_kind="payment",
        fact_id=f"{attempt.provider}:{answer.ref}",
        at=now,
    )
    move(attempt, State.PAID, cause, settled_at=now, provider_ref=answer.ref, ask_at=None, reason=answer.code)
    bill_ids = [bill_id for bill_id, _ in parts]
    close_waiting(Attempt.objects.filter(account=account, bills__bill_id__in=bill_ids).exclude(pk=attempt.pk), "paid")
    if attempt.synthetic:
        refunds.ask(attempt, "probe")
    else:
        _evidence(attempt, "worked", "attempt", at=attempt.sent_at)
        send("receipt", account.id, bill_id=bill_ids[0], params=_receipt(attempt), key=f"receipt-{attempt.id}")
    facts.record(
        "payments.paid",
        account.id,
        {"attempt": str(attempt.id), "way": attempt.way, "amount": attempt.amount, "late": late},
    )


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
