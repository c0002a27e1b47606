"""What is owed: an account's open bills, what remains of each, and whether that may bar a line. Reads only its rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Sum

from doenda.billing import classes
from doenda.billing.models import Bill, BillItem
from doenda.kernel import once
from doenda.kernel.money import Money


@dataclass(frozen=True, slots=True)
class BillOwed:
    """An open bill. Amounts in minor units of `currency`; `remaining` includes `late_fee` and equals its classes' sum.

    `fee_base` is the part of `remaining` on whose classes the policy allows a late fee.
    """

    bill_id: UUID
    account_id: UUID
    number: str
    bill_date: date
    due_date: date
    currency: str
    amount: int
    late_fee: int
    remaining: int
    may_bar: bool
    fee_base: int
    remaining_by_class: Mapping[str, int]

    @property
    def money(self) -> Money:
        return Money(self.remaining, self.currency)


def of_bill(bill: Bill, items_by_class: Mapping[str, int]) -> BillOwed:
    """The rule for one bill (pure): payments and credits cover its classes in the order of the policy of its date."""
    policy = classes.policy(bill.bill_date)
    whole = dict(items_by_class)
    if unnamed := bill.amount - sum(whole.values()):  # a bill that came without its items
        whole[classes.OTHER] = whole.get(classes.OTHER, 0) + unnamed
    if bill.late_fee:
        whole[classes.LATE_FEE] = whole.get(classes.LATE_FEE, 0) + bill.late_fee
    left = classes.allocate(whole, bill.paid + bill.credited, policy.order)
    known = policy.classes
    return BillOwed(
        bill.pk,
        bill.account_id,
        bill.number,
        bill.bill_date,
        bill.due_date,
        bill.currency,
        bill.amount,
        bill.late_fee,
        bill.remaining,
        may_bar=any(name in known and known[name].may_bar for name in left),
        fee_base=sum(rest for name, rest in left.items() if name in known and known[name].late_fee == "percent_once"),
        remaining_by_class=left,
    )


def _owed(bills: Sequence[Bill]) -> list[BillOwed]:
    if not bills:
        return []
    of_bills = BillItem.objects.filter(bill__in=[bill.pk for bill in bills])
    return _with_items(bills, of_bills.values_list("bill_id", "item_class").annotate(sum=Sum("amount")))


def _with_items(bills: Sequence[Bill], sums: Iterable[tuple[UUID, str, int]]) -> list[BillOwed]:
    items: dict[UUID, dict[str, int]] = {bill.pk: {} for bill in bills}
    for bill_id, item_class, amount in sums:
        items[bill_id][item_class] = amount
    return [of_bill(bill, items[bill.pk]) for bill in bills]


def open_bills(account_id: UUID) -> list[BillOwed]:
    """Every open bill of the account, the oldest due first."""
    return _owed(list(Bill.objects.filter(account_id=account_id, state=Bill.State.OPEN).order_by("due_date", "pk")))


@once.query
def _overdue(account_id: once.Open, on: once.Open) -> "QuerySet[Bill]":
    return Bill.objects.filter(account_id=account_id, state="open", due_date__lt=on).order_by("due_date", "pk")


def overdue(account_id: UUID, on: date) -> list[BillOwed]:
    """The open bills whose due date is before `on` (the carrier's date), the oldest first."""
    bills = _overdue(account_id=account_id, on=on)
    return _with_items(bills, _overdue_items(account_id=account_id, on=on)) if bills else []


@once.query
def _overdue_items(account_id: once.Open, on: once.Open) -> "QuerySet[Any, Any]":
    mine = BillItem.objects.filter(bill__account_id=account_id, bill__state="open", bill__due_date__lt=on)
    return mine.values_list("bill_id", "item_class").annotate(sum=Sum("amount"))


def remaining_of(account_ids: Iterable[UUID]) -> dict[UUID, list[tuple[UUID, int]]]:
    """What many accounts' open bills owe, as (bill, minor units), the oldest due first; one plain query."""
    rows = Bill.objects.filter(account_id__in=set(account_ids), state="open").order_by("account_id", "due_date", "pk")
    remaining = F("amount") + F("late_fee") - F("paid") - F("credited")
    found: dict[UUID, list[tuple[UUID, int]]] = {}
    for account_id, bill_id, left in rows.values_list("account_id", "pk", remaining):
        found.setdefault(account_id, []).append((bill_id, left))
    return found


def one(bill_id: UUID) -> BillOwed:
    """The same for one bill, open or closed. Raises Bill.DoesNotExist."""
    return _owed([Bill.objects.get(pk=bill_id)])[0]


def spread(owed: Sequence[tuple[UUID, int]], amount: int) -> list[tuple[UUID, int]]:
    """An amount (minor units) over (bill, remaining) pairs in their order; what nobody needs is left out (pure)."""
    found: list[tuple[UUID, int]] = []
    for bill_id, remaining in owed:
        part = min(amount, remaining)
        if part > 0:
            found.append((bill_id, part))
            amount -= part
    return found
