"""Refunds that are handed out at a till: they wait as rows of their own, a clerk pays them from an open drawer or by
the shop's terminal, and each is a receipt. Above the policy's limit a second person stands by.
"""

from uuid import UUID

from doenda.access import audit
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic, durable
from doenda.kernel.models import OutboxRow
from doenda.payments import policy, staff
from doenda.payments.counter import numbers
from doenda.payments.counter.models import Payout, Receipt
from doenda.payments.counter.receipts import of, write
from doenda.payments.counter.shifts import expected, held
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.staff import NotAllowed

KEY = "refund-"


def refund(attempt: Attempt, amount: int, key: str, reason: str) -> Answer:
    """Have `amount` handed out at a till; the same key again tells how it stands. A probe's goes back at once."""
    return durable(lambda: _refund(attempt, amount, key, reason))


def _refund(attempt: Attempt, amount: int, key: str, reason: str) -> Answer:
    Attempt.objects.select_for_update().get(pk=attempt.pk)
    receipt = of(attempt.pk)
    if receipt is None or receipt.voided_at is not None:
        return Answer(Outcome.REFUSED, "NOT_TAKEN" if receipt is None else "VOIDED")
    payout = Payout.objects.filter(key=key).first()
    if payout is None:
        others = Payout.objects.filter(attempt=attempt, withdrawn_at=None).values_list("amount", flat=True)
        if sum(others) + amount > receipt.amount:
            return Answer(Outcome.REFUSED, "MORE_THAN_TAKEN")
        payout = Payout.objects.create(key=key, attempt=attempt, amount=amount, reason=reason[:80])
        if attempt.synthetic and receipt.shift.closed_at is None:
            _hand_out(payout, receipt, receipt.shift_id, receipt.clerk, "", receipt.approval)
    if payout.amount != amount or payout.attempt_id != attempt.pk:
        return Answer(Outcome.UNKNOWN, "KEY_OF_ANOTHER")
    if payout.withdrawn_at is not None:
        return Answer(Outcome.REFUSED, "WITHDRAWN")
    if Receipt.objects.filter(payout=payout).exists():
        return Answer(Outcome.GIVEN_BACK, "HANDED_OUT", given_back=amount)
    return Answer(Outcome.PENDING, "WAITS_AT_THE_COUNTER")


def waiting() -> list[Payout]:
    """Refunds that nobody has collected yet, oldest first."""
    open_now = Payout.objects.filter(withdrawn_at=None, receipt=None)
    return list(open_now.select_related("attempt__account").order_by("created_at"))


def pay_out(payout_id: UUID, shift_id: UUID, *, clerk: str, second: str = "", approval: str = "") -> Receipt:
    """Hand a waiting refund out: cash from the clerk's own open drawer, or by the terminal (`approval`). Once.

    Raises NotAllowed, ValueError (no approval number).
    """

    def work() -> Receipt:
        payout = Payout.objects.select_for_update().get(pk=payout_id)
        done = Receipt.objects.select_related("store").filter(payout=payout).first()
        if done is not None:
            return done
        if payout.withdrawn_at is not None:
            raise NotAllowed("this refund was withdrawn")
        taken = of(payout.attempt_id)
        assert taken is not None
        made = _hand_out(payout, taken, shift_id, clerk, second, approval)
        key = payout.key.removeprefix(KEY)
        OutboxRow.objects.filter(kind="refund", key=key, done_at=None).update(due_at=clock.now())
        sweeps.nudge("outbox")
        return made

    return durable(work)


def _hand_out(payout: Payout, taken: Receipt, shift_id: UUID, clerk: str, second: str, approval: str) -> Receipt:
    shift = held(shift_id, clerk)
    attempt = payout.attempt
    needs_two = not attempt.synthetic and payout.amount > policy.now().four_eyes_above
    if needs_two or second:
        staff.require_second(second, besides=clerk)
    if shift.currency != attempt.currency:
        raise NotAllowed("this till has another currency")
    if taken.method == "card":
        numbers.approval(approval)
    elif approval:
        raise ValueError("cash has no approval number")
    elif expected(shift) < payout.amount:
        raise NotAllowed("there is not so much in the drawer")
    made = write(
        shift,
        attempt,
        Receipt.Kind.GIVEN_BACK,
        payout=payout,
        method=taken.method,
        amount=payout.amount,
        tendered=payout.amount,
        approval=approval,
        needs_two=needs_two,
        second=second,
    )
    audit.note(clerk, "refund handed out", subject_id=payout.pk, account_id=attempt.account_id, second=second)
    return made


def withdraw(payout_id: UUID, *, by: str) -> Payout:
    """It will not be handed out after all: the refund fails, and the desk decides anew. Raises NotAllowed."""
    staff.require(by, "refund")
    with atomic():
        payout = Payout.objects.select_for_update().get(pk=payout_id)
        if Receipt.objects.filter(payout=payout).exists():
            raise NotAllowed("it was handed out already")
        if payout.withdrawn_at is None:
            payout.withdrawn_at, payout.withdrawn_by = clock.now(), by
            payout.save(update_fields=["withdrawn_at", "withdrawn_by"])
            audit.note(by, "refund withdrawn", subject_id=payout.pk, account_id=payout.attempt.account_id)
        return payout
