"""Pinned worlds: short, without random faults; together they pass every provider and every kind of point.

A world is a seed and its acts; change an act and its seeds may have to be chosen anew (`simulate --sweep` says which
points are reached).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from doenda.sim import acts
from doenda.sim.building import Plan
from doenda.sim.schedule import Rates, Schedule, Step

NOON = datetime(2014, 10, 22, 3, tzinfo=UTC)
BEFORE_CUT_OFF = datetime(2014, 10, 24, 6, tzinfo=UTC)
SEEDS = 4
"""Seeds a story: each draws other amounts, methods and channels."""


@dataclass(frozen=True)
class Pinned:
    """One world of the sweep."""

    name: str
    seed: int
    plan: Plan
    acts: tuple[str, ...]

    def schedule(self) -> Schedule:
        steps = tuple(Step(number, name) for number, name in enumerate(self.acts))
        return Schedule(self.seed, steps, Rates(trouble=0.0), acts.weights(self.plan.providers))


_PAGES = (
    ("pays", ("pay",)),
    ("pays and gets it back", ("pay", "refund_asked", "worker_outbox")),
    ("comes back late", ("start_page", "returns", "worker_outbox", "letter")),
)
_DEPOSITS = (
    ("deposits", ("asks_for_a_number", "deposit", "letter", "worker_money")),
    ("deposits twice", ("asks_for_a_number", "deposit", "worker_money", "deposit_late", "worker_money")),
)
_STORIES: tuple[tuple[tuple[str, ...], str, tuple[str, ...], datetime], ...] = (
    *((("sandbox",), name, does, NOON) for name, does in _PAGES),
    *((("toss",), name, does, NOON) for name, does in _PAGES),
    *((("portone",), name, does, NOON) for name, does in _PAGES),
    *((("deposit",), name, does, NOON) for name, does in _DEPOSITS),
    (("toss",), *_DEPOSITS[0], NOON),
    (("portone",), *_DEPOSITS[0], NOON),
    (("counter",), "pays at the counter", ("at_the_counter", "press_again", "receipt_voided"), NOON),
    (
        ("counter",),
        "gets cash back",
        ("at_the_counter", "refund_asked", "worker_outbox", "payout", "worker_outbox"),
        NOON,
    ),
    (
        ("debit",),
        "is debited",
        ("mandate_given", "debit_chosen", "to_the_next_hour_of_debits", "to_the_next_hour_of_debits"),
        BEFORE_CUT_OFF,
    ),
    (("sandbox",), "is reminded, and pays", ("a_day_of_collections", "pay", "worker_outbox"), NOON),
)


def worlds() -> Iterator[Pinned]:
    """Every pinned world, the stories in turn so that the first ones already show most."""
    for at in range(SEEDS):
        for number, (providers, name, does, begins) in enumerate(_STORIES):
            plan = Plan(providers, begins, 1)
            yield Pinned(f"{'+'.join(providers)}: {name} ({at + 1})", 10_000 + 100 * number + at, plan, does)
