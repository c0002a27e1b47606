"""Stopping a case's clock, and letting it run again. History is kept: a hold is lifted, never removed."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from doenda import notices
from doenda.billing import accounts
from doenda.dunning.cases import look_again, policy_now
from doenda.dunning.models import Case, Hold
from doenda.dunning.words import SUSPENSIONS, HoldKind
from doenda.kernel import clock, once
from doenda.kernel.db import atomic

if TYPE_CHECKING:
    from django.db.models import QuerySet


def place(
    account_id: UUID,
    kind: str,
    *,
    start: datetime | None = None,
    until: datetime | None = None,
    reason: str,
    key: str,
) -> Hold:
    """Stop the account's clock from `start` (now) until `until` (as long as the policy says for its kind).

    The same `key` again is the same hold: it may be made longer, never shorter. A manual hold without `until` lasts
    until lifted. Joins an open transaction; locks the account. Raises ValueError for an unknown kind, or an end before
    the start.
    """
    wanted = HoldKind(kind)
    start = start or clock.now()
    until = until or length(wanted, start)
    if until is not None and until <= start:
        raise ValueError("a hold ends after it starts")
    with atomic():
        account = accounts.lock(account_id)
        hold = _of_key.first(key=key)
        if hold is None:
            case = _case_of.first(account_id=account_id)
            hold = Hold(account=account, case=case, kind=wanted, start=start, until=until, reason=reason[:200], key=key)
            hold.insert()
        elif hold.account_id != account_id:
            raise ValueError(f"the hold {key!r} belongs to another account")
        elif hold.lifted_at is None and hold.until is not None and (until is None or until > hold.until):
            hold.put(until=until)
        notices.withdraw(account_id, SUSPENSIONS, "the clock was stopped before it left")
        look_again(account_id)
        return hold


@once.query
def _of_key(key: once.Open) -> "QuerySet[Hold]":
    return Hold.objects.filter(key=key).select_for_update()


@once.query
def _case_of(account_id: once.Open) -> "QuerySet[Case]":
    return Case.objects.filter(account=account_id, closed_at=None)[:1]


def length(kind: HoldKind, start: datetime) -> datetime | None:
    """The end that the policy gives a hold of this kind: the last minute of its last day; None: until lifted."""
    days = policy_now().hold_days.get(kind)
    return None if days is None else clock.at(clock.local(start).date() + timedelta(days), 23, 59)


def lift(key: str, *, reason: str) -> int:
    """End every hold whose key is `key` or begins with it, now. Returns how many; lifted ones stay as they are.

    What they covered until now stays covered. Joins an open transaction; locks the accounts.
    """
    with atomic():
        mine = Hold.objects.filter(key__startswith=key, lifted_at=None)
        accounts.lock_many(mine.values_list("account_id", flat=True))
        found = list(mine.select_for_update().order_by("pk"))
        for hold in found:
            lift_one(hold, reason=reason)
        return len(found)


def lift_one(hold: Hold, *, reason: str) -> None:
    """End this hold now, in the caller's transaction with the account locked."""
    hold.lifted_at, hold.lift_reason = max(clock.now(), hold.start), reason[:200]
    hold.save(update_fields=["lifted_at", "lift_reason"])
    look_again(hold.account_id)


def running(account_id: UUID, at: datetime | None = None) -> list[Hold]:
    """The holds that stop the account's clock at an instant (now), the one that lasts longest first."""
    at = at or clock.now()
    found = Hold.objects.filter(account_id=account_id, start__lte=at)
    live = [h for h in found if (h.until is None or h.until > at) and (h.lifted_at is None or h.lifted_at > at)]
    return sorted(live, key=lambda hold: (hold.until is not None, -(hold.until or at).timestamp()))
