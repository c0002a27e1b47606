"""`doenda prober`: walks every way, again and again."""

import json
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from doenda.probes import rounds, walks


class Command(BaseCommand):
    help = (
        "Walk every way that can be walked to its last step, again and again (--once: each once, and say how it went)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true")
        parser.add_argument(
            "--every", type=float, help="seconds from one walk of a way to the next (default: schedules.toml)"
        )
        parser.add_argument("--name", default="", help="this runner's name among several (default: host and process)")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self._once()
            return
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        found = rounds.Rounds(options["every"], name=options["name"])
        while not stop.is_set():
            found.step()
            connection.close()
            stop.wait(1.0)
        found.stop()

    def _once(self) -> None:
        """Nothing to walk is not well, unless all that could be walked is merely closed at this hour."""
        runs = rounds.once(rounds.ways())
        closed = walks.closed()
        ok = bool(runs or closed) and all(run.outcome == "worked" for run in runs)
        shown = [{"way": run.way, "outcome": run.outcome, "trouble": run.trouble} for run in runs]
        figures = {"walks": len(runs), "closed": len(closed)}
        self.stdout.write(json.dumps({"ok": ok, "figures": figures, "runs": shown}, ensure_ascii=False))
        if not ok:
            raise SystemExit(1)
