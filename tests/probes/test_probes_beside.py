"""Two walks at once (the prober's and a jump's): one never takes the other's bill away."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.worlds import World, world

from doenda.billing.models import Bill
from doenda.kernel import clock
from doenda.probes import walks


@pytest.fixture
def shop(db: None) -> Iterator[World]:
    with world() as made:
        yield made


def test_a_walk_that_ends_leaves_the_bill_of_another_walk_alone(shop: World, noon: clock.Frozen) -> None:
    bill, _ = walks._new_bill()
    walks.walk("web/card/sandbox")
    bill.refresh_from_db()
    assert bill.state == "open"
    assert Bill.objects.filter(state="open").count() == 1
    noon.advance(walks.LONGEST_WALK + timedelta(seconds=1))
    walks.close_old_bills()
    bill.refresh_from_db()
    assert bill.state == "cancelled"
