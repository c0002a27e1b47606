"""Worlds made by hand for the invariants: every provider, two customers, nothing that fails, only the acts of tests."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection, connections

from doenda.billing.models import Bill
from doenda.kernel import randomness
from doenda.kernel.db import atomic
from doenda.payments import attempts, charge, providers
from doenda.payments.models import Attempt
from doenda.sim import building, drivers, ground, invariants
from doenda.sim import line as lines
from doenda.sim.invariants import Violation
from doenda.sim.places import Hall
from doenda.sim.points import Points
from doenda.sim.schedule import Rates, Schedule
from doenda.sim.world import World

ROLLED_BACK = "doenda_test"  # the database of tests that are rolled back (conftest.py)
NOON = datetime(2014, 10, 22, 3, tzinfo=UTC)
QUIET = Rates(trouble=0.0)


@pytest.fixture(scope="module")
def ground_laid(test_server: Any, django_db_blocker: Any) -> Iterator[ground.Ground]:
    """One database with real commits for the worlds of a module."""
    with django_db_blocker.unblock():
        name = test_server.clone()
        test_server.use(name)
        try:
            hall = Hall("http://127.0.0.1:8000/webhooks")
            laid = ground.lay({each: drivers.of(each)(hall, lines.Line()).config() for each in building.EVERY})
            yield laid
            laid.close()
        finally:
            test_server.use(ROLLED_BACK)
            test_server.run(f"DROP DATABASE {name} WITH (FORCE)", role="postgres")


@pytest.fixture
def made(ground_laid: ground.Ground) -> Iterator[World]:
    """A world in which nothing has happened yet."""
    ground_laid.clear()
    plan = building.Plan(building.EVERY, NOON, 2)
    schedule = Schedule(7, (), QUIET, {})
    with building.world(schedule, Points(QUIET), plan) as world, randomness.seeded("made by hand"):
        for each in world.customers:
            each.probe = False
        with atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE billing_account SET probe = false")
            cursor.execute("UPDATE billing_bill SET probe = false")
        yield world
    for alias in connections:
        connections[alias].close()


def said(world: World, *, rest: bool = False) -> list[str]:
    """What does not hold, without what any world of these has at its beginning."""
    found: list[Violation] = list(invariants.at_rest(world) if rest else invariants.after_each_step(world))
    return [str(each) for each in found]


def bill_of(world: World, at: int = 0) -> Bill:
    return Bill.objects.filter(pk__in=world.customers[at].bill_ids).order_by("pk")[0]


def begin(bill: Bill, provider: str, method: str, *, bank: str = "", mandate: Any = None) -> Attempt:
    """An attempt for the whole bill, at its provider."""
    seen = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider=provider,
        return_url="http://127.0.0.1:8000/s/return",
        lang="ko",
        bank=bank,
        mandate_id=mandate,
    )
    assert seen.attempt_id is not None, seen
    return Attempt.objects.get(pk=seen.attempt_id)


def confirm(world: World, attempt: Attempt) -> Attempt:
    """Its customer approves on the page, comes back and says yes."""
    came = providers.get(attempt.provider).returned(world.drivers[attempt.provider].approve(world.begun(attempt)))
    charge.confirm(attempt.pk, order_id=came.order_id, ref=came.ref, amount=came.amount, token=came.token)
    return Attempt.objects.get(pk=attempt.pk)


def pay(world: World, at: int = 0, provider: str = "sandbox") -> Attempt:
    attempt = confirm(world, begin(bill_of(world, at), provider, "card"))
    assert attempt.state == "paid", attempt.reason
    return attempt
