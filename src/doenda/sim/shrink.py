"""Shrinking: the fewest steps, and the fewest kinds of mishap, by which the same invariant is still violated.

Steps are dropped in halves, quarters and so on (delta debugging); then each rate is set to zero where that changes
nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from doenda.sim.run import Played
from doenda.sim.schedule import Rates, Schedule

MOST = 150
"""Plays that one shrinking may cost."""

type Play = Callable[[Schedule, frozenset[int]], Played]


@dataclass(frozen=True)
class Shrunk:
    """The smallest that was found; `played` is what became of it, `plays` what it cost."""

    schedule: Schedule
    only: frozenset[int]
    played: Played
    plays: int


class _Search:
    def __init__(self, play: Play, schedule: Schedule, found: Played) -> None:
        self._play, self._invariant = play, found.violations[0].invariant
        self.schedule, self.played, self.plays = schedule, found, 0
        self.only = frozenset(step.number for step in schedule.steps)

    def tries(self, schedule: Schedule, only: frozenset[int]) -> bool:
        """Is it violated so as well? Then this is what is shrunk further."""
        if self.plays >= MOST:
            return False
        self.plays += 1
        played = self._play(schedule, only)
        if all(each.invariant != self._invariant for each in played.violations):
            return False
        self.schedule, self.only, self.played = schedule, only, played
        return True


def shrink(play: Play, schedule: Schedule, found: Played) -> Shrunk:
    """Shrink a schedule that violated something. `play` must be the same play every time."""
    search = _Search(play, schedule, found)
    last = found.violations[0].step
    if last is not None:  # what came after it has nothing to do with it
        search.tries(schedule, frozenset(number for number in search.only if number <= last))
    _drop_steps(search)
    for name in ("between", "deaths", "lost", "reset"):
        rates: Rates = search.schedule.rates
        if getattr(rates, name):
            search.tries(replace(search.schedule, rates=replace(rates, **{name: 0.0})), search.only)
    _drop_steps(search)
    return Shrunk(search.schedule, search.only, search.played, search.plays)


def _drop_steps(search: _Search) -> None:
    parts = 2
    while search.only and parts <= 2 * len(search.only):
        numbers = sorted(search.only)
        size = max(1, len(numbers) // parts)
        chunks = [frozenset(numbers[at : at + size]) for at in range(0, len(numbers), size)]
        if any(search.tries(search.schedule, search.only - chunk) for chunk in chunks):
            parts = max(2, parts - 1)
        elif size == 1:
            break
        else:
            parts *= 2
