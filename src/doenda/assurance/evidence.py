"""Outcomes of ways become evidence, and evidence moves a way's standing in the same transaction.

This lies on the way of every payment, and hundreds of payments share a few ways, so a success on a way that is proven
and has no points against it only inserts its row: nothing that it could change is worth a lock that everybody needs.
Its proof is not lost: whoever asks where a way stands reads the newest proof from the evidence itself (an index look-up
a way). Failures, and successes while something stands against the way, lock the way's row, are judged at once, and see
those stored proofs, too. A success that is stored while another transaction stores the first failure is not counted
against that failure's points: 0.64 of 11 points, to the side of caution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.assurance import rule, standing
from doenda.assurance.rule import Event, Outcome
from doenda.assurance.standing import UnknownWay
from doenda.kernel import clock
from doenda.kernel.ids import new_id

__all__ = ["Outcome", "UnknownWay", "Worked", "record", "worked_many"]

_INSERT = """
WITH way AS (SELECT slug, standing = 'proven' AND calm AS calm FROM assurance_way WHERE slug = %(way)s),
     new AS (INSERT INTO assurance_evidence
                 (id, created_at, way_id, outcome, at, synthetic, source_kind, source_id, account_id, detail)
             SELECT %(id)s, %(now)s, slug, %(outcome)s, %(at)s, %(synthetic)s, %(source_kind)s, %(source_id)s,
                    %(account)s, %(detail)s
               FROM way
             ON CONFLICT DO NOTHING
             RETURNING 1)
SELECT calm, EXISTS (SELECT 1 FROM new) FROM way
"""

_CALM = "SELECT slug, standing = 'proven' AND calm FROM assurance_way WHERE slug = ANY(%s)"
_INSERT_MANY = """
INSERT INTO assurance_evidence
    (created_at, outcome, synthetic, source_kind, id, way_id, at, source_id, account_id, detail)
SELECT %s::timestamptz, 'worked', false, %s, u.*
  FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::uuid[], %s::text[]) u
ON CONFLICT DO NOTHING
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
) -> bool:
    """Record one outcome of a way (its slug) in the caller's transaction. Returns False if its source is known already.

    `at` is when it happened, in UTC (default: now); a proof counts from then. Only `worked`, reached at the last step,
    is a proof. Raises UnknownWay, ValueError for an unknown outcome, RuntimeError outside a transaction.
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
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        found = cursor.fetchone()
    if found is None:
        raise UnknownWay(way)
    calm, new = found
    if new and _weighs(kind, calm):
        _judge(way, Event(kind, at, now, synthetic), evidence_id, detail)
    return bool(new)


@dataclass(frozen=True, slots=True)
class Worked:
    """A customer's success on a way, as `record` is told of one; its source is an attempt of `source_kind`."""

    way: str
    source_id: str
    account_id: UUID
    at: datetime
    detail: str = ""


def worked_many(found: Sequence[Worked], *, source_kind: str) -> set[str]:
    """The set-wise twin of `record` for successes. Returns the ways that are not known: of those nothing is written.

    Where something stands against a way each success is judged by itself.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("evidence is recorded in the transaction that makes it true")
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_CALM, [sorted({each.way for each in found})])
        calm = dict(cursor.fetchall())
        plain = [each for each in found if calm.get(each.way)]
        columns: list[list[Any]] = [
            [new_id() for _ in plain],
            [each.way for each in plain],
            [min(each.at, now) for each in plain],
            [each.source_id for each in plain],
            [each.account_id for each in plain],
            [each.detail[:200] for each in plain],
        ]
        cursor.execute(_INSERT_MANY, [now, source_kind, *columns])
    for each in found:
        if calm.get(each.way) is False:
            record(
                each.way,
                Outcome.WORKED,
                source_kind=source_kind,
                source_id=each.source_id,
                synthetic=False,
                account_id=each.account_id,
                at=each.at,
                detail=each.detail,
            )
    return {each.way for each in found} - calm.keys()


def _weighs(kind: Outcome, calm: bool) -> bool:
    return kind in rule.FAILURES or (kind is Outcome.WORKED and not calm)


def _judge(slug: str, event: Event, evidence_id: UUID, detail: str) -> None:
    way, state = standing.lock(slug)
    source = "a synthetic walk" if event.synthetic else "a customer's try"
    cause = f"{source}: {event.outcome.value}{' - ' + detail if detail else ''}"
    standing.write(way, rule.judge(state, event), cause, evidence_id=evidence_id)
