"""Lines of a bank become rows, each once: what its account told before is known, and refused if told otherwise now."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from doenda.kernel import clock, many
from doenda.payments.debit.formats.sepa import iban_fits
from doenda.payments.reconciliation import policy
from doenda.payments.reconciliation.lines import Line
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.reasons import Reason
from doenda.payments.reconciliation.rules import FactKey

CHUNK = 5000
_IBAN = re.compile(r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{2,4}){3,8}\b")
_DIGITS = re.compile(r"(?<![A-Za-z0-9])\d(?:[ -]?\d){8,30}(?![A-Za-z0-9])")


@dataclass(frozen=True, slots=True)
class End:
    """How a line ends: matched to `fact`, or parked for `reason`. `suggestion`: what may be meant, and why."""

    line: Line
    fact: FactKey | None = None
    reason: Reason | None = None
    account_id: UUID | None = None
    probe: bool = False
    suggestion: dict[str, Any] = field(default_factory=dict)


def lock(source: str) -> None:
    """One at a time takes lines of a source in: a second look waits here. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [f"reconciliation {source}"])


@dataclass(slots=True)
class Known:
    """`fresh` were never told; `again` were, word for word; `otherwise` say something else than before."""

    fresh: list[Line]
    again: int
    otherwise: list[Line]


def known(source: str, lines: Sequence[Line]) -> Known:
    """Which of the lines this source has told before.

    The same key in another statement of the same form is another movement (a bank's references are not always its
    alone), so that is "otherwise" too: nothing may be lost for looking alike.
    """
    fresh: list[Line] = []
    otherwise: list[Line] = []
    again = 0
    for chunk in batched(lines, CHUNK):
        rows = ReconLine.objects.filter(source=source, ident__in=[each.ident for each in chunk])
        told_in = (F("told__form"), F("told__statement"))
        before = {row[0]: row[1:] for row in rows.values_list("ident", "kind", "amount", "currency", *told_in)}
        for line in chunk:
            said = before.get(line.ident)
            if said is None:
                fresh.append(line)
            elif said[:3] != line.says or _in_another(said[3], said[4], line):
                otherwise.append(line)
            else:
                again += 1
    return Known(fresh, again, otherwise)


def _in_another(form: str | None, statement: str | None, line: Line) -> bool:
    if form is None or form.startswith("csv:"):  # lists of a bank overlap, and the balance is part of their key
        return False
    return form == line.told.get("form") and statement != line.told.get("statement")


def taken(source: str, keys: Collection[FactKey]) -> set[FactKey]:
    """Which of these facts a line of this source is already; all statements are one source here."""
    kinds, ids = [kind for kind, _ in keys], [fact_id for _, fact_id in keys]
    statement = source.startswith("statement:")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.fact_kind, l.fact_id FROM unnest(%s::text[], %s::text[]) k (kind, id)"
            " JOIN payments_reconline l ON l.fact_kind = k.kind AND l.fact_id = k.id AND l.fact_id <> ''"
            " WHERE l.state <> 'parked' AND CASE WHEN %s THEN l.source LIKE 'statement:%%' ELSE l.source = %s END",
            [kinds, ids, statement, source],
        )
        return {(kind, fact_id) for kind, fact_id in cursor.fetchall()}


def keep(source: str, run_id: UUID, ends: Iterable[End]) -> None:
    """Write the lines with their ends, set-wise. IntegrityError for a line that this source has told before."""
    rules, now = policy.now(), clock.now()
    for chunk in batched(ends, CHUNK):
        parked = [each.reason if each.fact is None else None for each in chunk]
        if any(each.fact is None and each.reason is None for each in chunk):
            raise ValueError("a line is matched, or waits for a reason")
        many.insert(
            ReconLine,
            {
                "ident": [each.line.ident for each in chunk],
                "kind": [each.line.kind for each in chunk],
                "amount": [each.line.amount for each in chunk],
                "currency": [each.line.currency for each in chunk],
                "at": [each.line.at for each in chunk],
                "booked_on": [each.line.booked_on for each in chunk],
                "reference": [each.line.reference[:140] for each in chunk],
                "provider_ref": [each.line.provider_ref[:200] for each in chunk],
                "told": [told(each.line) for each in chunk],
                "probe": [each.probe for each in chunk],
                "state": ["parked" if reason else "matched" for reason in parked],
                "fact_kind": [each.fact[0] if each.fact else "" for each in chunk],
                "fact_id": [each.fact[1] if each.fact else "" for each in chunk],
                "account_id": [each.account_id for each in chunk],
                "reason": [reason.value if reason else "" for reason in parked],
                "owner": [rules.owners[reason] if reason else "" for reason in parked],
                "due_at": [rules.due(reason, now) if reason else None for reason in parked],
                "suggestion": [each.suggestion for each in chunk],
            },
            source=source,
            run_id=run_id,
        )


def told(line: Line) -> dict[str, Any]:
    """What else the line says, as it is kept."""
    said: dict[str, Any] = dict(line.told)
    if line.name:
        said["name"] = line.name[:140]
    if line.code:
        said["code"] = line.code[:40]
    if line.undoes:
        said["undoes"] = True
    if line.value_on is not None:
        said["value_on"] = line.value_on.isoformat()
    if texts := [each[:140] for each in line.references if each.strip()]:
        said["references"] = texts[:8]
    return said


def safe(line: Line, ours: Collection[str]) -> Line:
    """The line of a bank as it may be kept: no account or card number stands in it in clear. `ours`: what names
    something of ours, and so is none."""
    return replace(
        line,
        reference=masked(line.reference, ours),
        references=tuple(masked(each, ours) for each in line.references),
        name=masked(line.name, ours),
    )


def masked(text: str, ours: Collection[str] = ()) -> str:
    """The text with only the last four of every IBAN, card number and long number that stands alone in it."""
    if text in ours:
        return text
    text = _IBAN.sub(_iban, text)
    return _DIGITS.sub(lambda found: found[0] if found[0] in ours else _last_four(found[0]), text)


def _iban(found: re.Match[str]) -> str:
    bare = found[0].replace(" ", "")
    return _last_four(bare) if iban_fits(bare) else found[0]


def _last_four(number: str) -> str:
    return f"…{number[-4:]}"
