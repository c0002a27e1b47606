"""What a decision may know of a case (pure, and storable: a decision keeps its facts, so that anyone can replay it)."""

import types
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from doenda.dunning.clock import Stop
from doenda.dunning.words import Bar, Stage


@dataclass(frozen=True, slots=True)
class Debt:
    """An overdue bill: what is owed now (minor units; part payments and credits counted), which part may do what."""

    bill_id: UUID
    number: str
    due: date
    remaining: int
    may_bar: int
    """The part whose classes may lead to barring."""
    fee_base: int
    """The part whose classes bear a late fee; without the fee itself."""
    fee_assessed: bool = False
    reminded: bool = False
    told_on: date | None = None
    """The day on which its first reminder left, before or after it was due."""


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that told when barring begins. `live`: since then the case has not stepped down."""

    notice_id: UUID
    step: Bar
    effective: date
    bills: frozenset[UUID]
    live: bool = True
    delivered_at: datetime | None = None
    ways: tuple[str, ...] = ()
    """The ways it named; each was proven then."""
    usable_days: int = 0
    """Days since delivery on which one of them was not withdrawn."""
    cancelled: bool = False
    """It never left: too late for its date, or the clock was stopped first."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """`barring` is what the network confirmed, `wanted` what we last asked of it."""

    line_id: UUID
    barring: Bar
    wanted: Bar
    barrable: bool
    """It carries an unpaid item of a class that may bar."""


@dataclass(frozen=True, slots=True)
class Facts:
    currency: str
    stage: Stage
    stage_since: date
    debts: tuple[Debt, ...] = ()
    told: tuple[Told, ...] = ()
    stops: tuple[Stop, ...] = ()
    pending: str = ""
    """Why money may be moving right now (an unknown or instructed attempt), or nothing."""
    not_heard: bool = False
    """Money may have been paid in since we last heard of it."""
    lines: tuple[LineFacts, ...] = ()
    way_proven: bool = False
    """Some way to pay is proven at this moment."""
    barred_since: date | None = None
    bar_used_up: bool = False
    """A line was barred for the longest time already: what comes next is a person's to decide."""

    @property
    def barring_debts(self) -> tuple[Debt, ...]:
        return tuple(debt for debt in self.debts if debt.may_bar > 0)


def as_json(value: Any) -> Any:
    """Plain JSON values for a facts object or any part of it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: as_json(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(as_json(item) for item in value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID | StrEnum) else value


def of_json(data: Any, wanted: Any = Facts) -> Any:
    """The inverse of `as_json`; what older records do not hold has its default.

    Raises TypeError or ValueError for what is not such an object.
    """
    origin, args = get_origin(wanted), get_args(wanted)
    if origin in {Union, types.UnionType}:
        return None if data is None else of_json(data, next(arg for arg in args if arg is not type(None)))
    if origin in {tuple, frozenset}:
        return origin(of_json(item, args[0]) for item in data)
    if is_dataclass(wanted) and isinstance(wanted, type):
        hints = get_type_hints(wanted)
        known = [each.name for each in fields(wanted) if each.name in data]
        return wanted(**{name: of_json(data[name], hints[name]) for name in known})
    if wanted in {date, datetime}:
        return wanted.fromisoformat(data)
    return wanted(data)
