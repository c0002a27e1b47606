"""Replaying: the same seed must give the same story and the same books, in this process or in another."""

from dataclasses import dataclass

from doenda.sim import acts
from doenda.sim.building import Plan
from doenda.sim.ground import Ground
from doenda.sim.run import Played, play
from doenda.sim.schedule import Schedule, draw

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
    weights = acts.weights(plan.providers)
    often = OFTEN if plan.overdue else SELDOM
    weights = {name: weight * (often if subjects[name] == "collections" else 1.0) for name, weight in weights.items()}
    return draw(seed, weights, subjects, "collections" if plan.overdue and seed % 2 else "")


def replay(ground: Ground, seed: int) -> Replayed:
    """Play a seed twice."""
    schedule = schedule_of(seed)
    return Replayed(play(ground, schedule), play(ground, schedule))
