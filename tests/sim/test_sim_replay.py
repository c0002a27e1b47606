"""A seed gives the same world every time, whatever was played before it, and holds what must hold."""

import pytest
from tests.sim.sim_made import ground_laid

from doenda.sim import replay
from doenda.sim.building import EVERY, Plan
from doenda.sim.ground import Ground
from doenda.sim.run import play

assert ground_laid


def test_a_seed_is_replayed_identically_also_after_others(ground_laid: Ground) -> None:
    first = play(ground_laid, replay.schedule_of(2))
    play(ground_laid, replay.schedule_of(5))
    again = play(ground_laid, replay.schedule_of(2))
    assert first.fingerprint == again.fingerprint
    assert first.story == again.story
    assert (first.points, first.kinds, first.faults) == (again.points, again.kinds, again.faults)


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_after_any_world_every_won_is_where_the_banks_say_it_is(ground_laid: Ground, seed: int) -> None:
    played = play(ground_laid, replay.schedule_of(seed))
    assert played.violations == [], "\n".join(played.story)
    assert played.steps >= 12


def test_all_providers_are_played() -> None:
    plans = [Plan.of(seed) for seed in range(60)]
    assert {name for plan in plans for name in plan.providers} == set(EVERY)
    assert len({plan.begins for plan in plans}) > 4
    assert {plan.customers for plan in plans} == {1, 2, 3}
