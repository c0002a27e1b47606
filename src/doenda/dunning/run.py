"""The sweeps of collections: cases, promises, reminders before the due date."""

from datetime import date, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from doenda import notices
from doenda.billing import owed
from doenda.billing.accounts import lock
from doenda.billing.models import Bill
from doenda.dunning import cases, gather, promises
from doenda.dunning.models import DueReminder
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic


@sweeps.sweep("cases", every=5)
def sweep_cases(limit: int = 100) -> int:
    """Open what is missing, review what is due. Returns the rows worked on."""
    return max(cases.open_missing(limit), cases.review_due(limit))


@sweeps.sweep("promises", every=10)
def sweep_promises(limit: int = 100) -> int:
    return promises.look(limit)


@sweeps.sweep("due_soon", every=60)
def sweep_due_soon(limit: int = 100) -> int:
    """Remind of bills that fall due within the policy's days, once each; a missed day loses none."""
    today = clock.today()
    if clock.local(clock.now()).hour < cases.policy_now().opens:
        return 0
    soon = today + timedelta(cases.policy_now().remind_before_days)
    bills = Bill.objects.filter(state=Bill.State.OPEN, due_date__gte=today, due_date__lte=soon, probe=False)
    waiting = bills.filter(due_reminder=None, account__probe=False).order_by("due_date", "pk")
    done = 0
    for _ in range(PAGES):
        found = list(_after(waiting).values_list("due_date", "pk", "account_id")[:limit])
        done += sum(_remind(bill_id, account_id) for _, bill_id, account_id in found)
        _place[:] = [found[-1][:2]] if len(found) == limit else []
        if done or not _place:
            break
    return done


PAGES = 20
_place: list[tuple[date, UUID]] = []
"""Where the last look ended: a crowd whose clock stands must not hide those who come after it. Lost, it costs time."""


def forget() -> None:
    """Begin at the beginning (simulations that replace the database under this process)."""
    _place.clear()


def _after(waiting: "QuerySet[Bill, Bill]") -> "QuerySet[Bill, Bill]":
    if not _place:
        return waiting
    due, bill_id = _place[0]
    return waiting.filter(Q(due_date__gt=due) | Q(due_date=due, pk__gt=bill_id))


def _remind(bill_id: UUID, account_id: UUID) -> int:
    with atomic():
        account = lock(account_id)
        bill = Bill.objects.get(pk=bill_id)
        if bill.state != Bill.State.OPEN or DueReminder.objects.filter(bill=bill).exists():
            return 0
        if any(stop.running(clock.now()) for stop in gather.stops(account.pk)):
            return 0
        asked = owed.one(bill.pk)
        due = bill.due_date.isoformat()
        data = {"due": due, "leave_by": due, "currency": asked.currency}
        sent = notices.send("reminder_before", account.pk, bill_id=bill.pk, params=data, key=f"before-{bill.pk}")
        DueReminder.objects.create(bill=bill, notice_id=sent.pk)
        return 1
