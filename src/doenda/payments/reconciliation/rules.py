"""The rules of reconciliation (pure): which fact of our ledger a line is, or how near it comes to one. No guesses."""

import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from doenda.payments.reconciliation.lines import Kind, Line
from doenda.payments.reconciliation.reasons import Reason

WINDOW = timedelta(days=5)
"""How far a line and a fact may lie apart where nothing names one in the other: a long weekend of a bank."""
type FactKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Posted:
    """One movement of money in our ledger: a payment that came in, or money that went back. Minor units.

    `singly`: its money reaches a bank's account of ours as a movement of its own. Of a card payment it does not: a line
    that merely resembles one, or names the same bill, is other money.
    """

    fact_kind: str
    fact_id: str
    order_id: str
    provider_ref: str
    amount: int
    currency: str
    at: datetime
    kind: Kind
    bills: tuple[str, ...] = ()
    account_id: UUID | None = None
    name: str = ""
    probe: bool = False
    also: tuple[str, ...] = ()
    singly: bool = True

    @property
    def key(self) -> FactKey:
        return self.fact_kind, self.fact_id

    @property
    def own(self) -> frozenset[str]:
        """What names it and nothing else."""
        return frozenset(each for each in (self.order_id, self.provider_ref, *self.also) if each)


@dataclass(frozen=True, slots=True)
class Owed:
    """An open bill of which money may have come that we have not in the ledger."""

    bill_id: UUID
    number: str
    account_id: UUID
    remaining: int
    currency: str
    name: str = ""
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Exact:
    posted: Posted


@dataclass(frozen=True, slots=True)
class Near:
    """What keeps the line from being matched; `candidate` may be what is meant (`score` from 0 to 1)."""

    reason: Reason
    candidate: Posted | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Nothing:
    """The ledger has nothing like it."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The open bill that may be meant by money which the ledger does not know."""

    bill: Owed
    reason: Reason
    why: str
    score: float


def match(line: Line, candidates: Sequence[Posted], *, taken: Collection[FactKey] = ()) -> Exact | Near | Nothing:
    """Which of the candidates the line is. `taken`: facts that another line of this source is already.

    Exact is only what the line names (by our order id, the provider's key, or a bill's number where the money came
    singly) and what has its amount, currency and side, if there is one such fact. Everything else waits for a person.
    """
    named = [each for each in candidates if each.own & line.words]
    by_bill = [each for each in candidates if line.words.intersection(each.bills)]
    named = named or [each for each in by_bill if each.singly]
    if named:
        return _among_named(line, named, taken)
    if paid_otherwise := [each for each in by_bill if _fits(line, each)]:
        return Near(Reason.TWICE, paid_otherwise[0] if len(paid_otherwise) == 1 else None, 1.0)
    return _by_likeness(line, [each for each in candidates if each.key not in taken])


def _among_named(line: Line, named: Sequence[Posted], taken: Collection[FactKey]) -> Exact | Near:
    fitting = [each for each in named if _fits(line, each)]
    free = [each for each in fitting if each.key not in taken]
    if len(free) == 1:
        return Exact(free[0])
    if free:
        return Near(Reason.AMBIGUOUS)
    if fitting:
        return Near(Reason.TWICE, fitting[0] if len(fitting) == 1 else None, 1.0)
    judged = sorted((_difference(line, each) for each in named), key=lambda near: -near.score)
    if len(judged) > 1 and judged[0].score == judged[1].score:
        return Near(judged[0].reason)
    return judged[0]


def _fits(line: Line, each: Posted) -> bool:
    return (line.kind, line.amount, line.currency) == (each.kind, each.amount, each.currency)


def _difference(line: Line, each: Posted) -> Near:
    """Why a fact that the line names is not the line."""
    if line.kind != each.kind:
        undone = line.kind == "out" or line.undoes
        return Near(Reason.UNDONE_UNKNOWN if undone else Reason.SIDE_DIFFERS, each, 0.5)
    if line.currency != each.currency:
        return Near(Reason.CURRENCY_DIFFERS, each, 0.4)
    reason, score = _amounts(line.amount, each.amount)
    return Near(reason, each, score)


def _amounts(told: int, ours: int) -> tuple[Reason, float]:
    if lost_zero(told, ours):
        return Reason.LOST_ZERO, 0.9
    if transposed(str(told), str(ours)):
        return Reason.TRANSPOSED_DIGITS, 0.9
    return Reason.AMOUNT_DIFFERS, 0.6


def _by_likeness(line: Line, candidates: Sequence[Posted]) -> Near | Nothing:
    near = [each for each in candidates if _comparable(line, each)]
    same = [each for each in near if each.amount == line.amount]
    mistyped = [each for each in same if _mistyped(line, (*each.own, *(each.bills if each.singly else ())))]
    if mistyped:
        return Near(Reason.TRANSPOSED_DIGITS, mistyped[0], 0.9) if len(mistyped) == 1 else Near(Reason.AMBIGUOUS)
    that_day = [each for each in same if _same_day(line, each) and each.singly]
    by_name = [each for each in that_day if alike(line.name, each.name)]
    if by_name:
        return Near(Reason.WRONG_REFERENCE, by_name[0], 0.8) if len(by_name) == 1 else Near(Reason.AMBIGUOUS)
    if len(that_day) == 1 and not (line.name and that_day[0].name):
        return Near(Reason.WRONG_REFERENCE, that_day[0], 0.5)
    known = [each for each in near if _same_day(line, each) and each.singly and alike(line.name, each.name)]
    judged = [(each, *_amounts(line.amount, each.amount)) for each in known]
    digits = [(each, reason) for each, reason, _ in judged if reason is not Reason.AMOUNT_DIFFERS]
    if len(digits) == 1:
        return Near(digits[0][1], digits[0][0], 0.6)
    return Nothing()


def _comparable(line: Line, each: Posted) -> bool:
    return line.kind == each.kind and line.currency == each.currency and abs(line.at - each.at) <= WINDOW


def _same_day(line: Line, each: Posted) -> bool:
    return abs(line.at - each.at) <= timedelta(days=1)


def _mistyped(line: Line, ours: Collection[str]) -> bool:
    return any(mistyped(word, own) for word in line.words for own in ours)


def guess(line: Line, bills: Sequence[Owed]) -> Guess | None:
    """The one open bill that money of which we know nothing may be for; None where none or several fit as well."""
    if line.kind != "in":
        return None
    bills = [each for each in bills if each.currency == line.currency]
    named = [each for each in bills if each.number in line.words]
    exact = [each for each in named if each.remaining == line.amount]
    if len(exact) == 1:
        return Guess(exact[0], Reason.NOT_IN_LEDGER, "names the bill, and is what it owes", 1.0)
    if len(named) == 1:
        reason, score = _amounts(line.amount, named[0].remaining)
        return Guess(named[0], reason, "names the bill, with another amount", score)
    if named:
        return None
    same = [each for each in bills if each.remaining == line.amount]
    found = _only(same, lambda each: any(mistyped(word, each.number) for word in line.words))
    if found:
        return Guess(found, Reason.TRANSPOSED_DIGITS, "what the bill owes; its number is nearly named", 0.9)
    found = _only(same, lambda each: alike(line.name, each.name))
    if found:
        return Guess(found, Reason.WRONG_REFERENCE, "what the bill of a payer of this name owes", 0.7)
    return None


def _only(bills: Sequence[Owed], fits: Callable[[Owed], bool]) -> Owed | None:
    fitting = [each for each in bills if fits(each)]
    return fitting[0] if len(fitting) == 1 else None


def lost_zero(one: int, other: int) -> bool:
    """Is one of the two the other with zeros lost at its end: 5230 and 52300?"""
    small, large = sorted((one, other))
    while 0 < small < large:
        small *= 10
    return small == large and one != other


def transposed(one: str, other: str) -> bool:
    """Do two neighbours stand the wrong way round, and is that all: 52300 and 25300?"""
    if len(one) != len(other) or one == other:
        return False
    differ = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(differ) != 2 or differ[1] != differ[0] + 1:
        return False
    first, second = differ
    return one[first] == other[second] and one[second] == other[first]


def mistyped(said: str, ours: str) -> bool:
    """Is what was said one slip of the hand from ours: two neighbours swapped, or a letter wrong, lost or too many?

    Short words are never: too much lies one slip from them.
    """
    if len(ours) < 6 or abs(len(said) - len(ours)) > 1 or said == ours:
        return False
    if len(said) == len(ours):
        return transposed(said, ours) or sum(a != b for a, b in zip(said, ours, strict=True)) == 1
    short, long = sorted((said, ours), key=len)
    place = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[place:] == long[place + 1 :]


def alike(one: str, other: str) -> bool:
    """The same name, however it is spaced and cased. Nothing is like an empty name."""
    return bool(plain(one)) and plain(one) == plain(other)


def plain(name: str) -> str:
    """A name without what two writings of it may differ in."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(letter for letter in folded if letter.isalnum())
