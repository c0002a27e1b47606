"""Procrastinate runs the sweeps: periodically, and when nudged. The jobs carry no truth: rows do."""

import contextlib
import logging
import threading

from django.db import connections
from procrastinate import App, JobContext
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status

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

    @app.periodic(cron="*/5 * * * *", periodic_id="left-behind")
    @app.task(name="doenda.left_behind", queue="sweeps", queueing_lock="periodic-left-behind", pass_context=True)
    async def left_behind(context: JobContext, timestamp: int) -> int:
        return await forget_jobs_of_the_dead(context.app)


async def forget_jobs_of_the_dead(worker_app: App) -> int:
    """Remove jobs that were being done by workers who are silent for longer than procrastinate lets them. How many.

    They block nothing, and what they were to do is found by their sweep; but nobody else would ever remove them.
    """
    left = list(await worker_app.job_manager.get_stalled_jobs(queue="sweeps"))
    for job in left:
        if job.id is not None:
            await worker_app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
    return len(left)


def defer_nudge(name: str) -> None:
    with contextlib.suppress(AlreadyEnqueued):
        run_sweep.configure(queueing_lock=f"nudge-{name}").defer(name=name)


def install_nudges() -> None:
    """From now on this process wakes the worker when it leaves work behind."""
    sweeps.nudge_with(sweeps.Coalescing(defer_nudge))
