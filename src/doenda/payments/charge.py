"""Charging: the customer is back and said yes. Who sends it, and how it is sent again after a crash (design rule 4)."""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet

from doenda.billing.models import Account
from doenda.kernel import clock, once, outbox
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside, outside
from doenda.kernel.models import OutboxRow
from doenda.payments import inquiry, providers
from doenda.payments.attempts import Result, create, in_flight_id, look, said
from doenda.payments.debit import keys
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.outcomes import apply
from doenda.payments.providers.contract import Returned
from doenda.payments.states import IN_FLIGHT, State

ASKED_AFTER = timedelta(seconds=20)
"""An attempt that is still under way then is asked about as well, whoever sends it."""


def confirm(
    attempt_id: UUID, *, order_id: str, ref: str, amount: str, token: str = "", account_id: UUID | None = None
) -> Result:
    """Take the money of an attempt whose customer came back with these (unsigned, so compared) words.

    Commits the intent with its outbox row, sends that row here and now, and commits the outcome. A second call, from
    anywhere, finds the attempt under way and is told so.
    """
    try:
        with atomic():
            account, attempt = locked(attempt_id, account_id)
            decided = _intend(account, attempt, Returned(order_id, ref, amount, token))
    except IntegrityError as error:  # another attempt is moving money for one of the bills: a unique index says so
        if "bill_one_attempt_in_flight" not in str(error):
            raise
        bill_ids = [part.bill_id for part in AttemptBill.objects.filter(attempt=attempt_id)]
        return Result("busy", in_flight_id(bill_ids) or attempt_id)
    if isinstance(decided, Result):
        return decided
    if decided is None:
        inquiry.ask(attempt)
        return look(attempt_id)
    sent = outbox.send_claimed(decided, lambda row: _send(attempt, row))
    return said(attempt) if isinstance(sent, outbox.Sent) else look(attempt_id)


@once.query
def _parts(attempt_id: once.Open) -> "QuerySet[AttemptBill]":
    return AttemptBill.objects.filter(attempt=attempt_id).select_related("bill")


def _intend(account: Account, attempt: Attempt, came: Returned) -> Result | OutboxRow | None:
    """What to do about it: an answer, a row to send, or None: the money moved at the provider, or did not: ask."""
    if attempt.state not in {State.NEEDS_REDIRECT, State.AT_PROVIDER}:
        return said(attempt)
    if attempt.state == State.NEEDS_REDIRECT and attempt.expires_at is not None and attempt.expires_at < clock.now():
        return Result("expired", attempt.id)
    terms = providers.get(attempt.provider)
    amount = came.amount if terms.returns_amount else str(attempt.amount)
    if (came.order_id, came.ref, amount) != (outside(attempt.id), attempt.provider_ref, str(attempt.amount)):
        return Result("refused", attempt.id, reason="RETURN_MISMATCH")
    if attempt.state == State.AT_PROVIDER:
        now = clock.now()
        move(attempt, State.UNKNOWN, "the customer came back", sent_at=now, ask_at=now + ASKED_AFTER)
        return None
    if needless := _out_of_date(attempt):
        return needless
    if came.token:
        attempt.details["token"] = came.token[:500]
    return _on_its_way(account, attempt, "confirmed by the customer")


def _out_of_date(attempt: Attempt) -> Result | None:
    """Its bills owe less by now than it would take: then it is closed. With the account locked."""
    parts = _parts(attempt_id=attempt.pk)
    if not any(part.bill.remaining for part in parts):
        move(attempt, State.CLOSED, "nothing is due")
        return Result("nothing_due", attempt.id)
    if any(part.bill.remaining < part.amount for part in parts):
        move(attempt, State.CLOSED, "the bill changed")
        return Result("expired", attempt.id)
    return None


def _on_its_way(account: Account, attempt: Attempt, cause: str) -> OutboxRow:
    now = clock.now()
    move(attempt, State.SENT, cause, sent_at=now, ask_at=now + ASKED_AFTER, details=attempt.details)
    return outbox.put("charge", outside(attempt.id), {}, account_id=account.id, claimed=True)


def by_key(
    account_id: UUID, bills: list[tuple[UUID, int]], *, channel: str, method: str, provider: str, mandate_id: UUID
) -> Result:
    """Charge a kept key (a card on file) for `bills`: nobody has to go anywhere, so it is sent at once."""
    made = create(account_id, bills, channel=channel, method=method, provider=provider, mandate_id=mandate_id)
    if isinstance(made, Result):
        return made
    try:
        with atomic():
            account, attempt = locked(made.id, account_id)
            if attempt.state != State.CREATED:  # something else has paid meanwhile, or we slept for long
                return said(attempt)
            if needless := _out_of_date(attempt):
                return needless
            row = _on_its_way(account, attempt, "a kept key is charged")
    except IntegrityError as error:
        if "bill_one_attempt_in_flight" not in str(error):
            raise
        return Result("busy", in_flight_id([bill_id for bill_id, _ in bills]) or made.id)
    sent = outbox.send_claimed(row, lambda row: _send(attempt, row))
    return said(attempt) if isinstance(sent, outbox.Sent) else look(made.id)


@outbox.handles("charge", lease=10.0)
def send_charge(row: OutboxRow) -> outbox.Outcome:
    attempt = Attempt.objects.get(pk=inside(row.key))
    return _send(attempt, row) if attempt.state in IN_FLIGHT else outbox.Sent()


def _send(attempt: Attempt, row: OutboxRow) -> outbox.Outcome:
    """Ask the provider for the money, and bring home what it says; `attempt` is up to date afterwards."""
    charge = keys.opened(charge_of(attempt))
    answer = providers.get(attempt.provider).confirm(charge, first_try=row.tries <= 1)
    apply(attempt, answer, "charge", row=row)
    return outbox.Sent()
