"""Making time pass in the demo."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from tests.demo.demo_tools import World

from doenda.billing.models import Account, Bill
from doenda.demo import jump, sample
from doenda.dunning.models import Case
from doenda.kernel import clock, offset
from doenda.probes import walks


@pytest.fixture
def movable(noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch) -> clock.Frozen:
    """The house's clock moves by jumps only; walks of its one way succeed."""

    def advance(step: timedelta) -> datetime:
        noon.advance(step)
        return noon.instant

    monkeypatch.setattr(offset, "advance", advance)
    monkeypatch.setattr(walks, "ways", lambda: ["web/card/sandbox"])
    monkeypatch.setattr(walks, "walk", lambda slug: SimpleNamespace(outcome="worked", trouble=""))
    return noon


def test_a_jump_moves_the_clock_walks_the_ways_and_does_what_is_due(
    carrier_of_ten: sample.Loaded, movable: clock.Frozen
) -> None:
    before = clock.now()
    done = jump.run(timedelta(days=1), "+1 day")
    assert clock.now() == before + timedelta(days=1) == done.after
    assert (done.running, done.trouble) == (False, "")
    assert done.steps[2].words == "walk web/card/sandbox to its last step"
    assert done.steps[2].result == "worked"
    assert Case.objects.filter(account__number="D0000001", stage="reminded").exists()
    assert done.steps[-1].result == "nothing left"


def test_the_cast_is_billed_while_time_passes(carrier_of_ten: sample.Loaded, movable: clock.Frozen) -> None:
    hero = Account.objects.get(number="D0000001")
    before = Bill.objects.filter(account=hero).count()
    jump.run(timedelta(days=28), "four weeks")
    assert Bill.objects.filter(account=hero).count() == before + 1
    assert Bill.objects.filter(account=hero).order_by("-due_date")[0].bill_date <= clock.today()
    jump.run(timedelta(0), "again")
    assert Bill.objects.filter(account=hero).count() == before + 1


def test_a_case_that_waited_for_a_proven_way_is_looked_at_again(
    carrier_of_ten: sample.Loaded, movable: clock.Frozen
) -> None:
    jump.run(timedelta(0), "open the cases")
    far = clock.now() + timedelta(minutes=15)
    Case.objects.filter(account__number="D0000002").update(waiting_for="no_way_proven", next_check_at=far)
    done = jump.run(timedelta(minutes=1), "a minute")
    assert next(one.result for one in done.steps if one.words.startswith("look again")) == "1 cases"
    assert Case.objects.get(account__number="D0000002").next_check_at > far


def test_a_way_that_cannot_be_walked_stops_nothing(
    carrier_of_ten: sample.Loaded, movable: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(slug: str) -> Any:
        raise ValueError("no browser")

    monkeypatch.setattr(walks, "walk", broken)
    done = jump.run(timedelta(hours=1), "+1 hour")
    assert done.trouble == ""
    assert done.steps[2].result == "could not be walked: no browser"
    assert done.steps[-1].result == "nothing left"


def test_a_jump_that_breaks_says_so_and_lets_the_next_one_begin(
    carrier_of_ten: sample.Loaded, movable: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(step: timedelta) -> Any:
        raise RuntimeError("stuck")

    with monkeypatch.context() as patch:
        patch.setattr(offset, "advance", broken)
        assert jump.run(timedelta(hours=1), "+1 hour").trouble == "RuntimeError: stuck"
    assert jump.run(timedelta(hours=1), "+1 hour").trouble == ""


def test_one_jump_at_a_time(client: Client, carrier_of_ten: sample.Loaded, world: World) -> None:
    assert jump._claim(timedelta(0), "the first")
    answer = client.post("/demo/jump", {"step": "hour"})
    assert (answer.status_code, answer.content) == (409, b"a jump is under way")
    assert "Under way: the first" in client.get("/demo/").content.decode()


def test_the_buttons_jump_by_a_step_or_to_what_is_next(
    client: Client, carrier_of_ten: sample.Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[timedelta, str]] = []

    def start(step: timedelta, why: str) -> bool:
        asked.append((step, why))
        return True

    monkeypatch.setattr(jump, "start", start)
    assert client.post("/demo/jump", {"step": "week", "a": "D0000006"}).status_code == 303
    assert client.post("/demo/jump", {"step": "next", "a": "D0000006"}).status_code == 303
    assert asked[0] == (timedelta(days=7), "+7 days")
    assert asked[1] == (timedelta(days=2, hours=21, seconds=1), "to 25 Oct 09:00:00: a bill falls overdue")


def test_where_nothing_is_ahead_no_time_passes(client: Client, db: None, world: World) -> None:
    Account.objects.create(number="Z", currency="KRW")
    answer = client.post("/demo/jump", {"step": "next", "a": "Z"})
    assert (answer.status_code, answer.content) == (409, b"nothing is ahead for this customer")


def test_the_clock_only_moves_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        jump.start(timedelta(seconds=-1), "back")


def test_a_jump_in_a_thread_ends(carrier_of_ten: sample.Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[timedelta] = []

    def work(step: timedelta) -> None:
        done.append(step)
        jump._change(running=False)

    monkeypatch.setattr(jump, "_work", work)
    assert jump.start(timedelta(hours=1), "+1 hour")
    wait_for(lambda: bool(done) and not getattr(jump.progress(), "running", True))
    assert done == [timedelta(hours=1)]


def wait_for(ready: Callable[[], bool]) -> None:
    for _ in range(200):
        if ready():
            return
        clock.sleep(0.02)
    pytest.fail("it never came")
