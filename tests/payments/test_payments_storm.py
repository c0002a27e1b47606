"""Random schedules over the money path. More of them by hand: `DOENDA_STORM=100:400 pytest` and this file."""

import os

import pytest
from tests.payments.payments_storm import Storm
from tests.worlds import World

from doenda.kernel import clock, randomness

FIRST, LAST = (int(each) for each in os.environ.get("DOENDA_STORM", "0:40").split(":"))
TOGETHER = 10
"""Schedules that share a database: making one costs as much as a schedule."""


@pytest.mark.parametrize("first", range(FIRST, LAST, TOGETHER))
def test_after_any_storm_every_won_is_where_the_bank_says_it_is(
    committed_db: str, noon: clock.Frozen, first: int
) -> None:
    for seed in range(first, min(first + TOGETHER, LAST)):
        with randomness.seeded(seed) as rng:
            storm = Storm(seed, rng, noon, World())
            try:
                storm.run(rng.randint(15, 50))
                storm.heal()
            except BaseException as wrong:
                wrong.add_note("\n".join([f"seed {seed} ({storm.rates}):", *storm.log]))
                raise
