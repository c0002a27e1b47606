"""Outcomes of ways become evidence, and evidence moves a way's standing in the same transaction.

This lies on the way of every payment, and hundreds of payments share a few ways, so a success on a way that may be
named and that is far from being doubted only inserts its row: nothing that it could change is worth a lock that
everybody needs. It is not lost: whoever asks where a way stands reads the newest proof from the evidence itself, and
whoever next locks the way (`standing.lock`) counts the successes stored since it was last judged. Failures, and
successes while the way is in doubt or withdrawn, lock the way's row and are judged at once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.assurance import cells, devices, rule, standing
from doenda.assurance.rule import Event, Outcome
from doenda.assurance.standing import UnknownWay
from doenda.kernel import clock
from doenda.kernel.ids import new_id

__all__ = ["Outcome", "Tried", "UnknownWay", "record", "record_many", "report"]

_INSERT = """
WITH way AS (SELECT slug, standing IN ('proven', 'degraded') AND calm AS calm FROM assurance_way WHERE slug = %(way)s),
     new AS (INSERT INTO assurance_evidence
                 (id, created_at, way_id, outcome, at, synthetic, source_kind, source_id, account_id, detail)
             SELECT %(id)s, %(now)s, slug, %(outcome)s, %(at)s, %(synthetic)s, %(source_kind)s, %(source_id)s,
                    %(account)s, %(detail)s
               FROM way
             ON CONFLICT DO NOTHING
             RETURNING 1)
SELECT calm, EXISTS (SELECT 1 FROM new), EXISTS (SELECT 1 FROM assurance_way WHERE slug = %(cell)s) FROM way
"""

_CALM = "SELECT slug, standing IN ('proven', 'degraded') AND calm FROM assurance_way WHERE slug = ANY(%s)"
_INSERT_MANY = """
INSERT INTO assurance_evidence
    (created_at, id, way_id, outcome, at, synthetic, source_kind, source_id, account_id, detail)
SELECT %s::timestamptz, u.*
  FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::bool[], %s::text[], %s::text[], %s::uuid[],
              %s::text[]) u
ON CONFLICT DO NOTHING
RETURNING id
"""


def record(
    way: str,
    outcome: Outcome | str,
    *,
    source_kind: str,
    source_id: str,
    synthetic: bool,
    account_id: UUID | None = None,
    at: datetime | None = None,
    detail: str = "",
    device: str = "",
) -> bool:
    """Record one outcome of a way (its slug) in the caller's transaction. Returns False if its source is known already.

    `at` is when it happened, in UTC (default: now); a proof counts from then. Only `worked`, reached at the last step,
    is a proof. `device`: the kind on which it happened, for which it is counted besides (`cells`). Raises UnknownWay,
    ValueError for an unknown outcome, RuntimeError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("evidence is recorded in the transaction that makes it true")
    kind, now = Outcome(outcome), clock.now()
    at = now if at is None else min(at, now)
    evidence_id = new_id()
    values: dict[str, UUID | datetime | bool | str | None] = {
        "way": way,
        "id": evidence_id,
        "now": now,
        "outcome": kind.value,
        "at": at,
        "synthetic": synthetic,
        "source_kind": source_kind,
        "source_id": source_id,
        "account": account_id,
        "detail": detail[:200],
        "cell": devices.cell(way, device) if device else "",
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        found = cursor.fetchone()
    if found is None:
        raise UnknownWay(way)
    calm, new, has_cell = found
    tried = Tried(way, kind, source_kind, source_id, synthetic, account_id, at, detail, device)
    if new and _weighs(kind, calm):
        _judge(way, [(evidence_id, tried)], now)
    if new and device:
        _on_device(tried, has_cell=has_cell)
    return bool(new)


def _on_device(tried: "Tried", *, has_cell: bool) -> None:
    """Count it for the way on that kind of device as well: from the first on that speaks against it there."""
    against = tried.outcome in rule.FAILURES or tried.outcome is Outcome.REPORTED
    if not against and not (has_cell and tried.outcome is Outcome.WORKED):
        return
    if cell := cells.ensure(tried.way, tried.device):
        record(
            cell,
            tried.outcome,
            source_kind=f"{tried.source_kind}@",
            source_id=tried.source_id,
            synthetic=tried.synthetic,
            account_id=tried.account_id,
            at=tried.at,
            detail=tried.detail,
        )


@dataclass(frozen=True, slots=True)
class Tried:
    """One outcome of a way, as `record` is told of it."""

    way: str
    outcome: Outcome
    source_kind: str
    source_id: str
    synthetic: bool
    account_id: UUID | None = None
    at: datetime | None = None
    detail: str = ""
    device: str = ""


def record_many(found: Sequence[Tried]) -> set[str]:
    """The set-wise twin of `record`. Returns the ways that are not known: of those nothing is written.

    A way is locked once, in the order of the slugs, if any of the outcomes could change its standing; then all of them
    are judged, in the order in which they happened, and each change of its word is a transition of its own.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("evidence is recorded in the transaction that makes it true")
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_CALM, [sorted({each.way for each in found})])
        calm: dict[str, bool] = dict(cursor.fetchall())
        in_order = sorted((each for each in found if each.way in calm), key=lambda each: min(each.at or now, now))
        known = [(new_id(), each) for each in in_order]
        cursor.execute(_INSERT_MANY, [now, *_columns(known, now)])
        new = {row[0] for row in cursor.fetchall()}
        cursor.execute(_CALM, [sorted({devices.cell(each.way, each.device) for each in in_order if each.device})])
        on_device = {row[0] for row in cursor.fetchall()}
    by_way: dict[str, list[tuple[UUID, Tried]]] = {}
    for evidence_id, each in known:
        if evidence_id in new:
            by_way.setdefault(each.way, []).append((evidence_id, each))
    for way in sorted(by_way):
        if any(_weighs(each.outcome, calm[way]) for _, each in by_way[way]):
            _judge(way, by_way[way], now)
    for evidence_id, each in known:
        if evidence_id in new and each.device:
            _on_device(each, has_cell=devices.cell(each.way, each.device) in on_device)
    return {each.way for each in found} - calm.keys()


def report(way: str, *, who: str, account_id: UUID | None = None, said: str = "", device: str = "") -> bool:
    """A person says that the way does not work: counted once a person, way and day. Returns False if it was known.

    `who` names the person among all (an account, a visit, a clerk). Raises UnknownWay; see `record`.
    """
    source = f"{clock.today():%Y%m%d} {way} {who}"
    return record(
        way,
        Outcome.REPORTED,
        source_kind="report",
        source_id=hashlib.sha256(source.encode()).hexdigest()[:40],
        synthetic=False,
        account_id=account_id,
        detail=said,
        device=device,
    )


def _columns(known: Sequence[tuple[UUID, Tried]], now: datetime) -> list[list[Any]]:
    return [
        [evidence_id for evidence_id, _ in known],
        [each.way for _, each in known],
        [each.outcome.value for _, each in known],
        [min(each.at or now, now) for _, each in known],
        [each.synthetic for _, each in known],
        [each.source_kind for _, each in known],
        [each.source_id for _, each in known],
        [each.account_id for _, each in known],
        [each.detail[:200] for _, each in known],
    ]


def _judge(slug: str, found: Sequence[tuple[UUID, Tried]], now: datetime) -> None:
    """Judge stored outcomes in the order given. Each change of the way's word is written."""
    way, state = standing.lock(slug, but=[evidence_id for evidence_id, _ in found])
    unwritten: tuple[UUID, Tried] | None = None
    for evidence_id, each in found:
        state = rule.judge(state, Event(each.outcome, min(each.at or now, now), now, each.synthetic))
        unwritten = (evidence_id, each)
        if rule.standing(state, now) != way.standing:
            standing.write(way, state, _cause(each), evidence_id=evidence_id)
            unwritten = None
    if unwritten is not None:
        standing.write(way, state, _cause(unwritten[1]), evidence_id=unwritten[0])


def _cause(each: Tried) -> str:
    if each.outcome is Outcome.REPORTED:
        return f"people say that it does not work{': ' + each.detail if each.detail else ''}"
    source = "a synthetic walk" if each.synthetic else "a customer's try"
    return f"{source}: {each.outcome.value}{' - ' + each.detail if each.detail else ''}"


def _weighs(kind: Outcome, calm: bool) -> bool:
    return kind in rule.FAILURES or kind is Outcome.REPORTED or (kind is Outcome.WORKED and not calm)
