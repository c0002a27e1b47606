"""What must hold in a world: I1 to I6 and I9 after every step, all of them at rest. Cheap; each says what is wrong.

The house's rows are read as they stand (`house`) and held against the peers' own truth (`truth`). May touch whatever
the simulator may; changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from doenda.kernel import net
from doenda.sim.invariants import (
    arrivals,
    attempts,
    banks_money,
    disclosure,
    fairness,
    fees,
    house,
    leaving,
    leftovers,
    memory,
    money,
    outside,
    peers_money,
    truth,
)
from doenda.sim.invariants.asking import Violation

if TYPE_CHECKING:
    from doenda.sim.world import World

__all__ = ["Violation", "after_each_step", "as_it_leaves", "as_it_logs", "at_rest"]


def as_it_leaves(world: "World", end: str, request: net.Request) -> None:
    """Judge a request at the moment when it leaves the house; told after the step (I4, I5)."""
    found = (*fairness.as_it_leaves(world, end, request), *leaving.as_it_leaves(world, end, request))
    memory.of(world).heard += [replace(each, step=getattr(world, "step", None)) for each in found]


def as_it_logs(world: "World", record: str) -> None:
    """Judge a line of the log; told after the step (I6)."""
    if found := disclosure.logged(world, record):
        memory.of(world).heard.append(found)


def after_each_step(world: "World") -> Iterator[Violation]:
    """What does not hold between two steps: I1 to I6 and I9."""
    step: int | None = getattr(world, "step", None)
    yield from (replace(each, step=each.step if each.step is not None else step) for each in _always(world))


def _always(world: "World") -> Iterator[Violation]:
    ours, books, entries, records = (
        house.read(world.drivers),
        truth.orders(world),
        truth.entries(world),
        truth.records(world),
    )
    heard = memory.of(world).heard
    while heard:
        yield heard.pop(0)
    yield from money.by_our_rows()
    yield from leftovers.begun_for_nothing()
    yield from peers_money.certain(ours, books)
    yield from peers_money.twice(ours, books)
    yield from banks_money.deposits(ours, entries)
    yield from banks_money.debits(ours, records)
    yield from attempts.declared_moves(ours)
    yield from attempts.declared_states(world)
    yield from attempts.bills_as_told()
    yield from disclosure.nothing_of_others(world)


def at_rest(world: "World") -> Iterator[Violation]:
    """What does not hold once nothing fails and nothing moves any more: all that is above, and I3, I7, I8, I10, I12."""
    yield from _always(world)
    ours, books, entries, records = (
        house.read(world.drivers),
        truth.orders(world),
        truth.entries(world),
        truth.records(world),
    )
    yield from peers_money.agree(world, ours, books)
    yield from banks_money.ledger(world, ours, books, entries, records)
    yield from attempts.none_unknown(world, ours)
    yield from leftovers.begun_for_nothing_at_rest()
    yield from leftovers.accounts_left_open(world)
    yield from fees.fair(world)
    yield from arrivals.ended(entries)
    yield from arrivals.answered()
    yield from outside.nothing_waits()
    yield from outside.forgotten()
    yield from outside.network(world)
    yield from outside.restored(world)
    yield from outside.texts(world)
