"""The bench of the line: others' predictors as their sources have them, and checks that can fail."""

from collections.abc import Iterable

import pytest

from doenda.app.benches.queue import run
from doenda.contact.rules import callback
from doenda.contact.rules.order import Desk, Line, Place
from doenda.kernel import randomness
from doenda.sim.centre import cases, others
from doenda.sim.centre.cases import CASES, Case
from doenda.sim.centre.centre import Centre, Clocked

BY_NAME = {case.name: case for case in CASES}


def small(name: str, calls: int = 1500) -> Centre:
    made = Centre(BY_NAME[name], randomness.stream("small"))
    made.run(calls)
    return made


def test_asterisks_average_is_a_quarter_of_the_newest_in_whole_seconds() -> None:
    rule = others.Asterisk()
    for waited in (100.0, 100.0, 200.9):
        rule.answered(waited)
    assert rule.holdtime == (3 * ((3 * 25 + 100) // 4) + 200) // 4


def test_asterisks_remaining_wait_rises_past_its_average() -> None:
    rule = others.Asterisk(holdtime=90)
    assert [rule.announces(waited) for waited in (0, 60, 120, 180, 240, 300)] == [2, 1, 0, 1, 2, 3]


@pytest.mark.parametrize("name", ["callbacks_30", "repeats_30", "languages_30"])
def test_the_rules_pass_over_nobody_and_ring_nobody_too_many(name: str) -> None:
    score = small(name).score
    assert score.services > 500
    assert (score.violations, score.callbacks_jumped, score.callbacks_lost, score.over_dialled) == (0, 0, 0, 0)
    assert (score.callbacks > 20) == (name == "callbacks_30")


def test_a_line_that_serves_the_last_first_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def last(line: Line, desk: Desk, free: object, *, rings: bool = True) -> Place | None:
        able = [place for place in line if place.standing == "waiting" and desk.serves(place)]
        return able[-1] if able else None

    monkeypatch.setattr(Line, "next_for", last)
    assert small("overload_10", 400).score.violations > 50


def test_a_line_that_keeps_no_agent_for_a_callback_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(line: Line, desk: Desk, free: object, *, rings: bool = True) -> Place | None:
        return next((place for place in line if place.standing == "waiting" and desk.serves(place)), None)

    monkeypatch.setattr(Line, "next_for", greedy)
    assert small("callbacks_30").score.callbacks_lost > 20


def test_callbacks_put_first_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """What VQPlus and Twilio's plugin do: a called-back customer enters again at the head."""
    plain = Centre._answered

    def jumps(self: Centre, whom: object) -> None:
        assert isinstance(whom, int)
        plain(self, whom)
        place = self.callers[whom].place
        self.line.put(Place(place.id, 0.0, 99, place.lang, place.skill))

    def due(line: Iterable[Place], **_: int) -> list[Place]:
        return [place for place in line if place.standing == "callback"][:1]

    monkeypatch.setattr(Centre, "_answered", jumps)
    monkeypatch.setattr(callback, "due", due)
    assert small("callbacks_30").score.callbacks_jumped > 20


def test_seconds_within_a_moving_window() -> None:
    clocked = Clocked()
    clocked.change(10.0, 2)
    clocked.change(20.0, -1)
    assert clocked.within(30.0, 1000.0) == 30.0
    assert clocked.within(30.0, 15.0) == 5 * 2 + 10
    assert clocked.within(40.0, 5.0) == 5.0


def test_the_same_seed_is_the_same_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    few = (BY_NAME["overload_10"], BY_NAME["callbacks_30"])
    monkeypatch.setattr(run, "CASES", few)
    one, two = (run.run(3000, "again", say=lambda line: None) for _ in range(2))
    assert one.figures == two.figures
    assert one.figures["order_violations"] == 0


def test_an_estimate_that_promises_too_much_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from doenda.contact.rules import telling
    from doenda.contact.rules.waits import Minutes, Wait

    def one_minute(wait: Wait) -> Minutes:
        return Minutes(0, 1)

    monkeypatch.setattr(telling, "spoken", one_minute)
    monkeypatch.setattr(run, "CASES", (BY_NAME["overload_10"],))
    failures = run.run(3000, "short", say=lambda line: None).failures
    assert any("within the said range" in failure for failure in failures)


def test_every_case_has_its_arrivals_at_its_load() -> None:
    chance = randomness.stream("arrivals")
    for case in CASES:
        at, number = 0.0, 0
        while at < 8 * 3600.0:
            at = case.next_arrival(at, chance)
            number += 1
        expected = sum(case.arrivals_a_second(second) for second in range(0, 8 * 3600, 10)) * 10
        assert number == pytest.approx(expected, rel=0.15)


def test_handling_times_have_their_mean_and_spread() -> None:
    for cv in (1.0, 1.2):
        case, chance = Case("x", 1, lambda at: 1.0, 1.0, 1.0, cv=cv), randomness.stream("handling")
        drawn = [case.handling(chance) for _ in range(20_000)]
        mean = sum(drawn) / len(drawn)
        spread = (sum((one - mean) ** 2 for one in drawn) / len(drawn)) ** 0.5
        assert mean == pytest.approx(cases.HANDLING, rel=0.05)
        assert spread / mean == pytest.approx(cv, rel=0.1)
