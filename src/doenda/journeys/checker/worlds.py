"""What no move of a journey changes: failed dependencies, the hour, the line, the stage; and sets of such worlds.

A set of worlds is an int: bit `i` stands for `WORLDS[i]`. Intersection is `&`, union `|`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, product

from doenda.journeys.declarations import DEPENDENCIES

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

WAYS = ("card", "transfer")
CLOSED: dict[str, frozenset[str]] = {"transfer": frozenset({"night"})}


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
    """A numbered family of worlds with the sets that the moves depend on."""

    def __init__(self, worlds: Iterable[World]) -> None:
        self.each = tuple(worlds)
        self.all: WorldSet = (1 << len(self.each)) - 1
        self.failed = {d: self.where(lambda w, d=d: d in w.failed) for d in DEPENDENCIES}  # type: ignore[misc]
        self.open = {way: self.all & ~self._at(CLOSED.get(way, frozenset())) for way in WAYS}
        self.texts_arrive = (
            self.where(lambda w: w.line in {"active", "outgoing_barred"}) & ~self.failed["message_gateway"]
        )

    def where(self, true: Callable[[World], bool]) -> WorldSet:
        """The set of worlds of which `true` holds."""
        return sum(1 << number for number, world in enumerate(self.each) if true(world))

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

    def _failed(self, dependency: str) -> WorldSet:
        return self.where(lambda world: dependency in world.failed)

    def _at(self, hours: frozenset[str]) -> WorldSet:
        return self.where(lambda world: world.hour in hours)

    def works(self, way: str) -> WorldSet:
        """Where the way is open at this hour and its provider works."""
        return self.open[way] & ~self.failed[way]

    def some_way_works(self) -> WorldSet:
        return self.works("card") | self.works("transfer")

    def may_be_offered(self, way: str) -> WorldSet:
        """A failed way is known to have failed, and so not offered, while it is probed; unprobed it may slip in."""
        return self.works(way) | (self.open[way] & self.failed["prober"])


def every_world() -> Worlds:
    """Each set of failed dependencies, with each hour, and each line in each stage that goes with it."""
    pairs = [(line, stage) for line, stages in LINES.items() for stage in stages]
    return Worlds(
        World(failed, hour, line, stage)
        for failed, hour, (line, stage) in product(_subsets(DEPENDENCIES), HOURS, pairs)
    )


def fewer_worlds() -> Worlds:
    """The worlds that differ in something a journey can notice; quick, for hunting planted bugs."""
    noticed = tuple(d for d in DEPENDENCIES if d not in {"webhook", "switch"})
    lines = (("active", "noticed"), ("lost_phone", "noticed"))
    return Worlds(
        World(failed, hour, line, stage)
        for failed, hour, (line, stage) in product(_subsets(noticed), ("day", "night"), lines)
    )


def _subsets(names: tuple[str, ...]) -> list[frozenset[str]]:
    return [frozenset(s) for s in chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))]
