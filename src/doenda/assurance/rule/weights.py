"""The figures of the rule: Wald's tests of a way's usual failures against half of everything, and what follows.

A way's baseline `p0` is the share of real tries that fail while it is healthy (learned: `baseline`, between `P0_LEAST`
and `P0_MOST`). A test's weights are the logarithms of the odds of what was seen; e to the power of its threshold is the
least number of outcomes from one false alarm to the next.
"""

from datetime import timedelta
from math import log

P0, P0_LEAST, P0_MOST = 0.05, 0.02, 0.15
HALF, FIFTH = 0.5, 0.2
"""What a way is withdrawn for, and what it is merely named last for: the share of tries that fail."""
WITHDRAW_AT = 11.31
"""Five failures in a row reach it (11.51); two failing walks of three with two failing tries (11.305) do not: of all
false alarms they would be a third."""
SUSPECT_ABOVE = 4.4
DEGRADED_AT, DEGRADED_UNTIL = 11.0, 5.5
SYNTHETIC_FAILURE = 4.5
SYNTHETIC_PASS = -2.3
CONFIRMED_WITHIN = timedelta(seconds=45)
"""Confirm runs that have not landed by then say nothing: a walk may take 20 s, its runner as long to begin it."""

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

REPORTS_NEEDED, REPORTS_MOST = 3, 24
"""Distinct people who say that it does not work; doubled whenever they were wrong, to at most so many."""
REPORTS_WITHIN = timedelta(minutes=30)
REPORTS_ANSWERED_BY = 3
REPORTS_LAST = timedelta(minutes=10)
REPORTS_FORGOTTEN = timedelta(hours=6)


def failure(p0: float, p1: float = HALF) -> float:
    """The weight of a real failure, for `p1` of all failing against `p0`."""
    return log(p1 / p0)


def success(p0: float, p1: float = HALF) -> float:
    """The weight of a real success: below zero."""
    return log((1 - p1) / (1 - p0))


def baseline(upper_rate: float | None) -> float:
    """The baseline for a healthy way's measured rate of failures (its upper bound); None: nothing is known yet."""
    return P0 if upper_rate is None else min(P0_MOST, max(P0_LEAST, upper_rate))
