"""Posting what happened to the ledger and to the bills, in one and the same transaction of the caller.

Every function must be called inside `atomic` with the account locked (`accounts.lock`), and is idempotent by its
external fact. Amounts are minor units of the account's currency. What is paid beyond what is owed becomes credit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F

from doenda.billing import accounts, books, ledger, owed
from doenda.billing.ledger import FactKey, Move
from doenda.billing.models import Account, Bill, BillEvent, ExternalFact, Posting
from doenda.kernel import clock, facts
from doenda.kernel.ids import new_id, outside


@dataclass(frozen=True, slots=True)
class Posted:
    """`posted` went to bills, `credit` to the customer's credit; `again` says that the fact was posted before."""

    posted: int
    credit: int
    settled: tuple[UUID, ...] = ()
    again: bool = False


# Old values cannot be returned before PostgreSQL 18, so the part that each bill takes is worked out beside the update.
_PAY = """
    UPDATE billing_bill b SET paid = b.paid + take.part,
        state = CASE WHEN take.rest = take.part THEN 'settled' ELSE 'open' END,
        closed_at = CASE WHEN take.rest = take.part THEN %s::timestamptz END
    FROM (
        SELECT o.id, o.amount + o.late_fee - o.paid - o.credited AS rest,
               LEAST(o.amount + o.late_fee - o.paid - o.credited, v.amount) AS part
        FROM (VALUES {values}) v (id, amount) JOIN billing_bill o ON o.id = v.id
        WHERE o.account_id = %s AND o.state = 'open'
    ) take WHERE b.id = take.id AND take.part > 0 RETURNING b.id, take.part, b.state
"""


def payment(
    account: Account,
    allocations: Iterable[tuple[UUID, int]],
    *,
    beyond: int = 0,
    provider: str,
    fact_kind: str,
    fact_id: str,
    at: datetime,
) -> Posted:
    """Post money that arrived at `provider` for these bills ("elsewhere": taken by others for us).

    `allocations` are (bill id, minor units); an open bill of the account takes at most what remains of it, and the rest
    is credit, with `beyond`: what arrived besides. Money that names no bill goes through `deposit`. Records
    `billing.payment_posted`.
    """
    return _payment(account, _merged(allocations), beyond, provider=provider, fact=(fact_kind, fact_id), at=at)


def deposit(account: Account, amount: int, *, provider: str, fact_kind: str, fact_id: str, at: datetime) -> Posted:
    """Post money that names no bill: the oldest due bill takes first, the rest is credit."""
    open_now = [(each.bill_id, each.remaining) for each in owed.open_bills(account.pk)]
    spread = dict(owed.spread(open_now, amount))
    unnamed = amount - sum(spread.values())
    return _payment(account, spread, unnamed, provider=provider, fact=(fact_kind, fact_id), at=at)


def _payment(
    account: Account, wanted: dict[UUID, int], unnamed: int, *, provider: str, fact: FactKey, at: datetime
) -> Posted:
    accounts.require_lock(account)
    total = sum(wanted.values()) + unnamed
    if total <= 0 or unnamed < 0:
        raise ValueError("a payment is more than nothing")
    data = {"amount": total, "currency": account.currency, "provider": provider}
    if not ledger.note_fact(fact, at=at, account_id=account.pk, data=data):
        return _posted_before(fact)
    taken = _take(account, wanted)
    posted = sum(part for _, part, _ in taken)
    clearing = books.of_carrier(books.clearing(provider), account)
    moves = [Move(account.pk, clearing, part, bill_id) for bill_id, part, _ in taken]
    if total > posted:
        moves.append(Move(books.of_account(account, books.CREDIT), clearing, total - posted))
    ledger.write(fact, account, moves, at=at)
    settled = tuple(bill_id for bill_id, _, state in taken if state == Bill.State.SETTLED)
    facts.record(
        "billing.payment_posted",
        account.pk,
        {
            "bill_ids": [str(bill_id) for bill_id, _, _ in taken],
            "settled_bill_ids": [str(bill_id) for bill_id in settled],
            "amount": total,
            "credit": total - posted,
            "currency": account.currency,
            "fact": list(fact),
        },
    )
    return Posted(posted, total - posted, settled)


def _merged(allocations: Iterable[tuple[UUID, int]]) -> dict[UUID, int]:
    wanted: dict[UUID, int] = {}
    for bill_id, amount in allocations:
        if amount < 0:
            raise ValueError("an allocation is not negative")
        wanted[bill_id] = wanted.get(bill_id, 0) + amount
    return wanted


def _take(account: Account, wanted: dict[UUID, int]) -> list[tuple[UUID, int, str]]:
    """Let open bills of the account take what they are offered: (bill, part, state afterwards)."""
    if not wanted:
        return []
    values = ", ".join(["(%s::uuid, %s::bigint)"] * len(wanted))
    parameters = [clock.now(), *(each for pair in wanted.items() for each in pair), account.pk]
    with connection.cursor() as cursor:
        cursor.execute(_PAY.format(values=values), parameters)
        found = {bill_id: (bill_id, int(part), str(state)) for bill_id, part, state in cursor.fetchall()}
    return [found[bill_id] for bill_id in wanted if bill_id in found]


def _posted_before(fact: FactKey) -> Posted:
    rows = Posting.objects.filter(fact_kind=fact[0], fact_id=fact[1]).values_list("bill_id", "amount")
    return Posted(
        sum(amount for bill_id, amount in rows if bill_id is not None),
        sum(amount for bill_id, amount in rows if bill_id is None),
        again=True,
    )


@dataclass(frozen=True, slots=True)
class Undone:
    """`amount` was taken back, `reopened` bills are owed again; `short` was spent from credit and is owed to us."""

    amount: int
    reopened: tuple[UUID, ...] = ()
    short: int = 0
    again: bool = False


def undo_payment(fact_kind: str, fact_id: str, reason_fact: FactKey, *, at: datetime | None = None) -> Undone:
    """Take back a posted payment or refund (a bounced deposit, a chargeback) by opposite postings under `reason_fact`.

    Locks the account itself. Raises ExternalFact.DoesNotExist for a fact never posted, ValueError if another reason
    undid it. Records `billing.payment_undone`.
    """
    original = ExternalFact.objects.get(kind=fact_kind, external_id=fact_id)
    assert original.account_id is not None
    account = accounts.lock(original.account_id)
    at = at or clock.now()
    if not ledger.note_fact(reason_fact, at=at, account_id=account.pk, data={"undoes": [fact_kind, fact_id]}):
        return Undone(0, again=True)
    once = (f"undone:{fact_kind}", fact_id)
    if not ledger.note_fact(once, at=at, account_id=account.pk, data={"by": list(reason_fact)}):
        raise ValueError(f"{fact_kind} {fact_id} has been undone already, by another fact")
    legs = list(Posting.objects.filter(fact_kind=fact_kind, fact_id=fact_id).order_by("leg"))
    moves: list[Move] = []
    reopened: list[UUID] = []
    for leg in legs:
        back = _give_back(leg)
        if leg.bill_id is not None and back:
            moves.append(Move(leg.target_book_id, leg.source_book_id, back, leg.bill_id))
            reopened.append(leg.bill_id)
        if leg.amount > back:
            credit = leg.source_book_id if leg.bill_id is None else books.of_account(account, books.CREDIT)
            moves.append(Move(leg.target_book_id, credit, leg.amount - back))
    ledger.write(reason_fact, account, moves, at=at)
    amount = sum(leg.amount for leg in legs)
    short = max(0, books.balance(account.pk, books.CREDIT))
    facts.record(
        "billing.payment_undone",
        account.pk,
        {
            "bill_ids": [str(bill_id) for bill_id in reopened],
            "amount": amount,
            "short": short,
            "fact": [fact_kind, fact_id],
            "reason": list(reason_fact),
        },
    )
    return Undone(amount, tuple(reopened), short)


def _give_back(leg: Posting) -> int:
    """Take the leg's amount off its bill's `paid`, as far as it still stands there, and reopen the bill."""
    back = _stands(leg)
    if back:
        Bill.objects.filter(postings=leg).update(paid=F("paid") - back, state=Bill.State.OPEN, closed_at=None)
    return back


def _stands(leg: Posting) -> int:
    """How much of the leg's amount its bill still counts as paid."""
    bill = leg.bill
    if bill is None or bill.state == Bill.State.CANCELLED:  # its payments became credit when it was cancelled
        return 0
    return min(leg.amount, bill.paid)


def turned_to_credit(fact_kind: str, fact_id: str) -> int:
    """What of a payment would be taken from the customer's credit, were it undone now: what it left over, and what its
    bills that were cancelled or lowered since need no more (minor units). Raises ExternalFact.DoesNotExist."""
    ExternalFact.objects.get(kind=fact_kind, external_id=fact_id)
    legs = Posting.objects.filter(fact_kind=fact_kind, fact_id=fact_id).select_related("bill")
    return sum(leg.amount - _stands(leg) for leg in legs)


def refund(account: Account, amount: int, *, provider: str, fact_kind: str, fact_id: str, at: datetime) -> bool:
    """Set credit aside for its way back through `provider`. False if this fact was posted before.

    Call it in the transaction that decides the refund, so that nothing else can spend the credit meanwhile;
    `undo_payment` gives it back if the refund fails. Raises ValueError if the customer's credit is smaller.
    """
    accounts.require_lock(account)
    fact = (fact_kind, fact_id)
    if ExternalFact.objects.filter(kind=fact_kind, external_id=fact_id).exists():
        return False
    if not 0 < amount <= books.credit(account.pk):
        raise ValueError(f"account {account.number} has no credit of {amount}")
    if not ledger.note_fact(fact, at=at, account_id=account.pk, data={"refund": amount, "provider": provider}):
        return False
    clearing = books.of_carrier(books.clearing(provider), account)
    ledger.write(fact, account, [Move(clearing, books.of_account(account, books.CREDIT), amount)], at=at)
    return True


def doubly_returned(
    account: Account, amount: int, *, provider: str, fact_kind: str, fact_id: str, at: datetime
) -> bool:
    """A refund was carried out whose payment the payer's bank had taken back as well: it is the carrier's loss until a
    person has it back. False if this fact was posted before."""
    accounts.require_lock(account)
    fact = (fact_kind, fact_id)
    if not ledger.note_fact(fact, at=at, account_id=account.pk, data={"refund": amount, "provider": provider}):
        return False
    clearing = books.of_carrier(books.clearing(provider), account)
    ledger.write(fact, account, [Move(clearing, books.of_carrier(books.DOUBLY_RETURNED, account), amount)], at=at)
    return True


def use_credit(account: Account) -> int:
    """Let the customer's credit pay open bills, the oldest due first. Returns the minor units used."""
    accounts.require_lock(account)
    available = books.credit(account.pk)
    if not available:
        return 0
    open_now = [(each.bill_id, each.remaining) for each in owed.open_bills(account.pk)]
    taken = _take(account, dict(owed.spread(open_now, available)))
    if not taken:
        return 0
    fact, at = ("credit_used", outside(new_id())), clock.now()
    ledger.note_fact(fact, at=at, account_id=account.pk)
    credit = books.of_account(account, books.CREDIT)
    ledger.write(fact, account, [Move(account.pk, credit, part, bill_id) for bill_id, part, _ in taken], at=at)
    tell_settled(account, [bill_id for bill_id, _, state in taken if state == Bill.State.SETTLED], "credit")
    return sum(part for _, part, _ in taken)


def late_fee(bill: Bill, amount: int, reason: str) -> bool:
    """Add a fee to an open bill; `reason` is its key ("step:<id>"): the same again adds nothing. Locks the account.

    Billing only posts it: that and how much is dunning's decision. False if it was posted before or the bill is closed.
    """
    account = accounts.lock(bill.account_id)
    bill.refresh_from_db()
    fact = ("late_fee", f"{outside(bill.pk)}/{reason}")
    if amount <= 0:
        raise ValueError("a fee is more than nothing")
    if bill.state != Bill.State.OPEN or not ledger.note_fact(fact, at=clock.now(), account_id=account.pk):
        return False
    bill.late_fee += amount
    bill.save(update_fields=["late_fee"])
    income = books.of_carrier(books.LATE_FEES, account)
    ledger.write(fact, account, [Move(income, account.pk, amount, bill.pk)], at=clock.now())
    _event(bill, "late_fee", amount, fact)
    return True


def reverse_late_fee(bill: Bill, reason: str) -> int:
    """Take the bill's whole late fee back; what was paid of it becomes credit. Locks the account.

    Returns the minor units reversed; 0 if there is no fee, or this `reason` reversed it before.
    """
    account = accounts.lock(bill.account_id)
    bill.refresh_from_db()
    fact = ("late_fee_back", f"{outside(bill.pk)}/{reason}")
    fee = bill.late_fee
    if not fee or not ledger.note_fact(fact, at=clock.now(), account_id=account.pk):
        return 0
    was_open = bill.state == Bill.State.OPEN
    income = books.of_carrier(books.LATE_FEES, account)
    moves = [Move(account.pk, income, fee, bill.pk)]
    bill.late_fee = 0
    moves += overpaid_to_credit(account, bill)
    close_or_open(bill)
    ledger.write(fact, account, moves, at=clock.now())
    _event(bill, "late_fee_back", fee, fact)
    if was_open and bill.state != Bill.State.OPEN:
        tell_settled(account, [bill.pk], "late_fee_back")
    return fee


def overpaid_to_credit(account: Account, bill: Bill) -> list[Move]:
    """After an amount of `bill` fell: what is now covered twice leaves the bill as credit. Changes `bill`, unsaved."""
    excess = -bill.remaining
    if excess <= 0:
        return []
    paid_back = min(excess, bill.paid)
    bill.paid -= paid_back
    bill.credited -= excess - paid_back
    return [Move(books.of_account(account, books.CREDIT), account.pk, excess, bill.pk)]


def close_or_open(bill: Bill) -> None:
    """Bring the bill's state in line with what remains, and save its amounts."""
    if bill.state != Bill.State.CANCELLED or bill.remaining:
        bill.state = Bill.State.OPEN if bill.remaining else Bill.State.SETTLED
    bill.closed_at = None if bill.remaining else bill.closed_at or clock.now()
    bill.save()


def tell_settled(account: Account, bill_ids: Sequence[UUID], by: str) -> None:
    """Record `billing.bill_settled` for bills that closed without a payment (a payment's own fact names its own)."""
    if bill_ids:
        facts.record("billing.bill_settled", account.pk, {"bill_ids": [str(each) for each in bill_ids], "by": by})


def _event(bill: Bill, kind: str, amount: int, fact: FactKey) -> None:
    BillEvent.objects.create(bill=bill, kind=kind, amount=amount, fact_kind=fact[0], fact_id=fact[1])
