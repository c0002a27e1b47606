"""Sweeps: work derived from rows, so that a lost nudge or a killed worker loses nothing.

A room registers `@sweep("inquiries", every=5)`; the worker runs it at least that often (seconds of wall time), and
`nudge` asks for it now. A sweep works on at most `limit` rows and says how many: while it was full it is called again.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction

log = logging.getLogger(__name__)

type Work = Callable[[int], int]


@dataclass(frozen=True)
class Sweep:
    name: str
    every: int
    work: Work


_registry: dict[str, Sweep] = {}


def sweep(name: str, *, every: int) -> Callable[[Work], Work]:
    def register(work: Work) -> Work:
        if name in _registry:
            raise ValueError(f"two sweeps are called {name!r}")
        _registry[name] = Sweep(name, every, work)
        return work

    return register


def registered() -> dict[str, Sweep]:
    return dict(_registry)


def run(name: str, *, batch: int = 100, most: int = 10_000) -> int:
    """Run one sweep until it finds nothing more, or `most` rows. Returns the rows worked on."""
    total = 0
    while total < most:
        done = _registry[name].work(batch)
        total += done
        if done < batch:
            break
    return total


def run_all(rounds: int = 20) -> int:
    """Run every sweep until the house is quiet (tests, simulator). Returns the rows worked on."""
    total = 0
    for _ in range(rounds):
        done = sum(run(name) for name in _registry)
        total += done
        if not done:
            break
    return total


type Nudger = Callable[[str], None]
_nudger: Nudger | None = None


def nudge_with(nudger: Nudger | None) -> None:
    """Who wakes the worker: set once by the process's start; None in tests (sweeps are then run by hand)."""
    global _nudger  # noqa: PLW0603 - set once at start
    _nudger = nudger


def nudge(name: str) -> None:
    """Ask for a sweep soon, once the current transaction is durable. Losing it costs only time."""
    if _nudger is not None:
        transaction.on_commit(partial(_nudger, name))


class Coalescing:
    """Passes each name on at most once per `pause` seconds, from a thread of its own: no request waits for it."""

    def __init__(self, send: Nudger, pause: float = 0.2) -> None:
        self.send, self.pause = send, pause
        self.wanted: set[str] = set()
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = None

    def __call__(self, name: str) -> None:
        with self.changed:
            self.wanted.add(name)
            if self.thread is None:
                self.thread = threading.Thread(target=self._run, daemon=True, name="nudges")
                self.thread.start()
            self.changed.notify()

    def _run(self) -> None:
        while True:
            with self.changed:
                while not self.wanted:
                    self.changed.wait()
                names, self.wanted = self.wanted, set()
            for name in names:
                try:
                    self.send(name)
                except Exception:
                    log.warning("the nudge for %s was lost; its sweep will find the work", name, exc_info=True)
            connection.close()
            threading.Event().wait(self.pause)
