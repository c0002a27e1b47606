"""What the rule remembers of a way, and how long a stretch of it counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from doenda.assurance.hours import ALWAYS, Calendar, closed_until, named
from doenda.assurance.rule.weights import P0, REPORTS_NEEDED, SUSPECT_ABOVE

NIGHT = named("small_hours")


@dataclass(frozen=True, slots=True)
class WayState:
    """All that the rule remembers of a way. `real` and `synthetic` are the CUSUM's points by their source.

    `lease`: how long a proof counts, `lease_night`: one of the small hours, when hardly anybody comes to prove it.
    `baseline`: the share of real tries that fail while all is well. `slow`: the points of the test for a fifth failing,
    `degraded` since it came to its threshold. `confirms`: how many confirm runs a failing walk starts; `doubt_at`:
    since when they are waited for, `doubt_failed` and `doubt_passed`: what has landed, the first failure included.
    `reports`: when people lately said that it does not work; `reported_at`: since when they are so many that it is in
    doubt, until `reports_answered` tries have worked; `wary_since`: they were wrong then, so more are needed.
    `clean_proof_at`: the last proof at a moment without points; `series_from`: the first failure of the present points.
    `by_parent`: withdrawn because its provider fails, not by evidence of its own.
    `blind`: real traffic withdrew the way while the synthetic walks saw nothing. `counts_from`: older outcomes belong
    to an earlier chapter and weigh nothing. `closed_from` and `closed_until`: a closure by hand, beside the calendar's.
    `part`: a way on one kind of device only. The way itself is what must be proven; silence of a part says nothing.
    """

    lease: timedelta = timedelta(seconds=120)
    lease_night: timedelta | None = None
    baseline: float = P0
    confirms: int = 0
    mode: Literal["alive", "withdrawn", "half_open"] = "alive"
    real: float = 0.0
    synthetic: float = 0.0
    slow: float = 0.0
    degraded: bool = False
    reports: tuple[datetime, ...] = ()
    reported_at: datetime | None = None
    reports_answered: int = 0
    reports_needed: int = REPORTS_NEEDED
    wary_since: datetime | None = None
    by_parent: bool = False
    doubt_at: datetime | None = None
    doubt_failed: int = 0
    doubt_passed: int = 0
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
    part: bool = False

    @property
    def points(self) -> float:
        return self.real + self.synthetic

    @property
    def calm(self) -> bool:
        """A further success need not be known at once: it takes points off, and no word changes for it."""
        settled = self.doubt_at is None and self.reported_at is None
        return self.mode == "alive" and self.points <= SUSPECT_ABOVE and settled

    @property
    def clean(self) -> bool:
        """Nothing stands against the way."""
        return self.mode == "alive" and self.points == 0 and self.doubt_at is None

    @property
    def proven_until(self) -> datetime | None:
        """The end of the lease; None without a proof that counts."""
        if self.last_proof_at is None or (self.counts_from is not None and self.last_proof_at < self.counts_from):
            return None
        if self.lease_night is not None and closed_until(NIGHT, self.last_proof_at) is None:
            return self.last_proof_at + max(self.lease, self.lease_night)
        return self.last_proof_at + self.lease
