"""Schedules follow from their seed alone; points strike where they are told to."""

from doenda.kernel import randomness
from doenda.sim.points import Point, Points
from doenda.sim.schedule import FEWEST, MOST, Rates, draw

WEIGHTS = {"pay": 5.0, "worker": 5.0, "trouble": 2.0}


def test_a_seed_has_one_schedule_and_another_seed_another() -> None:
    assert draw(7, WEIGHTS) == draw(7, dict(reversed(WEIGHTS.items())))
    assert draw(7, WEIGHTS) != draw(8, WEIGHTS)


def test_every_schedule_is_of_a_length_that_people_can_read() -> None:
    lengths = {len(draw(seed, WEIGHTS).steps) for seed in range(200)}
    assert (min(lengths), max(lengths)) == (FEWEST, MOST)


def test_worlds_in_which_nothing_fails_are_drawn_as_well() -> None:
    rates = [draw(seed, WEIGHTS).rates for seed in range(300)]
    for name in ("between", "deaths", "lost", "reset", "trouble"):
        drawn = {getattr(each, name) for each in rates}
        assert 0.0 in drawn
        assert len(drawn) > 1
    assert Rates(0.0, 0.0, 0.0, 0.0, 0.0) in rates
    calm = next(seed for seed in range(300) if rates[seed].trouble == 0.0)
    assert all(step.act != "trouble" for step in draw(calm, WEIGHTS).steps)


def test_points_are_counted_and_one_is_died_at() -> None:
    points, chance = Points(Rates(deaths=1.0), die_at=3), randomness.stream(1)
    struck = [points.strikes(kind, chance) for kind in (Point.BEGIN, Point.BEFORE, Point.AFTER, Point.LOST)]
    assert struck == [False, False, True, False]
    assert (points.passed, points.struck) == (4, (3, Point.AFTER))
    points.asleep = True
    assert not points.strikes(Point.CALL, chance)
    assert points.passed == 4


def test_by_rates_each_kind_has_its_own() -> None:
    points, chance = Points(Rates(lost=1.0)), randomness.stream(1)
    assert [points.strikes(kind, chance) for kind in Point] == [kind is Point.LOST for kind in Point]
