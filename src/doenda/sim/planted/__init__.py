"""Mistakes put into the real house on purpose, as others make them: the simulator must find every one.

One file a subject; each mistake is a small patch of real functions and says where it is looked for. May touch whatever
the simulator may; nothing outside `find` ever runs patched.
"""

from collections.abc import Iterator, Sequence
from functools import cache

from doenda.sim.ground import Ground
from doenda.sim.invariants import Violation
from doenda.sim.planted import debits, deposits, fairness, leaving, left, outcomes, sending
from doenda.sim.planted.hunting import Found, Hunt, Planted, hunted, look
from doenda.sim.run import Played

__all__ = ["Found", "Hunt", "Planted", "Violation", "control", "every", "find", "run_all"]

MOST = 40
"""Worlds in which a mistake must have shown."""


@cache
def every() -> tuple[Planted, ...]:
    """All of them, in the order in which they are told."""
    rooms = (outcomes, deposits, debits, sending, fairness, left, leaving)
    return tuple(each for room in rooms for each in room.PLANTED)


def find(ground: Ground, planted: Planted, *, most: int = MOST) -> Found | None:
    """Play the mistake's own worlds with the mistake in the house, until an invariant tells; None after `most`."""
    return look(ground, planted, most=most)


def control(ground: Ground, found: Found) -> Iterator[Played]:
    """The worlds that were played until it was found, without the mistake: each must be clean."""
    for each in hunted(found.planted.hunt, most=found.worlds):
        yield each.play(ground, found.planted.hunt)


def run_all(ground: Ground, *, most: int = MOST, only: Sequence[str] = ()) -> list[tuple[Planted, Violation | None]]:
    """Look for every mistake (or those named); what told of it, or None where it was not found."""
    wanted = [each for each in every() if not only or each.name in only]
    return [(each, found.violation if (found := find(ground, each, most=most)) else None) for each in wanted]
