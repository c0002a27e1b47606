"""`doenda import FILE`: bills or payments from the carrier's billing, all or nothing."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from doenda.billing import classes
from doenda.billing.imports.run import Imported, import_file
from doenda.kernel import clock


class Command(BaseCommand):
    help = "Take in a file of bills (CSV, TMF678 JSON) or of payments taken elsewhere (CSV): all of it, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        known = sorted(classes.policy(clock.today(), settings.DOENDA_COUNTRY).in_files)
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", choices=("bills", "payments"), help="found out from the file if not given")
        parser.add_argument("--item-class", choices=known, default="service", help="the class of TMF678 bills")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            done = import_file(options["file"], kind=options["kind"], item_class=options["item_class"])
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror or error}") from error
        self.stdout.write(json.dumps(as_data(done), ensure_ascii=False) if options["json"] else as_text(done))
        if not done.ok:
            raise SystemExit(1)


def as_data(done: Imported) -> dict[str, Any]:
    """The house's form for commands: ok, figures, and the report by row."""
    report = done.report.as_data()
    return {
        "ok": done.ok,
        "figures": report.pop("counts"),
        "kind": done.file.kind,
        "file": str(done.file.pk),
        "again": done.again,
        **report,
    }


def as_text(done: Imported) -> str:
    """For a person: what was done, or the first problems and how many there are."""
    report = done.report
    if done.again:
        return f"{done.file.name}: accepted before, at {done.file.created_at:%Y-%m-%d %H:%M} UTC; nothing changed"
    lines = [f"{done.file.name}: {'accepted' if done.ok else 'refused, nothing of it was kept'} ({done.file.kind})"]
    lines += [f"  {name:<16}{count:>10,}" for name, count in report.counts.items() if count]
    lines += [f"  {problem}" for problem in sorted(report.problems)[:20]]
    if report.problems_total > 20:
        lines.append(f"  … {report.problems_total:,} problems in all; --json shows up to 1,000")
    return "\n".join([*lines, *(f"  note: {note}" for note in report.notes[:20])])
