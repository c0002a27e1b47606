"""How long it takes, and what is said of it: the formula, the range, and the rules of telling."""

from math import isclose
from random import Random
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doenda.contact.rules import telling, waits
from doenda.contact.rules.order import Desk, Place
from doenda.contact.rules.telling import Bounds, Told, advise, tell
from doenda.contact.rules.waits import Crowd, History, Minutes, Pool, Wait, estimate, pool, qlm, spoken

BOUNDS = Bounds(offer=30.0, overload=600.0)
BUSY = History(services=100, service_seconds=30_000.0, gone=50, waited_seconds=15_000.0)
rates = st.floats(1e-4, 1e-1)
some_waits = st.builds(qlm, st.integers(0, 200), st.integers(1, 200), st.floats(1e-3, 1e-2), st.floats(0, 1e-2))


def test_the_formula_is_what_a_simulated_line_does() -> None:
    """Behind 6, 5 agents at 1/300 a second, patience 400 s: the mean of 20,000 lines, to within 1 %."""
    chance, mu, theta = Random(1), 1 / 300, 1 / 400
    simulated = [sum(chance.expovariate(5 * mu + before * theta) for before in range(7)) for _ in range(20_000)]
    assert fmean(simulated) == pytest.approx(qlm(6, 5, mu, theta).mean, rel=0.01)


@given(st.integers(0, 100), st.integers(1, 100), rates, rates)
def test_a_better_place_more_agents_and_less_patience_ahead_never_lengthen_the_wait(
    ahead: int, agents: int, mu: float, theta: float
) -> None:
    mean = qlm(ahead, agents, mu, theta).mean
    assert qlm(ahead + 1, agents, mu, theta).mean > mean
    assert qlm(ahead, agents + 1, mu, theta).mean < mean
    assert qlm(ahead, agents, mu, theta * 2).mean <= mean
    assert isclose(qlm(ahead, agents, mu, 0.0).mean, (ahead + 1) / (agents * mu), rel_tol=1e-9)


@pytest.mark.parametrize(("ahead", "agents"), [(0, 5), (3, 5), (20, 10), (100, 100)])
def test_four_of_five_are_served_before_the_eightieth_percentile(ahead: int, agents: int) -> None:
    chance = Random(ahead)
    wait = qlm(ahead, agents, 1 / 300, 1 / 600)
    steps = [agents / 300 + before / 600 for before in range(ahead + 1)]
    drawn = [sum(chance.expovariate(step) for step in steps) for _ in range(10_000)]
    below = sum(each <= wait.quantile(waits.Z_FOUR_FIFTHS) for each in drawn) / len(drawn)
    half = sum(each <= wait.quantile(waits.Z_HALF) for each in drawn) / len(drawn)
    assert below == pytest.approx(0.8, abs=0.015)
    assert half == pytest.approx(0.5, abs=0.02)


@given(some_waits)
def test_what_is_said_holds_what_we_believe(wait: Wait) -> None:
    said = spoken(wait)
    assert said.low * 60 <= wait.quantile(waits.Z_HALF)
    assert said.high * 60 >= wait.quantile(waits.Z_FOUR_FIFTHS)
    assert 0 <= said.low <= said.high


def test_those_who_come_and_go_first_lengthen_it_as_a_simulated_line_does() -> None:
    """Behind 4, 5 agents at 1/300 a second, patience 400 s, one who goes first every 2 min: 20,000 lines."""
    chance, drawn = Random(2), []
    for _ in range(20_000):
        before, now = 4, 0.0
        while before >= 0:
            down = 5 / 300 + before / 400
            now += chance.expovariate(down + 1 / 120)
            before += 1 if chance.random() * (down + 1 / 120) > down else -1
        drawn.append(now)
    told = qlm(4, 5, 1 / 300, 1 / 400, 1 / 120)
    assert fmean(drawn) == pytest.approx(told.mean, rel=0.015)
    assert fmean((one - told.mean) ** 2 for one in drawn) == pytest.approx(told.variance, rel=0.05)


@given(st.integers(0, 50), st.integers(1, 50), st.floats(1e-3, 1e-2), st.floats(1e-5, 1e-2))
def test_hardly_anybody_who_goes_first_is_nobody(ahead: int, agents: int, mu: float, theta: float) -> None:
    plain, pushed = qlm(ahead, agents, mu, theta), qlm(ahead, agents, mu, theta, 1e-12)
    assert isclose(plain.mean, pushed.mean, rel_tol=1e-6)
    assert isclose(plain.variance, pushed.variance, rel_tol=1e-6)


KO, EN = Place(1, 0.0, lang="ko"), Place(2, 0.0, lang="en")
BOTH, ONLY_KO = Desk((), ("ko", "en")), Desk((), ("ko",))


def test_agents_of_one_kind_are_all_mine() -> None:
    assert pool(KO, [(ONLY_KO, 7)], [(KO, 4)]) == Pool(4, 7.0)


def test_agents_who_serve_others_too_are_mine_by_what_stands_before() -> None:
    assert pool(EN, [(BOTH, 10), (ONLY_KO, 20)], []) == Pool(0, 10.0)
    before = pool(EN, [(BOTH, 10), (ONLY_KO, 20)], [(KO, 30)])
    assert before is not None
    assert before.ahead == 0
    assert before.agents == pytest.approx(10 / 11)  # ten of the thirty come to these ten agents
    others = pool(KO, [(BOTH, 10), (ONLY_KO, 20)], [(KO, 29), (EN, 10)])
    assert others is not None
    assert others.agents == pytest.approx(20 + 10 / 2)
    assert pool(EN, [(ONLY_KO, 20)], [(KO, 3)]) is None


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert estimate(Crowd(ahead=3, agents=0), BUSY) is None
    assert estimate(Crowd(ahead=3, agents=5), History()) is None


def test_a_new_queue_asks_its_head_and_an_old_one_its_history() -> None:
    few = History(services=19, service_seconds=5_700.0)
    new = estimate(Crowd(ahead=3, agents=5, head=120.0), few)
    assert new is not None
    assert (new.rule, new.mean) == ("hol", 120.0)
    old = estimate(Crowd(ahead=3, agents=5, head=120.0), BUSY)
    assert old is not None
    assert old.rule == "qlm"
    assert old.mean == pytest.approx(qlm(3, 5, 1 / 300, 1 / 300).mean)


def test_a_free_agent_is_no_wait() -> None:
    free = estimate(Crowd(ahead=1, agents=5, ready=2), BUSY)
    assert free is not None
    assert (free.rule, spoken(free)) == ("free", Minutes(0, 1))


def test_callbacks_ahead_do_not_give_up() -> None:
    patient = estimate(Crowd(ahead=10, agents=5, staying=10), BUSY)
    assert patient is not None
    assert patient.mean == pytest.approx(qlm(10, 5, 1 / 300, 0.0).mean)


@given(st.lists(st.tuples(st.integers(1, 60), some_waits), min_size=1, max_size=12))
def test_what_is_said_never_rises_unless_the_place_got_worse(course: list[tuple[int, Wait]]) -> None:
    """asterisk's announced wait rises once you have waited longer than its average: ours cannot."""
    before: Told | None = None
    said: Minutes | None = None
    for position, wait in course:
        told = tell(position, wait, before, said)
        if told.minutes is not None:
            if said is not None and before is not None and position <= before.position:
                assert told.minutes.high <= said.high
            said = told.minutes
        else:
            assert told.longer
        before = told


@given(st.lists(st.integers(1, 60), min_size=2, max_size=12))
def test_a_position_is_said_only_when_it_improved_and_then_really(course: list[int]) -> None:
    """asterisk#1386: with "only when better" set, the better position was never said."""
    before = None
    for position in course:
        told = tell(position, qlm(position - 1, 10, 1 / 300, 0.0), before, None)
        assert told.say_position == (before is None or position < before.position)
        before = told


def test_longer_than_we_said_is_said_as_such_and_brings_the_callback() -> None:
    said = Minutes(1, 2)
    told = tell(4, qlm(3, 1, 1 / 300, 0.0), Told(4, said), said)
    assert (told.minutes, told.longer) == (None, True)
    advice = advise(qlm(3, 1, 1 / 300, 0.0), 200.0, is_open=True, bounds=BOUNDS, longer=told.longer)
    assert advice.offer_after == 0.0


@given(some_waits, st.floats(0, 100))
def test_a_callback_is_offered_by_thirty_seconds_at_the_latest(wait: Wait, waited: float) -> None:
    advice = advise(wait, waited, is_open=True, bounds=BOUNDS)
    assert waited + advice.offer_after <= max(30.0, waited)
    assert advice.callback_first == (wait.mean > 600.0)


def test_nobody_at_work_or_closed_is_a_callback_first() -> None:
    assert advise(None, 0.0, is_open=True, bounds=BOUNDS).callback_first
    assert advise(None, 0.0, is_open=False, bounds=BOUNDS).closed


@given(some_waits, some_waits)
def test_a_worse_place_may_be_told_a_longer_wait(one: Wait, other: Wait) -> None:
    said, now = spoken(one), spoken(other)
    assume(now.high > said.high)
    assert telling.tell(9, other, Told(3, said), said).minutes == now
