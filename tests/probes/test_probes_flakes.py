"""Our own false failures are counted, and a person hears of more than one in a hundred."""

from datetime import timedelta

import pytest

from doenda.kernel import clock, sweeps
from doenda.kernel.models import OutboxRow
from doenda.probes import flakes
from doenda.probes.models import ProbeRun

CARD = "web/card/sandbox"


@pytest.fixture(autouse=True)
def _frozen(db: None, noon: clock.Frozen) -> None:
    pass


def runs(outcome: str, count: int, *, confirms: bool = False, after: float = 0.0) -> None:
    at = clock.now() - timedelta(hours=2) + timedelta(seconds=after)
    ProbeRun.objects.bulk_create(
        ProbeRun(way=CARD, outcome=outcome, seconds=1.0, confirms=confirms, created_at=at) for _ in range(count)
    )


def test_a_failure_that_both_confirm_runs_deny_is_our_own_flake() -> None:
    runs("worked", 99)
    runs("failed_by_us", 1, after=100)
    runs("worked", 2, confirms=True, after=105)
    assert flakes.rate() == flakes.Rate(100, 1)


def test_a_failure_that_is_confirmed_or_never_denied_is_none() -> None:
    runs("failed_by_us", 1)
    runs("failed_by_us", 1, confirms=True, after=5)
    runs("worked", 1, confirms=True, after=6)
    runs("failed_by_us", 1, after=500)
    runs("worked", 2, confirms=True, after=560)
    assert flakes.rate() == flakes.Rate(2, 0)


def test_beyond_the_budget_a_person_is_called_once_a_day(noon: clock.Frozen) -> None:
    runs("worked", 600)
    for number in range(6):
        runs("failed_by_us", 1, after=1000 + 100 * number)
        runs("worked", 2, confirms=True, after=1005 + 100 * number)
    assert sweeps.run("flakes") == 0
    runs("failed_by_us", 1, after=1900)
    runs("worked", 2, confirms=True, after=1905)
    sweeps.run("flakes", most=1)
    sweeps.run("flakes", most=1)
    assert OutboxRow.objects.filter(kind="page").count() == 1


def test_too_few_walks_say_nothing() -> None:
    runs("failed_by_us", 1)
    runs("worked", 2, confirms=True, after=5)
    assert not flakes.rate().beyond
