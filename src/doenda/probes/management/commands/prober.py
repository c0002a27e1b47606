"""`doenda prober`: walks every way, again and again."""

import json
import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from doenda.kernel import clock
from doenda.probes import walks

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Walk every way to its last step every 30 s (--once: each once, and say how it went)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true")
        parser.add_argument("--every", type=float, default=30.0, help="seconds from one walk of a way to the next")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            runs = [walks.walk(slug) for slug in walks.ways()]
            ok = bool(runs) and all(run.outcome == "worked" for run in runs)
            shown = [{"way": run.way, "outcome": run.outcome, "trouble": run.trouble} for run in runs]
            self.stdout.write(
                json.dumps({"ok": ok, "figures": {"walks": len(runs)}, "runs": shown}, ensure_ascii=False)
            )
            if not ok:
                raise SystemExit(1)
            return
        stop = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        while not stop.is_set():
            begun = clock.monotonic()
            for slug in _ways():
                if stop.is_set():
                    break
                _walk(slug)
            connection.close()
            stop.wait(max(1.0, options["every"] - (clock.monotonic() - begun)))


def _ways() -> list[str]:
    try:
        return walks.ways()
    except Exception:
        log.exception("the ways cannot be read; trying again")
        connection.close()
        return []


def _walk(slug: str) -> None:
    try:
        run = walks.walk(slug)
        log.info("%s: %s in %.1f s %s", slug, run.outcome, run.seconds, run.trouble)
    except Exception:
        log.exception("the walk of %s could not be made", slug)
        connection.close()
