"""`doenda story`: the fourteen days of docs/story.md, with this code and with the carrier's way of then."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.demo.story import report, run
from doenda.kernel import clock
from doenda.sim import fleet

SHOWN = (
    *("dead_ends", "customers_with_dead_ends", "disconnected_calls", "wrongful_threats", "wrongful_steps"),
    *("connected_calls", "wait_minutes_median", "called_back", "waits_told", "waits_kept"),
    *("ways_unnamed", "days_until_noticed", "customers_paid", "customers_promised", "collected"),
)


class Command(BaseCommand):
    help = "Replay the story for a population; exits 0 only if ours has no dead end, wrongful step or unnamed way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=2000, help="the first of them is the article's")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--report", type=Path, metavar="FILE.html", help="write a page with plots")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--child", action="store_true", help="play the job on standard input (for the command itself)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["child"]:
            self.stdout.write(json.dumps(run.child(run.Job(**fleet.given()))))
            return
        if options["customers"] < 1:
            raise CommandError("--customers: at least 1, the one of whom the story is told")
        if options["report"] and not options["report"].resolve().parent.is_dir():
            raise CommandError(f"--report: there is no folder {options['report'].resolve().parent}")
        begun = clock.monotonic()
        played = run.play(options["customers"], options["seed"], [sys.executable, "-m", "doenda.app.cli", *_CHILD])
        seconds = round(clock.monotonic() - begun, 1)
        if options["report"]:
            options["report"].write_text(report.page(played), encoding="utf-8")
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(played, seconds), ensure_ascii=False))
        else:
            self._table(played, seconds)
        if played.failures:
            raise SystemExit(1)

    def _table(self, played: run.Played, seconds: float) -> None:
        figures = played.figures
        self.stdout.write(f"  {'':<26}{'ours':>16}{'then':>16}")
        for name in SHOWN:
            row = "".join(f"{_shown(name, side, figures[side]):>16}" for side in ("ours", "then"))
            self.stdout.write(f"  {name:<26}{row}")
        for note in [*played.notes, f"{len(played.customers)} customers, seed {played.seed}, {seconds} s"]:
            self.stdout.write(f"  {note}")
        for failure in played.failures:
            self.stdout.write(f"  FAILED: {failure}")
        self.stdout.write("not ok" if played.failures else "ok")


_CHILD = ("story", "--child")


def _shown(name: str, side: str, figures: dict[str, int | float | bool]) -> str:
    if name == "days_until_noticed" and not figures["noticed"]:
        return "never"
    return f"{figures[name]:,}"


def _as_json(played: run.Played, seconds: float) -> dict[str, Any]:
    return {
        "ok": not played.failures,
        "figures": played.figures,
        "failures": played.failures,
        "notes": played.notes,
        "customers": len(played.customers),
        "seed": played.seed,
        "seconds": seconds,
    }
