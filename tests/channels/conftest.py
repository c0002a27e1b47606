"""The shop behind the doors: its world, the auditor over the customer's shoulder, and the customer."""

from collections.abc import Iterator

import pytest
from tests.channels.customers import Customer, audited
from tests.channels.doors import Shop
from tests.channels.telephones import quick  # noqa: F401 - a fixture

from doenda.kernel import clock


@pytest.fixture(params=["ko", "en"])
def shop(request: pytest.FixtureRequest, db: None, noon: clock.Frozen) -> Iterator[Shop]:
    with audited(request.param) as (made, auditor):
        yield made, auditor, Customer(lang=request.param)
