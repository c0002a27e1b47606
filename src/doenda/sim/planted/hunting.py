"""Where a planted mistake is looked for: short worlds of a bent of their own, or the deaths of one story."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from unittest import mock

from doenda.sim import acts, building
from doenda.sim.acts import Act
from doenda.sim.building import Plan
from doenda.sim.ground import Ground
from doenda.sim.invariants import Violation
from doenda.sim.run import Played, play
from doenda.sim.schedule import Rates, Schedule, Step

NOON = datetime(2014, 10, 22, 3, tzinfo=UTC)
QUIET = Rates(trouble=0.0)
WEIGHTS: Mapping[str, float] = {"worker": 1.0, "letter": 1.0, "time_passes": 1.0}


@dataclass(frozen=True)
class Hunt:
    """Worlds of one story, from the seed `first` on. `extra`: acts that only these worlds know; `beside`: who acts in
    between, where `rates` let somebody. `dies`: each world dies one point further on than the one before, the first at
    `from_point`.
    """

    providers: tuple[str, ...]
    story: tuple[str, ...]
    first: int = 0
    customers: int = 1
    rates: Rates = QUIET
    begins: datetime = NOON
    beside: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    extra: tuple[Act, ...] = ()
    numbers: int = building.FEW_NUMBERS
    dies: bool = False
    from_point: int = 1


@dataclass(frozen=True)
class Planted:
    """One mistake. `words`: what it is, and who has made it; `shows`: the invariants that may tell of it."""

    name: str
    words: str
    patch: Callable[[], AbstractContextManager[object]]
    hunt: Hunt
    shows: frozenset[str]


@dataclass(frozen=True)
class Found:
    planted: Planted
    violation: Violation
    worlds: int
    story: list[str]


@dataclass(frozen=True)
class Hunted:
    """One world of a hunt."""

    schedule: Schedule
    plan: Plan
    die_at: int | None = None

    def play(self, ground: Ground, hunt: Hunt) -> Played:
        known = {**acts._acts, **{act.__name__: (act, 0.0, ()) for act in hunt.extra}}
        with mock.patch.object(acts, "_acts", known), mock.patch.object(building, "FEW_NUMBERS", hunt.numbers):
            return play(ground, self.schedule, plan=self.plan, die_at=self.die_at)


def hunted(hunt: Hunt, *, most: int) -> Iterator[Hunted]:
    """The first worlds of a hunt, the same every time."""
    acts.load()
    plan = Plan(hunt.providers, hunt.begins, hunt.customers)
    steps = tuple(Step(number, name) for number, name in enumerate(hunt.story))
    for at in range(most):
        seed = hunt.first if hunt.dies else hunt.first + at
        yield Hunted(Schedule(seed, steps, hunt.rates, hunt.beside), plan, hunt.from_point + at if hunt.dies else None)


def look(ground: Ground, planted: Planted, *, most: int) -> Found | None:
    for number, world in enumerate(hunted(planted.hunt, most=most), 1):
        with ExitStack() as stack:
            stack.enter_context(planted.patch())
            stack.callback(ground.clear)  # before the patch ends: it may have let in what the database refuses
            played = world.play(ground, planted.hunt)
            told = next((each for each in played.violations if each.invariant in planted.shows), None)
        if told is not None:
            return Found(planted, told, number, played.story)
    return None


def bent(hunt: Hunt, **changes: object) -> Hunt:
    """The same hunt, otherwise."""
    return replace(hunt, **changes)  # type: ignore[arg-type]
