"""The log from zero: the same evidence, decisions and looks give the same transitions; without a proof no name."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from doenda.assurance import by_hand, evidence, guidance, replay, standing, ways
from doenda.assurance.evidence import Outcome, Tried
from doenda.assurance.models import Transition, WayDecision
from doenda.kernel import clock, sweeps

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture(autouse=True)
def _known(db: None, noon: clock.Frozen) -> None:
    ways.ensure_ways()


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("worked", "worked", "worked", "failed", "failed", "walk", "walk", "walk fails", "pending", "batch"),
                *("wait", "withdraw", "vouch", "close", "retire", "offer_again"),
            ]
        ),
        st.integers(0, 90),
        st.sampled_from([CARD, TRANSFER]),
    ),
    max_size=40,
)


class House:
    """Lives a history: outcomes, hands, time; looks every few seconds as the worker does."""

    def __init__(self, frozen: clock.Frozen) -> None:
        self.clock, self.number = frozen, 0

    def record(self, way: str, outcome: str, *, synthetic: bool) -> None:
        self.number += 1
        evidence.record(way, outcome, source_kind="test", source_id=str(self.number), synthetic=synthetic)

    def live(self, what: str, way: str) -> None:
        match what:
            case "worked":
                self.record(way, "worked", synthetic=False)
            case "failed":
                self.record(way, "failed_by_provider", synthetic=False)
            case "walk":
                standing.settle(way)
                self.record(way, "worked", synthetic=True)
            case "walk fails":
                self.record(way, "failed_by_us", synthetic=True)
            case "pending":
                self.record(way, "pending", synthetic=False)
            case "batch":
                self.number += 10
                words = [Outcome.WORKED, Outcome.FAILED_BY_US, Outcome.WORKED, Outcome.FAILED_BY_US]
                ago = [timedelta(seconds=each) for each in (3, 9, 1, 5)]
                evidence.record_many(
                    [
                        Tried(way, word, "test", f"b{self.number}-{n}", False, at=clock.now() - ago[n])
                        for n, word in enumerate(words)
                    ]
                )
            case "close":
                by_hand.close(way, clock.now() + timedelta(seconds=50), who="kim", reason="works")
            case "wait":
                self.clock.advance(timedelta(minutes=5))
            case "withdraw" | "vouch" | "retire" | "offer_again":
                getattr(by_hand, what)(way, who="kim", reason="because")

    def wait(self, seconds: int) -> None:
        for _ in range(seconds // 10):
            self.clock.advance(timedelta(seconds=10))
            sweeps.run("standing")
        self.clock.advance(timedelta(seconds=seconds % 10))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(steps=_STEPS)
@example(  # a walk's failure from before a person vouched once counted after it
    steps=[("worked", 0, CARD), ("walk fails", 45, CARD), ("vouch", 0, CARD), ("worked", 0, CARD), ("failed", 0, CARD)]
)
def test_replaying_the_log_from_zero_gives_the_same_transitions(
    steps: list[tuple[str, int, str]], noon: clock.Frozen
) -> None:
    begun = clock.now()
    with transaction.atomic():
        house = House(noon)
        for what, seconds, way in steps:
            house.live(what, way)
            house.wait(seconds)
        for way in (CARD, TRANSFER):
            found = replay.replay(way)
            assert found.again == found.stored
        transaction.set_rollback(True)
    noon.set(begun)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(steps=_STEPS)
def test_no_proof_within_the_lease_is_never_named(steps: list[tuple[str, int, str]], noon: clock.Frozen) -> None:
    """What the database holds and any process would read, at every moment, not the pure rule alone."""
    begun = clock.now()
    with transaction.atomic():
        house = House(noon)
        for what, seconds, way in steps:
            house.live(what, way)
            house.wait(seconds)
            seen = standing.current()
            for named in guidance.read().named("notice"):
                proof = seen[named.slug].last_proof_at
                assert proof is not None
                assert clock.now() - proof <= timedelta(seconds=120)
        transaction.set_rollback(True)
    noon.set(begun)


def test_a_tampered_log_is_told(noon: clock.Frozen) -> None:
    with transaction.atomic():
        for number in range(7):
            evidence.record(CARD, "worked", source_kind="a", source_id=str(number), synthetic=False)
            evidence.record(CARD, "failed_by_us", source_kind="b", source_id=str(number), synthetic=False)
            evidence.record(CARD, "failed_by_us", source_kind="c", source_id=str(number), synthetic=False)
    assert replay.replay(CARD).same
    out = StringIO()
    call_command("ways", "replay", "--json", stdout=out)
    assert json.loads(out.getvalue())["figures"]["differing"] == 0
    last = Transition.objects.filter(way_id=CARD).latest("version")
    Transition.objects.create(
        way_id=CARD, was=last.now, now="proven", at=clock.now(), cause="nobody", version=last.version + 1
    )
    assert not replay.replay(CARD).same
    with pytest.raises(SystemExit):
        call_command("ways", "replay", CARD, stdout=StringIO())


def test_an_operator_decides_with_a_name_and_a_reason_that_are_kept() -> None:
    out = StringIO()
    call_command("ways", "withdraw", CARD, "--who", "kim", "--reason", "the bank called", stdout=out)
    assert "withdrawn" in out.getvalue()
    call_command("ways", "vouch", CARD, "--who", "lee", "--reason", "mended", stdout=out)
    call_command("ways", "close", CARD, "--until", "2014-10-22T18:00", "--who", "lee", "--reason", "works", stdout=out)
    assert standing.current()[CARD].closed_until == clock.at(clock.today(), 18)
    kept = WayDecision.objects.filter(way_id=CARD).order_by("id")
    assert [(each.kind, each.who) for each in kept] == [("withdraw", "kim"), ("vouch", "lee"), ("close", "lee")]
    call_command("ways", "history", CARD, stdout=out)
    assert "withdrawn by kim: the bank called" in out.getvalue()
    call_command("ways", stdout=out)
    for wrong in (
        ["retire", CARD],
        ["retire"],
        ["retire", "web/card/nobody", "--who", "kim", "--reason", "x"],
        ["close", CARD, "--until", "soon", "--who", "kim", "--reason", "x"],
        ["replay", "web/card/nobody"],
    ):
        with pytest.raises(CommandError):
            call_command("ways", *wrong, stdout=StringIO())
