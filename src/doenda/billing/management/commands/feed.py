"""`doenda feed export|ack FILE`: postings for the carrier's own books, and which of them it has."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from doenda.billing import feed


class Command(BaseCommand):
    help = "export: write postings not acknowledged yet as JSON lines; ack: read the ids of those that were taken over."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("export", "ack"))
        parser.add_argument("file", help='a file, or "-" for standard output or input')
        parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            figures = self._export(options["file"]) if options["what"] == "export" else self._ack(options["file"])
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror or error}") from error
        except (feed.BadAck, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']}: {error}; nothing was acknowledged") from error
        out = self.stderr if options["file"] == "-" and options["what"] == "export" else self.stdout
        data = {"ok": True, "figures": figures}
        out.write(
            json.dumps(data) if options["json"] else ", ".join(f"{key} {value:,}" for key, value in figures.items())
        )

    def _export(self, name: str) -> dict[str, int]:
        count = 0
        if name == "-":
            for line in feed.export():
                self.stdout.write(line)
                count += 1
            return {"exported": count}
        part = Path(f"{name}.part")
        with part.open("w", encoding="utf-8") as file:
            for line in feed.export():
                file.write(line + "\n")
                count += 1
        part.rename(name)
        return {"exported": count}

    def _ack(self, name: str) -> dict[str, int]:
        if name == "-":
            new, known = feed.acknowledge(sys.stdin)
        else:
            with Path(name).open(encoding="utf-8") as file:
                new, known = feed.acknowledge(file)
        return {"acknowledged": new, "known": known}
