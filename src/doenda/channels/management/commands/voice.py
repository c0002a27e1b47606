"""`doenda voice`: serves the calls of the Asterisk that DOENDA_ARI_URL names, or stands by for whoever does."""

import asyncio
import contextlib
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.channels.voice import exchange, tenure
from doenda.channels.voice.ari import Ari
from doenda.kernel import leases


class Command(BaseCommand):
    help = "Serve the telephone: every call that Asterisk hands to this application."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--app", default="doenda", help="as in the dialplan's Stasis()")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DOENDA_ARI_URL:
            raise CommandError("DOENDA_ARI_URL names no Asterisk (`doenda asterisk` runs one)")
        asyncio.run(self._serve(options["app"]))

    async def _serve(self, app: str) -> None:
        holder = leases.this_process()
        stopped = asyncio.Event()
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, stopped.set)
        serving = asyncio.create_task(self._by_turns(app, holder))
        await asyncio.wait([serving, asyncio.create_task(stopped.wait())], return_when="FIRST_COMPLETED")
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await asyncio.to_thread(exchange.give_back, holder)

    async def _by_turns(self, app: str, holder: str) -> None:
        """Serve while the telephone is ours; stand by while another process has it."""
        told = False
        while True:
            if await tenure.taken(holder):
                ari = Ari(
                    settings.DOENDA_ARI_URL,
                    user=settings.DOENDA_ARI_USER,
                    password=settings.DOENDA_ARI_PASSWORD,
                    app=app,
                )
                await tenure.serve(ari, holder, ready=lambda: self._say("ready"))
                told = False
            elif not told:
                self._say("standing by")
                told = True
            await asyncio.sleep(tenure.ASKED_EVERY)

    def _say(self, word: str) -> None:
        self.stdout.write(word)
        self.stdout.flush()
