"""Replaying: the same seed must give the same story and the same books, in this process or in another."""

from dataclasses import dataclass, replace

from doenda.sim import acts
from doenda.sim.building import Plan
from doenda.sim.ground import Ground
from doenda.sim.run import Played, play
from doenda.sim.schedule import Schedule, Step, draw

NEAR_A_BAR = 6
"""One seed in so many begins where others seldom come to: a suspension was announced, and its day has come."""
BARRED = {"a_barred_customer_pays": 2.5, "promise": 0.2}
"""How much likelier there: people pay once their line is stopped, rather than ask for time."""
OFTEN, SELDOM = 3.0, 0.25
"""How much more collections work where much is overdue, and how much less where nothing is due yet."""


@dataclass(frozen=True)
class Replayed:
    """Two plays of one seed."""

    first: Played
    second: Played

    @property
    def identical(self) -> bool:
        return self.first.fingerprint == self.second.fingerprint


def schedule_of(seed: int) -> Schedule:
    """The schedule that this version of the acts draws from a seed, in the world that the seed plans."""
    plan, subjects = Plan.of(seed), acts.subjects()
    near = seed % NEAR_A_BAR == 0
    often = OFTEN if plan.overdue or near else SELDOM
    weights = acts.weights(plan.providers)
    weights = {name: weight * (often if subjects[name] == "collections" else 1.0) for name, weight in weights.items()}
    if near:
        weights = {name: weight * BARRED.get(name, 1.0) for name, weight in weights.items()}
    drawn = draw(seed, weights, subjects, "collections" if near or (plan.overdue and seed % 2) else "")
    if not near:
        return drawn
    return replace(drawn, steps=(Step(len(drawn.steps), "a_bar_is_near"), *drawn.steps))


def replay(ground: Ground, seed: int) -> Replayed:
    """Play a seed twice."""
    schedule = schedule_of(seed)
    return Replayed(play(ground, schedule), play(ground, schedule))
