"""The figures of the rule: Wald's tests for 5 % against 50 % failures, and the holds after a withdrawal."""

from datetime import timedelta
from math import log

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
