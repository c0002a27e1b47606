"""A demo is begun whenever somebody has time; its customers are written to by day."""

from datetime import date
from typing import Any

import pytest

from doenda.demo import morning
from doenda.kernel import clock, offset


@pytest.mark.parametrize(("hour", "day"), [(2, 22), (20, 23), (23, 23), (8, 22)])
def test_a_demo_begun_at_night_begins_in_the_morning(committed_db: str, settings: Any, hour: int, day: int) -> None:
    settings.DOENDA_MOVABLE_CLOCK = True
    with clock.freeze(clock.at(date(2014, 10, 22), hour)) as frozen:

        def advance(step: Any) -> Any:
            frozen.advance(step)
            return clock.now()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(offset, "advance", advance)
            assert morning.wake()
        assert clock.now() == clock.at(date(2014, 10, day), 9, 30)


@pytest.mark.parametrize("hour", [9, 12, 18])
def test_by_day_it_begins_now(hour: int) -> None:
    with clock.freeze(clock.at(date(2014, 10, 22), hour)):
        assert morning.wake() == ""
