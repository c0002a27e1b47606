"""Runners share the walks: each is made by one of them, a dead one's by another, and a failure is confirmed at once."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from tests.worlds import World, world

from doenda.assurance import standing
from doenda.assurance.models import Evidence
from doenda.kernel import clock
from doenda.probes import control, rounds, turns, walks
from doenda.probes.models import ProbeRun, Turn

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture
def shop(db: None) -> Iterator[World]:
    with world() as made:
        yield made


def ways(found: list[Turn]) -> list[str]:
    return [turn.way for turn in found]


def test_a_walk_is_leased_to_one_runner_and_due_again_when_its_round_is_done(shop: World, noon: clock.Frozen) -> None:
    turns.ensure([CARD, TRANSFER])
    mine = turns.claim("one")
    assert ways(mine) == [CARD, TRANSFER]
    assert turns.claim("two") == []
    turns.done(mine[0], clock.now() + timedelta(seconds=30))
    assert turns.claim("two") == []
    noon.advance(timedelta(seconds=31))
    assert CARD in ways(turns.claim("two"))


def test_a_dead_runners_walk_falls_to_another_and_its_late_word_changes_nothing(
    shop: World, noon: clock.Frozen
) -> None:
    turns.ensure([CARD])
    (held,) = turns.claim("one")
    for _ in range(4):
        noon.advance(timedelta(seconds=10))
        turns.keep("one", [held])
        assert turns.claim("two") == [], "it lives"
    noon.advance(turns.LEASE)
    (taken,) = turns.claim("two")
    turns.done(held, clock.now() + timedelta(hours=9))
    assert Turn.objects.get().runner == "two"
    turns.done(taken, clock.now() + timedelta(seconds=30))
    assert Turn.objects.get().due_at == clock.now() + timedelta(seconds=30)


def test_a_way_that_closes_has_no_turn_and_is_due_at_once_when_it_opens(shop: World, noon: clock.Frozen) -> None:
    turns.ensure([CARD, TRANSFER])
    for held in turns.claim("one"):
        turns.done(held, clock.now() + timedelta(hours=1))
    turns.ensure([CARD])
    turns.ensure([CARD, TRANSFER])
    assert ways(turns.claim("one")) == [TRANSFER]


def test_a_busy_providers_rounds_are_left_and_confirm_runs_are_not(shop: World) -> None:
    turns.ensure([CARD])
    turns.ask(TRANSFER, 2, asked_by="two")
    assert ways(turns.claim("one", busy=["sandbox"])) == [TRANSFER, TRANSFER]
    assert ways(turns.claim("one")) == [CARD]


def test_a_failing_walk_is_confirmed_by_another_runner_and_by_itself_if_there_is_none(
    shop: World, noon: clock.Frozen
) -> None:
    walks.walk(CARD, runner="one")
    shop.fault("card", "last_step_down")
    walks.walk(CARD, runner="one")
    assert standing.current()[CARD].standing == "suspect", "in doubt, and named to nobody meanwhile"
    assert turns.claim("one") == []
    assert len(turns.claim("two", limit=1)) == 1
    noon.advance(turns.ANOTHER_FIRST)
    assert len(turns.claim("one")) == 1
    walks.walk(CARD, runner="two", confirms=True)
    assert standing.current()[CARD].standing == "suspect"
    walks.walk(CARD, runner="one", confirms=True)
    assert standing.current()[CARD].standing == "withdrawn"
    assert Turn.objects.filter(confirms=True).count() == 2, "confirm runs that fail ask for no more"
    assert [run.confirms for run in ProbeRun.objects.order_by("created_at", "id")] == [False, False, True, True]


def test_one_flaky_walk_withdraws_nothing(shop: World, noon: clock.Frozen) -> None:
    walks.walk(CARD)
    shop.fault("card", "last_step_down")
    walks.walk(CARD)
    shop.heal()
    for _ in range(2):
        noon.advance(timedelta(seconds=1))
        walks.walk(CARD, confirms=True)
    assert standing.current()[CARD].standing == "proven"


def test_a_walk_that_fails_while_the_control_walk_does_says_nothing(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fault("card", "last_step_down")
    monkeypatch.setattr(control, "passes", lambda: False)
    assert walks.walk(CARD).outcome == "pending"
    assert Evidence.objects.get().detail.startswith("the control walk failed")
    assert not Turn.objects.exists()


def test_the_control_walk_passes_here_and_fails_where_nothing_beyond_answers(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: pytest.FixtureRequest
) -> None:
    assert control.passes()
    settings.DOENDA_CONTROL_URL = "http://127.0.0.1:1/, http://127.0.0.1:2/"  # type: ignore[attr-defined]
    assert not control.passes()


def test_two_runners_walk_each_way_once(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    walked: list[tuple[str, str]] = []
    both = threading.Barrier(2)

    def walk(slug: str, *, runner: str = "", confirms: bool = False) -> ProbeRun:
        walked.append((runner, slug))
        return ProbeRun(way=slug, outcome="worked", seconds=0.0, trouble="")

    slugs = [f"web/card/{number}" for number in range(20)]
    monkeypatch.setattr(walks, "ways", lambda: slugs)
    monkeypatch.setattr(walks, "walk", walk)

    def run(name: str) -> None:
        made = rounds.Rounds(every=60.0, name=name)
        both.wait(10)
        made.step()
        ends = time.monotonic() + 10
        while len(walked) < len(slugs) and time.monotonic() < ends:
            time.sleep(0.01)
        made.stop()
        connection.close()

    threads = [threading.Thread(target=run, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(slug for _, slug in walked) == sorted(slugs)


def test_rounds_in_a_browser_are_left_to_the_runners_that_have_it(shop: World, settings: pytest.FixtureRequest) -> None:
    plain = walks.ways()
    settings.DOENDA_BROWSERS = ["chromium"]  # type: ignore[attr-defined]
    assert set(walks.ways()) - set(plain) == {f"{CARD}@chromium", f"{TRANSFER}@chromium"}
    turns.ensure(walks.ways())
    settings.DOENDA_BROWSERS = []  # type: ignore[attr-defined]
    turns.ensure(walks.ways())
    assert f"{CARD}@chromium" in Turn.objects.values_list("way", flat=True), "another runner's"
    assert {each.way for each in turns.claim("one")} == set(plain)
    settings.DOENDA_BROWSERS = ["chromium"]  # type: ignore[attr-defined]
    assert {each.way for each in turns.claim("two")} == {f"{CARD}@chromium", f"{TRANSFER}@chromium"}
