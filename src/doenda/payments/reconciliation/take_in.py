"""Lines of a statement find their facts, or are parked: set-wise, in the caller's transaction, each line once.

First what a line names, then what it is like; then, of money of which the ledger knows nothing, the open bill that may
be meant. Nothing is posted here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any
from uuid import UUID

from doenda.payments.reconciliation import ledger, likeness, storing
from doenda.payments.reconciliation.lines import Line
from doenda.payments.reconciliation.reasons import Reason
from doenda.payments.reconciliation.rules import Exact, FactKey, Near, Owed, Posted, guess, match
from doenda.payments.reconciliation.storing import End

TOGETHER = 50_000
"""Lines that are judged at once: what they may be like is read once for all of them."""


@dataclass(slots=True)
class Taken:
    """What became of the lines. `otherwise`: those that say something else than when they were first told; then
    nothing was written, and the caller refuses the whole. Sums are net and in minor units, probes' money apart."""

    new: int = 0
    known: int = 0
    matched: int = 0
    parked: int = 0
    probes: int = 0
    matched_sum: int = 0
    parked_sum: int = 0
    probe_sum: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    otherwise: list[Line] = field(default_factory=list)

    def count(self, end: End) -> None:
        self.new += 1
        signed = end.line.signed
        if end.probe:
            self.probes += 1
            self.probe_sum += signed
        elif end.fact is not None:
            self.matched_sum += signed
        else:
            self.parked_sum += signed
        if end.fact is not None:
            self.matched += 1
        elif end.reason is not None:
            self.parked += 1
            self.reasons[end.reason.value] = self.reasons.get(end.reason.value, 0) + 1


def take_in(source: str, lines: Sequence[Line], *, run_id: UUID) -> Taken:
    """Store the lines that this source has not told before, each with its end. IntegrityError never: a source is
    locked meanwhile."""
    storing.lock(source)
    found = storing.known(source, lines)
    result = Taken(known=found.again, otherwise=found.otherwise)
    if found.otherwise:
        return result
    for chunk in batched(found.fresh, TOGETHER):
        ends = judged(source, chunk)
        for end in ends:
            result.count(end)
        storing.keep(source, run_id, ends)
    return result


def judged(source: str, lines: Sequence[Line]) -> list[End]:
    """The end of each line, in their order, as the ledger stands now."""
    words = frozenset[str]().union(*(line.words for line in lines))
    named = Index(ledger.named(words))
    taken = storing.taken(source, named.keys)
    ends: dict[int, End] = {}
    open_ones: dict[int, Line] = {}
    near: dict[int, Near] = {}
    for place, line in enumerate(lines):
        said = match(line, named.of(line), taken=taken)
        if isinstance(said, Exact):
            taken.add(said.posted.key)
            ends[place] = _matched(line, said.posted)
        elif isinstance(said, Near):
            near[place] = said
        else:
            open_ones[place] = line
    alike = _alike(source, open_ones, taken)
    meant = dict(zip(open_ones, _meant(list(open_ones.values())), strict=True))
    for place, line in open_ones.items():
        like = alike.get(place)
        if like is None or like.score < float(meant[place].suggestion.get("score", 0)):
            ends[place] = _unknown(line, meant[place])
        else:
            near[place] = like
    ends |= {place: _near(lines[place], said) for place, said in near.items()}
    return [ends[place] for place in range(len(lines))]


class Index:
    """Movements of ours by every word that names them."""

    def __init__(self, found: Iterable[Posted]) -> None:
        self.by_word: dict[str, list[Posted]] = {}
        self.keys: set[FactKey] = set()
        for each in found:
            self.keys.add(each.key)
            for word in (*each.own, *each.bills):
                self.by_word.setdefault(word, []).append(each)

    def of(self, line: Line) -> list[Posted]:
        hits = {each.key: each for word in line.words if word in self.by_word for each in self.by_word[word]}
        return list(hits.values())


def _alike(source: str, lines: Mapping[int, Line], taken: Collection[FactKey]) -> dict[int, Near]:
    """What lines that name nothing of ours may be, by amount, day, name, and slips of the hand."""
    if not lines:
        return {}
    amounts = {each for line in lines.values() for each in variants(line.amount)}
    ats = [line.at for line in lines.values()]
    near = ledger.similar(amounts, min(ats), max(ats))
    gone = storing.taken(source, {each.key for each in near}) | set(taken)
    free = [each for each in near if each.key not in gone]
    found: dict[int, Near] = {}
    for place, candidates in likeness.narrowed(lines, free).items():
        said = match(lines[place], candidates)
        if isinstance(said, Near):
            found[place] = said
    return found


def variants(amount: int) -> set[int]:
    """The amount, and those from which it is one slip of the hand: a zero lost or too many, two digits swapped."""
    digits = str(amount)
    found = {amount, amount * 10, amount * 100}
    found |= {amount // each for each in (10, 100) if amount % each == 0}
    for place in range(len(digits) - 1):
        swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        if not swapped.startswith("0"):
            found.add(int(swapped))
    return found - {0}


def _matched(line: Line, posted: Posted) -> End:
    ours = {*posted.own, *posted.bills}
    return End(storing.safe(line, ours), posted.key, account_id=posted.account_id, probe=posted.probe)


def _near(line: Line, said: Near) -> End:
    posted, suggestion = said.candidate, {}
    if posted is not None:
        suggestion = {"fact": list(posted.key), "why": _why(line, said), "score": said.score}
    ours = {*posted.own, *posted.bills} if posted else set[str]()
    probe = bool(posted and posted.probe)
    account_id = posted.account_id if posted else None
    return End(storing.safe(line, ours), None, said.reason, account_id, probe=probe, suggestion=suggestion)


def _why(line: Line, said: Near) -> str:
    assert said.candidate is not None
    ours = said.candidate
    if said.reason is Reason.TWICE:
        return "names a movement that another line is already, or its bill, which was paid otherwise"
    if said.reason in {Reason.WRONG_REFERENCE, Reason.TRANSPOSED_DIGITS} and ours.amount == line.amount:
        return "the same amount about the same time; it is named nearly, or by another name"
    return f"we have {ours.amount} {ours.currency} {ours.kind}, they say {line.amount} {line.currency} {line.kind}"


@dataclass(frozen=True, slots=True)
class _Meant:
    """What of ours that is not in the ledger a line may be about."""

    suggestion: Mapping[str, Any]
    reason: Reason
    account_id: UUID | None = None
    probe: bool = False
    ours: frozenset[str] = frozenset()


def _meant(lines: Sequence[Line]) -> list[_Meant]:
    """For lines of which the ledger knows nothing: an attempt under way, a deposit at the desk, an open bill."""
    words = frozenset[str]().union(*(line.words for line in lines))
    if not lines:
        return []
    begun, deposits = ledger.begun(words), ledger.deposits(words)
    bills = _bills(ledger.owing(words, {each for line in lines for each in variants(line.amount)}))
    return [_meant_by(line, begun, deposits, bills) for line in lines]


def _bills(owing: Sequence[Owed]) -> tuple[dict[str, Owed], dict[int, list[Owed]]]:
    by_amount: dict[int, list[Owed]] = {}
    for each in owing:
        by_amount.setdefault(each.remaining, []).append(each)
    return {each.number: each for each in owing}, by_amount


def _meant_by(
    line: Line,
    begun: Mapping[str, str],
    deposits: Mapping[str, tuple[UUID, str, int]],
    bills: tuple[Mapping[str, Owed], Mapping[int, Sequence[Owed]]],
) -> _Meant:
    if order_id := next((word for word in sorted(line.words) if word in begun), None):
        said = {"attempt": order_id, "why": f"names an attempt that is {begun[order_id]}: ask its provider", "score": 1}
        return _Meant(said, Reason.NOT_IN_LEDGER, ours=frozenset({order_id}))
    if ident := next((word for word in sorted(line.words) if word in deposits), None):
        line_id, state, _ = deposits[ident]
        said = {"deposit": str(line_id), "why": f"a deposit that is {state} at its own desk", "score": 1}
        return _Meant(said, Reason.NOT_IN_LEDGER, ours=frozenset({ident}))
    by_number, by_amount = bills
    near = {each.bill_id: each for word in line.words if (each := by_number.get(word))}
    near |= {each.bill_id: each for each in by_amount.get(line.amount, ())}
    found = guess(line, list(near.values()))
    if found is None:
        return _Meant({}, Reason.UNDONE_UNKNOWN if line.undoes else Reason.NOT_IN_LEDGER)
    said = {"bill": found.bill.number, "why": found.why, "score": found.score}
    ours = frozenset({found.bill.number})
    return _Meant(said, found.reason, found.bill.account_id, probe=found.bill.probe, ours=ours)


def _unknown(line: Line, meant: _Meant) -> End:
    safe = storing.safe(line, meant.ours)
    return End(safe, None, meant.reason, meant.account_id, probe=meant.probe, suggestion=dict(meant.suggestion))
