"""Which ways are walked when, and that a slow provider delays nobody else."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from tests.worlds import World, world

from doenda.assurance import by_hand, evidence, standing, ways
from doenda.assurance.rule import Name
from doenda.kernel import clock
from doenda.probes import rounds, schedules, walks
from doenda.probes.models import ProbeRun

CARD, TRANSFER, TOSS = "web/card/sandbox", "web/transfer/sandbox", "web/card/toss"
EVERYONE = ["sandbox", "toss", "portone", "stripe", "deposit", "debit", "counter"]


@pytest.fixture
def offered(db: None, noon: clock.Frozen, settings: Any) -> None:
    settings.DOENDA_OFFERED = EVERYONE
    ways.ensure_ways()


def test_only_what_a_walker_can_finish_here_is_walked(offered: None, settings: Any) -> None:
    assert walks.ways() == [CARD, TRANSFER]
    settings.DOENDA_WALKED = ["sandbox", "toss", "portone"]
    assert walks.ways() == [CARD, TOSS, TRANSFER, "web/transfer/toss"], "nothing that needs scripts"
    settings.DOENDA_DEPOSIT_HAND_URL = "http://127.0.0.1:1/pay-in"
    assert [slug for slug in walks.ways() if "/deposit/" in slug] == [
        "web/deposit/deposit",
        "web/deposit/toss",
        "web/deposit/portone",
    ]


def test_a_closed_way_is_walked_again_at_its_opening(offered: None, settings: Any, noon: clock.Frozen) -> None:
    settings.DOENDA_WALKED = ["sandbox", "toss"]
    noon.set(clock.at(date(2014, 10, 22), 23, 30))
    assert walks.ways() == [CARD, TOSS, TRANSFER]
    assert walks.closed() == ["web/transfer/toss"]
    noon.set(clock.at(date(2014, 10, 23), 0, 30))
    assert walks.ways() == [CARD, TOSS, TRANSFER, "web/transfer/toss"]
    assert walks.closed() == []


def test_a_withdrawn_way_is_walked_and_a_retired_one_is_not(offered: None) -> None:
    by_hand.withdraw(CARD, who="kim", reason="no answer")
    by_hand.retire(TRANSFER, who="kim", reason="the contract ended")
    assert walks.ways() == [CARD]


def test_a_costly_walk_is_made_four_times_a_lease_and_oftener_in_doubt(
    offered: None, settings: Any, noon: clock.Frozen
) -> None:
    settings.DOENDA_DEPOSIT_HAND_URL = "http://127.0.0.1:1/pay-in"
    ways.ensure_ways()
    deposit = "web/deposit/deposit"

    def pause(slug: str) -> float:
        return (schedules.due(slug, clock.now(), amount=1000) - clock.now()).total_seconds()

    assert pause(deposit) == 30.0
    for slug in (deposit, CARD):
        with transaction.atomic():
            evidence.record(slug, "worked", source_kind="test", source_id=slug, synthetic=True)
    assert (pause(deposit), pause(CARD)) == (450.0, 30.0)
    with transaction.atomic():
        evidence.record(deposit, "failed_by_us", source_kind="test", source_id="2", synthetic=True)
    assert pause(deposit) == 30.0
    by_hand.withdraw(CARD, who="kim", reason="no answer")
    assert pause(CARD) == 10.0, "what is withdrawn comes back by its walks"


def test_what_customers_prove_is_walked_on_silence_only_and_within_its_budget(
    offered: None, settings: Any, noon: clock.Frozen, tmp_path: Path
) -> None:
    written = tmp_path / "schedules.toml"
    written.write_text("[sandbox]\non_silence = 60\nwon_a_day = 2000\n", encoding="utf-8")
    settings.DOENDA_PROBE_SCHEDULES = str(written)

    def pause() -> float:
        return (schedules.due(CARD, clock.now(), amount=1000) - clock.now()).total_seconds()

    with transaction.atomic():
        evidence.record(CARD, "worked", source_kind="test", source_id="1", synthetic=True)
    assert pause() == 30.0
    noon.advance(timedelta(seconds=20))
    with transaction.atomic():
        evidence.record(CARD, "worked", source_kind="test", source_id="2", synthetic=False)
    assert pause() == 60.0, "a customer has just paid"
    ProbeRun.objects.create(way=CARD, outcome="worked", seconds=1.0)
    assert pause() == 60.0
    ProbeRun.objects.create(way=CARD, outcome="worked", seconds=1.0)
    assert clock.now() + timedelta(seconds=pause()) == clock.at(date(2014, 10, 23), 0), "spent until tomorrow"


@pytest.mark.parametrize("table", ["every = 0", "on_silence = -1", "evry = 3"])
def test_a_schedule_that_makes_no_sense_is_refused_by_its_name(settings: Any, tmp_path: Path, table: str) -> None:
    written = tmp_path / "schedules.toml"
    written.write_text(f"[toss]\n{table}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="toss"):
        schedules.read(str(written))


# --- rounds


class Walks:
    """Stands in for the walks: a provider that hangs, and others that answer at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, slugs: list[str], hanging: str = "") -> None:
        self.slugs, self.hanging = slugs, hanging
        self.release = threading.Event()
        self.walked: list[str] = []
        monkeypatch.setattr(walks, "ways", lambda: list(self.slugs))
        monkeypatch.setattr(walks, "walk", self.walk)

    def walk(self, slug: str, *, runner: str = "", confirms: bool = False) -> ProbeRun:
        if self.hanging and slug.endswith(self.hanging):
            self.release.wait(20)
        self.walked.append(slug)
        return ProbeRun(way=slug, outcome="worked", seconds=0.0, trouble="")

    def until(self, count: int) -> None:
        deadline = time.monotonic() + 10
        while len(self.walked) < count and time.monotonic() < deadline:
            time.sleep(0.005)


@pytest.fixture
def stopped() -> Iterator[list[rounds.Rounds]]:
    made: list[rounds.Rounds] = []
    yield made
    for one in made:
        one.stop()


def test_a_provider_that_hangs_delays_no_other_and_is_not_walked_twice_at_once(
    committed_db: str, monkeypatch: pytest.MonkeyPatch, stopped: list[rounds.Rounds]
) -> None:
    fake = Walks(monkeypatch, [CARD, TRANSFER, TOSS], hanging="/toss")
    made = rounds.Rounds(every=0.0)
    stopped.append(made)
    assert set(made.step()) == {CARD, TRANSFER, TOSS}
    fake.until(2)
    assert fake.walked == [CARD, TRANSFER]
    time.sleep(1.2)  # a way rests a second at least
    assert set(made.step()) == {CARD, TRANSFER}
    fake.until(4)
    assert TOSS not in fake.walked
    fake.release.set()
    fake.until(5)
    assert fake.walked.count(TOSS) == 1


def test_a_way_rests_between_walks_and_one_that_opens_is_due_at_once(
    committed_db: str, monkeypatch: pytest.MonkeyPatch, stopped: list[rounds.Rounds]
) -> None:
    fake = Walks(monkeypatch, [CARD])
    made = rounds.Rounds(every=30.0)
    stopped.append(made)
    made.step()
    fake.until(1)
    time.sleep(0.05)
    assert made.step() == []
    fake.slugs = [CARD, TOSS]
    assert made.step() == [TOSS]


def test_a_walk_that_cannot_be_made_stops_neither_its_lane_nor_the_round(
    committed_db: str, monkeypatch: pytest.MonkeyPatch, stopped: list[rounds.Rounds]
) -> None:
    fake = Walks(monkeypatch, [CARD, TRANSFER])
    real = fake.walk

    def broken(slug: str, **_: Any) -> ProbeRun:
        if slug == CARD:
            raise RuntimeError("the database is away")
        return real(slug)

    monkeypatch.setattr(walks, "walk", broken)
    made = rounds.Rounds(every=30.0)
    stopped.append(made)
    made.step()
    fake.until(1)
    assert fake.walked == [TRANSFER]


def test_ways_that_cannot_be_read_are_read_again(
    db: None, monkeypatch: pytest.MonkeyPatch, stopped: list[rounds.Rounds]
) -> None:
    Walks(monkeypatch, [])

    def away() -> list[str]:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(walks, "ways", away)
    made = rounds.Rounds(every=30.0)
    stopped.append(made)
    assert made.step() == []


def test_once_walks_every_lane_and_answers_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    Walks(monkeypatch, [CARD, TOSS, TRANSFER])
    assert [run.way for run in rounds.once([CARD, TOSS, TRANSFER])] == [CARD, TOSS, TRANSFER]
    assert rounds.once([]) == []


@pytest.fixture
def shop(committed_db: str) -> Iterator[World]:
    with world() as made:
        yield made


def test_the_command_walks_every_way_with_connections_of_its_own(shop: World) -> None:
    out = StringIO()
    call_command("prober", "--once", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["ok"], said["figures"]) == (True, {"walks": 2, "closed": 0})
    assert [run["way"] for run in said["runs"]] == [CARD, TRANSFER]
    assert {standing.current()[slug].standing for slug in (CARD, TRANSFER)} == {Name.PROVEN}


def test_the_command_fails_when_a_walk_does(shop: World) -> None:
    shop.fault("card", "last_step_down")
    with pytest.raises(SystemExit):
        call_command("prober", "--once", stdout=StringIO())


def test_at_night_the_command_is_well_with_what_is_merely_closed(
    db: None, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ways.terms
    monkeypatch.setattr(ways, "terms", lambda slug: replace(real(slug), calendar="korean_banks"))
    noon.set(clock.at(date(2014, 10, 22), 23, 30) + timedelta(minutes=1))
    out = StringIO()
    call_command("prober", "--once", stdout=out)
    assert json.loads(out.getvalue())["figures"] == {"walks": 0, "closed": 2}
