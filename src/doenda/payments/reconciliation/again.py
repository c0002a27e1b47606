"""Lines of statements that wait are looked at again: the ledger may have learnt since what they are."""

from itertools import groupby
from typing import Any
from uuid import UUID

from doenda.kernel import many, sweeps
from doenda.kernel.db import durable
from doenda.payments.reconciliation import ledger, storing, take_in
from doenda.payments.reconciliation.lines import Line
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.reasons import Reason
from doenda.payments.reconciliation.rules import Exact, match

LATER = (Reason.NOT_IN_LEDGER, Reason.UNDONE_UNKNOWN, Reason.TOO_EARLY)
"""Reasons that go away by themselves when the ledger catches up."""


@sweeps.sweep("statement lines", every=900)
def look(limit: int = 2000) -> int:
    """Match what can be matched now, exactly; nothing else changes. Returns how many were."""
    waiting = ReconLine.objects.filter(state="parked", source__startswith="statement:", reason__in=LATER, asked_by="")
    rows = list(waiting.order_by("source", "pk")[:limit])
    return sum(durable(lambda some=list(each), of=source: _look(of, some)) for source, each in groupby(rows, _source))  # type: ignore[misc]


def _source(row: ReconLine) -> str:
    return row.source


def _look(source: str, rows: list[ReconLine]) -> int:
    storing.lock(source)
    still = ReconLine.objects.select_for_update(of=("self",)).filter(pk__in=[row.pk for row in rows], state="parked")
    lines = {row.pk: _line(row) for row in still}
    found = take_in.Index(ledger.named(frozenset[str]().union(*(line.words for line in lines.values()))))
    taken = storing.taken(source, found.keys)
    matched: dict[UUID, Exact] = {}
    for pk, line in lines.items():
        said = match(line, found.of(line), taken=taken)
        if isinstance(said, Exact):
            taken.add(said.posted.key)
            matched[pk] = said
    facts = [each.posted for each in matched.values()]
    change: dict[str, list[Any]] = {
        "fact_kind": [each.fact_kind for each in facts],
        "fact_id": [each.fact_id for each in facts],
        "account_id": [each.account_id for each in facts],
    }
    many.update(ReconLine, list(matched), change, state="matched")
    return len(matched)


def _line(row: ReconLine) -> Line:
    return Line(
        ident=row.ident,
        kind="in" if row.kind == "in" else "out",
        amount=row.amount,
        currency=row.currency,
        at=row.at,
        booked_on=row.booked_on,
        reference=row.reference,
        provider_ref=row.provider_ref,
        references=tuple(row.told.get("references", ())),
        undoes=bool(row.told.get("undoes")),
    )
