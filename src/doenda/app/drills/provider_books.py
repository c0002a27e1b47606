"""Every provider's own books against our ledger, order by order and in sum; each side keeps its own truth.

Where a provider has no books of its own (the counter), its truth is the drawer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db.models import Sum

from doenda.billing import books
from doenda.billing.models import Posting
from doenda.kernel.ids import inside, outside
from doenda.payments.counter.models import Receipt
from doenda.payments.debit.models import DebitItem
from doenda.payments.deposits.models import DepositLine
from doenda.payments.models import Attempt
from doenda.payments.states import State

BY_ORDER = {"sandbox": "bank", "toss": "toss", "portone": "portone"}
"""Providers whose books name each order, and the fake that keeps them."""
_LINE_KINDS = {"DEPOSIT": "deposit", "RETURNED": "returned", "TAKEN_BACK": "taken_back"}

type Truth = Callable[[str], Mapping[str, Any]]
"""The books of a fake, by its name."""


def compare(truth: Truth, providers: Iterable[str]) -> list[str]:
    """Every disagreement with these providers, in words; empty when all agree."""
    stands = standing()
    found: list[str] = []
    for provider in providers:
        look = _LOOK.get(provider)
        found += look(truth, stands[provider]) if look else _orders(provider, truth, stands[provider])
    return found


def standing() -> Counter[str]:
    """What stands in each provider's clearing book, in minor units: probe money stands in a book of its own."""
    sums: Counter[str] = Counter()
    for one in books.balances():
        name = one.name.removeprefix(books.PROBE)
        if name.startswith("clearing:"):
            sums[name.removeprefix("clearing:")] += one.amount
    return sums


def taken_by_order(provider: str, truth: Truth) -> dict[str, int]:
    """What a provider with orders holds for each of ours, without those for which it gave all back."""
    return {order: int(net) for order, net in truth(BY_ORDER[provider])["by_order"].items() if net}


def deposits_by_order(truth: Truth) -> dict[str, int]:
    """What the deposit bank holds for each of our attempts, by the lines that are theirs."""
    owner = dict(DepositLine.objects.filter(kind="deposit").values_list("ident", "attempt_id"))
    held: Counter[str] = Counter()
    for entry in truth("deposits")["entries"]:
        attempt_id = owner.get(str(entry["of"] or entry["id"]))
        if attempt_id is not None:
            held[outside(attempt_id)] += int(entry["amount"]) * (1 if entry["kind"] == "DEPOSIT" else -1)
    return dict(held)


def posted_by_order(provider: str) -> Counter[str]:
    """What the ledger says it holds for each order."""
    ours: Counter[str] = Counter()
    paid = Attempt.objects.filter(state=State.PAID, provider=provider)
    legs = _legs()
    for attempt in paid:
        ours[outside(attempt.pk)] += legs.get(attempt.fact_id, 0) - attempt.given_back
    return Counter({order: amount for order, amount in ours.items() if amount})


def _legs() -> dict[str, int]:
    rows = Posting.objects.filter(fact_kind="payment").values_list("fact_id").annotate(all=Sum("amount"))
    return {str(fact): int(amount) for fact, amount in rows}


def _orders(provider: str, truth: Truth, stands: int) -> list[str]:
    theirs, ours = taken_by_order(provider, truth), posted_by_order(provider)
    found = [
        f"order {order} (attempt {inside(order)}): {provider} took {theirs.get(order, 0)}, we posted {ours[order]}"
        for order in sorted(theirs.keys() | ours.keys())
        if theirs.get(order, 0) != ours[order]
    ]
    return found + _sum(provider, sum(theirs.values()), stands)


def _sum(provider: str, theirs: int, stands: int) -> list[str]:
    return [] if theirs == stands else [f"{provider} holds {theirs} in all, our clearing book {stands}"]


def _deposits(truth: Truth, stands: int) -> list[str]:
    """Line by line: each is stored once and for what it says; what waits for a person is not posted yet."""
    told = truth("deposits")
    lines = {line.ident: line for line in DepositLine.objects.all()}
    entries = {str(one["id"]): one for one in told["entries"]}
    found = [f"deposit line {ident} is ours alone" for ident in sorted(lines.keys() - entries.keys())]
    legs = _legs()
    parked = 0
    for ident, entry in entries.items():
        line = lines.get(ident)
        if line is None or (line.amount, line.kind) != (int(entry["amount"]), _LINE_KINDS[entry["kind"]]):
            found.append(f"deposit line {ident} of {entry['amount']}: we have {line and (line.kind, line.amount)}")
        elif line.state == DepositLine.State.STORED:
            found.append(f"deposit line {ident} of {line.amount} waits to be posted")
        elif line.state == DepositLine.State.PARKED and line.kind == "deposit":
            parked += line.amount
        elif line.kind == "deposit" and line.attempt is not None and line.attempt.state == State.PAID:
            posted = legs.get(line.attempt.fact_id, 0)
            if posted != line.amount:
                found.append(f"deposit line {ident} of {line.amount}: {posted} is posted")
    return found + _sum("deposit", int(told["net"]) - parked, stands)


def _debits(truth: Truth, stands: int) -> list[str]:
    """Record by record of each file; what the house took and has not told us yet is named as such."""
    theirs = {
        (name, int(serial)): int(won)
        for name, records in truth("clearing")["taken"].items()
        for serial, won in records.items()
        if won
    }
    items = DebitItem.objects.filter(kind="debit", file__isnull=False).select_related("file", "attempt")
    ours = {(item.file.name, item.serial or 0): item.amount for item in items if item.file and item.state == "paid"}
    found = [
        f"debit record {record}: the house took {theirs.get(record, 0)}, we have {ours.get(record, 0)}"
        for record in sorted(theirs.keys() | ours.keys())
        if theirs.get(record, 0) != ours.get(record, 0)
    ]
    return found + _sum("debit", sum(theirs.values()), stands)


def _counter(truth: Truth, stands: int) -> list[str]:
    signs = {Receipt.Kind.TAKEN: 1, Receipt.Kind.GIVEN_BACK: -1}
    receipts = Receipt.objects.filter(voided_at=None).values_list("kind").annotate(sum=Sum("amount"))
    return _sum("counter", sum(signs[Receipt.Kind(kind)] * int(amount) for kind, amount in receipts), stands)


_LOOK: Mapping[str, Callable[[Truth, int], list[str]]] = {
    "deposit": _deposits,
    "debit": _debits,
    "counter": _counter,
}
