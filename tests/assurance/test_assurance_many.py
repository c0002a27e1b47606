"""Many outcomes at once come to the same standing as one by one, and each source counts once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doenda.assurance import evidence, standing, ways
from doenda.assurance.evidence import Outcome, Tried
from doenda.assurance.models import Evidence, Transition, Way
from doenda.kernel import clock

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture(autouse=True)
def _known(db: None, noon: clock.Frozen) -> None:
    ways.ensure_ways()


def tried(way: str, outcome: str, source: str, *, synthetic: bool = False, ago: int = 0) -> Tried:
    return Tried(way, Outcome(outcome), "test", source, synthetic, at=clock.now() - timedelta(seconds=ago))


def words(slug: str) -> list[tuple[str, str]]:
    return [(each.was, each.now) for each in Transition.objects.filter(way_id=slug).order_by("version")]


def test_each_change_of_the_word_is_a_transition_of_its_own() -> None:
    found = [tried(CARD, "worked", "0", ago=30)] + [tried(CARD, "failed_by_us", f"f{n}", ago=20 - n) for n in range(6)]
    with transaction.atomic():
        assert evidence.record_many([*found, tried(TRANSFER, "worked", "t")]) == set()
    assert words(CARD) == [("unproven", "proven"), ("proven", "suspect"), ("suspect", "withdrawn")]
    assert standing.current()[TRANSFER].standing == "proven"


def test_a_source_counts_once_and_an_unknown_way_is_told() -> None:
    one = tried(CARD, "failed_by_us", "same")
    with transaction.atomic():
        assert evidence.record_many([one, one, tried("web/card/nobody", "worked", "x")]) == {"web/card/nobody"}
    with transaction.atomic():
        evidence.record_many([one])
    assert Evidence.objects.count() == 1
    assert standing.current()[CARD].points == pytest.approx(2.302585, abs=1e-5)


def test_nothing_at_all_is_fine_and_outside_a_transaction_it_is_refused(django_db_blocker: Any) -> None:
    with transaction.atomic():
        assert evidence.record_many([]) == set()


def test_successes_on_a_calm_way_take_no_lock() -> None:
    with transaction.atomic():
        evidence.record_many([tried(CARD, "worked", "0")])
    before = Way.objects.get(pk=CARD).version
    with transaction.atomic():
        evidence.record_many([tried(CARD, "worked", f"{n}") for n in range(1, 50)])
    assert Way.objects.get(pk=CARD).version == before
    assert Evidence.objects.count() == 50


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["worked", "worked", "worked", "failed_by_us", "failed_by_customer", "pending"]),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_at_once_and_one_by_one_end_alike(outcomes: list[tuple[str, bool]]) -> None:
    with transaction.atomic():
        together = [tried(CARD, word, f"{n}", synthetic=synthetic) for n, (word, synthetic) in enumerate(outcomes)]
        evidence.record_many(together)
        for n, (word, synthetic) in enumerate(outcomes):
            evidence.record(TRANSFER, word, source_kind="test", source_id=f"t{n}", synthetic=synthetic)
        a, b = standing.current()[CARD], standing.current()[TRANSFER]
        assert (a.standing, a.proven_until) == (b.standing, b.proven_until)
        (_, one), (_, other) = standing.lock(CARD), standing.lock(TRANSFER)
        assert (one.points, one.slow, one.sprt) == pytest.approx((other.points, other.slow, other.sprt))
        transaction.set_rollback(True)
