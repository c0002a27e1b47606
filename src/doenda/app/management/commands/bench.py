"""`doenda bench pay | import | deposits | evidence`: how much in a second, beside what the same machine could do at
best; `detection`: how soon and how falsely, `queue`: how well waits are told, both beside others' rules; `calls`: how
many are answered in a second, beside Asterisk alone."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doenda.app.report import finish
from doenda.app.result import Result


class Command(BaseCommand):
    help = (
        "Measure on a throwaway server (or the migrated database that --database names); exits 0 only if it was right."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("bench", choices=sorted(_BENCHES))
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--database", help="URL of a migrated database, which keeps what the bench writes")
        parser.add_argument("--rounds", type=int, default=5, help="pay: of each kind; the median counts")
        parser.add_argument("--seconds", type=float, default=8.0, help="pay, evidence: how long a round is")
        parser.add_argument("--statements", action="store_true", help="pay: list what one payment says to the database")
        parser.add_argument("--rows", type=int, default=100_000, help="import, deposits: bills or lines in the file")

        parser.add_argument("--trials", type=int, default=300, help="detection: times that each fault is met")
        parser.add_argument("--years", type=float, default=20.0, help="detection: of healthy traffic of one way")
        parser.add_argument("--calls", type=int, default=40_000, help="queue: callers of each case")
        parser.add_argument("--seed", default="line", help="queue: what chance follows from")
        parser.add_argument("--rates", type=int, nargs="+", default=[10, 25, 50], help="calls: so many come a second")
        parser.add_argument("--held", type=int, default=200, help="calls: so many stand in line meanwhile")

    def handle(self, *args: Any, **options: Any) -> None:
        finish(self, _BENCHES[options["bench"]](options), json_only=options["json"])


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def _pay(options: dict[str, Any]) -> Result:
    from doenda.app.benches import pay

    chosen = {name: options[name] for name in ("rounds", "seconds", "database", "statements")}
    return pay.run(**chosen, say=_say)


def _import(options: dict[str, Any]) -> Result:
    from doenda.app.benches import imports

    done = imports.run(options["rows"], options["database"])
    problems = list(done["problems"]) or ([] if done["ok"] else ["the import was not whole"])
    return Result(figures=done["figures"], failures=problems)


def _deposits(options: dict[str, Any]) -> Result:
    from doenda.app.benches import deposits

    return deposits.run(options["rows"], options["database"], say=_say)


def _evidence(options: dict[str, Any]) -> Result:
    from doenda.app.benches.evidence import run

    return run.run(options["seconds"], database=options["database"], say=_say)


def _detection(options: dict[str, Any]) -> Result:
    from doenda.app.benches.detection import run

    return run.run(options["trials"], options["years"], options["database"], say=_say)


def _queue(options: dict[str, Any]) -> Result:
    from doenda.app.benches.queue import run

    return run.run(options["calls"], options["seed"], say=_say)


def _calls(options: dict[str, Any]) -> Result:
    from doenda.app.benches.calls import run

    return run.run(sorted(options["rates"]), options["held"], options["seconds"], say=_say)


_BENCHES: dict[str, Callable[[dict[str, Any]], Result]] = {
    "calls": _calls,
    "deposits": _deposits,
    "detection": _detection,
    "evidence": _evidence,
    "import": _import,
    "pay": _pay,
    "queue": _queue,
}
