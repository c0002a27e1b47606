"""Shifts: opened with a counted float, counted blind, closed; cash moved into and out of the drawer between.

The clerk's count is written before anybody is told what was expected, and is never changed.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Case, F, Q, Sum, When

from doenda.access import audit
from doenda.kernel import clock
from doenda.kernel.db import atomic, durable
from doenda.payments import staff
from doenda.payments.counter import policy
from doenda.payments.counter.models import DrawerMove, Receipt, Shift, Store
from doenda.payments.staff import NotAllowed


@dataclass(frozen=True, slots=True)
class Counted:
    """What the count found, in minor units. `needs_two`: a second person must agree before the shift is closed."""

    counted: int
    expected: int
    difference: int
    needs_two: bool


def open_store(code: str, name: str, *, by: str) -> Store:
    """A store of this carrier; the same code again is the same store. Raises NotAllowed, ValueError."""
    staff.require(by, "store")
    if not (code.isascii() and code.isalnum() and 0 < len(code) <= 10):
        raise ValueError("a store's code has 1 to 10 letters and digits")
    with atomic():
        store, made = Store.objects.get_or_create(code=code, defaults={"name": name[:80]})
        if made:
            audit.note(by, "store opened", subject_id=store.pk)
    return store


def open_shift(store_id: UUID, till: str, *, clerk: str, float_amount: int, currency: str = "KRW") -> Shift:
    """Begin at a till with a counted float (minor units). Raises NotAllowed where the till or the clerk has one."""
    staff.require(clerk, "take")
    if float_amount < 0:
        raise ValueError("a float is not negative")
    try:
        with atomic():
            store = Store.objects.get(pk=store_id)
            if store.closed_at is not None:
                raise NotAllowed("this store is closed")
            shift = Shift.objects.create(
                store=store, till=till[:10], clerk=clerk, currency=currency, float_amount=float_amount
            )
            audit.note(clerk, "shift opened", subject_id=shift.pk, float=float_amount)
    except IntegrityError as error:
        if "shift_one_a" not in str(error):
            raise
        raise NotAllowed("this till, or this clerk, has an open shift") from None
    return shift


def held(shift_id: UUID, clerk: str) -> Shift:
    """The shift, locked, if this clerk may take money in it now. In the caller's transaction. Raises NotAllowed."""
    staff.require(clerk, "take")
    shift = Shift.objects.select_for_update(of=("self",)).select_related("store").filter(pk=shift_id).first()
    if shift is None or shift.clerk != clerk:
        raise NotAllowed("this is another clerk's shift")
    if shift.closed_at is not None or shift.counted_at is not None:
        raise NotAllowed("this shift is closed")
    return shift


def expected(shift: Shift) -> int:
    """What cash must be in the drawer now. Never told to the clerk before the count."""
    cash = Receipt.objects.filter(shift=shift, method="cash", voided_at=None)
    signed = Case(When(kind=Receipt.Kind.TAKEN, then=F("amount")), default=-F("amount"))
    received = cash.aggregate(total=Sum(signed))["total"] or 0
    moved = shift.moves.aggregate(total=Sum("amount"))["total"] or 0
    return shift.float_amount + int(received) + int(moved)


def move_cash(shift_id: UUID, amount: int, reason: str, *, clerk: str, press: str, second: str = "") -> DrawerMove:
    """Cash into the drawer (`amount` above 0) or out of it (below); the same press moves once. Raises NotAllowed."""

    def work() -> DrawerMove:
        shift = held(shift_id, clerk)
        known = DrawerMove.objects.filter(press=press).first()
        if known is not None:
            return known
        if not amount or not reason.strip():
            raise ValueError("say how much, and why")
        alone = shift.moves.filter(second="", amount__lt=0).aggregate(total=Sum("amount"))["total"] or 0
        needs_two = max(abs(amount), -alone - min(amount, 0)) > policy.now().drawer_above
        if needs_two or second:
            staff.require_second(second, besides=clerk)
        if expected(shift) + amount < 0:
            raise NotAllowed("there is not so much in the drawer")
        made = DrawerMove.objects.create(
            shift=shift,
            press=press,
            amount=amount,
            reason=reason[:120],
            by=clerk,
            needs_two=needs_two,
            second=second,
        )
        audit.note(clerk, "cash moved", subject_id=shift.pk, amount=amount, second=second)
        return made

    return durable(work)


def count(shift_id: UUID, counted: int, *, clerk: str) -> Counted:
    """The blind count: written first, then compared; from here on the shift takes nothing. Again: the first count."""
    if counted < 0:
        raise ValueError("a count is not negative")
    with atomic():
        done = Shift.objects.filter(Q(pk=shift_id, clerk=clerk) & ~Q(counted=None)).first()
        if done is not None:
            return _told(done)
        shift = _left_behind(shift_id, clerk) or held(shift_id, clerk)
        shift.counted, shift.expected, shift.counted_at = counted, expected(shift), clock.now()
        shift.difference = counted - shift.expected
        shift.needs_two = abs(shift.difference) > policy.now().difference_above
        shift.save(update_fields=["counted", "expected", "difference", "counted_at", "needs_two"])
        audit.note(clerk, "shift counted", subject_id=shift.pk, difference=shift.difference)
        return _told(shift)


def _left_behind(shift_id: UUID, by: str) -> Shift | None:
    """The open shift of a clerk who is none any more: who may be a second pair of eyes counts it."""
    shift = Shift.objects.select_for_update(of=("self",)).select_related("store").filter(pk=shift_id).first()
    if shift is None or shift.counted_at is not None or shift.clerk == by or staff.role_of(shift.clerk) is not None:
        return None
    staff.require_second(by, besides=shift.clerk)
    return shift


def _told(shift: Shift) -> Counted:
    assert shift.counted is not None
    assert shift.expected is not None
    assert shift.difference is not None
    return Counted(shift.counted, shift.expected, shift.difference, shift.needs_two)


def close(shift_id: UUID, *, by: str, reason: str = "") -> Shift:
    """End a counted shift: its clerk where the drawer agrees, a second person who says why where it does not.

    Raises NotAllowed.
    """
    with atomic():
        shift = Shift.objects.select_for_update().get(pk=shift_id)
        if shift.closed_at is not None:
            return shift
        if shift.counted is None:
            raise NotAllowed("count the drawer first")
        if shift.needs_two or by != shift.clerk:
            staff.require_second(by, besides=shift.clerk)
            if shift.needs_two and not reason.strip():
                raise NotAllowed("say why the drawer differs")
            shift.second = by
        shift.reason, shift.closed_at = reason[:120], clock.now()
        shift.save(update_fields=["second", "reason", "closed_at"])
        audit.note(by, "shift closed", subject_id=shift.pk, difference=shift.difference)
        return shift
