"""`doenda check-journeys [--json]`: the proof that no customer meets a dead end, printed as a short table."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from doenda.journeys.checker.run import run_check


class Command(BaseCommand):
    help = "Prove that no journey has a dead end, in every world, and lint journeys and texts."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits 0 only if nothing was found and every planted bug was."""
        result = run_check()
        if options["json"]:
            self.stdout.write(json.dumps(result, ensure_ascii=False))
        else:
            self._tell(result)
        if not result["ok"]:
            raise SystemExit(1)

    def _tell(self, result: dict[str, Any]) -> None:
        for name, figure in result["figures"].items():
            self.stdout.write(f"{name:<18}{figure:>16,}")
        for told in (*result["counterexamples"], *result["problems"]):
            self.stdout.write(f"\n{told}")
        for planted in result["planted"]:
            if planted["found"] is None:
                self.stdout.write(f"\nplanted and not found: {planted['bug']}")
        self.stdout.write("\nok" if result["ok"] else "\nnot ok")
