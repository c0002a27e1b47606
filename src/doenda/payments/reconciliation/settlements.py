"""What a provider paid out to the carrier against what it took: each line once, in time, less the fee that was agreed.

Only providers whose list of payouts we can read. A late or a wrong payout is billing's to pursue.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from doenda.kernel import clock
from doenda.kernel.db import durable
from doenda.kernel.ids import new_id
from doenda.payments import providers
from doenda.payments.providers.contract import Feed, Provider, Settlement
from doenda.payments.reconciliation import balances, daily, policy
from doenda.payments.reconciliation.feeds import CHUNK, NotRead
from doenda.payments.reconciliation.models import ReconLine, ReconRun
from doenda.payments.reconciliation.reasons import Reason

log = logging.getLogger(__name__)
TAKEN = "payout"
"""The kind of fact that a payout is matched with: a line of the same provider's feed, which is a fact of its own."""
MISSING = "missing:"
OWNER = "billing"
S = ReconLine.State
BASIS_POINTS = 10_000


@dataclass
class _Look:
    provider: str
    since: datetime
    until: datetime
    rules: daily.Policy
    run_id: UUID = field(default_factory=new_id)
    idents: set[str] = field(default_factory=set)
    known: int = 0
    gross: int = 0
    fees: int = 0
    paid_out: int = 0
    otherwise: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        return source_of(self.provider)


def source_of(provider: str) -> str:
    return f"settlement:{provider}"


def has_payouts(provider: str) -> bool:
    """Has the provider a list of its payouts?"""
    return type(providers.get(provider)).settlements is not Provider.settlements


def reconcile(provider: str, since: datetime, until: datetime, *, daily_of: str = "") -> ReconRun:
    """Hold the payouts of a period (by their day) against the lines of the provider's feed. Returns the run.

    `ok`: every page was read, gross less fees is what was paid out to the won, and every line is matched or parked.
    Lines that were taken and should have been paid out by now are parked as well. Raises KeyError.
    """
    look = _Look(provider, since, until, daily.now())
    stopped = ""
    try:
        for page in _pages(look):
            for chunk in batched(page, CHUNK):
                durable(lambda chunk=chunk: _take_in(look, chunk), once=True)  # type: ignore[misc]
        durable(lambda: _missing(look))
    except NotRead as no:
        stopped = str(no)
        log.error("the payouts of %s cannot be read: %s", provider, stopped)
    return durable(lambda: _finish(look, stopped, daily_of))


def _pages(look: _Look) -> Iterator[Sequence[Settlement]]:
    terms, cursor, seen = providers.get(look.provider), "", set[str]()
    while True:
        try:
            page: Feed = terms.settlements(look.since - look.rules.overlap, look.until, cursor)
        except Exception as error:
            log.exception("the payouts of %s", look.provider)
            raise NotRead(type(error).__name__) from error
        if page.code:
            raise NotRead(page.code[:60])
        yield page.lines
        if not page.cursor:
            return
        seen.add(cursor)
        cursor = page.cursor
        if cursor in seen:
            raise NotRead("CURSOR_AGAIN")


def _take_in(look: _Look, lines: Sequence[Settlement]) -> None:
    """One page, in the caller's transaction: each line stored once, matched with the line that was taken, or parked."""
    told = {line.line_id[:140]: line for line in lines if line.amount}
    rows = {row.ident: row for row in _rows(look, list(told)).select_for_update().order_by("pk")}
    taken = {row.ident: row for row in _feed(look, list(told))}
    made, changed = [], []
    for ident, line in told.items():
        row = rows.get(ident)
        if row is not None and (row.kind, row.amount, row.told.get("fee")) != (_side(line), abs(line.amount), line.fee):
            look.otherwise.append(ident)
            continue
        if row is None:
            made.append(_judged(_row(look, ident, line), line, taken.get(ident), look.rules))
        elif row.state == S.PARKED:
            changed.append(_judged(row, line, taken.get(ident), look.rules))
        look.known += row is not None
        if ident not in look.idents and _within(look, line):
            look.gross, look.fees = look.gross + line.amount, look.fees + line.fee
            look.paid_out += line.amount - line.fee if line.paid_out is None else line.paid_out
        look.idents.add(ident)
    ReconLine.objects.bulk_create(made, ignore_conflicts=True)
    ReconLine.objects.bulk_update(changed, ["state", "reason", "fact_kind", "fact_id", "suggestion", "words"])
    _paid_late(look, list(told))


def _within(look: _Look, line: Settlement) -> bool:
    return clock.local(look.since).date().isoformat() <= line.paid_out_on < clock.local(look.until).date().isoformat()


def _rows(look: _Look, idents: Sequence[str]) -> Any:
    return ReconLine.objects.filter(source=look.source, ident__in=idents)


def _feed(look: _Look, idents: Sequence[str]) -> Any:
    """The lines of the provider's list of movements with these keys: both lists name a movement alike."""
    rows = ReconLine.objects.filter(source=balances.source_of(look.provider), ident__in=idents)
    return rows.exclude(reason=Reason.NOT_AT_PROVIDER)


def _side(line: Settlement) -> Any:
    return "in" if line.amount > 0 else "out"


def _row(look: _Look, ident: str, line: Settlement) -> ReconLine:
    try:
        on: date | None = date.fromisoformat(line.paid_out_on)
    except ValueError:
        on = None
    return ReconLine(
        run_id=look.run_id,
        source=look.source,
        ident=ident,
        kind=_side(line),
        amount=abs(line.amount),
        currency=line.currency,
        at=clock.day_start(on) if on else clock.now(),
        booked_on=on,
        provider_ref=line.ref[:200],
        told={"fee": line.fee, "paid_out": line.amount - line.fee if line.paid_out is None else line.paid_out},
    )


def _judged(row: ReconLine, line: Settlement, taken: ReconLine | None, rules: daily.Policy) -> ReconLine:
    reason, why = _wrong(row, line, taken, rules)
    row.words, row.suggestion = why[:200], {"why": why} if why else {}
    if reason is None:
        row.state, row.fact_kind, row.fact_id = S.MATCHED, TAKEN, row.ident[:128]
        row.reason, row.account_id = "", taken.account_id if taken else None
        return row
    row.state, row.reason = S.PARKED, reason
    row.owner, row.due_at = OWNER, row.due_at or policy.now().due(reason, clock.now())
    return row


def _wrong(row: ReconLine, line: Settlement, taken: ReconLine | None, rules: daily.Policy) -> tuple[Reason | None, str]:
    """What does not fit about a payout, if anything (pure)."""
    if taken is None:
        return Reason.NOT_IN_LEDGER, "nothing of this key was taken"
    if (taken.kind, taken.amount) != (row.kind, row.amount):
        return Reason.AMOUNT_DIFFERS, f"the list of movements says {taken.kind} {taken.amount}"
    if taken.currency != row.currency:
        return Reason.CURRENCY_DIFFERS, f"the list of movements says {taken.currency}"
    if line.paid_out is not None and line.amount - line.fee != line.paid_out:
        return Reason.FEE_DIFFERS, f"{line.amount} less {line.fee} is not {line.paid_out}"
    if abs(line.fee) * BASIS_POINTS > abs(line.amount) * rules.fee_most or line.fee * line.amount < 0:
        return Reason.FEE_DIFFERS, f"a fee of {line.fee} for {line.amount}"
    if row.booked_on is None:
        return Reason.UNREADABLE, "the day of the payout"
    if row.booked_on > _due(taken.at, rules):
        return Reason.NOT_PAID_OUT, f"paid out on {row.booked_on}, due on {_due(taken.at, rules)}"
    return None, ""


def _due(taken_at: datetime, rules: daily.Policy) -> date:
    return (clock.local(taken_at) + rules.paid_out).date()


def _missing(look: _Look) -> None:
    """Park what was taken and should have been paid out by the end of the period, in the caller's transaction."""
    last = min(look.until, clock.now()) - look.rules.paid_out - timedelta(days=1)
    first = look.since - look.rules.paid_out - look.rules.back
    taken = ReconLine.objects.filter(source=balances.source_of(look.provider), at__gte=first, at__lt=last)
    rows = list(taken.exclude(reason__in=[Reason.NOT_AT_PROVIDER, Reason.OTHER_MERCHANT]).order_by("at"))
    for chunk in batched(rows, CHUNK):
        idents = [row.ident for row in chunk]
        told = set(_rows(look, idents).values_list("ident", flat=True))
        made = [_unpaid(look, row) for row in chunk if row.ident not in told]
        ReconLine.objects.bulk_create(made, ignore_conflicts=True)


def _unpaid(look: _Look, taken: ReconLine) -> ReconLine:
    return ReconLine(
        run_id=look.run_id,
        source=look.source,
        ident=f"{MISSING}{taken.ident}"[:140],
        kind=taken.kind,
        amount=taken.amount,
        currency=taken.currency,
        at=taken.at,
        reference=taken.reference,
        provider_ref=taken.provider_ref,
        probe=taken.probe,
        state=S.PARKED,
        reason=Reason.NOT_PAID_OUT,
        owner=OWNER,
        due_at=policy.now().due(Reason.NOT_PAID_OUT, clock.now()),
        account_id=taken.account_id,
        words=f"due on {_due(taken.at, look.rules)}",
    )


def _paid_late(look: _Look, idents: Sequence[str]) -> None:
    """What was missing is paid out after all: the payout's own line says that it was late."""
    rows = _rows(look, [f"{MISSING}{ident}"[:140] for ident in idents]).filter(state=S.PARKED)
    now = clock.now()
    rows.update(state=S.SETTLED_BY_HAND, handled_by="system", handled_at=now, words="paid out late")


def _finish(look: _Look, stopped: str, daily_of: str) -> ReconRun:
    states: list[str] = []
    for chunk in batched(sorted(look.idents), CHUNK):
        states += _rows(look, list(chunk)).values_list("state", flat=True)
    net = look.gross - look.fees
    told: Mapping[str, Any] = {
        "gross": look.gross,
        "fees": look.fees,
        "paid_out": look.paid_out,
        "open": ReconLine.objects.filter(source=look.source, state=S.PARKED).count(),
        "told_otherwise": look.otherwise[:100],
        "stopped": stopped,
    }
    run = ReconRun(
        id=look.run_id,
        source=look.source,
        since=look.since,
        until=look.until,
        form="settlement",
        lines=len(states),
        known=look.known,
        matched=states.count(S.MATCHED),
        parked=states.count(S.PARKED),
        their_total=look.paid_out,
        our_total=net,
        difference=look.paid_out - net,
        ok=not stopped and not look.otherwise,
        told={**told, **({"day": daily_of} if daily_of else {})},
    )
    run.insert(once=True)  # the answer to an earlier COMMIT of the same run may have been lost
    return run
