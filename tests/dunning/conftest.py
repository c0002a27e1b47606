from collections.abc import Iterator

import pytest
from tests.dunning.dunning_house import House
from tests.worlds import world

from doenda.kernel import clock


@pytest.fixture
def house(db: None, noon: clock.Frozen) -> Iterator[House]:
    with world() as made:
        yield House(made, noon)


@pytest.fixture
def real_house(committed_db: str, noon: clock.Frozen) -> Iterator[House]:
    """The same with real commits."""
    with world() as made:
        yield House(made, noon)
