"""A provider's lines stored once each, matched or parked. A line that is told again otherwise is not believed.

What is parked is looked at again with every line of its order, and by `again`; what is matched stays matched.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.db.models import TextChoices

from doenda.kernel import clock, many
from doenda.kernel.db import durable
from doenda.kernel.ids import new_id
from doenda.payments import providers
from doenda.payments.providers.contract import FeedLine
from doenda.payments.reconciliation import daily, doors, ours, policy
from doenda.payments.reconciliation.balances import source_of
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.ours import Mine
from doenda.payments.reconciliation.pairing import Fact, Told, Verdict, came_and_went, pair
from doenda.payments.reconciliation.reasons import Reason

SYSTEM = "system"
TRIES = 3
ASKED = frozenset({Reason.NOT_IN_LEDGER, Reason.TWICE, Reason.AMOUNT_DIFFERS, Reason.WRONG_REFERENCE})
S = ReconLine.State
type Judged = dict[str, tuple[Verdict, Mine | None]]


@dataclass
class Look:
    """One look at one provider's list, while it goes on."""

    provider: str
    since: datetime
    until: datetime
    rules: daily.Policy
    run_id: UUID = field(default_factory=new_id)
    idents: set[str] = field(default_factory=set)
    known: int = 0
    empty: int = 0
    otherwise: list[str] = field(default_factory=list)
    questions: int = 0
    fetched: bool = False

    @property
    def source(self) -> str:
        return source_of(self.provider)


def take_in(look: Look, lines: Sequence[FeedLine]) -> None:
    """Match or park a page's lines. Asks the provider outside any transaction, then writes in one."""
    told = _fresh(look, lines)
    rows = {row.ident: row for row in ReconLine.objects.filter(source=look.source, ident__in=list(told))}
    look.known += len(rows)
    for ident, row in rows.items():
        if _otherwise(row, told[ident]):
            look.otherwise.append(ident)
    open_now = {ident: row for ident, row in rows.items() if row.state == S.PARKED and ident not in look.otherwise}
    work = [line for ident, line in told.items() if ident not in rows or ident in open_now]
    if work:
        _settle(look, work)


def again(look: Look, limit: int = 5000) -> None:
    """Look again at what was parked before, the oldest first."""
    parked = ReconLine.objects.filter(source=look.source, state=S.PARKED).exclude(reason=Reason.NOT_AT_PROVIDER)
    rows = [row for row in parked.order_by("due_at")[: limit + len(look.idents)] if row.ident not in look.idents]
    for start in range(0, len(rows), 500):
        _settle(look, [_told(row) for row in rows[start : start + 500]])


def _fresh(look: Look, lines: Sequence[FeedLine]) -> dict[str, Told]:
    """What the page tells, by ident; what it tells twice, once."""
    found: dict[str, Told] = {}
    for line in lines:
        told = Told(
            line.line_id[:140],
            "in" if line.kind == "paid" else "out",
            line.order_id[:140],
            line.ref[:200],
            line.amount,
            line.currency,
            line.at,
            line.merchant,
        )
        if not told.amount:
            look.empty += 1
        elif told.ident in found and found[told.ident] != told:
            look.otherwise.append(told.ident)
        else:
            found[told.ident] = told
    look.idents |= set(found)
    return found


def _otherwise(row: ReconLine, told: Told) -> bool:
    """Does the line say something else than before? An order that was not known then may be known now."""
    if (row.kind, row.amount, row.currency) != (told.side, told.amount, told.currency):
        return True
    return bool(row.reference and told.order_id and row.reference != told.order_id)


def _told(row: ReconLine) -> Told:
    side: Any = row.kind
    merchant = str(row.told.get("merchant", ""))
    return Told(row.ident, side, row.reference, row.provider_ref, row.amount, row.currency, row.at, merchant)


def _settle(look: Look, lines: Sequence[Told]) -> None:
    judged = judge(look.provider, lines)
    if _mend(look, lines, judged):
        judged = judge(look.provider, lines)
    wanted = {line.ident: line for line in lines}
    for tries in range(1, TRIES + 1):
        try:
            durable(partial(_write, look, wanted, judged))
        except IntegrityError:  # another look was there first: it stored a line, or matched a fact
            if tries == TRIES:
                raise
            judged = judge(look.provider, lines)
        else:
            return


def judge(provider: str, lines: Sequence[Told]) -> Judged:
    """The verdict on each line, with the attempt it is about. Reads only; a handful of queries however many lines."""
    merchant = providers.get(provider).merchant
    found: Judged = {}
    mine: list[Told] = []
    for line in lines:
        if line.merchant and merchant and line.merchant != merchant:
            found[line.ident] = Verdict(reason=Reason.OTHER_MERCHANT, why="it names another merchant"), None
        else:
            mine.append(line)
    named = ours.attempts_of(provider, ((line.order_id, line.ref) for line in mine))
    groups: dict[UUID, list[Told]] = {}
    strange: dict[str, list[Told]] = {}
    for line in mine:
        attempt_id = named.get((line.order_id, line.ref))
        if attempt_id is None:
            strange.setdefault(line.order_id or line.ref, []).append(line)
        else:
            groups.setdefault(attempt_id, []).append(line)
    return found | _of_strangers(strange) | _of_ours(provider, groups)


def _of_strangers(strange: Mapping[str, Sequence[Told]]) -> Judged:
    found: Judged = {}
    for lines in strange.values():
        net = sum(line.amount if line.side == "in" else -line.amount for line in lines)
        if not net and len(lines) > 1:
            found |= {ident: (verdict, None) for ident, verdict in came_and_went(lines).items()}
            continue
        verdict = Verdict(reason=Reason.NOT_IN_LEDGER, why="the order is none of ours")
        found |= {line.ident: (verdict, None) for line in lines}
    return found


def _of_ours(provider: str, groups: Mapping[UUID, list[Told]]) -> Judged:
    attempts = ours.of(provider, {each: {line.ref for line in lines} for each, lines in groups.items()})
    source, idents = source_of(provider), {line.ident for lines in groups.values() for line in lines}
    parked = ReconLine.objects.filter(source=source, state=S.PARKED).exclude(reason=Reason.NOT_AT_PROVIDER)
    orders = {mine.order.order_id: mine.attempt_id for mine in attempts.values()}
    for row in parked.filter(reference__in=list(orders)).exclude(ident__in=idents):
        groups[orders[row.reference]].append(_told(row))
    ids = [fact.id for mine in attempts.values() for fact in mine.order.facts]
    matched = ReconLine.objects.filter(source=source, fact_id__in=ids).exclude(state=S.PARKED)
    matched = matched.exclude(reason=Reason.NOT_AT_PROVIDER)
    taken = {(kind.partition("+")[0], fact_id) for kind, fact_id in matched.values_list("fact_kind", "fact_id")}
    found: Judged = {}
    for attempt_id, lines in groups.items():
        mine = attempts[attempt_id]
        of_order = {fact.key for fact in mine.order.facts} & taken
        found |= {ident: (verdict, mine) for ident, verdict in pair(mine.order, lines, of_order).items()}
    return found


def _mend(look: Look, lines: Sequence[Told], judged: Judged) -> bool:
    """Ask about what we have nothing of, before anybody else is bothered with it. Was anything asked?"""
    sides = {line.ident: line.side for line in lines}
    open_now = [
        (sides[ident], mine)
        for ident, (verdict, mine) in judged.items()
        if ident in sides and (verdict.gone or verdict.reason in ASKED)
    ]
    if not open_now:
        return False
    if not look.fetched:
        look.fetched = True
        doors.fetch(look.provider)
    for side in ("in", "out"):
        ids = list(dict.fromkeys(mine.attempt_id for told, mine in open_now if told == side and mine is not None))
        ids = ids[: max(0, look.rules.questions - look.questions)]
        look.questions += len(ids)
        doors.ask(ids, went_back=side == "out")
    return True


def _write(look: Look, lines: Mapping[str, Told], judged: Judged) -> None:
    """Write the verdicts, in the caller's transaction. IntegrityError if another look was there first."""
    idents = list(judged)
    before = ReconLine.objects.select_for_update().filter(source=look.source, ident__in=idents).order_by("pk")
    rows = {row.ident: row for row in before}
    changed = [row for ident, row in rows.items() if row.state == S.PARKED and _judge(row, *judged[ident])]
    ReconLine.objects.bulk_update(changed, _FATE, batch_size=500)
    made = []
    for ident, line in lines.items():
        if ident not in rows:
            verdict, mine = judged[ident]
            row = _row(look, line, probe=mine is not None and mine.probe)
            _judge(row, verdict, mine)
            made.append(row)
    if made:
        names = [each.attname for each in ReconLine._meta.concrete_fields]
        many.insert(ReconLine, {name: [_plain(getattr(row, name)) for row in made] for name in names})
    _told_late(look, judged)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, TextChoices) else value


_FATE = ["state", "fact_kind", "fact_id", "reason", "owner", "due_at", "suggestion", "account", "words"]
_FATE += ["handled_by", "handled_at"]


def _row(look: Look, line: Told, *, probe: bool) -> ReconLine:
    return ReconLine(
        run_id=look.run_id,
        source=look.source,
        ident=line.ident,
        kind=line.side,
        amount=line.amount,
        currency=line.currency,
        at=line.at,
        reference=line.order_id,
        provider_ref=line.ref,
        told={"merchant": line.merchant} if line.merchant else {},
        probe=probe,
    )


def _judge(row: ReconLine, verdict: Verdict, mine: Mine | None) -> bool:
    """Give the row its fate. False if it keeps the one that it had."""
    if mine is not None:
        row.account_id = mine.account_id
    if verdict.fact is not None:
        row.state, (row.fact_kind, row.fact_id) = S.MATCHED, verdict.fact
        return True
    if verdict.gone:
        row.state, row.handled_by, row.handled_at = S.SETTLED_BY_HAND, SYSTEM, clock.now()
        row.words = verdict.why
        return True
    assert verdict.reason is not None
    if row.state == S.PARKED and row.reason == verdict.reason:
        return False
    suggestion: dict[str, Any] = {"why": verdict.why}
    if verdict.near is not None:
        suggestion |= {"fact": list(verdict.near), "score": 0.5}
    row.state, row.reason, row.suggestion = S.PARKED, verdict.reason, suggestion
    rules = policy.now()
    row.owner, row.due_at = rules.owners[verdict.reason], row.due_at or rules.due(verdict.reason, clock.now())
    row.words = verdict.why[:200]
    return True


def _told_late(look: Look, judged: Judged) -> None:
    """What we had and could not find is told after all: it waits for nobody any more."""
    keys = {verdict.fact for verdict, _ in judged.values() if verdict.fact is not None}
    rows = ReconLine.objects.select_for_update().filter(
        source=look.source, state=S.PARKED, reason=Reason.NOT_AT_PROVIDER, fact_id__in=[each for _, each in keys]
    )
    late = [row for row in rows.order_by("pk") if (row.fact_kind, row.fact_id) in keys]
    for row in late:
        row.state, row.handled_by, row.handled_at = S.SETTLED_BY_HAND, SYSTEM, clock.now()
        row.words = "told late"
    ReconLine.objects.bulk_update(late, _FATE, batch_size=500)


def park_missing(look: Look, facts: Iterable[tuple[Mine, Fact]]) -> int:
    """What we have and they do not, after their own longest time. Returns how many are parked now."""
    made = []
    for mine, fact in facts:
        told = Told(
            f"ours:{fact.kind}:{fact.id}"[:140],
            fact.side,
            mine.order.order_id,
            fact.ref or mine.order.ref,
            fact.amount,
            mine.order.currency,
            fact.at,
        )
        row = _row(look, told, probe=mine.probe)
        _judge(row, Verdict(reason=Reason.NOT_AT_PROVIDER, why="the provider's list has nothing of it"), mine)
        row.fact_kind, row.fact_id = fact.key
        made.append(row)
    durable(lambda: ReconLine.objects.bulk_create(made, ignore_conflicts=True))
    return len(made)
