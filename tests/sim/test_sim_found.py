"""What the simulator found in the house: each story as short as it got, and mended since."""

from datetime import timedelta

import pytest
from tests.sim.sim_made import begin, bill_of, ground_laid, made, said

from doenda.kernel import sweeps
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import PayInto
from doenda.sim.world import World

__all__ = ["ground_laid", "made"]


def brings(world: World, attempt: Attempt) -> None:
    into = attempt.details["pay_into"]
    world.drivers[attempt.provider].deposit(PayInto(into["bank"], into["number"]), attempt.amount)


def later(world: World, **step: float) -> None:
    world.now.advance(timedelta(**step))
    sweeps.run("inquiries")


@pytest.mark.parametrize("provider", ["toss", "portone"])
def test_a_deposit_whose_webhook_is_lost_is_known_within_hours(made: World, provider: str) -> None:
    """It was found out only when the account's time was over, a week later: meanwhile its payer was barred."""
    attempt = begin(bill_of(made), provider, "deposit", bank="088")
    made.peer(provider).control("PUT", "faults", {"*": {"fault": "no_webhook"}})
    later(made, hours=7)
    assert Attempt.objects.get(pk=attempt.pk).state == "needs_deposit"
    brings(made, attempt)
    later(made, hours=7)
    assert Attempt.objects.get(pk=attempt.pk).state == "paid"
    assert said(made) == []


@pytest.mark.parametrize("provider", ["toss", "portone"])
def test_a_waiting_account_is_asked_about_seldom_and_until_its_time_is_over(made: World, provider: str) -> None:
    attempt = begin(bill_of(made), provider, "deposit", bank="088")
    for _ in range(24):
        later(made, hours=1)
    row = Attempt.objects.get(pk=attempt.pk)
    assert 3 <= row.asked <= 5
    assert row.expires_at is not None
    made.now.set(row.expires_at + timedelta(minutes=1))
    sweeps.run("inquiries")
    assert Attempt.objects.get(pk=attempt.pk).state == "expired"


@pytest.mark.parametrize("provider", ["toss", "portone"])
def test_an_account_that_waits_again_is_asked_about_as_well(made: World, provider: str) -> None:
    attempt = begin(bill_of(made), provider, "deposit", bank="088")
    brings(made, attempt)
    later(made, hours=7)
    made.drivers[provider].undo(made.begun(attempt).order_id, Attempt.objects.get(pk=attempt.pk).provider_ref or "")
    made.post.collect()
    while made.post.bag:
        made.post.deliver(made.post.bag.pop(0))
    sweeps.run("inquiries")
    assert Attempt.objects.get(pk=attempt.pk).state == "needs_deposit"
    made.peer(provider).control("PUT", "faults", {"*": {"fault": "no_webhook"}})
    brings(made, attempt)
    later(made, hours=7)
    assert Attempt.objects.get(pk=attempt.pk).state == "paid"
