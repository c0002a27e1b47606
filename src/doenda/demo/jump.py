"""Making time pass: the clock moves, every way is walked anew (proofs are minutes old at most), what is due is done.

Runs in a thread of the web process, of which the demo has one; the page shows the progress. What a lost thread leaves
undone, the worker and the prober do.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db import connection

from doenda.demo import sample
from doenda.dunning.models import Case
from doenda.kernel import clock, offset, sweeps
from doenda.kernel.db import atomic
from doenda.probes import walks

log = logging.getLogger(__name__)
ROUNDS = 8
LONGEST = 120.0
"""Seconds after which the rest is left to the worker."""


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of work: what it is, what came of it ("" while it runs), its seconds."""

    words: str
    result: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Of one jump; `before` and `after` are the house's clock. A value: whoever shows it has a copy."""

    why: str
    before: datetime
    after: datetime
    steps: tuple[Step, ...] = ()
    running: bool = True
    trouble: str = ""


@dataclass
class _Desk:
    """The one jump of this process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    progress: Progress | None = None


_desk = _Desk()


def progress() -> Progress | None:
    """The jump that runs, or the last one."""
    return _desk.progress


def start(step: timedelta, why: str) -> bool:
    """Jump ahead, in a thread. False: one is under way. Raises ValueError for a step back."""
    if step < timedelta(0):
        raise ValueError("the clock only moves forward")
    if not _claim(step, why):
        return False
    threading.Thread(target=_thread, args=(step,), daemon=True, name="demo-jump").start()
    return True


def run(step: timedelta, why: str) -> Progress:
    """The same, and wait for its end."""
    if _claim(step, why):
        _work(step)
    assert _desk.progress is not None
    return _desk.progress


def _claim(step: timedelta, why: str) -> bool:
    with _desk.lock:
        if _desk.progress is not None and _desk.progress.running:
            return False
        now = clock.now()
        _desk.progress = Progress(why, now, now + step)
        return True


def _thread(step: timedelta) -> None:
    try:
        _work(step)
    finally:
        connection.close()


def _work(step: timedelta) -> None:
    deadline = clock.monotonic() + LONGEST
    try:
        _step("the clock moves on", lambda: f"{offset.advance(step):%F %R} UTC")
        _step("the carrier bills the cast", lambda: f"{sample.bill_the_cast()} new bills")
        for slug in walks.ways():
            _step(f"walk {slug} to its last step", lambda slug=slug: _walked(slug))  # type: ignore[misc]
        _step("look again at cases that waited for a proven way", lambda: f"{_wake_cases()} cases")
        for number in range(1, ROUNDS + 1):
            if not _round(number, deadline):
                break
    except Exception as trouble:
        log.exception("the jump stopped")
        _change(trouble=f"{type(trouble).__name__}: {trouble}"[:300])
    finally:
        _change(running=False)


def _walked(slug: str) -> str:
    try:
        walked = walks.walk(slug)
    except Exception as trouble:
        log.exception("the walk of %s could not be made", slug)
        return f"could not be walked: {trouble}"[:200]
    return "worked" if walked.outcome == "worked" else f"failed: {walked.trouble}"


def _wake_cases() -> int:
    """The worker may have looked while no way was proven yet; its next look would be a quarter of an hour ahead."""
    with atomic():
        waiting = Case.objects.filter(closed_at=None, waiting_for="no_way_proven")
        return waiting.update(next_check_at=clock.now())


def _round(number: int, deadline: float) -> int:
    """Run every sweep once; how many rows were worked on."""
    done: dict[str, int] = {}

    def sweep_all() -> str:
        for name in sweeps.registered():
            if clock.monotonic() < deadline and (rows := sweeps.run(name, most=1000)):
                done[name] = rows
        return ", ".join(f"{name} {rows}" for name, rows in done.items()) or "nothing left"

    _step(f"do what is due, round {number}", sweep_all)
    return sum(done.values()) if clock.monotonic() < deadline else 0


def _step(words: str, work: Callable[[], str]) -> None:
    assert _desk.progress is not None
    before, begun = _desk.progress.steps, clock.monotonic()
    _change(steps=(*before, Step(words)))
    try:
        result = work()
    except Exception as trouble:
        _change(steps=(*before, Step(words, f"failed: {trouble}"[:200], clock.monotonic() - begun)))
        raise
    _change(steps=(*before, Step(words, result, clock.monotonic() - begun)))


def _change(**fields: object) -> None:
    with _desk.lock:
        assert _desk.progress is not None
        _desk.progress = replace(_desk.progress, **fields)  # type: ignore[arg-type]
