"""At the till: a clerk takes cash or a card for an account's bills, or for a slip, and gets a receipt with the change.

Pressing twice takes once: what was pressed is a row of its own. What a slip is paid with is posted in the transaction
that writes the receipt; for cash and card without a slip the receipt comes first, with the attempt in flight, and if we
die then the inquiry finds it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from uuid import UUID

from doenda.billing.models import Account, Bill
from doenda.kernel import clock
from doenda.kernel.db import atomic, durable
from doenda.kernel.ids import inside
from doenda.payments import attempts, outcomes
from doenda.payments.counter import numbers, receipts, slips
from doenda.payments.counter.models import Receipt, Shift, Slip, Taking
from doenda.payments.counter.receipts import answer_of, moving_elsewhere, number_of, write
from doenda.payments.counter.shifts import held
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import close_waiting, locked, move
from doenda.payments.providers.contract import Answer, Charge, Outcome
from doenda.payments.staff import NotAllowed
from doenda.payments.states import IN_FLIGHT, State

ASKED_AFTER = timedelta(seconds=20)
type Said = Literal["taken", "busy", "nothing_due", "changed", "expired", "unknown_slip", "throttled", "refused"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What the clerk is told. Amounts in minor units; only "taken" means that the money is to be kept."""

    outcome: Said
    receipt: str = ""
    amount: int = 0
    change: int = 0
    attempt_id: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a slip may be paid with now: its bills and amounts, and nothing of who the customer is."""

    outcome: Said | Literal["open"]
    account_id: UUID | None = None
    bills: tuple[tuple[UUID, int], ...] = ()
    currency: str = ""

    @property
    def amount(self) -> int:
        return sum(amount for _, amount in self.bills)


@dataclass(frozen=True, slots=True)
class Pressed:
    """One pressing of "take": `press` is the form's own key; `tendered` what the customer gave in cash."""

    shift_id: UUID
    clerk: str
    press: str
    method: Literal["cash", "card"]
    amount: int
    tendered: int = 0
    approval: str = ""


def take_slip(number: str, *, by: str) -> Shown:
    """Look at the slip that a customer shows; takes nothing yet."""
    slip = slips.find(number, by=by)
    if slip is None or isinstance(slip, slips.Throttled):
        return Shown("unknown_slip" if slip is None else "throttled")
    return _shown(slip.attempt)


def _shown(attempt: Attempt) -> Shown:
    parts = list(attempt.bills.select_related("bill").order_by("pk"))
    owed = tuple((each.bill_id, min(each.amount, each.bill.remaining)) for each in parts if each.bill.remaining > 0)
    said: Said | Literal["open"] = "open"
    if attempt.state != State.NEEDS_DEPOSIT:
        said = "nothing_due" if not owed else "expired"
    elif attempt.expires_at is not None and attempt.expires_at < clock.now():
        said = "expired"
    elif AttemptBill.objects.filter(bill__in=[each.bill_id for each in parts], in_flight=True).exists():
        said = "busy"
    elif not owed:
        said = "nothing_due"
    elif sum(amount for _, amount in owed) < attempt.amount:
        said = "changed"
    return Shown(said, attempt.account_id, owed, attempt.currency)


def take(
    pressed: Pressed,
    *,
    account_id: UUID | None = None,
    bills: list[tuple[UUID, int]] | None = None,
    slip: str = "",
    lang: str = "ko",
) -> Taken:
    """Take money for an account's bills (id, minor units at most), or for what a slip stands for.

    A part may be taken; `amount` goes over the bills in their order. Raises NotAllowed (a closed shift, another
    clerk's, no such right) and ValueError (an amount that cannot be), before anything is taken.
    """
    pressed = _checked(pressed)
    if done := receipts.of_press(pressed.press):
        return _told(_same(done, pressed, account_id, slip))
    with atomic():
        _once(held(pressed.shift_id, pressed.clerk), pressed)
    if slip:
        found = slips.find(slip, by=pressed.clerk)
        if found is None or isinstance(found, slips.Throttled):
            return Taken("unknown_slip" if found is None else "throttled")
        said = durable(lambda: _take_slip(found, pressed), once=True)
        if said.outcome != "changed":
            return said
        shown = _shown(found.attempt)
        account_id, bills = shown.account_id, list(shown.bills)
    if account_id is None or not bills:
        return Taken("nothing_due")
    return _take(pressed, account_id, bills, lang)


def _same(done: Receipt, pressed: Pressed, account_id: UUID | None, slip: str) -> Receipt:
    """The receipt of a form that came twice. Raises NotAllowed if it says something else this time."""
    taking = done.taking
    assert taking is not None
    names = ("shift_id", "method", "amount", "tendered", "approval")
    other = any(getattr(taking, name) != getattr(pressed, name) for name in names)
    if other or (not slip and account_id != taking.account_id):
        raise NotAllowed("this form was sent before, with something else in it")
    return done


def _checked(pressed: Pressed) -> Pressed:
    if pressed.amount <= 0 or not pressed.press:
        raise ValueError("take more than nothing, with the form's key")
    if pressed.method == "card":
        numbers.approval(pressed.approval)
        return replace(pressed, tendered=pressed.amount)
    if pressed.method != "cash" or pressed.approval:
        raise ValueError("a till takes cash, or a card with its terminal's approval number")
    if pressed.tendered < pressed.amount:
        raise ValueError("the customer gave less than that")
    return pressed


def _once(shift: Shift, pressed: Pressed) -> None:
    """A terminal gives each approval once: in a store and a day one number stands on one receipt, whatever its sum."""
    since = clock.now() - timedelta(days=1)
    same = Receipt.objects.filter(store=shift.store, method="card", voided_at=None, kind=Receipt.Kind.TAKEN)
    if pressed.approval and same.filter(approval=pressed.approval, created_at__gt=since).exists():
        raise NotAllowed("this approval number has a receipt already")


def _told(receipt: Receipt) -> Taken:
    return Taken("taken", number_of(receipt), receipt.amount, receipt.change, receipt.attempt_id)


def _taking(pressed: Pressed, account_id: UUID) -> Taking:
    """The row of this pressing, locked. In the caller's transaction."""
    values = {name: getattr(pressed, name) for name in ("shift_id", "method", "amount", "tendered", "approval")}
    made, _ = Taking.objects.get_or_create(press=pressed.press, defaults=values | {"account_id": account_id})
    row = Taking.objects.select_for_update().get(pk=made.pk)
    if row.account_id != account_id or any(getattr(row, name) != value for name, value in values.items()):
        raise NotAllowed("this form was sent before, with something else in it")
    return row


def _take_slip(slip: Slip, pressed: Pressed) -> Taken:
    account, attempt = locked(slip.attempt_id)
    taking = _taking(pressed, account.pk)
    if done := Receipt.objects.select_related("store").filter(taking=taking).first():
        return _told(done)
    shown = _shown(attempt)
    if shown.outcome == "changed":  # the slip is of no use any more, the customer stands here: what is owed now
        if pressed.amount > shown.amount:
            raise ValueError("that is more than is owed")
        close_waiting(Attempt.objects.filter(pk=attempt.pk), "the bill changed")
        slips.close(slip)
    if shown.outcome != "open":
        said: Said = shown.outcome
        return Taken(said)
    if pressed.amount > attempt.amount:
        raise ValueError("that is more than is owed")
    receipt = _write(taking, attempt, pressed.clerk)
    slips.close(slip)
    answer = answer_of(receipt, _merchant())
    outcomes.bring(account, attempt, answer, "slip taken", fresh=True, asked_in=attempt.state)
    return _told(receipt)


def _merchant() -> str:
    from doenda.payments import providers

    return providers.get("counter").merchant


def _write(taking: Taking, attempt: Attempt, clerk: str) -> Receipt:
    shift = held(taking.shift_id, clerk)
    if shift.currency != attempt.currency:
        raise NotAllowed("this till has another currency")
    return write(
        shift,
        attempt,
        Receipt.Kind.TAKEN,
        taking=taking,
        method=taking.method,
        amount=taking.amount,
        tendered=taking.tendered,
        change=taking.tendered - taking.amount,
        approval=taking.approval,
    )


def _take(pressed: Pressed, account_id: UUID, bills: list[tuple[UUID, int]], lang: str) -> Taken:
    parts, left = [], pressed.amount
    for bill_id, most in bills:
        if part := min(most, left):
            parts.append((bill_id, part))
            left -= part
    owed = set(Bill.objects.filter(account_id=account_id, state="open").values_list("pk", flat=True))
    if not any(bill_id in owed for bill_id, _ in parts):
        return Taken("nothing_due")
    if left:
        raise ValueError("that is more than is owed")
    taking = durable(lambda: _taking(pressed, account_id))
    said = attempts.start(
        account_id,
        parts,
        channel="counter",
        method=pressed.method,
        provider="counter",
        return_url="",
        lang=lang,
        token=str(taking.pk),
    )
    if done := receipts.of_press(pressed.press):
        return _told(done)
    if said.outcome in {"busy", "nothing_due"}:
        return Taken("busy" if said.outcome == "busy" else "nothing_due", attempt_id=said.attempt_id)
    return Taken("changed" if said.reason == "CHANGED" else "refused", attempt_id=said.attempt_id, reason=said.reason)


def receipt_for(charge: Charge, merchant: str) -> Answer:
    """Write the receipt of what a clerk has taken for this attempt, once; or why the money is to be handed back.

    Raises Attempt.DoesNotExist.
    """
    return durable(lambda: _receipt_for(charge, merchant))


def _receipt_for(charge: Charge, merchant: str) -> Answer:
    account, attempt = locked(inside(charge.order_id))
    if done := receipts.of(attempt.pk):
        return answer_of(done, merchant)
    if attempt.state != State.CREATED:
        return Answer(Outcome.REFUSED, "TOO_LATE")
    taking = _by_token(charge.token, account)
    if taking is None or Receipt.objects.filter(taking=taking).exists():
        return Answer(Outcome.REFUSED, "NOTHING_PRESSED" if taking is None else "PRESSED_TWICE")
    parts = list(attempt.bills.select_related("bill"))
    if taking.amount != charge.amount or any(part.bill.remaining < part.amount for part in parts):
        return Answer(Outcome.REFUSED, "CHANGED")
    if moving_elsewhere(attempt, [part.bill_id for part in parts]):
        return Answer(Outcome.REFUSED, "BUSY")
    try:
        receipt = _write(taking, attempt, taking.shift.clerk)
    except NotAllowed:
        return Answer(Outcome.REFUSED, "SHIFT_CLOSED")
    now = clock.now()
    move(attempt, State.SENT, "taken at the counter", sent_at=now, ask_at=now + ASKED_AFTER)
    return answer_of(receipt, merchant)


def _by_token(token: str, account: Account) -> Taking | None:
    """What the clerk pressed, locked; it must have been for this account."""
    try:
        pressed = UUID(token)
    except ValueError:
        return None
    found = Taking.objects.select_for_update(of=("self",)).select_related("shift")
    return found.filter(pk=pressed, account=account).first()


def close_for_ever(attempt: Attempt, merchant: str) -> Answer | None:
    """See that nothing is taken for this attempt any more. None where that cannot be said by this means alone."""

    def work() -> Answer | None:
        _, fresh = locked(attempt.pk)
        if done := receipts.of(fresh.pk):
            return answer_of(done, merchant)
        if fresh.state in IN_FLIGHT or fresh.state == State.CREATED:
            return None
        if slip := Slip.objects.filter(attempt=fresh).first():
            slips.close(slip)
        return Answer(Outcome.GIVEN_BACK, "CLOSED")

    return durable(work)
