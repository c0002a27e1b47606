"""Giving money back to where it came from: decided with its outbox row, done under one key, posted once."""

from uuid import UUID

from doenda.billing import post
from doenda.billing.models import Account
from doenda.kernel import clock, facts, outbox
from doenda.kernel.db import durable
from doenda.kernel.models import OutboxRow
from doenda.payments import providers
from doenda.payments.models import Attempt, Refund
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.providers.contract import Outcome
from doenda.payments.states import State


def ask(attempt: Attempt, reason: str) -> Refund:
    """Decide to give the whole of a paid attempt back. In the caller's transaction; once a reason."""
    refund, made = Refund.objects.get_or_create(attempt=attempt, reason=reason, defaults={"amount": attempt.amount})
    if made:
        outbox.put("refund", str(refund.id), {}, account_id=attempt.account_id)
    return refund


@outbox.handles("refund")
def send_refund(row: OutboxRow) -> outbox.Outcome:
    refund = Refund.objects.select_related("attempt").get(pk=UUID(row.key))
    if refund.done_at is not None:
        return outbox.Sent()
    terms = providers.get(refund.attempt.provider)
    answer = terms.refund(
        charge_of(refund.attempt), amount=refund.amount, key=f"refund-{refund.id}", reason=refund.reason
    )
    if answer.outcome is not Outcome.GIVEN_BACK:
        return outbox.Again(None, answer.code)
    durable(lambda: _posted(refund, row))
    return outbox.Sent()


def reverse(account: Account, attempt: Attempt, fact: tuple[str, str], reason: str) -> None:
    """The provider has given a paid attempt's money back: take it out of the books. Needs the account's lock."""
    post.undo_payment("payment", f"{attempt.provider}:{attempt.provider_ref}", fact)
    move(attempt, State.REVERSED, reason)
    facts.record("payments.reversed", account.id, {"attempt": str(attempt.id), "reason": reason})


def _posted(refund: Refund, row: OutboxRow) -> None:
    account, attempt = locked(refund.attempt_id)
    if attempt.state == State.PAID:
        reverse(account, attempt, ("refund", str(refund.id)), refund.reason)
    Refund.objects.filter(pk=refund.pk).update(done_at=clock.now())
    outbox.finish(row)
