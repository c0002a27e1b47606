"""What `simulate` says of many schedules: what they never came to fails them, and which edges nobody can take."""

from doenda.sim.fleet import Seen
from doenda.sim.report import MANY, SELDOM, Report


def told(schedules: int, **happened: int) -> Report:
    report = Report()
    for seed in range(schedules):
        report.take(Seen("played", seed, happened=happened))
    return report


def test_many_schedules_that_never_came_to_something_say_so() -> None:
    report = told(MANY, **dict.fromkeys(SELDOM, 1) | {"restores": 0})
    assert report.not_reached() == ["restores"]
    assert report.figures(1.0)["happened.bars"] == MANY


def test_few_schedules_need_not_come_to_everything() -> None:
    assert told(3).not_reached() == []


def test_edges_that_nobody_can_take_stand_apart_from_those_merely_not_taken() -> None:
    lines = {line.partition(":")[0]: line for line in told(1).more()}
    assert "created > at_provider" not in lines["edges never taken"]
    assert "unknown > closed" not in lines["edges never taken"]
    assert "sent > paid" in lines["edges never taken"]
    assert "created > at_provider" in lines["edges that no provider here has (money that moves on a page)"]
    assert "unknown > closed" in lines["edges that are declared, and that no code of the house writes"]
