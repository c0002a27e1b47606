"""What no move of a journey changes: failed dependencies, the hour, the line, the stage; and sets of such worlds.

A set of worlds is an int: bit `i` stands for `WORLDS[i]`. Intersection is `&`, union `|`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, combinations, product

from doenda.journeys.declarations import DEPENDENCIES, METHODS

type WorldSet = int

HOURS = ("day", "night", "sunday", "centre_closed")
STAGES = ("none", "reminded", "noticed", "outgoing_barred", "fully_barred")
LINES: dict[str, tuple[str, ...]] = {
    "active": ("none", "reminded", "noticed"),
    "outgoing_barred": ("outgoing_barred",),
    "fully_barred": ("fully_barred",),
    "lost_phone": STAGES,
}
"""Each state of the line with the dunning stages that go with it."""

TEXTS_REACH = frozenset({"active", "outgoing_barred"})

WAYS = METHODS
PAID_NOW = ("card", "transfer", "deposit", "store")
"""Methods by which a bill can be paid while the customer is there; a debit is only instructed."""
CLOSED: dict[str, frozenset[str]] = {"transfer": frozenset({"night"}), "deposit": frozenset({"night"})}
"""Hours at which a way cannot be chosen, here those at which the banks are closed (assurance/calendars.toml)."""


@dataclass(frozen=True, slots=True)
class World:
    """One way in which everything outside the journey may stand, for good."""

    failed: frozenset[str]
    hour: str
    line: str
    stage: str

    def __str__(self) -> str:
        failed = ", ".join(d for d in DEPENDENCIES if d in self.failed) or "nothing"
        return f"failed: {failed}; hour: {self.hour}; line: {self.line}; stage: {self.stage}"

    @property
    def trouble(self) -> tuple[int, int, int]:
        """Sorts worlds by how little is unusual in them, for counterexamples that are easy to read."""
        return len(self.failed), HOURS.index(self.hour), STAGES.index(self.stage)


class Worlds:
    """A numbered family of worlds with the sets that the moves depend on.

    `weights`: how many worlds each of them stands for: those that nothing in the journeys can tell from it.
    """

    def __init__(self, worlds: Iterable[World], weights: Sequence[int] = ()) -> None:
        self.each = tuple(worlds)
        self.weights = tuple(weights) or (1,) * len(self.each)
        self.all: WorldSet = (1 << len(self.each)) - 1
        self.failed = {d: self.where(lambda w, d=d: d in w.failed) for d in DEPENDENCIES}  # type: ignore[misc]
        self.open = {way: self.all & ~self._at(CLOSED.get(way, frozenset())) for way in WAYS}
        self.texts_arrive = self.where(lambda w: w.line in TEXTS_REACH) & ~self.failed["message_gateway"]
        self._of_weight = {n: self._weighing(n) for n in set(self.weights)}

    def where(self, true: Callable[[World], bool]) -> WorldSet:
        """The set of worlds of which `true` holds."""
        return sum(1 << number for number, world in enumerate(self.each) if true(world))

    def _weighing(self, weight: int) -> WorldSet:
        return sum(1 << number for number, each in enumerate(self.weights) if each == weight)

    def count(self, some: WorldSet) -> int:
        """How many worlds a set stands for."""
        return sum(weight * (some & where).bit_count() for weight, where in self._of_weight.items())

    def members(self, some: WorldSet) -> Iterator[World]:
        """The worlds of a set, in order."""
        while some:
            lowest = some & -some
            yield self.each[lowest.bit_length() - 1]
            some ^= lowest

    def plainest(self, some: WorldSet) -> tuple[World, WorldSet]:
        """The least unusual world of a set, and the set of it alone."""
        world = min(self.members(some), key=lambda w: w.trouble)
        return world, 1 << self.each.index(world)

    def _at(self, hours: frozenset[str]) -> WorldSet:
        return self.where(lambda world: world.hour in hours)

    def works(self, way: str) -> WorldSet:
        """Where the way is open at this hour and its provider works."""
        return self.open[way] & ~self.failed[way]

    def some_way_works(self) -> WorldSet:
        """Where the bill can be paid now."""
        found = 0
        for way in PAID_NOW:
            found |= self.works(way)
        return found

    def may_be_offered(self, way: str) -> WorldSet:
        """A failed way is known to have failed, and so not offered, while it is probed; unprobed it may slip in."""
        return self.works(way) | (self.open[way] & self.failed["prober"])


def all_worlds() -> Iterator[World]:
    """Each set of failed dependencies, with each hour, and each line in each stage that goes with it."""
    pairs = [(line, stage) for line, stages in LINES.items() for stage in stages]
    for failed, hour, (line, stage) in product(_subsets(DEPENDENCIES), HOURS, pairs):
        yield World(failed, hour, line, stage)


def likeness(world: World, noticed: frozenset[str]) -> tuple[frozenset[str], frozenset[str], bool]:
    """What the journeys can tell of a world, if their actions need no other dependencies than `noticed`."""
    closed = frozenset(way for way, hours in CLOSED.items() if world.hour in hours)
    return world.failed & noticed, closed, world.line in TEXTS_REACH


@cache
def every_world(noticed: frozenset[str] = frozenset(DEPENDENCIES)) -> Worlds:
    """Every world, those that nothing can tell apart as one: so the proof of one is the proof of all of them."""
    classes: dict[object, list[World]] = {}
    for world in all_worlds():
        classes.setdefault(likeness(world, noticed), []).append(world)
    plainest = [min(alike, key=lambda w: w.trouble) for alike in classes.values()]
    return Worlds(plainest, [len(alike) for alike in classes.values()])


@cache
def fewer_worlds() -> Worlds:
    """The worlds in which at most so many things fail at once, or all of them; quick, for hunting planted bugs."""
    lines = (("active", "noticed"), ("lost_phone", "noticed"))
    failed = [some for some in _subsets(DEPENDENCIES) if len(some) <= AT_ONCE or len(some) >= len(DEPENDENCIES) - 1]
    return Worlds(
        World(some, hour, line, stage) for some, hour, (line, stage) in product(failed, ("day", "night"), lines)
    )


AT_ONCE = 2


def _subsets(names: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(s) for s in chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))]
