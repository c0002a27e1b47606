"""Made-up traffic of one way in seconds: walks every half minute, customers by chance, and what becomes of them.

A fault begins at second 0. Before it 5 % of real tries and 1 % of walks fail, independently.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from doenda.kernel.randomness import Chance

EVERY = 30.0
REAL_FAIL, WALK_FLAKE = 0.05, 0.01
WARM_UP = 4200.0
"""Seconds of healthy traffic before the fault: more than the longest memory of any of the rules."""
LONGEST = 3600.0
"""Seconds after which a fault counts as not noticed."""
TRY_TAKES, WALK_TAKES = 3.0, 4.0
TRY_HANGS, WALK_HANGS = 60.0, 20.0
DAY, YEAR = 86_400.0, 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What fails from second 0 on: the share of real tries and of walks. `hangs`: a failure is known at its time limit.

    `shallow`: walks stop before the last step, so they pass and prove nothing. `dead`: nothing is heard any more.
    """

    name: str
    a_minute: float
    real: float
    walks: float
    hangs: bool = False
    shallow: bool = False
    dead: bool = False


FAULTS = (
    Fault("total", 5, real=1.0, walks=1.0),
    Fault("hang", 5, real=1.0, walks=1.0, hangs=True),
    Fault("half", 5, real=0.5, walks=0.5),
    Fault("blind_5", 5, real=1.0, walks=WALK_FLAKE),
    Fault("blind_1", 1, real=1.0, walks=WALK_FLAKE),
    Fault("shallow", 5, real=1.0, walks=0.0, shallow=True),
    Fault("monitor_dead", 5, real=1.0, walks=1.0, dead=True),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome. `began` and `known` in seconds; `proves`: a success that reached the last step."""

    began: float
    known: float
    walk: bool
    ok: bool
    proves: bool


def walk(fault: Fault, began: float, chance: Chance) -> Seen:
    """What becomes of a walk that begins then."""
    broken = began >= 0
    ok = chance.random() >= (fault.walks if broken else WALK_FLAKE)
    takes = WALK_HANGS if broken and fault.hangs and not ok else WALK_TAKES
    return Seen(began, began + takes, walk=True, ok=ok, proves=ok and not fault.shallow)


def _tried(fault: Fault, began: float, chance: Chance) -> Seen:
    broken = began >= 0
    ok = chance.random() >= (fault.real if broken else REAL_FAIL)
    takes = TRY_HANGS if broken and fault.hangs and not ok else TRY_TAKES
    return Seen(began, began + takes, walk=False, ok=ok, proves=ok)


def trace(fault: Fault, chance: Chance, *, begins: float = -WARM_UP, ends: float = LONGEST) -> Iterator[Seen]:
    """Walks and tries in the order in which they begin."""
    next_walk, next_try = begins + chance.random() * EVERY, begins
    while True:
        next_try = next_try if next_try > begins else begins + chance.expovariate(fault.a_minute / 60)
        began = min(next_walk, next_try)
        if began >= ends or (fault.dead and began >= 0):
            return
        if began == next_walk:
            yield walk(fault, began, chance)
            next_walk += EVERY
        else:
            yield _tried(fault, began, chance)
            next_try = began + chance.expovariate(fault.a_minute / 60)
