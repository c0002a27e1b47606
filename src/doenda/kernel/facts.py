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
    """Tell again whoever failed to take a fact in. Returns the facts looked at."""
    for done in range(limit):
        with transaction.atomic():
            row = (
                FactRow.objects.select_for_update(skip_locked=True)
                .exclude(pending=[])
                .filter(retry_at__lte=clock.now())
                .order_by("retry_at")
                .first()
            )
            if row is None:
                return done
            fact = Fact(row.id, row.kind, row.account_id, row.created_at, row.data)
            known = _subscribers.get(row.kind, {})
            row.pending = [name for name in row.pending if name in known and not _tell(name, fact)]
            row.tries += 1
            row.retry_at = clock.now() + timedelta(seconds=min(300.0, 2.0 ** min(row.tries, 9)))
            row.save(update_fields=["pending", "tries", "retry_at"])
    return limit
