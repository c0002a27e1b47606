"""A customer with an overdue bill, a handset network that remembers, and proofs for the ways."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from tests.notices.notices_world import Customer, HandsetNetwork, new_customer

from doenda.assurance import evidence
from doenda.kernel import clock, net, outbox
from doenda.notices import receipts


@pytest.fixture
def handset() -> Iterator[HandsetNetwork]:
    network = HandsetNetwork()
    with net.using(network):
        yield network


@pytest.fixture
def customer(db: None, noon: clock.Frozen) -> Customer:
    return new_customer()


@pytest.fixture
def prove() -> Callable[..., None]:
    count = iter(range(10**6))

    def prove(*methods: str, outcome: str = "worked", times: int = 1) -> None:
        for method in methods or ("card", "transfer"):
            for _ in range(times):
                way, source = f"web/{method}/sandbox", str(next(count))
                with transaction.atomic():
                    evidence.record(way, outcome, source_kind="test", source_id=source, synthetic=False)

    return prove


@pytest.fixture
def settle_down(noon: clock.Frozen) -> Callable[[], None]:
    def settle_down() -> None:
        """Send what is due, then ask for its delivery receipts."""
        outbox.sweep(1000)
        noon.advance(timedelta(seconds=2))
        receipts.sweep(1000)

    return settle_down
