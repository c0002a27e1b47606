"""What a killed worker leaves in the queue blocks nothing, and is cleared away."""

import asyncio

from django.db import connection
from procrastinate import App
from procrastinate.contrib.django import app

from doenda.kernel import jobs
from doenda.kernel.db import atomic


def leave_behind(seconds_silent: int) -> None:
    """Two jobs that a worker was doing when it died, which last said that it lives so long ago."""
    jobs.defer_nudge("outbox")
    jobs.defer_nudge("facts")
    with atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))"
            " RETURNING id",
            [seconds_silent],
        )
        [worker] = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker])


def queue() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, queueing_lock FROM procrastinate_jobs ORDER BY id")
        return [(str(status), str(lock)) for status, lock in cursor.fetchall()]


def forget() -> int:
    async def run(worker_app: App) -> int:
        async with worker_app.open_async():
            return await jobs.forget_jobs_of_the_dead(worker_app)

    with app.replace_connector(app.connector.get_worker_connector()) as worker_app:  # type: ignore[attr-defined]
        return asyncio.run(run(worker_app))


def test_a_job_that_died_in_the_doing_does_not_keep_the_next_one_from_the_queue(committed_db: str) -> None:
    leave_behind(3600)
    jobs.defer_nudge("outbox")
    assert ("todo", "nudge-outbox") in queue()


def test_jobs_of_a_dead_worker_are_forgotten_and_those_of_a_living_one_are_not(committed_db: str) -> None:
    leave_behind(3600)
    jobs.defer_nudge("outbox")
    assert forget() == 2
    assert queue() == [("todo", "nudge-outbox")]
    with atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    leave_behind(1)
    assert forget() == 0
    assert len(queue()) == 2
