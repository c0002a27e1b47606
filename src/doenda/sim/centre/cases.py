"""What happens at a made-up centre: how many agents, how much work, how patient the callers. Times in seconds."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, pi, sin, sqrt

from doenda.kernel.randomness import Chance

HANDLING = 300.0
"""Mean seconds of a talk with its wrap-up."""
WARM_UP = 3600.0
"""Seconds whose callers are not counted: an empty centre fills."""
STEADY = 0.1
"""Share of callers who never give up: by them the estimates are judged."""
HALF_HOUR, FOUR_HOURS = 1800.0, 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Case:
    """`load`: work that comes over work that can be done, at an instant. `patience`: its mean; inf: nobody gives up.

    `cv` of the handling time: 1 is exponential, else lognormal. Shares of callers: who take a `callback` when it is
    offered, who `repeat` when they gave up, who speak `english`, which a third of the agents does. `retold`: told anew
    every minute. `mean`: seconds of a talk.
    """

    name: str
    agents: int
    load: Callable[[float], float]
    most: float
    patience: float
    cv: float = 1.0
    callback: float = 0.0
    repeat: float = 0.0
    english: float = 0.0
    retold: bool = False
    mean: float = HANDLING

    def arrivals_a_second(self, at: float) -> float:
        return self.agents * self.load(at) / self.mean

    def next_arrival(self, at: float, chance: Chance) -> float:
        """The next of a Poisson process whose rate follows the load (by thinning)."""
        highest = self.agents * self.most / self.mean
        while True:
            at += chance.expovariate(highest)
            if chance.random() * highest <= self.arrivals_a_second(at):
                return at

    def handling(self, chance: Chance) -> float:
        if self.cv == 1.0:
            return chance.expovariate(1 / self.mean)
        spread = log(1 + self.cv**2)
        return chance.lognormvariate(log(self.mean) - spread / 2, sqrt(spread))

    def gives_up_after(self, chance: Chance) -> float:
        return chance.expovariate(1 / self.patience) if self.patience < inf else inf


def _sine(at: float) -> float:
    return 1.2 + 0.8 * sin(2 * pi * at / FOUR_HOURS)


def _alternating(at: float) -> float:
    return 1.9 if int(at // HALF_HOUR) % 2 else 0.5


def _at(name: str, agents: int, load: float, patience: float, **more: float) -> Case:
    return Case(name, agents, lambda at: load, load, patience, **more)  # type: ignore[arg-type]


CASES = (
    _at("agents_100", 100, 0.95, inf),
    _at("overload_100", 100, 1.4, 300.0),
    _at("lognormal_100", 100, 1.4, 300.0, cv=1.2),
    Case("sine_100", 100, _sine, 2.0, 300.0),
    Case("alternating_50", 50, _alternating, 1.9, 300.0),
    _at("overload_10", 10, 1.4, 300.0),
    _at("lognormal_10", 10, 1.4, 300.0, cv=1.2),
    _at("overload_200", 200, 1.5, 600.0),
    _at("retold_10", 10, 1.2, 900.0, retold=True),
    _at("retold_30", 30, 1.5, 1800.0, retold=True),
    _at("callbacks_30", 30, 1.2, 600.0, callback=0.4),
    _at("repeats_30", 30, 1.3, 300.0, repeat=0.6),
    _at("languages_30", 30, 1.2, 300.0, english=0.25),
)
