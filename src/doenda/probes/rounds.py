"""Who is walked when, and beside whom: a lane a provider, a few lanes at once, each with a connection of its own.

A provider that answers slowly delays its own walks and nobody else's. Any number of runners share the turns (`turns`);
what one did not come to is walked by the next.
"""

import logging
import os
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from doenda.kernel import clock
from doenda.notices import reaching
from doenda.probes import loops, schedules, turns, walks
from doenda.probes.models import ProbeRun, Turn

log = logging.getLogger(__name__)

LANES = 8
"""At most so many providers are walked at once; more of them take turns."""
CONFIRMING = 4
REST = timedelta(seconds=1)
FALLBACK = timedelta(seconds=30)
"""When a walk that could not be made is tried again."""


def lanes(slugs: Iterable[str]) -> dict[str, list[str]]:
    """The ways by provider, in the order given."""
    found: dict[str, list[str]] = {}
    for slug in slugs:
        found.setdefault(slug.split("/")[2], []).append(slug)
    return found


def once(slugs: list[str]) -> list[ProbeRun]:
    """Walk each way once and wait for all; the runs in the order given. What a walk raises is raised at the end."""
    by_lane = lanes(slugs)
    if not by_lane:
        return []
    with ThreadPoolExecutor(min(LANES, len(by_lane)), thread_name_prefix="probe") as pool:
        waiting = [pool.submit(_lane, mine, walk) for mine in by_lane.values()]
    runs = {run.way: run for each in waiting for run in each.result()}
    return [runs[slug] for slug in slugs]


def _lane[W, T](turns_of_it: list[W], walk: Callable[[W], T]) -> list[T]:
    try:
        return [walk(one) for one in turns_of_it]
    finally:
        connection.close()


class Rounds:
    """One runner: leases the walks that are due, and makes them, a lane a provider; confirm runs wait for no lane.

    `every`: seconds from one walk of a way to the next, instead of what `schedules` says. `name`: who it is among the
    runners; two with one name would take each other's walks for their own.
    """

    def __init__(self, every: float | None = None, *, name: str = "") -> None:
        self.every = every
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._busy: dict[str, Future[list[None]]] = {}
        self._held: dict[UUID, Turn] = {}
        self._pool = ThreadPoolExecutor(LANES, thread_name_prefix="probe")
        self._confirming = ThreadPoolExecutor(CONFIRMING, thread_name_prefix="confirm")
        self._stopping = False

    def step(self) -> list[str]:
        """Start what is due in lanes that are free. Returns the ways that were started; call it every second or so."""
        try:
            turns.ensure(ways())
            turns.keep(self.name, list(self._held.values()))
            found = turns.claim(self.name, busy=[lane for lane, running in self._busy.items() if not running.done()])
        except Exception:
            log.exception("the turns cannot be read; trying again")
            connection.close()
            return []
        self._held |= {turn.pk: turn for turn in found}
        by_lane: dict[str, list[Turn]] = {}
        for turn in found:
            if turn.confirms:
                self._confirming.submit(_lane, [turn], self._walk)
            else:
                by_lane.setdefault(turn.way.split("/")[2], []).append(turn)
        for lane, mine in by_lane.items():
            self._busy[lane] = self._pool.submit(_lane, mine, self._walk)
        return [turn.way for turn in found]

    def stop(self) -> None:
        """Start nothing more, and wait for the walks that are under way: their money is given back."""
        self._stopping = True
        for pool in (self._pool, self._confirming):
            pool.shutdown(wait=True, cancel_futures=True)

    def _walk(self, turn: Turn) -> None:
        begun, due = clock.now(), None
        try:
            if not self._stopping:
                run = walk(turn.way, runner=self.name, confirms=turn.confirms)
                log.info("%s: %s in %.1f s %s", turn.way, run.outcome, run.seconds, run.trouble)
                due = schedules.due(turn.way, begun, amount=walks.AMOUNT[walks.CURRENCY], every=self.every)
        except Exception:
            log.exception("the walk of %s could not be made", turn.way)
            connection.close()
        self._done(turn, max(due or begun + FALLBACK, clock.now() + REST))

    def _done(self, turn: Turn, due: datetime) -> None:
        self._held.pop(turn.pk, None)
        try:
            turns.done(turn, clock.now() if self._stopping else due)
        except Exception:
            log.exception("the turn of %s could not be ended: its lease will", turn.way)
            connection.close()


def ways() -> list[str]:
    """Everything to walk now: ways to pay, and the gateway that carries texts."""
    return walks.ways() + loops.ways()


def walk(slug: str, *, runner: str = "", confirms: bool = False) -> ProbeRun:
    """Walk one of them, whichever it is."""
    if slug == reaching.way():
        return loops.walk(slug, runner=runner, confirms=confirms)
    return walks.walk(slug, runner=runner, confirms=confirms)
