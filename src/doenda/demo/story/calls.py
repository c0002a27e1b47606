"""The call centre of then: agents, one line of callers, and a disconnection after so many seconds (row 2). Pure.

First come, first served, and everybody has the same patience: the carrier's. So whoever would have to wait longer never
takes an agent's time, and one pass in the order of arrival is exact.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from doenda.demo.story.scenario import Scenario
from doenda.kernel import randomness
from doenda.kernel.randomness import Chance

OTHERS = 0


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """`at` in seconds; `who` is a customer's number, or `OTHERS`."""

    at: float
    who: int = OTHERS


def answered(
    calls: Iterable[Call], *, opens: float, closes: float, scenario: Scenario, customers: int, seed: str
) -> dict[int, float]:
    """The customers who reached an agent on a day, and after how many seconds. The carrier's other callers are drawn
    from the seed."""
    chance = randomness.stream(f"calls {seed}")
    agents = max(1, round(scenario.lines_a_thousand * customers / 1000))
    others = _others(chance, opens, closes, scenario.other_callers * agents / scenario.talk_seconds)
    free = [opens] * agents
    heapq.heapify(free)
    through: dict[int, float] = {}
    for call in sorted([*calls, *others]):
        begins = max(call.at, free[0])
        if begins - call.at > scenario.hold_seconds:
            continue
        heapq.heapreplace(free, begins + chance.expovariate(1 / scenario.talk_seconds))
        if call.who != OTHERS:
            through[call.who] = begins - call.at
    return through


def _others(chance: Chance, opens: float, closes: float, a_second: float) -> Iterator[Call]:
    at = opens + chance.expovariate(a_second)
    while at < closes:
        yield Call(at)
        at += chance.expovariate(a_second)
