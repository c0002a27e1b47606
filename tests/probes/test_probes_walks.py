"""Synthetic customers: what a walk proves, what it costs nobody, and how a withdrawn way comes back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.worlds import World, world

from doenda.assurance import guidance, standing
from doenda.assurance.models import Transition
from doenda.billing import books
from doenda.billing.models import Account, Bill
from doenda.dunning.models import Case
from doenda.kernel import clock, sweeps
from doenda.notices.models import Notice
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.probes import walks

CARD = "web/card/sandbox"


@pytest.fixture
def shop(db: None) -> Iterator[World]:
    with world() as made:
        yield made


def test_a_way_is_named_only_after_a_walk_has_paid_through_it(shop: World) -> None:
    assert not guidance.read().named("notice")
    walks.walk(CARD)
    assert [way.slug for way in guidance.read().named("notice")] == [CARD]


def test_probe_money_is_given_back_and_stands_in_books_of_its_own(shop: World) -> None:
    run = walks.walk(CARD)
    assert run.outcome == "worked", run.trouble
    sweeps.run_all()
    assert shop.books()["net"] == 0
    assert Attempt.objects.get().state == State.REVERSED
    assert not Bill.objects.filter(state="open").exists()
    assert books.trial().ok
    assert not Case.objects.filter(account__probe=True).exists()
    assert not Notice.objects.exclude(state="cancelled").exists()
    assert Account.objects.get(number=walks.ACCOUNT).probe


def test_a_walk_that_stops_short_of_the_receipt_proves_nothing(shop: World, noon: clock.Frozen) -> None:
    shop.fault("card", "last_step_down")
    for _ in range(3):  # the walk, and the two that it asks for
        assert walks.walk(CARD).outcome == "failed_by_us"
        noon.advance(timedelta(seconds=5))
    assert standing.current()[CARD].standing == "withdrawn"
    assert CARD not in [way.slug for way in guidance.read().named("page")]


def test_a_withdrawn_way_comes_back_by_its_own_walks(shop: World, noon: clock.Frozen) -> None:
    shop.fault("card", "last_step_down")
    for _ in range(3):
        walks.walk(CARD)
        noon.advance(timedelta(seconds=30))
    shop.heal()
    waited = 0
    while standing.current()[CARD].standing != "proven" and waited < 1800:
        walks.walk(CARD)
        noon.advance(timedelta(seconds=30))
        sweeps.run("standing")
        waited += 30
    assert standing.current()[CARD].standing == "proven"
    assert waited >= 180, "it returned before the shortest hold was over"


def test_a_proof_lapses_when_nobody_walks(shop: World, noon: clock.Frozen) -> None:
    walks.walk(CARD)
    noon.advance(timedelta(seconds=121))
    assert not guidance.read().named("notice")
    first = guidance.read().named("page")[0]
    assert (first.slug, first.proven) == (CARD, False)


def test_a_lapse_that_no_sweep_noticed_is_noted_by_the_walk_that_ends_it(shop: World, noon: clock.Frozen) -> None:
    """Notices and cases that wait for a proven way are woken by the change: a jump of the clock hid it from them."""
    walks.walk(CARD)
    noon.advance(timedelta(days=1))
    walks.walk(CARD)
    changes = Transition.objects.filter(way_id=CARD).order_by("version").values_list("now", flat=True)
    assert list(changes)[-2:] == ["unproven", "proven"]
