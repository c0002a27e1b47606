"""The crash sweep: every point of a world is one at which the process really dies, and nothing is lost by it."""

from tests.sim.sim_made import ground_laid

from doenda.sim import pinned, sweep
from doenda.sim.building import EVERY
from doenda.sim.ground import Ground
from doenda.sim.points import Point

assert ground_laid


def test_there_are_sixty_pinned_worlds_and_they_have_every_provider() -> None:
    worlds = list(pinned.worlds())
    assert len(worlds) >= 60
    assert len({world.name for world in worlds}) == len(worlds)
    assert {name for world in worlds for name in world.plan.providers} == set(EVERY)


def test_dying_at_every_point_of_a_payment_loses_nothing(ground_laid: Ground) -> None:
    world = next(each for each in pinned.worlds() if each.name.startswith("sandbox: pays (1"))
    found = sweep.sweep(ground_laid, world)
    assert [each.violations for each in found.failed] == []
    assert found.covered == found.points > 20
    assert {Point(kind) for kind in found.kinds} == set(Point)
