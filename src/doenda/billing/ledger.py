"""Writing to the ledger: one external fact, and the postings that it is the reason of, in two plain statements."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.billing.models import Account
from doenda.kernel import clock
from doenda.kernel.ids import new_id

type FactKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Move:
    """`amount` (minor units, above zero) goes from book to book, for a bill or not."""

    source: UUID
    target: UUID
    amount: int
    bill_id: UUID | None = None


def note_fact(fact: FactKey, *, at: datetime, account_id: UUID | None, data: Mapping[str, Any] | None = None) -> bool:
    """Write down that something happened outside. False if it was known already: then nothing more is to be done."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_externalfact (kind, external_id, at, created_at, account_id, data)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [*fact, at, clock.now(), account_id, json.dumps(data or {})],
        )
        return bool(cursor.rowcount)


def write(fact: FactKey, account: Account, moves: Sequence[Move], *, at: datetime, first_leg: int = 0) -> None:
    """Post the moves as legs of the fact. IntegrityError if one was posted before: the caller's transaction is void."""
    if not moves:
        return
    now = clock.now()
    values: list[Any] = []
    for leg, move in enumerate(moves, first_leg):
        values += [new_id(), now, at, move.source, move.target, move.amount, account.currency, account.pk]
        values += [move.bill_id, *fact, leg]
    row = "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_posting (id, created_at, at, source_book_id, target_book_id, amount, currency,"  # noqa: S608
            " account_id, bill_id, fact_kind, fact_id, leg) VALUES " + ", ".join([row] * len(moves)),
            values,
        )
