"""The places at which a process can die or lose its connection, numbered as they are passed.

Two modes: by the schedule's rates, or at exactly one number (the sweep). Both count.
"""

from collections import Counter
from enum import StrEnum

from doenda.kernel.randomness import Chance
from doenda.sim.schedule import Rates


class Point(StrEnum):
    """What is about to happen, or has just happened, where the process can end."""

    BEGIN = "before a transaction"
    BEFORE = "before a commit"
    AFTER = "after a commit"
    LOST = "a commit's acknowledgement is lost"
    RESET = "the connection is lost before a commit"
    CALL = "before a call"
    ANSWER = "after a call"


class Points:
    """`strikes(kind)` is asked at every point. `die_at`: the one number at which it is so; None: the rates say."""

    def __init__(self, rates: Rates, die_at: int | None = None) -> None:
        self.rates, self.die_at = rates, die_at
        self.passed = 0
        self.kinds: Counter[str] = Counter()
        self.struck: tuple[int, Point] | None = None
        self.asleep = False
        """While the world heals, and while nobody of the house acts, nothing is counted and nothing strikes."""

    def strikes(self, kind: Point, chance: Chance) -> bool:
        if self.asleep:
            return False
        self.passed += 1
        self.kinds[kind] += 1
        if self.die_at is not None:
            if self.passed != self.die_at:
                return False
        else:
            rate = self._rate(kind)
            if not rate or chance.random() >= rate:
                return False
        self.struck = (self.passed, kind)
        return True

    def _rate(self, kind: Point) -> float:
        match kind:
            case Point.LOST:
                return self.rates.lost
            case Point.RESET:
                return self.rates.reset
        return self.rates.deaths
