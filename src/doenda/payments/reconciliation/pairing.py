"""A provider's lines of one order against what the ledger has of it (pure).

Each line is matched with one fact (or is a part of one), or is parked with the reason why not. A fact is matched once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from doenda.payments.reconciliation.reasons import Reason

type Side = Literal["in", "out"]
PART = "+"
"""Between a fact's kind and the number of the part of it that a line is: the second and later ones."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line of a provider's list, seen from us. `amount` in minor units."""

    ident: str
    side: Side
    order_id: str
    ref: str
    amount: int
    currency: str
    at: datetime
    merchant: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What the ledger has: a payment, or money that went back. `amount`: as the provider must tell it, above zero.

    `ref`: the provider's reference of a payment, "" for what went back.
    """

    kind: str
    id: str
    side: Side
    amount: int
    at: datetime
    ref: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id


@dataclass(frozen=True, slots=True)
class Order:
    """Our attempt of that name, and its facts. `asked`: the amount, minor units; `exact`: nothing else can be taken."""

    order_id: str
    ref: str
    asked: int
    currency: str
    exact: bool = True
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """`fact` is set for a matched line; else `reason`, or `gone`: what came went back, and nothing of it is anybody's.

    `near`: the fact that it may be about.
    """

    fact: tuple[str, str] | None = None
    reason: Reason | None = None
    near: tuple[str, str] | None = None
    why: str = ""
    gone: bool = False


@dataclass
class _Open:
    free: list[Fact]
    taken: list[Fact]
    found: dict[str, Verdict] = field(default_factory=dict)

    def match(self, line: Told, fact: Fact) -> None:
        self.free.remove(fact)
        self.taken.append(fact)
        self.found[line.ident] = Verdict(fact=fact.key)


def pair(order: Order, lines: Iterable[Told], taken: Iterable[tuple[str, str]] = ()) -> dict[str, Verdict]:
    """The verdict on each line, by ident. `taken`: facts of this order that other lines have matched before."""
    gone = set(taken)
    state = _Open(
        [each for each in order.facts if each.key not in gone], [each for each in order.facts if each.key in gone]
    )
    inward: list[Told] = []
    outward: list[Told] = []
    for line in sorted(lines, key=lambda each: (each.at, each.ident)):
        if line.currency != order.currency:
            why = f"the order is in {order.currency}"
            state.found[line.ident] = Verdict(reason=Reason.CURRENCY_DIFFERS, why=why)
        else:
            (inward if line.side == "in" else outward).append(line)
    _incoming(order, state, inward)
    _outgoing(state, outward)
    left = [each for each in (*inward, *outward) if state.found[each.ident].fact is None]
    if left and not state.free and not sum(each.amount if each.side == "in" else -each.amount for each in left):
        return state.found | came_and_went(left)
    return state.found


def came_and_went(lines: Iterable[Told]) -> dict[str, Verdict]:
    """Lines that add up to nothing, of money that our ledger never had."""
    return {line.ident: Verdict(gone=True, why="it came and went back: nothing stays") for line in lines}


def _incoming(order: Order, state: _Open, lines: Sequence[Told]) -> None:
    left = []
    for line in lines:
        fits = (x for x in state.free if x.side == "in" and x.ref == line.ref and x.amount == line.amount)
        fact = next(fits, None)
        if fact is None:
            left.append(line)
        else:
            state.match(line, fact)
    for line in left:
        state.found[line.ident] = _why_in(order, state, line)


def _why_in(order: Order, state: _Open, line: Told) -> Verdict:
    free = [each for each in state.free if each.side == "in"]
    if same_ref := next((each for each in free if each.ref == line.ref), None):
        return Verdict(reason=Reason.AMOUNT_DIFFERS, near=same_ref.key, why=f"we have {same_ref.amount}")
    if same_sum := next((each for each in free if each.amount == line.amount), None):
        return Verdict(reason=Reason.WRONG_REFERENCE, near=same_sum.key, why="the order fits, its reference does not")
    if known := next((each for each in state.taken if each.side == "in"), None):
        return Verdict(reason=Reason.TWICE, near=known.key, why="it was taken for this order before")
    if order.exact and line.amount != order.asked:
        return Verdict(reason=Reason.AMOUNT_DIFFERS, why=f"we asked for {order.asked}")
    return Verdict(reason=Reason.NOT_IN_LEDGER, why="the order is ours; nothing of it is posted")


def _outgoing(state: _Open, lines: Sequence[Told]) -> None:
    left = []
    for line in lines:
        fact = next((x for x in state.free if x.side == "out" and x.amount == line.amount), None)
        if fact is None:
            left.append(line)
        else:
            state.match(line, fact)
    free = [each for each in state.free if each.side == "out"]
    if len(left) > 1 and (whole := next((x for x in free if x.amount == sum(y.amount for y in left)), None)):
        _parts(state, left, whole)
        return
    for line in left:
        state.found[line.ident] = _why_out(state, line)


def _parts(state: _Open, lines: Sequence[Told], whole: Fact) -> None:
    """Several lines are together what we have as one."""
    state.match(lines[0], whole)
    for number, line in enumerate(lines[1:], 2):
        state.found[line.ident] = Verdict(fact=(f"{whole.kind}{PART}{number}", whole.id))


def _why_out(state: _Open, line: Told) -> Verdict:
    if near := next((each for each in state.free if each.side == "out"), None):
        return Verdict(reason=Reason.AMOUNT_DIFFERS, near=near.key, why=f"we have {near.amount}")
    if again := next((x for x in state.taken if x.side == "out" and x.amount == line.amount), None):
        return Verdict(reason=Reason.TWICE, near=again.key, why="it went back before")
    return Verdict(reason=Reason.NOT_IN_LEDGER, why="nothing that went back is posted")
