"""Our rule on a trace: confirm runs begin when a walk has failed, and time passes between outcomes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from math import log

from doenda.app.benches.detection import traces
from doenda.app.benches.detection.traces import Fault, Seen
from doenda.assurance import rule
from doenda.assurance.rule import Event, Outcome, WayState
from doenda.kernel.randomness import Chance

START = datetime(2014, 10, 22, 3, tzinfo=UTC)
CONFIRMS = 2
CONFIRM_AFTER = 0.5
"""Seconds from a failing walk until other runners begin theirs."""
FRESH = WayState(lease=timedelta(seconds=120), confirms=CONFIRMS)


def instant(second: float) -> datetime:
    """A second of a trace as the rule takes it."""
    return START + timedelta(seconds=second)


def event_of(seen: Seen) -> Event:
    """A proof counts from when the walk or try began, as in the house."""
    outcome = Outcome.WORKED if seen.ok else Outcome.FAILED_BY_PROVIDER
    return Event(outcome, instant(seen.began), instant(seen.known), seen.walk)


def noticed(fault: Fault, coming: Iterable[Seen], chance: Chance) -> float | None:
    """Seconds from the fault until nobody is told the way any more, withdrawn or unproven.

    None if it was not noticed, or had been taken for broken before.
    """
    state, numbers = FRESH, count()
    waiting: list[tuple[float, int, Seen, bool]] = []
    tries = iter(coming)
    following = next(tries, None)
    while following is not None or waiting:
        while following is not None and (not waiting or following.began <= waiting[0][0]):
            heappush(waiting, (following.known, next(numbers), following, False))
            following = next(tries, None)
        now, _, seen, confirms = heappop(waiting)
        if (gone := _gone(state, now)) is not None:
            return None if gone < 0 else gone
        if seen.ok and not seen.proves:
            continue
        doubted = state.doubt_at
        state = rule.judge(state, event_of(seen))
        if state.mode != "alive":
            return None if now < 0 else now
        if state.doubt_at is not None and doubted is None and not confirms:
            for _ in range(CONFIRMS):
                run = traces.walk(fault, now + CONFIRM_AFTER, chance)
                heappush(waiting, (run.known, next(numbers), run, True))
    return _gone(state, traces.LONGEST)


def _gone(state: WayState, now: float) -> float | None:
    """Since when, up to `now`, the way is named no more without another outcome: its lease is over."""
    until = state.proven_until
    if until is None:
        return None
    ended = (until - START).total_seconds()
    return ended if ended < now else None


def false_alarms(years: float, chance: Chance) -> int:
    """Withdrawals of a healthy way in so many years, with 5 tries a minute."""
    return _Healthy(chance).run(years * traces.YEAR)


class _Healthy:
    """From failure to failure. Failing and succeeding tries are Poisson processes of their own, so of the successes in
    between only the number is drawn (`rule.successes`); after a failing walk, and while withdrawn, each outcome is."""

    A_SECOND = 5 / 60
    WHILE_WITHDRAWN = 10.0
    """Seconds from one walk of a withdrawn way to the next."""

    def __init__(self, chance: Chance) -> None:
        self.chance, self.state = chance, FRESH
        self.now, self.withdrawals = 0.0, 0
        self.confirms: list[float] = []
        self.next_walk, self.flake_at = traces.EVERY, 0.0

    def run(self, end: float) -> int:
        self._judge(Outcome.WORKED, walk=True)
        self.flake_at = self._next_flake()
        while self.now < end:
            plain = self.state.mode == "alive" and not self.state.synthetic and self.state.doubt_at is None
            if plain:
                self._to_the_next_failure()
            else:
                self._one_by_one()
        return self.withdrawals

    def _judge(self, outcome: Outcome, *, walk: bool) -> None:
        at = instant(self.now)
        before, doubted = self.state.mode, self.state.doubt_at
        self.state = rule.judge(self.state, Event(outcome, at, at, walk))
        self.withdrawals += before == "alive" and self.state.mode == "withdrawn"
        if self.state.doubt_at is not None and doubted is None:
            self.confirms = [self.now + CONFIRM_AFTER + traces.WALK_TAKES] * CONFIRMS

    def _to_the_next_failure(self) -> None:
        fail_at = self.now + self.chance.expovariate(self.A_SECOND * traces.REAL_FAIL)
        flakes = self.flake_at < fail_at
        until = self.flake_at if flakes else fail_at
        good = self._poisson(self.A_SECOND * (1 - traces.REAL_FAIL) * (until - self.now))
        self.now, last = until, instant(until)
        self.state = rule.successes(rule.with_proof(self.state, last), good, last)
        self._judge(Outcome.FAILED_BY_PROVIDER, walk=flakes)
        self.next_walk = self.now + traces.EVERY

    def _one_by_one(self) -> None:
        """The next outcome, whatever it is: of a try, of a confirm run, or of a walk in its turn."""
        try_at = self.now + self.chance.expovariate(self.A_SECOND)
        walk_at = min([self.next_walk, *self.confirms])
        self.now = min(try_at, walk_at)
        walk = walk_at <= try_at
        failed = self.chance.random() < (traces.WALK_FLAKE if walk else traces.REAL_FAIL)
        if walk and walk_at in self.confirms:
            self.confirms.remove(walk_at)
        elif walk:
            self.next_walk += traces.EVERY if self.state.mode == "alive" else self.WHILE_WITHDRAWN
        self._judge(Outcome.FAILED_BY_PROVIDER if failed else Outcome.WORKED, walk=walk)
        self.flake_at = self._next_flake()

    def _next_flake(self) -> float:
        """When the next walk in its turn fails: each does with the same small chance."""
        passed = int(log(1 - self.chance.random()) / log(1 - traces.WALK_FLAKE))
        return self.next_walk + passed * traces.EVERY

    def _poisson(self, mean: float) -> int:
        """A number of events, by the time to each of them."""
        number, left = 0, mean
        while (left := left - self.chance.expovariate(1.0)) > 0:
            number += 1
        return number
