"""Who is walked when, and beside whom: a lane a provider, a few lanes at once, each with a connection of its own.

A provider that answers slowly delays its own walks and nobody else's. Domain rows are the truth: what a round did not
come to is walked in the next.
"""

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connection

from doenda.kernel import clock
from doenda.probes import walks
from doenda.probes.models import ProbeRun

log = logging.getLogger(__name__)

LANES = 8
"""At most so many providers are walked at once; more of them take turns."""


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
        waiting = [pool.submit(_lane, mine, walks.walk) for mine in by_lane.values()]
    runs = {run.way: run for each in waiting for run in each.result()}
    return [runs[slug] for slug in slugs]


def _lane[T](slugs: list[str], walk: Callable[[str], T]) -> list[T]:
    try:
        return [walk(slug) for slug in slugs]
    finally:
        connection.close()


class Rounds:
    """The prober's memory: when each way is due, by the monotonic clock, and which lanes are busy."""

    def __init__(self, every: float) -> None:
        self.every = every
        self._due: dict[str, float] = {}
        self._busy: dict[str, Future[list[None]]] = {}
        self._pool = ThreadPoolExecutor(LANES, thread_name_prefix="probe")
        self._stopping = False

    def step(self) -> list[str]:
        """Start what is due in lanes that are free. Returns the ways that were started; call it every second or so.

        A way that is new here, or that has just opened, is due at once.
        """
        now, open_now = clock.monotonic(), _ways()
        for slug in self._due.keys() - set(open_now):
            self._due.pop(slug, None)
        for slug in open_now:
            self._due.setdefault(slug, now)
        started: list[str] = []
        for lane, slugs in lanes(slug for slug in open_now if self._due[slug] <= now).items():
            running = self._busy.get(lane)
            if running is not None and not running.done():
                continue
            self._busy[lane] = self._pool.submit(_lane, slugs, self._walk)
            started += slugs
        return started

    def stop(self) -> None:
        """Start nothing more, and wait for the walks that are under way: their money is given back."""
        self._stopping = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _walk(self, slug: str) -> None:
        if self._stopping:
            return
        begun = clock.monotonic()
        pause = self.every
        try:
            run = walks.walk(slug)
            log.info("%s: %s in %.1f s %s", slug, run.outcome, run.seconds, run.trouble)
            pause = walks.pause(slug, self.every)
        except Exception:
            log.exception("the walk of %s could not be made", slug)
            connection.close()
        self._due[slug] = max(begun + pause, clock.monotonic() + 1.0)


def _ways() -> list[str]:
    try:
        return walks.ways()
    except Exception:
        log.exception("the ways cannot be read; trying again")
        connection.close()
        return []
