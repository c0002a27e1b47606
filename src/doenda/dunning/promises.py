"""Dated promises with the clock stopped: the customer's to pay, or ours to mend. Each is kept, or broken, once."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Q

from doenda import notices
from doenda.assurance import devices, exposure, standing
from doenda.assurance.cells import AGAINST
from doenda.assurance.rule import NAMED, Name
from doenda.billing import accounts
from doenda.billing.models import Bill
from doenda.dunning import gather, holds
from doenda.dunning.cases import look_again, policy_now
from doenda.dunning.models import Promise, PromiseBill
from doenda.dunning.words import HoldKind, Whose
from doenda.kernel import clock, facts, once
from doenda.kernel.db import atomic
from doenda.payments import pending
from doenda.payments.models import Attempt
from doenda.payments.states import State

if TYPE_CHECKING:
    from django.db.models import QuerySet

LOOK_EVERY = timedelta(seconds=20)
"""How often we see whether what we promised to mend works again, to tell the customer at once."""
_HOLD_OF = {
    "no_way": HoldKind.NO_WAY,
    "unknown": HoldKind.UNKNOWN,
    "debit": HoldKind.UNKNOWN,
    "said": HoldKind.REPORT,
}
_SETTLED_ELSEWHERE = ("unknown", "debit")
"""Reasons that an attempt's own outcome ends: payments tell the customer of it, and no way has to come back."""
_NO_WAY = ("no_way", "closed")
_NO_TRY = (*_SETTLED_ELSEWHERE, *_NO_WAY, "said")
"""Reasons that are about no try that we know to have failed."""


class NotAllowed(ValueError):
    """The policy does not allow the customer this promise; the message says why."""


def make(
    account_id: UUID,
    bill_ids: Sequence[UUID],
    *,
    whose: str,
    until: date | datetime,
    reason: str,
    key: str,
) -> Promise:
    """Promise, and stop the clock until then (a date: to the end of that day).

    `reason` of ours: "fault", "no_way" (nothing works; a barred line is opened meanwhile), "closed" (nobody failed, the
    hour is one at which nothing is open), "unknown", "debit" (it is on its way to the bank), and "said" where nothing
    but the customer's word speaks for a fault (see `word_is_spent`). The same `key` again is the same promise;
    its date may move later, never earlier. Joins an open transaction; locks the account.
    Raises NotAllowed for the customer's own beyond the policy, ValueError for bills that are not the account's.
    """
    side = Whose(whose)
    end = until if isinstance(until, datetime) else clock.at(until, 23, 59)
    with atomic():
        accounts.lock(account_id)
        known = Promise.objects.select_for_update().filter(key=key, account_id=account_id).first()
        if known is not None:
            return _longer(known, end)
        bills = list(Bill.objects.filter(pk__in=bill_ids, account_id=account_id))
        if len(bills) != len(set(bill_ids)) or not bills:
            raise ValueError("a promise is about bills of its own account")
        if side == Whose.CUSTOMER:
            _check(bill_ids, end)
        kind = HoldKind.PROMISE if side == Whose.CUSTOMER else _HOLD_OF.get(reason, HoldKind.OUR_FAULT)
        hold = holds.place(account_id, kind, until=end, reason=f"promise: {reason}", key=f"promise-{key}")
        look = end if side == Whose.CUSTOMER else min(end, clock.now() + LOOK_EVERY)
        amount = sum(bill.remaining for bill in bills)
        promise = Promise.objects.create(
            account_id=account_id,
            hold=hold,
            whose=side,
            until=end,
            amount=amount,
            reason=reason,
            key=key,
            waits_for=_waits_for(account_id, side, reason),
            next_look_at=look,
        )
        PromiseBill.objects.bulk_create(PromiseBill(promise=promise, bill=bill) for bill in bills)
        data = {"promise": str(promise.pk), "whose": side, "until": end.isoformat(), "reason": reason}
        facts.record("dunning.promised", account_id, data)
        return promise


def _waits_for(account_id: UUID, side: Whose, reason: str) -> str:
    failed = None if side == Whose.CUSTOMER else _failed_try(account_id, reason)
    return failed.way if failed else ""


def by_customer(account_id: UUID, bill_ids: Sequence[UUID], *, day: date, key: str) -> Promise | None:
    """The customer's own promise to pay by `day`; None if the policy does not allow it."""
    try:
        return make(account_id, bill_ids, whose=Whose.CUSTOMER, until=day, reason="date", key=key)
    except NotAllowed:
        return None


def fault_is_known(account_id: UUID) -> bool:
    """Do we know ourselves of a fault that this customer met: a way named to it fails, a try failed, nothing works?"""
    now = clock.now()
    kinds = {HoldKind.EXPOSURE, HoldKind.OUR_FAULT, HoldKind.UNKNOWN}
    met = any(stop.kind in kinds and stop.running(now) for stop in gather.faults(account_id))
    return met or not gather.way_proven()


def word_is_spent(account_id: UUID, bill_id: UUID, *, but: str) -> bool:
    """Has this bill's date moved on the customer's word alone as often as the policy allows? Then a person looks at it.

    `but`: the key of the promise that is about to be made; made before, it does not count against itself.
    """
    said = Promise.objects.filter(account_id=account_id, reason="said", bills__bill_id=bill_id)
    return said.exclude(key=but).count() >= policy_now().said_each_bill


def last_day_allowed() -> date:
    """The latest day that a customer may name today."""
    return clock.today() + timedelta(policy_now().promise_longest_days)


def _check(bill_ids: Sequence[UUID], end: datetime) -> None:
    rules, day = policy_now(), clock.local(end).date()
    if not clock.today() <= day <= last_day_allowed():
        raise NotAllowed(f"a day from today to {last_day_allowed()}")
    made = PromiseBill.objects.filter(bill_id__in=bill_ids, promise__whose=Whose.CUSTOMER)
    for bill_id in bill_ids:
        if made.filter(bill_id=bill_id).count() >= rules.promises_each_bill:
            raise NotAllowed(f"at most {rules.promises_each_bill} promises for one bill")


def _longer(promise: Promise, end: datetime) -> Promise:
    if end > promise.until and promise.kept_at is None and promise.broken_at is None and promise.whose == Whose.OURS:
        promise.put(until=end)
        _hold_until(promise, end)
    return promise


def _hold_until(promise: Promise, end: datetime) -> None:
    hold = promise.hold
    holds.place(promise.account_id, hold.kind, start=hold.start, until=end, reason=hold.reason, key=hold.key)


def keep_if_paid(account_id: UUID) -> None:
    """After money was posted: promises whose bills are all closed are kept. With the account locked."""
    for promise in Promise.objects.filter(account_id=account_id, kept_at=None, broken_at=None).select_for_update():
        if not _owed(promise):
            _end(promise, kept=True)


def look(limit: int) -> int:
    """See which promises were kept, broken, or must be renewed; a transaction each.

    While nothing works at all, those that wait for just that are left alone, and so are those that wait for one way
    while it is away: its first proof finds them all due.
    """
    now = clock.now()
    due = Promise.objects.filter(kept_at=None, broken_at=None, next_look_at__lte=now).order_by("next_look_at", "pk")
    ways = standing.current("pay")
    away = [slug for slug, way in ways.items() if way.standing not in (*NAMED, Name.RETIRED)]
    if not any(way.standing in NAMED for way in ways.values()):
        due = due.filter(Q(until__lte=now) | ~Q(whose=Whose.OURS) | Q(reason__in=_SETTLED_ELSEWHERE))
    else:
        due = due.filter(Q(until__lte=now) | ~Q(waits_for__in=away))
    found = list(due.values_list("pk", "account_id")[:limit])
    for promise_id, account_id in found:
        with atomic():
            accounts.lock(account_id)
            promise = Promise.objects.select_for_update().get(pk=promise_id)
            if promise.kept_at is None and promise.broken_at is None and promise.next_look_at <= clock.now():
                _look(promise)
    return len(found)


def _look(promise: Promise) -> None:
    over, owed = promise.until <= clock.now(), _owed(promise)
    if not owed or (promise.whose == Whose.CUSTOMER and over):
        _end(promise, kept=not owed)
    elif promise.whose == Whose.CUSTOMER:
        _next(promise, promise.until)
    else:
        _look_ours(promise, over, owed)


def _look_ours(promise: Promise, over: bool, owed: int) -> None:
    """Tell once, as soon as it works again. The days given stay given; not mended in time, they are renewed."""
    mended = promise.told_at is not None or _mended(promise, over)
    if mended and promise.told_at is None:
        promise.put(told_at=clock.now())
        if promise.reason not in _SETTLED_ELSEWHERE:
            _tell_mended(promise)
    if over and mended:
        _end(promise, kept=True)
    elif over:
        promise.put(until=clock.at(clock.today() + timedelta(policy_now().ours_days), 23, 59))
        _hold_until(promise, promise.until)
        _next(promise, clock.now() + LOOK_EVERY)
    else:
        _next(promise, promise.until if mended else min(promise.until, clock.now() + LOOK_EVERY))


def _tell_mended(promise: Promise) -> None:
    bill = promise.bills.order_by("bill__due_date").values_list("bill_id", flat=True).first()
    data: dict[str, object] = {"until": promise.until}
    failed = _failed_try(promise.account_id, promise.reason, promise.created_at)
    if failed and (_retired(failed.way) or not _works(failed)):
        failed = None
    if failed:
        data["method"] = failed.method
    kind = "fault_mended" if failed else "way_back"
    notices.send(kind, promise.account_id, bill_id=bill, params=data, key=f"mended-{promise.pk}")


def _failed_try(account_id: UUID, reason: str, until: datetime | None = None) -> Attempt | None:
    """The try that failed through us, which a promise made at `until` (now) is about."""
    if reason in _NO_TRY:
        return None
    return _last_fault.first(account_id=account_id, state=State.OUR_FAULT.value, until=until or clock.now())


@once.query
def _last_fault(account_id: once.Open, state: once.Open, until: once.Open) -> "QuerySet[Attempt]":
    mine = Attempt.objects.filter(account_id=account_id, state=state, created_at__lte=until)
    return mine.order_by("-created_at")[:1]


def _works(failed: Attempt) -> bool:
    """Was the way by which it was tried proven since, and does it not fail on that kind of device?"""
    if failed.device and standing.word(devices.cell(failed.way, failed.device)) in AGAINST:
        return False
    return _proven_since(failed.settled_at or failed.created_at, failed.way)


def _proven_since(since: datetime, slug: str = "") -> bool:
    """Was this way (any) proven after that, and is still?"""
    known = [standing.one(slug)] if slug else standing.current("pay").values()
    mine = [way.last_proof_at for way in known if way is not None and way.standing in NAMED]
    return any(proof is not None and proof > since for proof in mine)


def _mended(promise: Promise, over: bool) -> bool:
    """Does it work again? What was unknown is known; the way that failed was proven since; nothing told is failing.

    A way that is never coming back is mended by any other that works; and so is, when the days are over, one that
    fails on this customer's kind of device alone, or was not tried again.
    """
    if promise.reason in _SETTLED_ELSEWHERE:
        return pending.adverse_blocked(promise.account_id) is None
    if promise.reason in _NO_WAY:
        return gather.way_proven()
    failed = _failed_try(promise.account_id, promise.reason, promise.created_at)
    if failed and not _retired(failed.way):
        return _works(failed) or (over and gather.way_proven(failed.way))
    works = gather.way_proven() if over else _proven_since(promise.created_at)
    return works and all(end is not None for _, end, _ in exposure.intervals(promise.account_id))


def _retired(slug: str) -> bool:
    return standing.word(slug) in (None, Name.RETIRED)


def _owed(promise: Promise) -> int:
    """What is still open of the promise's bills, late fees included (minor units)."""
    return sum(bill.remaining for bill in _open_bills(promise_id=promise.pk, state=Bill.State.OPEN.value))


@once.query
def _open_bills(promise_id: once.Open, state: once.Open) -> "QuerySet[Bill]":
    mine = PromiseBill.objects.filter(promise=promise_id)
    return Bill.objects.filter(pk__in=mine.values("bill_id"), state=state)


def _next(promise: Promise, at: datetime) -> None:
    promise.put(next_look_at=at)


def _end(promise: Promise, *, kept: bool) -> None:
    promise.put(**{"kept_at" if kept else "broken_at": clock.now()})
    if kept and promise.whose == Whose.CUSTOMER:
        holds.lift_one(promise.hold, reason="paid")
    kind = "dunning.promise_kept" if kept else "dunning.promise_broken"
    facts.record(kind, promise.account_id, {"promise": str(promise.pk)})
    look_again(promise.account_id)
