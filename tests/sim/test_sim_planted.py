"""Mistakes put into the house on purpose: each is found in its few worlds, and without it these worlds are clean."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
from tests.sim.sim_made import ground_laid

from doenda.sim import planted
from doenda.sim.ground import Ground
from doenda.sim.planted import Planted

assert ground_laid
SOON = 8
"""Worlds within which each is found today; `planted.MOST` is what an act that changes may cost."""


@pytest.mark.parametrize("bug", planted.every(), ids=lambda bug: bug.name)
def test_a_planted_mistake_is_found_and_its_worlds_are_clean_without_it(bug: Planted, ground_laid: Ground) -> None:
    found = planted.find(ground_laid, bug, most=SOON)
    assert found is not None, f"{bug.name} lives on: {bug.words}"
    assert found.violation.invariant in bug.shows
    assert found.story
    clean = [str(each) for played in planted.control(ground_laid, found) for each in played.violations]
    assert clean == []


def test_there_are_enough_and_each_has_its_own_name_and_words() -> None:
    known = planted.every()
    assert len(known) >= 14
    assert len({each.name for each in known}) == len({each.words for each in known}) == len(known)
    told = frozenset().union(*(each.shows for each in known))
    assert {"I2", "I3", "I4", "I5", "I6", "I8", "I9", "I12"} <= told


def test_a_mistake_that_is_not_there_is_not_found(ground_laid: Ground) -> None:
    """The same worlds with a patch that changes nothing."""
    bug = replace(planted.every()[0], patch=nullcontext)
    assert planted.find(ground_laid, bug, most=2) is None
    assert planted.run_all(ground_laid, most=1, only=["no such mistake"]) == []
