"""Procrastinate runs the sweeps: periodically, and when nudged. The jobs carry no truth: rows do."""

import contextlib
import logging
import threading

from django.db import connections
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from doenda.kernel import sweeps

log = logging.getLogger(__name__)
AT_ONCE = 2
_turns: dict[str, threading.BoundedSemaphore] = {}


@app.task(name="doenda.sweep", queue="sweeps")
def run_sweep(name: str) -> int:
    """A sweep that waits for a dead provider must not take the threads of all others: at most two run at a time."""
    turn = _turns.setdefault(name, threading.BoundedSemaphore(AT_ONCE))
    if not turn.acquire(blocking=False):
        return 0  # those that run find the work, or the next period does
    try:
        return sweeps.run(name)
    finally:
        turn.release()
        connections.close_all()


def _each(name: str, every: int) -> None:
    """One periodic task per sweep; a sweep still waiting in the queue is not queued twice."""
    cron = f"* * * * * */{every}" if every < 60 else f"*/{every // 60} * * * * 0"

    @app.periodic(cron=cron, periodic_id=name)
    @app.task(name=f"doenda.sweep.{name}", queue="sweeps", queueing_lock=f"periodic-{name}")
    def periodic(timestamp: int) -> int:
        return run_sweep(name)


def register_periodic() -> None:
    """Called once by the worker, after every room has registered its sweeps."""
    for one in sweeps.registered().values():
        _each(one.name, one.every)


def defer_nudge(name: str) -> None:
    with contextlib.suppress(AlreadyEnqueued):
        run_sweep.configure(queueing_lock=f"nudge-{name}").defer(name=name)


def install_nudges() -> None:
    """From now on this process wakes the worker when it leaves work behind."""
    sweeps.nudge_with(sweeps.Coalescing(defer_nudge))
