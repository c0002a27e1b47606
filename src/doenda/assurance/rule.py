"""The rule of standing: when a way may be named, when it is withdrawn, and when it comes back. Pure and replayable.

Layer 0 is the lease: a proof (an outcome that reached the last step) counts for `lease` seconds and no longer. Layer 1
is a Bernoulli CUSUM over real outcomes, layer 2 adds synthetic walks to the same score. A withdrawn way returns by a
sequential test, slower than it went. The figures are those of Wald's tests for 5 % against 50 % failures; the delays
and false alarms that follow from them are stated with the benches.

Closed is not failing. While its calendar (or a person) has a way closed, that is its standing whatever its points, a
failure of a try in closed hours weighs nothing, and silence is nobody's fault: walks and customers stay away. The lease
is not stretched by it, though. After a short closure a proof from before it may still count; after one longer than what
was left of the lease the way is unproven until it is walked, which the prober does within seconds of the opening.

Time moves in two ways: `judge` takes in one outcome, `tick` lets time pass. Both are total and have no side effect.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import log
from typing import Literal

from doenda.assurance import hours
from doenda.assurance.hours import ALWAYS, Calendar

P0, P1 = 0.05, 0.5
REAL_FAILURE = log(P1 / P0)
REAL_SUCCESS = log((1 - P1) / (1 - P0))
SYNTHETIC_FAILURE = 4.5
SYNTHETIC_PASS = -2.3
WITHDRAW_AT = 11.0
SUSPECT_ABOVE = 0.4 * WITHDRAW_AT

HOLD = timedelta(seconds=180)
HOLD_LONGEST = timedelta(minutes=60)
HOLD_MEMORY = timedelta(hours=6)
SPRT_REAL = (0.64, -2.3)
SPRT_SYNTHETIC = (0.68, -3.9)
HALF_OPEN_AT = 6.9
PROVEN_AT = 9.2
WITHDRAWN_AGAIN_BELOW = 4.6
REAL_SUCCESSES = 3
QUIET = timedelta(seconds=120)
"""A half-open way that real traffic withdrew and that no real traffic reaches returns by synthetic proof after this.

The strict rule would wait for real successes for ever where nobody comes: at night, or in a demonstration."""


class Outcome(StrEnum):
    """What a try of a way showed. Only `worked` is a proof, only the two failures count against the way."""

    WORKED = "worked"
    FAILED_BY_US = "failed_by_us"
    FAILED_BY_PROVIDER = "failed_by_provider"
    FAILED_BY_CUSTOMER = "failed_by_customer"
    PENDING = "pending"


FAILURES = frozenset({Outcome.FAILED_BY_US, Outcome.FAILED_BY_PROVIDER})


class Name(StrEnum):
    """The words for a way's standing."""

    UNPROVEN = "unproven"
    PROVEN = "proven"
    SUSPECT = "suspect"
    WITHDRAWN = "withdrawn"
    HALF_OPEN = "half_open"
    DEGRADED = "degraded"
    CLOSED = "closed"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Event:
    """One outcome: `at` when it happened, `now` when it is judged."""

    outcome: Outcome
    at: datetime
    now: datetime
    synthetic: bool


@dataclass(frozen=True, slots=True)
class WayState:
    """All that the rule remembers of a way. `real` and `synthetic` are the CUSUM's points by their source.

    `clean_proof_at`: the last proof at a moment without points; `series_from`: the first failure of the present points.
    `blind`: real traffic withdrew the way while the synthetic walks saw nothing. `counts_from`: older outcomes belong
    to an earlier chapter and weigh nothing. `closed_from` and `closed_until`: a closure by hand, beside the calendar's.
    """

    lease: timedelta = timedelta(seconds=120)
    mode: Literal["alive", "withdrawn", "half_open"] = "alive"
    real: float = 0.0
    synthetic: float = 0.0
    last_proof_at: datetime | None = None
    clean_proof_at: datetime | None = None
    last_failure_at: datetime | None = None
    series_from: datetime | None = None
    counts_from: datetime | None = None
    withdrawn_at: datetime | None = None
    hold_until: datetime | None = None
    half_open_at: datetime | None = None
    by_hand: bool = False
    blind: bool = False
    sprt: float = 0.0
    real_successes: int = 0
    last_real_at: datetime | None = None
    withdrawals: tuple[datetime, ...] = ()
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    retired_at: datetime | None = None
    retired_by_hand: bool = False
    calendar: Calendar = ALWAYS

    @property
    def points(self) -> float:
        return self.real + self.synthetic

    @property
    def calm(self) -> bool:
        """A further success could change nothing but the proof's age."""
        return self.mode == "alive" and self.points == 0

    @property
    def proven_until(self) -> datetime | None:
        """The end of the lease; None without a proof that counts."""
        if self.last_proof_at is None or (self.counts_from is not None and self.last_proof_at < self.counts_from):
            return None
        return self.last_proof_at + self.lease


type Change = Callable[[WayState], WayState]


def standing(state: WayState, now: datetime) -> Name:
    """The word for `state` at `now`. No proof, or one that is too old, is never `proven`."""
    if state.retired_at is not None:
        return Name.RETIRED
    if closed_until(state, now) is not None:
        return Name.CLOSED
    if state.mode != "alive":
        return Name(state.mode)
    if not leased(state, now):
        return Name.UNPROVEN
    return Name.SUSPECT if state.points > SUSPECT_ABOVE else Name.PROVEN


def leased(state: WayState, now: datetime) -> bool:
    return state.proven_until is not None and now <= state.proven_until


def closed_until(state: WayState, now: datetime) -> datetime | None:
    """None while it is open; else the first instant after `now` at which neither calendar nor person has it closed."""
    at = now
    while True:
        if state.closed_until is not None and (state.closed_from or at) <= at < state.closed_until:
            at = state.closed_until
        elif (opens := hours.closed_until(state.calendar, at)) is not None:
            at = opens
        else:
            return None if at == now else at


def failing(state: WayState, now: datetime) -> bool:
    """Were customers misled who had been told this way? Not by silence alone: a dead prober is not a failing way.

    Nor does silence begin while it is closed: a lease that ends in closed hours gets another one from the opening.
    """
    if state.retired_at is not None:
        return False
    if state.mode != "alive":
        return True
    if leased(state, now) or closed_until(state, now) is not None:
        return False
    opened = closed_until(state, state.proven_until) if state.proven_until is not None else None
    if opened is not None and now <= opened + state.lease:
        return False
    silent_since = state.last_proof_at
    return state.last_failure_at is not None and (silent_since is None or state.last_failure_at > silent_since)


def onset(state: WayState, now: datetime) -> datetime:
    """Since when the way fails, to the customer's advantage: the last proof before the first failure of the series."""
    known = [at for at in (state.clean_proof_at, state.series_from) if at is not None]
    return min(known, default=now)


def with_proof(state: WayState, at: datetime | None) -> WayState:
    """`state` after a proof at `at` that was stored without being judged (see evidence.record)."""
    if at is None or (state.counts_from is not None and at < state.counts_from):
        return state
    if state.last_proof_at is not None and at <= state.last_proof_at:
        return state
    return replace(state, last_proof_at=at, clean_proof_at=at if state.calm else state.clean_proof_at)


def judge(state: WayState, event: Event) -> WayState:
    """Take in one outcome. Pending ones, failures that are the customer's own, and those of closed hours weigh nothing.

    A success in closed hours is a proof all the same: it happened.
    """
    state = tick(state, event.now)
    if event.outcome is not Outcome.WORKED and event.outcome not in FAILURES:
        return state
    at = min(event.at, event.now)
    if event.outcome in FAILURES and closed_until(state, at) is not None:
        return state
    if state.counts_from is not None and at < state.counts_from:
        return state
    return tick(_count(state, event, at) if state.mode == "alive" else _test(state, event, at), event.now)


def tick(state: WayState, now: datetime) -> WayState:
    """Let time pass: holds end, and a way that has shown enough comes back."""
    if state.by_hand:
        return state
    held = state.hold_until is not None and now < state.hold_until
    if state.mode == "withdrawn" and not held and state.sprt >= HALF_OPEN_AT:
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
        sprt=0.0,
        by_hand=False,
        blind=False,
        counts_from=counts_from,
        clean_proof_at=state.last_proof_at,
        series_from=None,
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
        real=0.0,
        synthetic=0.0,
        sprt=0.0,
        real_successes=0,
        last_real_at=None,
        half_open_at=None,
    )


def _count(state: WayState, event: Event, at: datetime) -> WayState:
    """The CUSUM. A synthetic pass cancels synthetic points only: a passing probe never outvotes failing customers."""
    real, synthetic = state.real, state.synthetic
    if event.outcome in FAILURES:
        if event.synthetic:
            synthetic += SYNTHETIC_FAILURE
        else:
            real += REAL_FAILURE
        state = replace(
            state,
            real=real,
            synthetic=synthetic,
            last_failure_at=_later(state.last_failure_at, at),
            series_from=state.series_from or at,
        )
        return withdrawn(state, event.now) if state.points >= WITHDRAW_AT else state
    if event.synthetic:
        synthetic = max(0.0, synthetic + SYNTHETIC_PASS)
    else:
        left = min(0.0, real + REAL_SUCCESS)
        real, synthetic = max(0.0, real + REAL_SUCCESS), max(0.0, synthetic + left)
    clean = real + synthetic == 0
    return replace(
        state,
        real=real,
        synthetic=synthetic,
        last_proof_at=_later(state.last_proof_at, at),
        clean_proof_at=_later(state.clean_proof_at, at) if clean else state.clean_proof_at,
        series_from=None if clean else state.series_from,
    )


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
