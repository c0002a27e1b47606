"""What the house says at one moment: its rows about money, read whole: a world is small."""

from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from doenda.kernel.ids import outside
from doenda.payments.states import IN_FLIGHT
from doenda.sim.invariants.asking import rows


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt as its row stands; amounts in minor units."""

    id: UUID
    account_id: UUID
    provider: str
    method: str
    state: str
    amount: int
    taken: int
    given_back: int
    owned: bool
    synthetic: bool
    undone: bool
    reason: str
    ref: str

    @property
    def order_id(self) -> str:
        return outside(self.id)

    @property
    def in_flight(self) -> bool:
        return self.state in IN_FLIGHT

    def __str__(self) -> str:
        return f"attempt {self.order_id} ({self.provider}/{self.method})"


@dataclass(frozen=True, slots=True)
class Back:
    """A refund: `done`, `failed`, or neither: on its way, or waiting for a second person."""

    id: UUID
    attempt_id: UUID
    amount: int
    of_credit: bool
    done: bool
    failed: bool

    @property
    def open(self) -> bool:
        return not self.done and not self.failed


@dataclass(frozen=True, slots=True)
class Arrived:
    """A line of the deposit bank as we stored it. `since`: when the number became whose the line is; `held`: by whom
    and since when else."""

    bank: str
    ident: str
    kind: str
    of: str
    number: str
    amount: int
    state: str
    at: datetime
    day_only: bool
    told_order: str
    attempt_id: UUID | None
    lease_id: UUID | None
    lease_order: str
    since: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Debited:
    """A debit or its refund in a file; `place`: the file's name and the record in it."""

    id: UUID
    attempt_id: UUID
    kind: str
    amount: int
    state: str
    code: str
    home: bool
    place: tuple[str, int] | None


@dataclass(slots=True)
class House:
    attempts: dict[UUID, Tried] = field(default_factory=dict)
    refunds: dict[UUID, list[Back]] = field(default_factory=lambda: defaultdict(list))
    lines: list[Arrived] = field(default_factory=list)
    items: list[Debited] = field(default_factory=list)

    def decided(self, attempt_id: UUID) -> int:
        """What was decided to go back of an attempt and has not failed."""
        return sum(each.amount for each in self.refunds.get(attempt_id, ()) if not each.failed)

    def on_its_way(self, attempt_id: UUID) -> int:
        """What may have gone back already, and is not confirmed."""
        return sum(each.amount for each in self.refunds.get(attempt_id, ()) if each.open)


_ATTEMPTS = """
    SELECT id, account_id, provider, method, state, amount, taken, given_back, person_owns_at IS NOT NULL, synthetic,
           undone_at IS NOT NULL, reason, COALESCE(provider_ref, '') FROM payments_attempt ORDER BY id
"""
_REFUNDS = """
    SELECT id, attempt_id, amount, of_credit, done_at IS NOT NULL, failed_at IS NOT NULL FROM payments_refund
    ORDER BY id
"""
_LINES = """
    SELECT l.bank, l.ident, l.kind, l.of, l.number, l.amount, l.state, l.at, l.day_only, l.order_id, l.attempt_id,
           l.lease_id, COALESCE(s.attempt_id, s.id), s.since, l.reason
    FROM payments_depositline l LEFT JOIN payments_depositlease s ON s.id = l.lease_id ORDER BY l.id
"""
_ITEMS = """
    SELECT i.id, i.attempt_id, i.kind, i.amount, i.state, i.code, i.home_at IS NOT NULL, f.name, i.serial
    FROM payments_debititem i LEFT JOIN payments_debitfile f ON f.id = i.file_id ORDER BY i.id
"""


def read(providers: Container[str]) -> House:
    """`providers`: those of the world; what only others have is not asked for."""
    found = House()
    for row in rows(_ATTEMPTS):
        tried = Tried(*row)
        found.attempts[tried.id] = tried
    for row in rows(_REFUNDS):
        back = Back(*row)
        found.refunds[back.attempt_id].append(back)
    for *line, owner, since, reason in rows(_LINES) if "deposit" in providers else ():
        found.lines.append(Arrived(*(*line, outside(owner) if owner else "", since, reason)))
    for *item, name, serial in rows(_ITEMS) if "debit" in providers else ():
        found.items.append(Debited(*(*item, (str(name), int(serial)) if name else None)))
    return found
