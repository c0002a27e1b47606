"""`doenda asterisk`: a real Asterisk on loopback, in front until Ctrl-C; fetched at the first start."""

import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.app.asterisk import Asterisk, NoAsterisk, NotReady, fetched
from doenda.kernel import clock, embedded


class Command(BaseCommand):
    help = "Run a local Asterisk for the demo and the tests (--fetch: only get it). Loopback only."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, help="what it keeps (default: in the data folder)")
        parser.add_argument("--sip", type=int, default=5060, help="SIP's UDP port; 0: any that is free")
        parser.add_argument("--http", type=int, default=8088, help="ARI's port; 0: any that is free")
        parser.add_argument("--trunk", default="127.0.0.1:5070", help="where calls to numbers are sent")
        parser.add_argument("--agent", default="127.0.1.1:5080", help="where calls to PJSIP/agent are sent")
        parser.add_argument("--fetch", action="store_true", help="only get the packages, and say which")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            home = fetched()
            if options["fetch"]:
                self.stdout.write(f"{(home / 'version').read_text().strip()} in {home}")
                return
            made = Asterisk(
                options["folder"] or embedded.default_data() / "asterisk",
                sip_port=options["sip"],
                http_port=options["http"],
                trunk=options["trunk"],
                agent=options["agent"],
            )
            self._run(made)
        except (NoAsterisk, NotReady) as error:
            raise CommandError(str(error)) from error

    def _run(self, made: Asterisk) -> None:
        stop = threading.Event()
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, lambda *_: stop.set())
        with made:
            self.stdout.write(
                f"ready: ARI {made.url}, user {made.user}, secret in {made.folder / 'ari.secret'}, "
                f"SIP 127.0.0.1:{made.sip_port}"
            )
            self.stdout.flush()
            while made.lives() and not stop.is_set():
                clock.sleep(0.2)
            if not stop.is_set():
                raise NotReady(f"Asterisk ended by itself; see {made.folder / 'console.log'}")
