"""Taking in one outcome, and letting time pass. Both are total and have no side effect."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from doenda.assurance.rule import reporting, weights
from doenda.assurance.rule.memory import WayState
from doenda.assurance.rule.reading import closed_until, leased
from doenda.assurance.rule.weights import (
    CONFIRMED_WITHIN,
    HALF_OPEN_AT,
    HOLD,
    HOLD_LONGEST,
    HOLD_MEMORY,
    PROVEN_AT,
    QUIET,
    REAL_SUCCESSES,
    SPRT_REAL,
    SPRT_SYNTHETIC,
    SUSPECT_ABOVE,
    SYNTHETIC_FAILURE,
    SYNTHETIC_PASS,
    WITHDRAW_AT,
    WITHDRAWN_AGAIN_BELOW,
)
from doenda.assurance.rule.words import FAILURES, Event, Outcome

type Change = Callable[[WayState], WayState]


def with_proof(state: WayState, at: datetime | None) -> WayState:
    """`state` after a proof at `at` that was stored without being judged (see evidence.record)."""
    if at is None or (state.counts_from is not None and at < state.counts_from):
        return state
    if state.last_proof_at is not None and at <= state.last_proof_at:
        return state
    return replace(state, last_proof_at=at, clean_proof_at=at if state.clean else state.clean_proof_at)


def judge(state: WayState, event: Event) -> WayState:
    """Take in one outcome. Pending ones, failures that are the customer's own, and those of closed hours weigh nothing.

    A success in closed hours is a proof all the same: it happened.
    """
    state = tick(state, event.now)
    if event.outcome is Outcome.REPORTED:
        return reporting.reported(state, event.now)
    if event.outcome is not Outcome.WORKED and event.outcome not in FAILURES:
        return state
    at = min(event.at, event.now)
    if event.outcome in FAILURES and closed_until(state, at) is not None:
        return state
    if state.counts_from is not None and at < state.counts_from:
        return state
    return tick(_count(state, event, at) if state.mode == "alive" else _test(state, event, at), event.now)


def successes(state: WayState, real: int, at: datetime, *, synthetic: int = 0) -> WayState:
    """Successes in a row, `real` and `synthetic` ones, the last of them at `at`: the same as judging each.

    Raises ValueError where their order matters: withdrawn, or in doubt.
    """
    if state.mode != "alive" or state.doubt_at is not None or state.reported_at is not None:
        raise ValueError("this state takes successes one by one")
    if not real + synthetic:
        return state
    points = state.real + real * weights.success(state.baseline)
    left = max(0.0, state.synthetic + min(0.0, points) + synthetic * SYNTHETIC_PASS)
    slow = max(0.0, state.slow + real * weights.success(state.baseline, weights.FIFTH))
    state = replace(state, real=max(0.0, points), synthetic=left, slow=slow)
    degraded = state.degraded and slow > weights.DEGRADED_UNTIL
    state = replace(state, degraded=degraded, last_proof_at=_later(state.last_proof_at, at))
    if state.points:
        return state
    return replace(state, clean_proof_at=_later(state.clean_proof_at, at), series_from=None)


def tick(state: WayState, now: datetime) -> WayState:
    """Let time pass: confirm runs are waited for no longer, holds end, and a way that has shown enough comes back."""
    if state.doubt_at is not None and now - state.doubt_at >= CONFIRMED_WITHIN:
        state = _decided(state, now)
    state = reporting.forgotten(state, now)
    if state.by_hand:
        return state
    held = state.hold_until is not None and now < state.hold_until
    unwalked = (
        state.part and not state.confirms
    )  # nobody else can find out: whoever holds such a device may try, marked
    if state.mode == "withdrawn" and not held and (state.sprt >= HALF_OPEN_AT or unwalked):
        state = replace(state, mode="half_open", half_open_at=now)
    if state.mode == "half_open" and state.sprt >= PROVEN_AT and leased(state, now) and _trusted(state, now):
        return restored(state, counts_from=state.last_proof_at)
    return state


def restored(state: WayState, counts_from: datetime | None) -> WayState:
    """Alive again, with a clean sheet; outcomes from before `counts_from` no longer matter."""
    return replace(
        state,
        mode="alive",
        real=0.0,
        synthetic=0.0,
        slow=0.0,
        degraded=False,
        sprt=0.0,
        by_hand=False,
        by_parent=False,
        blind=False,
        counts_from=counts_from,
        clean_proof_at=state.last_proof_at,
        series_from=None,
        doubt_at=None,
        doubt_failed=0,
        doubt_passed=0,
        hold_until=None,
        half_open_at=None,
    )


def withdrawn(state: WayState, now: datetime, *, by_hand: bool = False) -> WayState:
    """Out of guidance, for the minimum hold at least: 180 s, doubled for each withdrawal of the last 6 h."""
    recent = tuple(at for at in state.withdrawals if now - at < HOLD_MEMORY)
    return replace(
        state,
        mode="withdrawn",
        withdrawn_at=now,
        hold_until=now + min(HOLD * 2 ** len(recent), HOLD_LONGEST),
        withdrawals=(*recent, now),
        counts_from=now,
        blind=state.synthetic <= SUSPECT_ABOVE,
        by_hand=by_hand,
        by_parent=False,
        reports=(),
        reported_at=None,
        real=0.0,
        synthetic=0.0,
        slow=0.0,
        degraded=False,
        doubt_at=None,
        doubt_failed=0,
        doubt_passed=0,
        sprt=0.0,
        real_successes=0,
        last_real_at=None,
        half_open_at=None,
    )


def _count(state: WayState, event: Event, at: datetime) -> WayState:
    """Alive: its points by one outcome. A synthetic pass cancels synthetic points only: a passing probe never outvotes
    failing customers."""
    failed = event.outcome in FAILURES
    if failed:
        last = _later(state.last_failure_at, at)
        state = replace(state, last_failure_at=last, series_from=state.series_from or at)
    else:
        state = reporting.answered(replace(state, last_proof_at=_later(state.last_proof_at, at)), event.now)
    state = _walked(state, event.now, failed=failed) if event.synthetic else _tried(state, failed=failed)
    if state.points >= WITHDRAW_AT:
        return withdrawn(state, event.now)
    if failed or state.points or state.doubt_at is not None:
        return state
    return replace(state, clean_proof_at=_later(state.clean_proof_at, at), series_from=None)


def _tried(state: WayState, *, failed: bool) -> WayState:
    """The CUSUMs of real outcomes: the one that withdraws, and the slow one that degrades."""
    weigh = weights.failure if failed else weights.success
    points, slowly = weigh(state.baseline), weigh(state.baseline, weights.FIFTH)
    slow = min(weights.DEGRADED_AT, max(0.0, state.slow + slowly))
    degraded = slow >= weights.DEGRADED_AT or (state.degraded and slow > weights.DEGRADED_UNTIL)
    left = min(0.0, state.real + points)
    real, synthetic = max(0.0, state.real + points), max(0.0, state.synthetic + left)
    return replace(state, real=real, synthetic=synthetic, slow=slow, degraded=degraded)


def _walked(state: WayState, now: datetime, *, failed: bool) -> WayState:
    """A walk by ourselves. One that fails starts confirm runs, and nothing is decided until they have landed: on the
    first of them alone, a healthy way would be withdrawn three times as often. After two failures that were counted
    already and that nothing has taken off since, a third one needs no more of them."""
    if state.doubt_at is not None:
        state = replace(state, doubt_failed=state.doubt_failed + failed, doubt_passed=state.doubt_passed + (not failed))
        landed = state.doubt_failed + state.doubt_passed - 1
        return _summed(state) if landed >= state.confirms else state
    if failed and state.confirms and state.synthetic < 2 * SYNTHETIC_FAILURE:
        return replace(state, doubt_at=now, doubt_failed=1)
    return replace(state, synthetic=max(0.0, state.synthetic + (SYNTHETIC_FAILURE if failed else SYNTHETIC_PASS)))


def _summed(state: WayState) -> WayState:
    points = state.doubt_failed * SYNTHETIC_FAILURE + state.doubt_passed * SYNTHETIC_PASS
    synthetic = max(0.0, state.synthetic + points)
    return replace(state, synthetic=synthetic, doubt_at=None, doubt_failed=0, doubt_passed=0)


def _decided(state: WayState, now: datetime) -> WayState:
    """The confirm runs did not land in time: what did counts."""
    state = _summed(state)
    return withdrawn(state, now) if state.points >= WITHDRAW_AT else state


def _test(state: WayState, event: Event, at: datetime) -> WayState:
    """The sequential test of "healthy" against "half of everything fails", while withdrawn or half-open."""
    good, bad = SPRT_SYNTHETIC if event.synthetic else SPRT_REAL
    if event.outcome is Outcome.WORKED:
        return replace(
            state,
            sprt=min(PROVEN_AT, state.sprt + good),
            last_proof_at=_later(state.last_proof_at, at),
            real_successes=state.real_successes + (not event.synthetic),
            last_real_at=state.last_real_at if event.synthetic else event.now,
        )
    state = replace(
        state,
        sprt=max(0.0, state.sprt + bad),
        last_failure_at=_later(state.last_failure_at, at),
        blind=state.blind and not event.synthetic,
        real_successes=state.real_successes if event.synthetic else 0,
        last_real_at=state.last_real_at if event.synthetic else event.now,
    )
    if state.mode == "half_open" and state.sprt < WITHDRAWN_AGAIN_BELOW:
        return replace(withdrawn(state, event.now), blind=state.blind)
    return state


def _trusted(state: WayState, now: datetime) -> bool:
    if not state.blind or state.real_successes >= REAL_SUCCESSES:
        return True
    heard = _later(state.half_open_at, state.last_real_at) if state.last_real_at else state.half_open_at
    return heard is not None and now - heard >= QUIET


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
