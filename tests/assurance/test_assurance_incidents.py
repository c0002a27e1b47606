"""Incidents open and close themselves, one a cause; that nothing works is a state with a beginning and an end."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.assurance import evidence, incidents, no_way, standing, ways
from doenda.assurance.models import Exposure, Incident, NoWay
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import OutboxRow

CARD, TRANSFER, TOSS = "web/card/sandbox", "web/transfer/sandbox", "web/card/toss"


@pytest.fixture(autouse=True)
def _offered(db: None, noon: clock.Frozen, settings: pytest.FixtureRequest) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "toss"]  # type: ignore[attr-defined]
    settings.DOENDA_WALKED = ["sandbox", "toss"]  # type: ignore[attr-defined]
    ways.ensure_ways()


def proves(*slugs: str) -> None:
    for slug in slugs:
        with atomic():
            evidence.record(slug, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)


def fails(*slugs: str) -> None:
    for slug in slugs:
        for _ in range(6):
            with atomic():
                evidence.record(slug, "failed_by_us", source_kind="test", source_id=outside(new_id()), synthetic=False)


def look() -> None:
    for name in ("standing", "no_way", "incidents"):
        sweeps.run(name)


def comes_back(noon: clock.Frozen, *slugs: str) -> None:
    for _ in range(300):
        proves(*slugs)
        sweeps.run("standing")
        if all(standing.current()[slug].standing == "proven" for slug in slugs):
            return
        noon.advance(timedelta(seconds=10))
    raise AssertionError("it never came back")


def test_a_dead_provider_is_one_incident_with_a_timeline(noon: clock.Frozen) -> None:
    proves(CARD, TRANSFER, TOSS)
    noon.advance(timedelta(seconds=20))
    fails(CARD)
    look()
    noon.advance(timedelta(seconds=20))
    fails(TRANSFER)
    look()
    look()
    (incident,) = Incident.objects.all()
    assert incident.cause == "provider:sandbox"
    assert [(e.what, e.way) for e in incident.events.order_by("at", "id")] == [
        ("withdrawn", CARD),
        ("withdrawn", TRANSFER),
    ]
    assert incident.detected_at - incident.onset == timedelta(seconds=20), "since the last proof"


def test_it_closes_when_the_last_of_its_ways_is_proven_again(noon: clock.Frozen) -> None:
    proves(CARD, TRANSFER, TOSS)
    fails(CARD, TRANSFER)
    look()
    comes_back(noon, CARD)
    proves(TOSS)
    look()
    incident = Incident.objects.get()
    assert incident.mended_at is None
    comes_back(noon, TRANSFER)
    look()
    incident.refresh_from_db()
    assert incident.mended_at == Exposure.objects.get(way_id=TRANSFER).ended_at
    assert [e.what for e in incident.events.order_by("at", "id")] == [
        *("withdrawn", "withdrawn", "returned", "returned", "mended")
    ]
    fails(CARD)
    look()
    assert Incident.objects.count() == 2, "another failure is another incident"


def test_two_providers_are_two_incidents() -> None:
    proves(CARD, TRANSFER, TOSS)
    fails(CARD, TOSS)
    look()
    assert {each.cause for each in Incident.objects.all()} == {"provider:sandbox", "provider:toss"}


def test_that_nothing_works_is_a_state_and_an_incident_of_its_own(noon: clock.Frozen) -> None:
    proves(CARD, TRANSFER, TOSS)
    fails(CARD, TRANSFER)
    look()
    assert no_way.running() is None
    noon.advance(timedelta(seconds=30))
    fails(TOSS)
    assert no_way.running() is not None, "in the transaction that took the last way"
    look()
    assert {each.cause for each in Incident.objects.all()} == {
        *("provider:sandbox", "provider:toss", "no_way:pay"),
    }
    comes_back(noon, TOSS)
    look()
    ended = NoWay.objects.get()
    assert ended.until is not None
    assert Incident.objects.get(cause="no_way:pay").mended_at == ended.until


def test_a_start_without_proofs_calls_nobody_until_it_lasts(noon: clock.Frozen) -> None:
    look()
    stretch = no_way.running()
    assert stretch is not None
    assert not stretch.failed
    assert not Incident.objects.exists()
    noon.advance(timedelta(seconds=59))
    look()
    assert not OutboxRow.objects.filter(kind="page").exists()
    noon.advance(timedelta(seconds=2))
    look()
    look()
    assert OutboxRow.objects.filter(kind="page").count() == 1, "a person is called once"
    proves(CARD)
    look()
    assert no_way.running() is None
    assert Incident.objects.get().mended_at is not None


def test_the_pager_is_asked_until_it_takes_the_call(noon: clock.Frozen, settings: pytest.FixtureRequest) -> None:
    settings.DOENDA_PAGER_URL = "http://pager.example/call"  # type: ignore[attr-defined]
    asked: list[net.Request] = []

    def pager(request: net.Request) -> net.Reply:
        asked.append(request)
        return net.Reply(503 if len(asked) == 1 else 202, {}, b"")

    noon.advance(timedelta(seconds=1))
    look()
    noon.advance(timedelta(seconds=61))
    look()
    with net.using(pager):
        for _ in range(3):
            sweeps.run("outbox")
            noon.advance(timedelta(seconds=30))
    assert len(asked) == 2
    assert b"no customer can pay" in asked[0].content


@given(
    st.dictionaries(
        st.tuples(st.sampled_from(["card", "transfer"]), st.sampled_from(["a", "b", "c"])).map(
            lambda parts: f"web/{parts[0]}/{parts[1]}"
        ),
        st.tuples(st.integers(0, 50), st.integers(50, 100)),
        max_size=6,
    )
)
def test_every_failing_way_belongs_to_exactly_one_cause(seconds: dict[str, tuple[int, int]]) -> None:
    start = datetime.fromisoformat("2014-10-22T03:00:00+00:00")
    at = {way: (start + timedelta(seconds=a), start + timedelta(seconds=b)) for way, (a, b) in seconds.items()}
    found = incidents.causes(at)
    assert sorted(way for cause in found.values() for way in cause.ways) == sorted(at)
    for cause in found.values():
        assert cause.onset == min(at[way][0] for way in cause.ways)
        assert cause.detected_at == min(at[way][1] for way in cause.ways)
