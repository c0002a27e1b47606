"""Charging: the customer is back and said yes. Who sends it, and how it is sent again after a crash (design rule 4)."""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError

from doenda.billing.models import Account
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside, outside
from doenda.kernel.models import OutboxRow
from doenda.payments import providers
from doenda.payments.attempts import Result, in_flight, look, said
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.outcomes import apply
from doenda.payments.states import IN_FLIGHT, State

ASKED_AFTER = timedelta(seconds=20)
"""An attempt that is still under way then is asked about as well, whoever sends it."""


def confirm(attempt_id: UUID, *, order_id: str, ref: str, amount: str, account_id: UUID | None = None) -> Result:
    """Take the money of an attempt whose customer came back with these (unsigned, so compared) words.

    Commits the intent with its outbox row, sends that row here and now, and commits the outcome. A second call, from
    anywhere, finds the attempt under way and is told so.
    """
    try:
        with atomic():
            account, attempt = locked(attempt_id, account_id)
            decided = _intend(account, attempt, order_id=order_id, ref=ref, amount=amount)
    except IntegrityError as error:  # another attempt is moving money for one of the bills: a unique index says so
        if "bill_one_attempt_in_flight" not in str(error):
            raise
        other = in_flight([part.bill_id for part in AttemptBill.objects.filter(attempt=attempt_id)])
        return Result("busy", other.id if other else attempt_id)
    if isinstance(decided, Result):
        return decided
    sent = outbox.send_claimed(decided, lambda row: _send(attempt, row))
    return said(attempt) if isinstance(sent, outbox.Sent) else look(attempt_id)


def _intend(account: Account, attempt: Attempt, *, order_id: str, ref: str, amount: str) -> Result | OutboxRow:
    if attempt.state != State.NEEDS_REDIRECT:
        return said(attempt)
    if attempt.expires_at is not None and attempt.expires_at < clock.now():
        return Result("expired", attempt.id)
    if (order_id, ref, amount) != (outside(attempt.id), attempt.provider_ref, str(attempt.amount)):
        return Result("refused", attempt.id, reason="RETURN_MISMATCH")
    parts = list(attempt.bills.select_related("bill"))
    if not any(part.bill.remaining for part in parts):
        move(attempt, State.CLOSED, "nothing is due")
        return Result("nothing_due", attempt.id)
    if any(part.bill.remaining < part.amount for part in parts):
        move(attempt, State.CLOSED, "the bill changed")
        return Result("expired", attempt.id)
    now = clock.now()
    move(attempt, State.SENT, "confirmed by the customer", sent_at=now, ask_at=now + ASKED_AFTER)
    return outbox.put("charge", outside(attempt.id), {}, account_id=account.id, claimed=True)


@outbox.handles("charge", lease=10.0)
def send_charge(row: OutboxRow) -> outbox.Outcome:
    attempt = Attempt.objects.get(pk=inside(row.key))
    return _send(attempt, row) if attempt.state in IN_FLIGHT else outbox.Sent()


def _send(attempt: Attempt, row: OutboxRow) -> outbox.Outcome:
    """Ask the provider for the money, and bring home what it says; `attempt` is up to date afterwards."""
    answer = providers.get(attempt.provider).confirm(charge_of(attempt), first_try=row.tries <= 1)
    apply(attempt, answer, "charge", row=row)
    return outbox.Sent()
