"""The rule alone: no database, no clock."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.assurance import rule
from doenda.assurance.rule import NAMED, Event, Name, Outcome, WayState, weights

START = datetime(2014, 10, 22, 3, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def fold(state: WayState, events: Iterable[tuple[float, Outcome, bool]]) -> WayState:
    for seconds, outcome, synthetic in events:
        state = rule.judge(state, Event(outcome, after(seconds), after(seconds), synthetic))
    return state


def word(state: WayState, seconds: float) -> Name:
    return rule.standing(rule.tick(state, after(seconds)), after(seconds))


PROVEN = fold(WayState(), [(0, Outcome.WORKED, True)])


def real(outcome: Outcome, *at: float) -> list[tuple[float, Outcome, bool]]:
    return [(seconds, outcome, False) for seconds in at]


def walks(outcome: Outcome, *at: float) -> list[tuple[float, Outcome, bool]]:
    return [(seconds, outcome, True) for seconds in at]


def test_a_way_without_proof_is_unproven() -> None:
    assert rule.standing(WayState(), START) is Name.UNPROVEN


def test_a_proof_counts_for_the_lease_and_no_longer() -> None:
    assert (word(PROVEN, 120), word(PROVEN, 120.1)) == (Name.PROVEN, Name.UNPROVEN)


@pytest.mark.parametrize("outcome", [Outcome.PENDING, Outcome.FAILED_BY_CUSTOMER])
def test_pending_and_customers_own_failures_weigh_nothing_and_prove_nothing(outcome: Outcome) -> None:
    assert fold(WayState(), real(outcome, *range(20))) == WayState()
    assert fold(PROVEN, real(outcome, *range(1, 20))) == PROVEN


def test_three_failing_walks_in_a_row_withdraw() -> None:
    two = fold(PROVEN, walks(Outcome.FAILED_BY_PROVIDER, 30, 60))
    assert word(two, 60) is Name.SUSPECT
    three = fold(two, walks(Outcome.FAILED_BY_PROVIDER, 90))
    assert word(three, 90) is Name.WITHDRAWN
    assert rule.onset(three, after(90)) == START


def test_five_real_failures_in_a_row_withdraw_and_four_do_not() -> None:
    four = fold(PROVEN, real(Outcome.FAILED_BY_US, 1, 2, 3, 4))
    assert word(four, 4) is Name.SUSPECT
    assert word(fold(four, real(Outcome.FAILED_BY_PROVIDER, 5)), 5) is Name.WITHDRAWN


def test_a_passing_walk_does_not_outvote_failing_customers() -> None:
    bad, good = Outcome.FAILED_BY_PROVIDER, Outcome.WORKED
    mixed = [one for second in range(1, 6) for one in (*real(bad, second), *walks(good, second + 0.5))]
    assert word(fold(PROVEN, mixed), 6) is Name.WITHDRAWN


def test_one_flaky_walk_is_forgiven_by_the_next() -> None:
    once = fold(PROVEN, walks(Outcome.FAILED_BY_US, 30))
    assert word(once, 30) is Name.SUSPECT
    assert word(fold(once, walks(Outcome.WORKED, 40)), 40) is Name.PROVEN


CONFIRMED = replace(PROVEN, confirms=2)
GOOD, BAD = Outcome.WORKED, Outcome.FAILED_BY_PROVIDER


def test_a_failing_walk_decides_nothing_before_its_two_confirm_runs_have_landed() -> None:
    state = fold(CONFIRMED, walks(BAD, 30, 33))
    assert (word(state, 33), state.points) == (Name.SUSPECT, 0)
    withdrawn = fold(state, walks(BAD, 35))
    assert word(withdrawn, 35) is Name.WITHDRAWN
    assert rule.onset(withdrawn, after(35)) == START


def test_two_of_three_failing_walks_need_three_real_failures_more() -> None:
    state = fold(CONFIRMED, [*walks(BAD, 30, 33), *walks(GOOD, 34)])
    assert state.points == pytest.approx(6.7)
    two_more = fold(state, real(BAD, 40, 41))
    assert word(two_more, 41) is Name.SUSPECT
    assert word(fold(two_more, real(BAD, 42)), 42) is Name.WITHDRAWN


def test_one_flaky_walk_of_three_is_forgotten() -> None:
    state = fold(CONFIRMED, [*walks(BAD, 30), *walks(GOOD, 33, 34)])
    assert (word(state, 34), state.points, state.calm) == (Name.PROVEN, 0, True)


def test_confirm_runs_that_never_land_leave_one_failing_walk() -> None:
    state = fold(CONFIRMED, walks(BAD, 30))
    assert rule.tick(state, after(74)).points == 0
    assert rule.tick(state, after(75)).points == weights.SYNTHETIC_FAILURE


def test_failing_customers_withdraw_a_way_while_confirm_runs_are_waited_for() -> None:
    state = fold(CONFIRMED, [*walks(BAD, 30), *real(BAD, 31, 32, 33, 34, 35)])
    assert word(state, 35) is Name.WITHDRAWN
    assert state.doubt_at is None


@pytest.mark.parametrize(("p0", "failures"), [(0.02, 4), (0.05, 5), (0.10, 8)])
def test_the_baseline_says_how_many_failures_in_a_row_withdraw(p0: float, failures: int) -> None:
    state = fold(replace(PROVEN, baseline=p0), real(BAD, *range(1, failures)))
    assert state.mode == "alive"
    assert fold(state, real(BAD, failures)).mode == "withdrawn"


@pytest.mark.parametrize(("measured", "p0"), [(None, 0.05), (0.0, 0.02), (0.07, 0.07), (0.6, 0.15)])
def test_a_baseline_is_learned_within_its_bounds(measured: float | None, p0: float) -> None:
    assert weights.baseline(measured) == p0


def a_fifth_fails(rounds: int) -> list[tuple[float, Outcome, bool]]:
    return [
        one
        for at in range(rounds)
        for one in (*real(BAD, 10 * at + 1), *real(GOOD, *(10 * at + n for n in (2, 3, 4, 5))))
    ]


def test_a_way_of_which_a_fifth_fails_is_degraded_and_not_withdrawn() -> None:
    state = fold(PROVEN, a_fifth_fails(20))
    assert word(state, 200) is Name.DEGRADED
    assert state.mode == "alive"


def test_a_degraded_way_is_itself_again_after_a_long_run_of_successes() -> None:
    state = fold(PROVEN, a_fifth_fails(20))
    some = fold(state, real(GOOD, *range(200, 220)))
    assert word(some, 220) is Name.DEGRADED
    assert word(fold(some, real(GOOD, *range(220, 235))), 235) is Name.PROVEN


def test_walks_neither_degrade_a_way_nor_mend_it() -> None:
    state = fold(PROVEN, a_fifth_fails(20))
    assert fold(state, walks(GOOD, *range(200, 300, 5))).degraded
    assert fold(PROVEN, [*walks(BAD, 1), *walks(GOOD, 2), *walks(BAD, 3), *walks(GOOD, 4)]).slow == 0


def test_real_successes_cancel_real_points_first_then_synthetic_ones() -> None:
    state = fold(PROVEN, [*real(Outcome.FAILED_BY_US, 1), *walks(Outcome.FAILED_BY_US, 2)])
    state = fold(state, real(Outcome.WORKED, 3, 4, 5, 6))
    assert state.real == 0
    real_points = weights.failure(weights.P0) + 4 * weights.success(weights.P0)
    assert state.synthetic == pytest.approx(weights.SYNTHETIC_FAILURE + real_points)


def withdrawn_by_walks() -> WayState:
    return fold(PROVEN, walks(Outcome.FAILED_BY_PROVIDER, 30, 60, 90))


def test_a_withdrawn_way_is_held_for_three_minutes_however_well_it_walks() -> None:
    state = fold(withdrawn_by_walks(), walks(Outcome.WORKED, *range(100, 270, 10)))
    assert word(state, 269) is Name.WITHDRAWN
    assert word(state, 271) is Name.PROVEN


def test_half_open_comes_before_proven() -> None:
    state = fold(withdrawn_by_walks(), walks(Outcome.WORKED, *range(200, 310, 10)))
    assert word(state, 310) is Name.HALF_OPEN
    assert word(fold(state, walks(Outcome.WORKED, 310, 320, 330)), 330) is Name.PROVEN


def test_a_half_open_way_that_fails_is_withdrawn_again_for_twice_as_long() -> None:
    state = fold(withdrawn_by_walks(), walks(Outcome.WORKED, *range(200, 310, 10)))
    again = fold(state, walks(Outcome.FAILED_BY_PROVIDER, 320))
    assert word(again, 320) is Name.WITHDRAWN
    assert again.hold_until == after(320 + 360)


def test_the_hold_doubles_up_to_an_hour_and_forgets_after_six() -> None:
    state, holds = PROVEN, []
    for minute in range(0, 70, 10):
        state = rule.withdrawn(state, after(minute * 60))
        holds.append((state.hold_until or START) - after(minute * 60))
    assert [hold.total_seconds() for hold in holds] == [180, 360, 720, 1440, 2880, 3600, 3600]
    late = rule.withdrawn(state, after(10 * 3600))
    assert late.hold_until == after(10 * 3600 + 180)


def blind_withdrawal() -> WayState:
    return fold(PROVEN, real(Outcome.FAILED_BY_PROVIDER, 1, 2, 3, 4, 5))


def test_withdrawn_by_customers_while_walks_passed_needs_customers_to_return() -> None:
    state = fold(blind_withdrawal(), walks(Outcome.WORKED, *range(10, 300, 10)))
    assert word(state, 299) is Name.HALF_OPEN
    assert word(fold(state, real(Outcome.WORKED, 291, 292, 293)), 293) is Name.PROVEN


def test_where_no_customer_comes_walks_suffice_after_a_quiet_time() -> None:
    state = fold(blind_withdrawal(), walks(Outcome.WORKED, *range(10, 300, 10)))
    half_open_at = (state.half_open_at or START) - START
    assert word(state, half_open_at.total_seconds() + 119) is Name.HALF_OPEN
    assert word(state, half_open_at.total_seconds() + 120) is Name.PROVEN


def test_what_happened_before_a_withdrawal_no_longer_counts_against_the_way() -> None:
    state = fold(withdrawn_by_walks(), walks(Outcome.WORKED, *range(100, 280, 10)))
    late = [Event(Outcome.FAILED_BY_PROVIDER, after(60), after(280 + n), synthetic=False) for n in range(6)]
    for event in late:
        state = rule.judge(state, event)
    assert word(state, 290) is Name.PROVEN


def test_a_person_withdraws_until_a_person_vouches() -> None:
    state = fold(rule.withdrawn(PROVEN, after(10), by_hand=True), walks(Outcome.WORKED, *range(20, 1000, 10)))
    assert word(state, 1000) is Name.WITHDRAWN
    vouched = rule.restored(state, counts_from=after(1000))
    assert word(vouched, 1000) is Name.UNPROVEN
    assert word(fold(vouched, walks(Outcome.WORKED, 1010)), 1010) is Name.PROVEN


def test_a_lapse_after_a_failure_misleads_and_a_dead_prober_alone_does_not() -> None:
    assert not rule.failing(PROVEN, after(500))
    failed = fold(PROVEN, real(Outcome.FAILED_BY_US, 10))
    assert not rule.failing(failed, after(100))
    assert rule.failing(failed, after(500))
    assert rule.onset(failed, after(500)) == START


def test_closed_and_retired_outrank_every_proof() -> None:
    assert rule.standing(replace(PROVEN, closed_until=after(50)), after(49)) is Name.CLOSED
    assert rule.standing(replace(PROVEN, closed_until=after(50)), after(50)) is Name.PROVEN
    assert rule.standing(replace(PROVEN, retired_at=after(1)), after(2)) is Name.RETIRED


type Steps = list[tuple[float, Outcome, bool, float]]

states = st.builds(WayState, baseline=st.floats(0.02, 0.15), confirms=st.integers(0, 2))
steps = st.lists(
    st.tuples(st.floats(0.1, 90), st.sampled_from(list(Outcome)), st.booleans(), st.floats(0, 300)), max_size=80
)


def run(start: WayState, found: Steps) -> list[tuple[datetime, WayState, Event]]:
    state, now, history = start, START, []
    for pause, outcome, synthetic, age in found:
        now += timedelta(seconds=pause)
        event = Event(outcome, now - timedelta(seconds=age), now, synthetic)
        state = rule.judge(state, event)
        history.append((now, state, event))
    return history


@given(states, steps)
def test_nothing_is_proven_without_a_proof_younger_than_the_lease(start: WayState, found: Steps) -> None:
    proofs: list[datetime] = []
    for now, state, event in run(start, found):
        if event.outcome is Outcome.WORKED:
            proofs.append(event.at)
        if rule.standing(state, now) in (*NAMED, Name.SUSPECT):
            assert any(now - proof <= state.lease for proof in proofs)


@given(states, steps)
def test_a_replay_of_the_log_gives_the_same_states(start: WayState, found: Steps) -> None:
    history = run(start, found)
    state = start
    for _, then, event in history:
        state = rule.judge(state, event)
        assert state == then


@given(states, steps)
def test_points_stay_between_zero_and_the_threshold(start: WayState, found: Steps) -> None:
    for _, state, _ in run(start, found):
        assert 0 <= state.real <= state.points < rule.WITHDRAW_AT
        assert 0 <= state.sprt <= weights.PROVEN_AT


@given(states, steps)
def test_a_way_never_leaves_withdrawn_before_its_hold_is_over(start: WayState, found: Steps) -> None:
    before = start
    for now, state, _ in run(start, found):
        if before.mode == "withdrawn" and state.mode != "withdrawn":
            assert before.hold_until is not None
            assert now >= before.hold_until
        before = state


@given(states, steps, st.floats(0, 600))
def test_letting_time_pass_twice_is_letting_it_pass_once(start: WayState, found: Steps, wait: float) -> None:
    for now, state, _ in run(start, found)[-1:]:
        later = now + timedelta(seconds=wait)
        assert rule.tick(rule.tick(state, later), later) == rule.tick(state, later)


@given(states, steps)
def test_the_onset_is_never_after_the_withdrawal(start: WayState, found: Steps) -> None:
    for now, state, _ in run(start, found):
        if state.mode != "alive":
            assert rule.onset(state, now) <= (state.withdrawn_at or now)


@given(
    st.floats(0.02, 0.15),
    st.integers(0, 12),
    st.integers(0, 2),
    st.lists(st.booleans(), max_size=60),
)
def test_a_run_of_successes_at_once_is_the_same_as_one_by_one(
    p0: float, failures: int, failed_walks: int, synthetic: list[bool]
) -> None:
    bad = [*real(BAD, *range(1, failures)), *real(GOOD, 20), *real(BAD, 21), *walks(BAD, *range(22, 22 + failed_walks))]
    state = fold(replace(PROVEN, baseline=p0), bad)
    if state.mode != "alive":
        return
    good = [(walks if each else real)(GOOD, 30 + at)[0] for at, each in enumerate(synthetic)]
    single = fold(state, good)
    count = sum(synthetic)
    at_once = rule.successes(state, len(good) - count, after(29 + len(good)), synthetic=count)
    close = pytest.approx((single.real, single.slow, single.synthetic), abs=1e-9)
    assert (at_once.real, at_once.slow, at_once.synthetic) == close
    assert (at_once.degraded, at_once.last_proof_at) == (single.degraded, single.last_proof_at)
    if at_once.clean:
        assert at_once.series_from is None


def test_successes_that_have_more_to_decide_are_not_taken_at_once() -> None:
    for state in (withdrawn_by_walks(), fold(CONFIRMED, walks(BAD, 30))):
        with pytest.raises(ValueError, match="one by one"):
            rule.successes(state, 3, after(100))
