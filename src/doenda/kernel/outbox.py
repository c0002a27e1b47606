"""The outbox: effects on the outside world, written with their decision, sent after it, retried until confirmed.

A handler runs outside any transaction while it holds the row's lease, calls the network, and commits its own result;
it may mark the row done in that same transaction (`finish`). It is called again after a crash, so it is idempotent:
the other side sees the row's key.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import Q

from doenda.kernel import clock, once, sweeps
from doenda.kernel.models import OutboxRow

log = logging.getLogger(__name__)
LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class Sent:
    """Confirmed by the other side."""


@dataclass(frozen=True)
class Again:
    """Not confirmed; try again after `after` seconds (None: back off by the number of tries)."""

    after: float | None
    reason: str


@dataclass(frozen=True)
class Parked:
    """Never going to succeed as it is; a person has to look."""

    reason: str


type Outcome = Sent | Again | Parked
type Handler = Callable[[OutboxRow], Outcome]


@dataclass(frozen=True)
class _Registered:
    handler: Handler
    lease: float


_handlers: dict[str, _Registered] = {}


def handles(kind: str, *, lease: float = 10.0) -> Callable[[Handler], Handler]:
    """Register the handler of a kind; `lease` in seconds is the longest that one try may take."""

    def register(handler: Handler) -> Handler:
        if kind in _handlers:
            raise ValueError(f"two handlers for {kind!r}")
        _handlers[kind] = _Registered(handler, lease)
        return handler

    return register


def put(
    kind: str,
    key: str,
    payload: dict[str, object],
    *,
    account_id: UUID | None = None,
    due_in: float = 0,
    claimed: bool = False,
) -> OutboxRow:
    """Write one effect in the caller's transaction. The same (kind, key) again is the same row.

    `claimed` gives the row's first lease to the caller, who sends it right after its commit with `send_claimed`.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("an effect is written in the transaction that decides it")
    now = clock.now()
    row = OutboxRow(kind=kind, key=key, payload=payload, account_id=account_id, due_at=now + timedelta(seconds=due_in))
    if claimed:
        row.lease_until, row.tries = now + timedelta(seconds=_handlers[kind].lease), 1
    row.insert(once=True)
    if not claimed:
        sweeps.nudge("outbox")
    return row


def send_claimed(row: OutboxRow, handler: Handler | None = None) -> Outcome:
    """Send a row whose lease we hold; whatever goes wrong leaves it for the sweep.

    `handler` stands in for the kind's own where the caller has at hand what that one would read first.
    """
    outcome: Outcome
    try:
        outcome = (handler or _handlers[row.kind].handler)(row)
    except Exception as error:
        log.exception("outbox %s %s failed", row.kind, row.key)
        row.done_at = None  # what it marked done was not committed, or the row itself knows that it was
        outcome = Again(None, f"{type(error).__name__}: {error}"[:500])
    if row.done_at is None:
        with transaction.atomic():
            _note(row, outcome)
    return outcome


def _note(row: OutboxRow, outcome: Outcome) -> None:
    match outcome:
        case Sent():
            finish(row)
        case Again(after=after, reason=reason):
            pause = min(LONGEST_PAUSE, 2.0 ** min(row.tries, 10)) if after is None else after
            _still_ours(row).update(lease_until=None, due_at=clock.now() + timedelta(seconds=pause), reason=reason)
        case Parked(reason=reason):
            _still_ours(row).update(lease_until=None, parked_at=clock.now(), reason=reason)
            log.error("outbox %s %s is parked: %s", row.kind, row.key, reason)


def _still_ours(row: OutboxRow) -> models.QuerySet[OutboxRow]:
    """The row, unless our lease ran out and somebody else has claimed it since: then it is theirs to note."""
    return OutboxRow.objects.filter(pk=row.pk, tries=row.tries, done_at=None)


def tried_by_others(row: OutboxRow) -> bool:
    """Has anybody tried this row besides the one try that holds `row`? Nobody can claim it until the caller commits."""
    tries = OutboxRow.objects.select_for_update().filter(pk=row.pk).values_list("tries", flat=True).get()
    return tries > 1


def finish(row: OutboxRow) -> None:
    """Mark the row confirmed, in the caller's transaction."""
    row.put_if({}, done_at=clock.now(), lease_until=None, reason="")


def _free(now: datetime | once.Open) -> Q:
    return Q(done_at=None, parked_at=None, due_at__lte=now) & (Q(lease_until=None) | Q(lease_until__lt=now))


def claim(only: models.Q | None = None) -> OutboxRow | None:
    """Take the lease of the next row that is due and free, in a transaction of its own."""
    with transaction.atomic():
        free = OutboxRow.objects.filter(_free(clock.now()), kind__in=_handlers)
        mine = free if only is None else free.filter(only)
        return _leased(mine.select_for_update(skip_locked=True).order_by("due_at", "pk").first())


def _claim_of(kind: str) -> OutboxRow | None:
    """The same of one kind."""
    with transaction.atomic():
        return _leased(_next_of.first(kind=kind, now=clock.now()))


@once.query
def _next_of(kind: once.Open, now: once.Open) -> "models.QuerySet[OutboxRow]":
    free = OutboxRow.objects.filter(_free(now), kind=kind)
    return free.select_for_update(skip_locked=True).order_by("due_at", "pk")[:1]


def _leased(row: OutboxRow | None) -> OutboxRow | None:
    if row is not None:
        row.put(lease_until=clock.now() + timedelta(seconds=_handlers[row.kind].lease), tries=row.tries + 1)
    return row


_DUE = """
    SELECT kind FROM unnest(%(kinds)s::text[]) WITH ORDINALITY AS known (kind, place)
    WHERE EXISTS (SELECT FROM kernel_outboxrow r WHERE r.kind = known.kind AND r.done_at IS NULL AND r.parked_at IS NULL
                  AND r.due_at <= %(now)s AND (r.lease_until IS NULL OR r.lease_until < %(now)s))
    ORDER BY place
"""


def _kinds_due() -> list[str]:
    """The kinds of which a row is due and free: one question, so that an idle worker does not try to claim of each."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"kinds": list(_handlers), "now": clock.now()})
        return [kind for (kind,) in cursor.fetchall()]


@sweeps.sweep("outbox", every=1)
def sweep(limit: int = 100) -> int:
    """Send what is due, a row of each kind in turn: one whose other side hangs delays the others by one try at most.

    Returns the rows tried.
    """
    done = 0
    while done < limit:
        before = done
        for kind in _kinds_due():
            if done < limit and (row := _claim_of(kind)) is not None:
                send_claimed(row)
                done += 1
        if done == before:
            break
    return done
