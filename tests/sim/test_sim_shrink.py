"""Shrinking finds the few steps that it takes, and the story says in words what happened."""

from unittest import mock

import pytest
from tests.sim.sim_made import ground_laid

from doenda.payments import outcomes
from doenda.sim import replay, shrink, story
from doenda.sim.building import Plan
from doenda.sim.ground import Ground
from doenda.sim.invariants import Violation
from doenda.sim.pinned import NOON
from doenda.sim.run import Played, play
from doenda.sim.schedule import Rates, Schedule, Step

assert ground_laid
STEPS = tuple(Step(number, "worker") for number in range(20))


def _wrong(seed: int, step: int | None = None) -> Played:
    return Played(seed, [Violation("I2", "charged twice", step)])


def test_only_the_steps_that_it_takes_are_left_and_no_rate_that_it_does_not_need() -> None:
    schedule = Schedule(1, STEPS, Rates(between=0.1, deaths=0.1, lost=0.1), {})

    def played(tried: Schedule, only: frozenset[int]) -> Played:
        bad = {3, 11} <= only and tried.rates.deaths > 0
        return _wrong(1) if bad else Played(1, [Violation("I9", "something else", None)])

    found = shrink.shrink(played, schedule, _wrong(1))
    assert found.only == {3, 11}
    assert found.schedule.rates == Rates(deaths=0.1)
    assert found.plays <= shrink.MOST


def test_what_came_after_the_violation_is_dropped_at_once() -> None:
    tried: list[frozenset[int]] = []

    def played(_: Schedule, only: frozenset[int]) -> Played:
        tried.append(only)
        return _wrong(1, 4)

    shrink.shrink(played, Schedule(1, STEPS, Rates(), {}), _wrong(1, 4))
    assert tried[0] == {0, 1, 2, 3, 4}


@pytest.mark.usefixtures("noon")
def test_a_planted_mistake_is_told_as_a_short_story(ground_laid: Ground) -> None:
    """Whatever the bank took is not posted: the first customer who pays shows it."""
    acts = ("worker", "time_passes", "looks", "worker", "pay", "letter", "worker", "time_passes")
    plan = Plan(("sandbox",), NOON, 1)
    schedule = Schedule(4, tuple(Step(number, act) for number, act in enumerate(acts)), Rates(trouble=0.0), {})

    def played(tried: Schedule, only: frozenset[int]) -> Played:
        return play(ground_laid, tried, only=only, plan=plan)

    with mock.patch.object(outcomes, "settle", return_value=None):
        found = play(ground_laid, schedule, plan=plan)
        assert found.violations
        small = shrink.shrink(played, schedule, found)
    assert small.only == {4}
    told = story.tell_shrunk(small, len(acts))
    assert "the customer of A-1 chose to approve on the page of sandbox" in told
    assert "what is wrong at the end:" in told
    assert "1 of 8 steps show it" in told
    assert len(told.splitlines()) < 25
    assert not play(ground_laid, schedule, plan=plan).violations


def test_a_good_play_has_a_story_as_well(ground_laid: Ground) -> None:
    assert "nothing is wrong" in story.tell(play(ground_laid, replay.schedule_of(3)))
