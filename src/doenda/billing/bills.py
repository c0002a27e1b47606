"""Bills live on: issued, corrected by a higher revision, credited, cancelled; each by postings of the difference.

Call inside `atomic` with the account locked. Amounts are minor units. Set-wise twin of `issue`: imports/write.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from doenda.billing import accounts, books, ledger, post
from doenda.billing.ledger import FactKey, Move
from doenda.billing.models import Account, Bill, BillEvent, BillItem
from doenda.kernel import clock, facts

type Corrected = Literal["corrected", "unchanged", "older"]


@dataclass(frozen=True, slots=True)
class Item:
    """A part of a bill: its class, minor units (negative: a discount within the class), and the line it is for."""

    item_class: str
    amount: int
    line_id: UUID | None = None


def issue(
    account: Account,
    number: str,
    items: Sequence[Item],
    *,
    due_date: date,
    bill_date: date | None = None,
    period: tuple[date, date] | None = None,
    revision: int = 1,
) -> Bill:
    """A new bill, posted to the account's receivable. IntegrityError if its number is taken.

    Raises ValueError for a negative total (that is a credit note: `credit`). Records `billing.bill_imported`.
    """
    accounts.require_lock(account)
    amount = sum(item.amount for item in items)
    if amount < 0:
        raise ValueError("a bill is not negative; credit it instead")
    now = clock.now()
    bill = Bill(
        account=account,
        number=number,
        revision=revision,
        period_start=period[0] if period else None,
        period_end=period[1] if period else None,
        bill_date=bill_date or clock.today(),
        due_date=due_date,
        currency=account.currency,
        amount=amount,
        state=Bill.State.OPEN if amount else Bill.State.SETTLED,
        closed_at=None if amount else now,
        probe=account.probe,
    )
    bill.save(force_insert=True)
    _items(bill, items)
    fact = fact_of(number, revision)
    ledger.note_fact(fact, at=now, account_id=account.pk)
    if amount:
        billed = books.of_carrier(books.BILLED, account)
        ledger.write(fact, account, [Move(billed, account.pk, amount, bill.pk)], at=now)
    facts.record("billing.bill_imported", account.pk, {"bill_ids": [str(bill.pk)], "number": number})
    return bill


def fact_of(number: str, revision: int) -> FactKey:
    """The external fact of a bill in one revision."""
    return ("bill", f"{number}/{revision}")


def _items(bill: Bill, items: Sequence[Item]) -> None:
    BillItem.objects.bulk_create(
        BillItem(bill=bill, item_class=item.item_class, amount=item.amount, line_id=item.line_id) for item in items
    )


def correct(account: Account, bill: Bill, revision: int, items: Sequence[Item], *, due_date: date) -> Corrected:
    """Replace a bill's items, amount and due date by those of a higher revision; no other revision changes anything.

    A due date that customers were told may move later, never earlier. What was paid or credited beyond the new amount
    becomes customer credit. Records `billing.bill_corrected`.
    """
    accounts.require_lock(account)
    bill.refresh_from_db()
    if revision <= bill.revision:
        return "unchanged" if revision == bill.revision else "older"
    amount = sum(item.amount for item in items)
    if amount < 0:
        raise ValueError("a bill is not negative; credit it instead")
    fact, now = fact_of(bill.number, revision), clock.now()
    ledger.note_fact(fact, at=now, account_id=account.pk)
    before = {"revision": bill.revision, "amount": bill.amount, "due_date": bill.due_date.isoformat()}
    old_items = list(bill.items.values_list("item_class", "amount"))
    difference, was_open = amount - bill.amount, bill.state == Bill.State.OPEN
    moves = _difference(account, bill, difference)
    bill.amount, bill.revision, bill.due_date = amount, revision, max(bill.due_date, due_date)
    moves += post.overpaid_to_credit(account, bill)
    post.close_or_open(bill)
    bill.items.all().delete()
    _items(bill, items)
    ledger.write(fact, account, moves, at=now)
    _event(bill, "corrected", difference, fact, before | {"items": old_items})
    data = {"bill_ids": [str(bill.pk)], "number": bill.number, "difference": difference, "was": before}
    facts.record("billing.bill_corrected", account.pk, data)
    if was_open and bill.state != Bill.State.OPEN:
        post.tell_settled(account, [bill.pk], "correction")
    return "corrected"


def _difference(account: Account, bill: Bill, difference: int) -> list[Move]:
    if not difference:
        return []
    billed = books.of_carrier(books.BILLED, account)
    if difference > 0:
        return [Move(billed, account.pk, difference, bill.pk)]
    return [Move(account.pk, billed, -difference, bill.pk)]


def credit(account: Account, amount: int, *, fact_id: str, at: datetime, bill: Bill | None = None) -> bool:
    """A credit note: takes `amount` off the bill it names, the rest off the oldest open bills, then customer credit.

    `fact_id` is the note's own number; False if it was posted before. Records `billing.bill_credited`.
    """
    accounts.require_lock(account)
    fact = ("credit_note", fact_id)
    if amount <= 0:
        raise ValueError("a credit is more than nothing")
    if not ledger.note_fact(fact, at=at, account_id=account.pk):
        return False
    billed = books.of_carrier(books.BILLED, account)
    moves: list[Move] = []
    settled: list[UUID] = []
    credited: list[UUID] = []
    left = amount
    for each in _creditable(account, bill):
        part = min(left, each.remaining)
        if part:
            left -= part
            each.credited += part
            post.close_or_open(each)
            moves.append(Move(account.pk, billed, part, each.pk))
            _event(each, "credited", part, fact, {})
            credited.append(each.pk)
            settled += [each.pk] if each.state == Bill.State.SETTLED else []
    if left:
        moves.append(Move(books.of_account(account, books.CREDIT), billed, left))
    ledger.write(fact, account, moves, at=at)
    if credited:
        bill_ids = [str(each) for each in credited]
        facts.record("billing.bill_credited", account.pk, {"bill_ids": bill_ids, "amount": amount - left})
    post.tell_settled(account, settled, "credit_note")
    return True


def _creditable(account: Account, bill: Bill | None) -> list[Bill]:
    open_now = Bill.objects.filter(account=account, state=Bill.State.OPEN).order_by("due_date", "pk")
    return sorted(open_now, key=lambda each: bill is None or each.pk != bill.pk)


def cancel(account: Account, bill: Bill, *, fact_id: str, at: datetime) -> bool:
    """Take a bill back whole: what is unpaid is credited, what was paid becomes customer credit.

    `fact_id` is the cancellation's own id; False if the bill was cancelled before.
    """
    accounts.require_lock(account)
    bill.refresh_from_db()
    fact = ("bill_cancelled", fact_id)
    if bill.state == Bill.State.CANCELLED or not ledger.note_fact(fact, at=at, account_id=account.pk):
        return False
    moves = []
    if bill.amount > bill.credited:
        billed = books.of_carrier(books.BILLED, account)
        moves.append(Move(account.pk, billed, bill.amount - bill.credited, bill.pk))
    if bill.late_fee:
        moves.append(Move(account.pk, books.of_carrier(books.LATE_FEES, account), bill.late_fee, bill.pk))
    was_open, taken_back = bill.state == Bill.State.OPEN, bill.remaining
    bill.credited, bill.late_fee = bill.amount, 0
    moves += post.overpaid_to_credit(account, bill)
    bill.state, bill.closed_at = Bill.State.CANCELLED, at
    bill.save()
    ledger.write(fact, account, moves, at=at)
    _event(bill, "cancelled", taken_back, fact, {})
    if was_open:
        post.tell_settled(account, [bill.pk], "cancelled")
    return True


def _event(bill: Bill, kind: str, amount: int, fact: FactKey, data: dict[str, object]) -> None:
    BillEvent.objects.create(bill=bill, kind=kind, amount=amount, fact_kind=fact[0], fact_id=fact[1], data=data)
