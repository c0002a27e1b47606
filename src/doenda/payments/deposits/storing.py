"""Storing the bank's lines, each once, with the lease it belongs to; or parked with a reason, an owner and a day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched

from doenda.kernel import clock, many
from doenda.payments.deposits import policy
from doenda.payments.deposits.models import DepositFeed, DepositLease, DepositLine, DepositNumber
from doenda.payments.deposits.movements import DEPOSIT, Movement
from doenda.payments.deposits.rules import AMBIGUOUS, Held, holder

UNKNOWN_NUMBER, UNKNOWN_ORIGIN = "unknown_number", "unknown_origin"
DESK = "desk"
CHUNK = 1000

_TOLD = (
    *("id", "created_at", "bank", "ident", "kind", "of", "number", "amount", "currency", "remitter", "at", "day_only"),
    *("order_id", "lease_id", "state", "reason", "owner", "due_at"),
)
"""What a new line says; all else is as the model has it."""

type Key = tuple[str, str]


@dataclass
class Stored:
    """How many were new and known, and the keys of those that say something else than when they were first told."""

    new: int = 0
    known: int = 0
    conflicts: list[Key] = field(default_factory=list)


def lock_feed() -> DepositFeed:
    """The reading of the bank's list, locked: one at a time stores lines. In the caller's transaction."""
    DepositFeed.objects.get_or_create(pk=1)
    return DepositFeed.objects.select_for_update().get(pk=1)


def store(found: Sequence[Movement], source: str) -> Stored:
    """Store what is new. In the caller's transaction; nothing is posted here, and nothing is said twice."""
    lock_feed()
    result = Stored()
    for chunk in batched(found, CHUNK):
        _store(chunk, source, result)
    return result


def _store(chunk: Sequence[Movement], source: str, result: Stored) -> None:
    known = {(row.bank, row.ident): row for row in DepositLine.objects.filter(ident__in=[each.ident for each in chunk])}
    fresh: dict[Key, Movement] = {}
    for each in chunk:
        key = (each.bank, each.ident)
        before = known.get(key) or fresh.get(key)
        if before is None:
            fresh[key] = each
        elif _says(before) != each.says:
            result.conflicts.append(key)
        else:
            result.known += 1
            if isinstance(before, DepositLine):
                _know_better(before, each)
    held = _held(each.number for each in fresh.values())
    rows = [_row(each) for each in fresh.values()]
    for row, each in zip(rows, fresh.values(), strict=True):
        if each.kind == DEPOSIT:
            _place(row, held)
    _place_by_origin([row for row in rows if row.kind != DEPOSIT], rows)
    many.insert(DepositLine, {name: [getattr(row, name) for row in rows] for name in _TOLD}, source=source)
    result.new += len(rows)
    _found_at_last([row for row in rows if row.kind == DEPOSIT])


def _row(each: Movement) -> DepositLine:
    return DepositLine(
        bank=each.bank,
        ident=each.ident,
        kind=each.kind,
        of=each.of,
        number=each.number,
        amount=each.amount,
        currency=each.currency,
        remitter=each.remitter,
        at=each.at,
        day_only=each.day_only,
        order_id=each.order_id,
    )


def _says(before: DepositLine | Movement) -> tuple[str, str, int, str, str]:
    return before.kind, before.number, before.amount, before.currency, before.of


def park(row: DepositLine, reason: str) -> None:
    """Give the line to the desk, unsaved: a reason, an owner, and a day by which somebody has looked."""
    row.state, row.reason, row.owner = DepositLine.State.PARKED, reason[:80], DESK
    row.due_at = clock.now() + policy.now().park


def unpark(row: DepositLine) -> None:
    """The line has found its place after all, unsaved."""
    row.state, row.reason, row.owner, row.due_at = DepositLine.State.STORED, "", "", None


def _held(numbers: Iterable[str]) -> dict[Key, list[tuple[Held, DepositLease]]]:
    """Every lease that these numbers of the pool ever had, by bank and number."""
    pool = DepositNumber.objects.filter(number__in=set(numbers))
    keys: dict[int, Key] = {each.pk: (each.bank, each.number) for each in pool}
    found: dict[Key, list[tuple[Held, DepositLease]]] = {key: [] for key in keys.values()}
    for lease in DepositLease.objects.filter(number__in=list(keys)):
        found[keys[lease.number_id]].append((Held(lease.id, lease.order_id, lease.since), lease))
    return found


def _place(row: DepositLine, held: dict[Key, list[tuple[Held, DepositLease]]]) -> bool:
    """Say whose the deposit is, unsaved; park it where nobody can tell."""
    leases = held.get((row.bank, row.number))
    if leases is None:
        park(row, UNKNOWN_NUMBER)
        return False
    whose = holder(
        [each for each, _ in leases],
        row.at,
        order_id=row.order_id,
        day_only=row.day_only,
        skew=policy.now().skew,
    )
    if isinstance(whose, str):
        park(row, whose)
        return False
    row.lease = next(lease for each, lease in leases if each is whose)
    return True


def _place_by_origin(rows: Sequence[DepositLine], fresh: Sequence[DepositLine]) -> None:
    """What was returned or taken back belongs where its deposit does."""
    if not rows:
        return
    origins = {(one.bank, one.ident): one for one in DepositLine.objects.filter(ident__in=[row.of for row in rows])}
    origins |= {(one.bank, one.ident): one for one in fresh}
    for row in rows:
        origin = origins.get((row.bank, row.of))
        if origin is None:
            park(row, UNKNOWN_ORIGIN)
        else:
            row.lease = origin.lease


def _found_at_last(deposits: Sequence[DepositLine]) -> None:
    """Their returns were listed before them, and have waited."""
    by_ident = {(row.bank, row.ident): row for row in deposits}
    waiting = DepositLine.objects.filter(of__in=[row.ident for row in deposits], state="parked", reason=UNKNOWN_ORIGIN)
    for row in waiting if deposits else ():
        if origin := by_ident.get((row.bank, row.of)):
            unpark(row)
            row.lease = origin.lease
            row.save()


def _know_better(row: DepositLine, told: Movement) -> None:
    """A line that nobody could place, told again with the bank's own word or a moment instead of a day."""
    if row.state != DepositLine.State.PARKED or row.reason != AMBIGUOUS:
        return
    if (told.order_id and not row.order_id) or (row.day_only and not told.day_only):
        row.at, row.day_only, row.order_id = told.at, told.day_only, told.order_id or row.order_id
        unpark(row)
        _place(row, _held([row.number]))
        row.save()


def first_arrival(lease: DepositLease) -> DepositLine | None:
    """The deposit that pays the lease's own attempt: the first that nobody has brought home, if it was never paid."""
    if lease.attempt is None or lease.attempt.times_paid:
        return None
    waiting = DepositLine.objects.filter(lease=lease, kind=DEPOSIT, state="stored", attempt=None)
    return waiting.order_by("pk").first()


def settled_before(since: datetime) -> int:
    """A place in the bank's list before which nothing that happened at or after `since` can stand.

    What happened longer before than the bank may list late was listed before `since`; so whether places follow the
    order of happening or of listing, as many places hold only what is older.
    """
    return DepositLine.objects.filter(source="list", at__lt=since - policy.now().reread).count()
