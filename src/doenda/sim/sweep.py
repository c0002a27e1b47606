"""The crash sweep: a pinned world is played once to count its points, then once for each point, dying exactly there."""

from collections import Counter
from dataclasses import dataclass, field, replace

from doenda.sim.ground import Ground
from doenda.sim.pinned import Pinned
from doenda.sim.run import Played, play


@dataclass
class Swept:
    """What became of one pinned world. `covered`: points at which it was really made to die."""

    name: str
    points: int = 0
    covered: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    failed: list[Played] = field(default_factory=list)
    moves: set[tuple[str, str]] = field(default_factory=set)


def sweep(ground: Ground, pinned: Pinned, *, most: int | None = None) -> Swept:
    """Die at every point (or the first `most`) of one world."""
    schedule = pinned.schedule()
    counted = play(ground, schedule, plan=pinned.plan, die_at=0)
    found = Swept(pinned.name, points=counted.points, kinds=counted.kinds, moves=set(counted.moves))
    if counted.violations:
        found.failed.append(counted)
    for point in range(1, (counted.points if most is None else min(most, counted.points)) + 1):
        played = play(ground, schedule, plan=pinned.plan, die_at=point)
        found.covered += played.struck is not None and played.struck[0] == point
        found.moves |= played.moves
        if played.violations:
            found.failed.append(replace(played, story=[f"({pinned.name}, point {point})", *played.story]))
    return found
