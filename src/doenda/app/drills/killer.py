"""Who kills -9, what and when: a plan that follows from a seed alone, and the hand that carries it out.

A blow falls when so many customers have begun, and a drawn moment later: between any two of their steps.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from doenda.app.stage import Stage
from doenda.kernel import clock, randomness

BLOWS: tuple[tuple[str, ...], ...] = (
    ("postmaster",),
    ("web",),
    ("worker",),
    ("toss",),
    ("server",),
    ("bank",),
    ("deposits",),
    ("backend",),
    ("web", "postmaster"),
    ("worker", "deposits"),
)
"""What dies at one moment. PostgreSQL dies in three ways: the postmaster alone (its backends outlive it for a moment),
the whole server at once, and one backend (upon which the postmaster ends all others and recovers)."""
POSTGRES = ("postmaster", "server", "backend")
KINDS = ("web", "worker", "bank", "toss", "deposits", "postgres")
LONGEST_PAUSE = 2.5
WALKS_A_BLOW = 4
_BACK_SECONDS = 60.0


@dataclass(frozen=True)
class Blow:
    """Kill `targets` when `after` customers have begun, `pause` seconds later; `pick` chooses among backends."""

    after: int
    pause: float
    targets: tuple[str, ...]
    pick: float


def plan(walks: int, seed: int | str) -> list[Blow]:
    """Every kind of blow comes once before any comes again; the order, the moments and the victims are drawn."""
    count = max(len(BLOWS), walks // WALKS_A_BLOW)
    targets: list[tuple[str, ...]] = []
    with randomness.seeded(f"kill:{seed}") as chance:
        while len(targets) < count:
            targets += chance.sample(BLOWS, len(BLOWS))
        return [
            Blow(place * walks // count, chance.uniform(0.0, LONGEST_PAUSE), targets[place], chance.random())
            for place in range(count)
        ]


@dataclass
class Killer:
    """Carries a plan out while customers walk, and takes the time that PostgreSQL needs to take connections again."""

    stage: Stage
    blows: Sequence[Blow] = ()
    kills: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    _begun: int = 0
    _struck: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _watchers: list[threading.Thread] = field(default_factory=list)

    def begin(self, blows: Sequence[Blow]) -> None:
        """A new day with a plan of its own; kills and times are counted on."""
        with self._changed:
            self.blows, self._begun, self._struck = blows, 0, 0
        self._watchers.clear()

    def may_begin(self, place: int) -> None:
        """Customers do not run ahead of the killer: errand `place` waits until the blow before it has begun to fall."""
        with self._changed:
            due = sum(blow.after < place for blow in self.blows)
            self._changed.wait_for(lambda: self._struck >= due - 1)
            self._begun = max(self._begun, place + 1)
            self._changed.notify_all()

    def run(self) -> None:
        """Every blow of the plan; returns when PostgreSQL is back after the last one."""
        for blow in self.blows:
            with self._changed:
                while self._begun <= blow.after:
                    self._changed.wait()
            clock.sleep(blow.pause)
            for target in blow.targets:
                self._strike(target, blow.pick)
            with self._changed:
                self._struck += 1
                self._changed.notify_all()
        for watcher in self._watchers:
            watcher.join()

    def figures(self) -> dict[str, int | float]:
        """Kills in all and by kind, and how long PostgreSQL was away."""
        kinds = {f"kills_{kind}": self.kills[kind] for kind in KINDS if kind != "postgres"}
        back = sorted(self.back)
        return {
            "kills": sum(self.kills.values()),
            **kinds,
            "kills_postgres": sum(self.kills[kind] for kind in POSTGRES),
            **{f"kills_postgres_{kind}": self.kills[kind] for kind in POSTGRES},
            "seconds_postgres_back_median": round(back[len(back) // 2], 2) if back else 0.0,
            "seconds_postgres_back_max": round(back[-1], 2) if back else 0.0,
        }

    def _strike(self, target: str, pick: float) -> None:
        """Kill it as soon as it lives; one that does not come back within a minute is a miss, and told."""
        deadline = clock.monotonic() + _BACK_SECONDS
        while clock.monotonic() < deadline:
            if self._postgres(target, pick) if target in POSTGRES else self.stage.kill(target):
                self.kills[target] += 1
                return
            clock.sleep(0.05)
        self.missed.append(target)

    def _postgres(self, kind: str, pick: float) -> bool:
        """Kill PostgreSQL while it takes connections; our own one, which breaks, tells that it is really gone."""
        url = self.stage.env["DATABASE_URL"]
        try:
            canary = psycopg.connect(url, autocommit=True, connect_timeout=2)
            backends = [
                pid
                for (pid,) in canary.execute(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
                    " AND pid <> pg_backend_pid() ORDER BY backend_start"
                )
            ]
        except psycopg.Error:
            return False
        if kind == "backend":
            if not backends:
                canary.close()
                return False
            os.kill(backends[int(pick * len(backends))], signal.SIGKILL)
        elif not self.stage.kill_postgres(whole=kind == "server"):
            canary.close()
            return False
        watcher = threading.Thread(target=self._time_until_back, args=(canary, url, clock.monotonic()), daemon=True)
        watcher.start()
        self._watchers.append(watcher)
        return True

    def _time_until_back(self, canary: "psycopg.Connection[tuple[int]]", url: str, since: float) -> None:
        deadline = since + _BACK_SECONDS
        while clock.monotonic() < deadline:
            try:
                canary.execute("SELECT 1")
            except psycopg.Error:
                break
            clock.sleep(0.02)
        canary.close()
        while clock.monotonic() < deadline:
            try:
                with psycopg.connect(url, connect_timeout=2) as fresh:
                    fresh.execute("SELECT 1")
                self.back.append(clock.monotonic() - since)
                return
            except psycopg.Error:
                clock.sleep(0.02)
        self.missed.append("PostgreSQL's return")
