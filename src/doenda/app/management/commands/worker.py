"""`doenda worker`: runs the sweeps, periodically and when nudged."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand
from procrastinate import App
from procrastinate.contrib.django import app

from doenda.app.environment import require_secrets
from doenda.kernel import jobs
from doenda.notices import gateways

THREADS = 8
"""More than may wait at once for a dead provider, gateway and switch (kernel/jobs.py)."""


class Command(BaseCommand):
    help = "Run sweeps: due steps, the outbox, inquiries, receipts. Ends cleanly on SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        require_secrets()
        jobs.install_nudges()
        jobs.register_periodic()
        gateways.attend()
        try:
            with app.replace_connector(app.connector.get_worker_connector()) as worker_app:  # type: ignore[attr-defined]
                asyncio.run(_work(worker_app))
        finally:
            gateways.leave()


async def _work(worker_app: App) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))  # two cores would give it six
    async with worker_app.open_async():
        await worker_app.run_worker_async(
            queues=["sweeps"],
            concurrency=THREADS,
            delete_jobs="always",
            fetch_job_polling_interval=2.0,
            shutdown_graceful_timeout=8.0,
        )
