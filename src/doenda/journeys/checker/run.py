"""The whole check in one call: the proof, the linters, and the planted bugs that show that both can see."""

from typing import Any

from doenda.journeys.checker import by_both
from doenda.journeys.checker.planted import hunt
from doenda.journeys.checker.subject import Subject, check, noticed
from doenda.journeys.checker.worlds import every_world
from doenda.kernel import clock


def run_check() -> dict[str, Any]:
    """The proof over every world, then each planted bug. `ok` only if nothing was found here and everything there."""
    began = clock.monotonic()
    report = check(Subject(), every_world(noticed(Subject())))
    proven = clock.monotonic()
    hunted = hunt()
    found = sum(each.found is not None for each in hunted)
    return {
        "ok": not report.violations and not report.problems and found == len(hunted),
        "figures": {
            "states": report.states,
            "edges": report.edges,
            "counterexamples": len(report.violations),
            "planted": len(hunted),
            "planted_found": found,
            "seconds": round(proven - began, 2),
            "texts_missing": report.texts_missing,
            "problems": len(report.problems),
            "positions": report.positions,
            "worlds": report.worlds,
            "answers": report.answers,
            "call_and_page": len(by_both.check(Subject().journeys).states),
            "planted_seconds": round(clock.monotonic() - proven, 2),
        },
        "counterexamples": [str(violation) for violation in report.violations],
        "problems": list(report.problems),
        "planted": [{"bug": each.bug, "found": each.found} for each in hunted],
    }
