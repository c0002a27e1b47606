"""Facts: how news travels up the house. A room records what happened; the rooms above subscribe.

A subscriber runs at once, in a savepoint of the recording transaction, so that in the ordinary case money and its
consequences are durable together. One that fails is noted on the fact's row and run again by the sweep: its fault never
undoes what the lower room did (design rule 17). Subscribers touch the database only, and are idempotent.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from doenda.kernel import clock, many, sweeps
from doenda.kernel.models import FactRow

log = logging.getLogger(__name__)
TOGETHER = 20
"""Facts of one transaction of the sweep: their accounts are locked meanwhile, a tenth of a second."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`data` holds plain JSON values; ids as text."""

    id: UUID
    kind: str
    account_id: UUID | None
    at: datetime
    data: dict[str, Any]


type Subscriber = Callable[[Fact], None]
type Concern = Callable[[Fact], bool]


@dataclass(frozen=True, slots=True)
class _Subscribed:
    tell: Subscriber
    concerns: Concern


_subscribers: dict[str, dict[str, _Subscribed]] = {}


def subscribes(kind: str, *, name: str, where: Concern = lambda fact: True) -> Callable[[Subscriber], Subscriber]:
    """Register a subscriber; `name` ("dunning.close_when_paid") stays the same for ever: rows refer to it.

    `where`: which of these facts it wants to be told (pure; it spares the others a savepoint).
    """

    def register(subscriber: Subscriber) -> Subscriber:
        if name in _subscribers.setdefault(kind, {}):
            raise ValueError(f"two subscribers are called {name!r}")
        _subscribers[kind][name] = _Subscribed(subscriber, where)
        return subscriber

    return register


def record(kind: str, account_id: UUID | None, data: dict[str, Any]) -> Fact:
    """Record a fact in the caller's transaction and let the rooms above see it."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a fact is recorded in the transaction that makes it true")
    row = FactRow(kind=kind, account_id=account_id, data=data)
    fact = Fact(row.id, kind, account_id, row.created_at, data)
    row.pending = [name for name in _subscribers.get(kind, {}) if not _tell(name, fact)]
    if row.pending:
        sweeps.nudge("facts")
    row.insert()
    return fact


def record_many(kind: str, told: Iterable[tuple[UUID | None, dict[str, Any]]]) -> None:
    """The same kind of fact of many accounts, in the caller's transaction: set-wise work tells nobody at once, the
    sweep does."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a fact is recorded in the transaction that makes it true")
    names, rows = list(_subscribers.get(kind, {})), list(told)
    if not rows:
        return
    columns: many.Columns = {"account_id": [account_id for account_id, _ in rows], "data": [data for _, data in rows]}
    many.insert(FactRow, columns, kind=kind, pending=names)
    if names:
        sweeps.nudge("facts")


def _tell(name: str, fact: Fact) -> bool:
    subscribed = _subscribers[fact.kind][name]
    try:
        if subscribed.concerns(fact):
            with transaction.atomic():
                subscribed.tell(fact)
    except Exception:
        log.exception("%s could not take in %s; it will be told again", name, fact.kind)
        return False
    return True


@sweeps.sweep("facts", every=2)
def sweep(limit: int = 100) -> int:
    """Tell whoever has not taken a fact in yet, `TOGETHER` facts a transaction. Returns the facts looked at."""
    done = 0
    while done < limit:
        wanted = min(TOGETHER, limit - done)
        with transaction.atomic():
            due = FactRow.objects.exclude(pending=[]).filter(retry_at__lte=clock.now()).order_by("retry_at", "pk")
            rows = list(due.select_for_update(skip_locked=True)[:wanted])
            for row in sorted(rows, key=_lock_order):
                _tell_again(row)
        done += len(rows)
        if len(rows) < wanted:
            break
    return done


def _lock_order(row: FactRow) -> tuple[UUID, datetime, UUID]:
    """Subscribers lock the fact's account: in the order of accounts, as everybody does who locks several."""
    return row.account_id or UUID(int=0), row.retry_at, row.pk


def _tell_again(row: FactRow) -> None:
    fact = Fact(row.id, row.kind, row.account_id, row.created_at, row.data)
    known = _subscribers.get(row.kind, {})
    left = [name for name in row.pending if name in known and not _tell(name, fact)]
    again = clock.now() + timedelta(seconds=min(300.0, 2.0 ** min(row.tries + 1, 9)))
    row.put(pending=left, tries=row.tries + 1, retry_at=again)
