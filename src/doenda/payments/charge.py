"""Charging: the customer is back and said yes. Who sends it, and how it is sent again after a crash (design rule 4)."""

from uuid import UUID

from django.db import IntegrityError

from doenda.billing.models import Bill
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside, outside
from doenda.kernel.models import OutboxRow
from doenda.payments import providers
from doenda.payments.attempts import Result, in_flight, look
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.outcomes import apply
from doenda.payments.states import IN_FLIGHT, State


def confirm(attempt_id: UUID, *, order_id: str, ref: str, amount: str) -> Result:
    """Take the money of an attempt whose customer came back with these (unsigned, so compared) words.

    Commits the intent with its outbox row, sends that row here and now, and commits the outcome. A second call, from
    anywhere, finds the attempt under way and is told so.
    """
    try:
        with atomic():
            decided = _intend(attempt_id, order_id=order_id, ref=ref, amount=amount)
    except IntegrityError as error:  # the last line of defence: bill_one_attempt_in_flight
        if "bill_one_attempt_in_flight" not in str(error):
            raise
        return Result("busy", attempt_id)
    if isinstance(decided, Result):
        return decided
    outbox.send_claimed(decided)
    return look(attempt_id)


def _intend(attempt_id: UUID, *, order_id: str, ref: str, amount: str) -> Result | OutboxRow:
    account, attempt = locked(attempt_id)
    if attempt.state != State.NEEDS_REDIRECT:
        return look(attempt_id)
    if attempt.expires_at is not None and attempt.expires_at < clock.now():
        return Result("expired", attempt.id)
    if (order_id, ref, amount) != (outside(attempt.id), attempt.provider_ref, str(attempt.amount)):
        return Result("refused", attempt.id, reason="RETURN_MISMATCH")
    parts = dict(attempt.bills.values_list("bill_id", "amount"))
    if other := in_flight(list(parts)):
        return Result("busy", other.id)
    owed = {bill.id: bill.remaining for bill in Bill.objects.filter(pk__in=parts)}
    if not any(owed.values()):
        move(attempt, State.CLOSED, "nothing is due")
        return Result("nothing_due", attempt.id)
    if any(owed[bill_id] < part for bill_id, part in parts.items()):
        move(attempt, State.CLOSED, "the bill changed")
        return Result("expired", attempt.id)
    move(attempt, State.SENT, "confirmed by the customer", sent_at=clock.now())
    return outbox.put("charge", outside(attempt.id), {}, account_id=account.id, claimed=True)


@outbox.handles("charge", lease=10.0)
def send_charge(row: OutboxRow) -> outbox.Outcome:
    attempt = Attempt.objects.get(pk=inside(row.key))
    if attempt.state not in IN_FLIGHT:
        return outbox.Sent()
    answer = providers.get(attempt.provider).confirm(charge_of(attempt), first_try=row.tries <= 1)
    apply(attempt.id, answer, "charge", row=row)
    return outbox.Sent()
