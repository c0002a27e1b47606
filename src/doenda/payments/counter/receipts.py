"""Receipts: written once an attempt under the account's lock, numbered without gaps, voided with their number kept.

Locks are taken in this order: account, attempt, what was pressed, shift, the store's number.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.access import audit
from doenda.kernel import clock
from doenda.kernel.db import durable
from doenda.kernel.ids import outside
from doenda.payments import outcomes, staff
from doenda.payments.counter import numbers
from doenda.payments.counter.models import Receipt, Shift
from doenda.payments.counter.shifts import expected, held
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import locked
from doenda.payments.providers.contract import Answer, Outcome
from doenda.payments.staff import NotAllowed
from doenda.payments.states import State


def number_of(receipt: Receipt) -> str:
    """As it is printed: store, year, number."""
    return numbers.receipt(receipt.store.code, receipt.year, receipt.number)


def of(attempt_id: UUID) -> Receipt | None:
    """The receipt for what was taken with this attempt, voided or not."""
    found = Receipt.objects.select_related("store", "taking").filter(attempt_id=attempt_id, kind=Receipt.Kind.TAKEN)
    return found.first()


def of_press(press: str) -> Receipt | None:
    """The receipt that pressing once has led to."""
    return Receipt.objects.select_related("store", "taking").filter(taking__press=press).first()


def answer_of(receipt: Receipt, merchant: str) -> Answer:
    """What the receipt says of its attempt, in the words of all providers."""
    back = Receipt.objects.filter(attempt_id=receipt.attempt_id, kind=Receipt.Kind.GIVEN_BACK)
    given_back = sum(back.values_list("amount", flat=True))
    voided = receipt.voided_at is not None or given_back >= receipt.amount
    return Answer(
        Outcome.GIVEN_BACK if voided else Outcome.PAID,
        "VOIDED" if receipt.voided_at is not None else "RECEIPT",
        ref=number_of(receipt),
        order_id=outside(receipt.attempt_id),
        amount=receipt.amount,
        currency=receipt.currency,
        merchant=merchant,
        given_back=receipt.amount if voided else given_back,
    )


def write(shift: Shift, attempt: Attempt, kind: Receipt.Kind, **values: Any) -> Receipt:
    """The next receipt of the shift's store, in the caller's transaction; the number is held until it commits."""
    year = clock.today().year
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO payments_storeyear AS y (store_id, year, last) VALUES (%s, %s, 1)"
            " ON CONFLICT (store_id, year) DO UPDATE SET last = y.last + 1 RETURNING last",
            [shift.store_id, year],
        )
        (number,) = cursor.fetchone() or (0,)
    return Receipt.objects.create(
        store=shift.store,
        year=year,
        number=number,
        kind=kind,
        shift=shift,
        clerk=shift.clerk,
        attempt=attempt,
        currency=attempt.currency,
        **values,
    )


def moving_elsewhere(attempt: Attempt, bill_ids: Iterable[UUID]) -> bool:
    """May another attempt be moving money for one of these bills? Under the account's lock this stays so."""
    others = AttemptBill.objects.filter(bill_id__in=list(bill_ids), in_flight=True)
    return others.exclude(attempt_id=attempt.pk).exists()


def void(receipt_id: UUID, *, by: str, second: str, reason: str, approval: str = "") -> Receipt:
    """The clerk took it by mistake and has given it back at once: in the same open shift, with a second person.

    The receipt keeps its number; the payment is taken out of the books. `approval`: the terminal's, for a card.
    Raises NotAllowed.
    """
    attempt_id = Receipt.objects.values_list("attempt_id", flat=True).get(pk=receipt_id, kind=Receipt.Kind.TAKEN)

    def work() -> Receipt:
        account, attempt = locked(attempt_id)
        mine = Receipt.objects.select_for_update(of=("self",)).select_related("store")
        receipt = mine.get(pk=receipt_id)
        if receipt.voided_at is not None:
            return receipt
        shift = held(receipt.shift_id, by)
        staff.require_second(second, besides=by)
        if not reason.strip():
            raise NotAllowed("say why it is voided")
        if attempt.refunds.filter(failed_at=None).exists() or attempt.refund_cases.exists():
            raise NotAllowed("a refund of it has begun")
        if attempt.state not in {State.PAID, State.SENT}:
            raise NotAllowed("this payment does not stand any more")
        if receipt.method == "card":
            receipt.void_approval = numbers.approval(approval)
        elif expected(shift) < receipt.amount:
            raise NotAllowed("there is not so much in the drawer")
        receipt.voided_at, receipt.voided_by = clock.now(), by
        receipt.void_second, receipt.void_reason = second, reason[:120]
        receipt.save(update_fields=["voided_at", "voided_by", "void_second", "void_reason", "void_approval"])
        answer = answer_of(receipt, "")
        outcomes.bring(account, attempt, answer, "receipt voided", fresh=True, asked_in=attempt.state)
        audit.note(by, "receipt voided", subject_id=receipt.pk, account_id=account.pk, second=second, reason=reason)
        return receipt

    return durable(work)
