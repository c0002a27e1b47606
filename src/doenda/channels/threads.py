"""Blocking work beside an event loop: in threads, each with a database connection of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection


class Threads:
    """So many at once; whoever comes then waits."""

    def __init__(self, many: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(many, thread_name_prefix=name)

    async def run[T](self, work: Callable[[], T]) -> T:
        """A piece of blocking work; what it raises is raised."""

        def do() -> T:
            try:
                return work()
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(self._pool, do)

    def close(self) -> None:
        """What has not begun is not begun any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
