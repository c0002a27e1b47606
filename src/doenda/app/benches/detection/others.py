"""Others' rules as their source and documents have them, fed the same outcomes in the order in which they are known.

What each looks at differs: a monitor sees walks only, a proxy or a library the tries of customers only.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

from doenda.app.benches.detection.traces import Seen


class Rule(Protocol):
    """`down`: it says so after the outcomes seen so far."""

    down: bool

    def see(self, seen: Seen) -> None: ...


@dataclass
class Gatus:
    """Three failing checks in a row, two good ones to clear (its defaults)."""

    down: bool = False
    failed: int = 0
    passed: int = 0

    def see(self, seen: Seen) -> None:
        if seen.walk:
            self.failed, self.passed = (0, self.passed + 1) if seen.ok else (self.failed + 1, 0)
            self.down = self.failed >= 3 or (self.down and self.passed < 2)


@dataclass
class UptimeKuma:
    """The first failing check (retries are 0 by default); the first good one clears."""

    down: bool = False

    def see(self, seen: Seen) -> None:
        if seen.walk:
            self.down = not seen.ok


@dataclass
class Consecutive:
    """Five failing tries in a row, ejected for a while: Envoy (30 s, times the number of ejections, at most 300 s) and
    pybreaker (60 s; the next success closes it)."""

    first: float
    longest: float
    down: bool = False
    failed: int = 0
    times: int = 0
    until: float = 0.0

    def see(self, seen: Seen) -> None:
        if seen.walk:
            return
        if self.down and seen.known < self.until:
            return
        self.down = False
        self.failed = 0 if seen.ok else self.failed + 1
        if self.failed >= 5:
            self.down, self.failed, self.times = True, 0, self.times + 1
            self.until = seen.known + min(self.longest, self.first * self.times)


@dataclass
class Resilience4j:
    """Half of the last hundred calls, and not before there are a hundred; open for 60 s."""

    down: bool = False
    last: deque[bool] = field(default_factory=lambda: deque(maxlen=100))
    until: float = 0.0

    def see(self, seen: Seen) -> None:
        if seen.walk or (self.down and seen.known < self.until):
            return
        if self.down:
            self.down = False
            self.last.clear()
        self.last.append(seen.ok)
        if len(self.last) == 100 and self.last.count(False) >= 50:
            self.down, self.until = True, seen.known + 60.0


@dataclass
class HyperswitchElimination:
    """A score that each try lowers by 5 % and each success gives back; eliminated below 0.05."""

    down: bool = False
    score: float = 1.0

    def see(self, seen: Seen) -> None:
        if seen.walk:
            return
        self.score = min(1.0, self.score * 0.95 * (1 / 0.95 if seen.ok else 1.0))
        self.down = self.score < 0.05


@dataclass
class Notify:
    """GOV.UK Notify: of what was begun in the last 15 min, 15 % or more has taken longer than 5 min."""

    down: bool = False
    begun: deque[tuple[float, bool]] = field(default_factory=deque)

    def see(self, seen: Seen) -> None:
        if seen.walk:
            return
        self.begun.append((seen.began, seen.ok))
        while self.begun[0][0] < seen.known - 900:
            self.begun.popleft()
        slow = sum(not ok and at < seen.known - 300 for at, ok in self.begun)
        self.down = slow >= 0.15 * len(self.begun)


@dataclass
class BurnRate:
    """SRE's first alert for an objective of 99 %: 14.4 times the budget over an hour and over five minutes."""

    down: bool = False
    hour: deque[tuple[float, bool]] = field(default_factory=deque)

    def see(self, seen: Seen) -> None:
        if seen.walk:
            return
        self.hour.append((seen.known, seen.ok))
        while self.hour[0][0] < seen.known - 3600:
            self.hour.popleft()
        lately = [ok for at, ok in self.hour if at >= seen.known - 300]
        all_ = [ok for _, ok in self.hour]
        self.down = all(part.count(False) >= 0.144 * len(part) for part in (lately, all_))


def rules() -> dict[str, Rule]:
    """One of each, as it begins."""
    return {
        "gatus": Gatus(),
        "uptime_kuma": UptimeKuma(),
        "envoy": Consecutive(30.0, 300.0),
        "pybreaker": Consecutive(60.0, 60.0),
        "resilience4j": Resilience4j(),
        "hyperswitch_elimination": HyperswitchElimination(),
        "notify": Notify(),
        "burn_rate": BurnRate(),
    }
