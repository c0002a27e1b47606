"""`doenda simulate`: the hunt for a won lost or doubled, in seeded worlds of the real code and a real PostgreSQL."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doenda.app.report import finish
from doenda.app.result import Result
from doenda.kernel import clock
from doenda.sim import fleet, pinned, replay
from doenda.sim.report import Report

REPLAYED = 20
"""Seeds that a second process plays as well."""


class Command(BaseCommand):
    help = "Play seeded, faulty worlds on databases of their own; exits 0 only if no invariant was violated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--schedules", type=int, default=0, help="how many random schedules")
        parser.add_argument("--seed", type=int, default=0, help="the first schedule's seed")
        parser.add_argument("--processes", type=int, default=2)
        parser.add_argument(
            "--sweep",
            type=int,
            nargs="?",
            const=10_000,
            default=0,
            help="crash at every point of so many pinned worlds",
        )
        parser.add_argument("--planted", action="store_true", help="are the planted bugs found?")
        parser.add_argument("--interleavings", type=int, default=0, help="at most so many plans a scenario")
        parser.add_argument(
            "--replay", type=int, metavar="SEED", help="play one seed in two processes, and tell its story"
        )
        parser.add_argument("--story", action="store_true", help="tell the story of every schedule, also of good ones")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--child", action="store_true", help="play the job on standard input (for the command itself)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["child"]:
            fleet.child()
            return
        finish(self, _simulate(options), json_only=options["json"])


def _simulate(options: dict[str, Any]) -> Result:
    begun = clock.monotonic()
    report, jobs = Report(), _jobs(options)

    def take(seen: fleet.Seen) -> None:
        report.take(seen)
        if report.schedules and report.schedules % 100 == 0 and seen.kind == "played":
            sys.stderr.write(f"{report.schedules} schedules, {len(report.violations)} violations\n")

    argv = [sys.executable, "-m", "doenda.app.cli", "simulate", "--child"]
    wrong = fleet.run(argv, jobs, take)
    result = Result(report.figures(clock.monotonic() - begun))
    result.failures += report.violations + wrong
    result.failures += [f"seed {seed} is not replayed identically" for seed in report.not_identical()]
    result.failures += [f"{report.schedules} schedules, and never: {name}" for name in report.not_reached()]
    result.notes += [*report.more(), *report.stories]
    return result


def _jobs(options: dict[str, Any]) -> list[fleet.Job]:
    """The same work for every process: seeds, worlds, scenarios and planted bugs dealt out in turn."""
    count = max(1, options["processes"])
    if options["replay"] is not None:
        seed = [options["replay"]]
        return [fleet.Job(seeds=seed, stories=True), fleet.Job(again=seed)]
    seeds = range(options["seed"], options["seed"] + options["schedules"])
    again = seeds[:: max(1, len(seeds) // REPLAYED)][:REPLAYED] if count > 1 else range(0)
    dealt = [_dealt(seeds, at, count) for at in range(count)]
    worlds = range(len(list(pinned.worlds())))[: options["sweep"]]
    scenarios, planted = _scenarios(options), _planted(options)
    return [
        fleet.Job(
            seeds=dealt[at],
            again=[seed for seed in again if seed not in dealt[at]][: REPLAYED // count],
            worlds=worlds[at::count],
            scenarios=scenarios[at::count],
            most=options["interleavings"],
            planted=planted[at::count],
            stories=options["story"],
        )
        for at in range(count)
    ]


def _dealt(seeds: range, at: int, count: int) -> list[int]:
    """In turn, but every sixth turn begins one further on: seeds near a bar take longest, and fall to all alike."""
    return [seed for place, seed in enumerate(seeds) if (place + place // replay.NEAR_A_BAR) % count == at]


def _scenarios(options: dict[str, Any]) -> list[str]:
    if not options["interleavings"]:
        return []
    from doenda.sim.interleaving import run

    return run.names()


def _planted(options: dict[str, Any]) -> list[str]:
    if not options["planted"]:
        return []
    from doenda.sim import planted

    return [each.name for each in planted.every()]
