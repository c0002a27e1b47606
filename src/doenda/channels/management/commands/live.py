"""`doenda live`: what happens beside open pages, told to them at once."""

import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doenda.channels.live import serving


class Command(BaseCommand):
    help = "Tell open pages what a call beside them does (server-sent events)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="behind a proxy of your own, which adds TLS")
        parser.add_argument("--port", type=int, default=8090)

    def handle(self, *args: Any, **options: Any) -> None:
        asyncio.run(self._serve(options["host"], options["port"]))

    async def _serve(self, host: str, port: int) -> None:
        serving_ = asyncio.create_task(serving.serve(host, port, ready=self._ready))
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, serving_.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving_

    async def _ready(self, port: int) -> None:
        self.stdout.write(f"ready {port}")
        self.stdout.flush()
