"""`doenda line`: who stands in line and who works, what became of the last day's waits, and how well they were told."""

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from doenda.contact import hours
from doenda.contact.models import Ticket
from doenda.contact.queue import figures, rows
from doenda.kernel import clock, words
from doenda.kernel.ids import outside

SHOWN = 50


class Command(BaseCommand):
    help = "Show the line. Exits 1 while customers wait in opening hours and nobody is at work."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=float, default=24.0, help="how far back outcomes are counted")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        since = now - timedelta(hours=options["hours"])
        found = figures.figures(now, since)
        at_work = sum(found[f"agents.{state}"] for state in figures.AT_WORK)
        ok = bool(at_work or not found["line.waiting"] or not hours.hours().is_open(now))
        line = [_row(place, ticket) for place, ticket in enumerate(rows.in_line(now)[:SHOWN], start=1)]
        lost = [
            {"ticket": outside(ticket.pk), "at": words.moment(at, "en"), "waited_s": round(waited.total_seconds())}
            for ticket, at, waited in figures.lost(since)[:SHOWN]
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"ok": ok, "figures": found, "line": line, "lost": lost}))
        else:
            for name, value in found.items():
                self.stdout.write(f"  {name:<24} {value}")
            for heading, listed in (("in line", line), ("lost", lost)):
                self.stdout.write(f"{heading}: {len(listed)}")
                for one in listed:
                    self.stdout.write("  " + "  ".join(str(value) for value in one.values()))
        if not ok:
            raise SystemExit(1)


def _row(position: int, ticket: Ticket) -> dict[str, object]:
    waited = (clock.now() - ticket.queued_at).total_seconds()
    return {
        "position": position,
        "ticket": outside(ticket.pk),
        "state": ticket.state,
        "channel": ticket.channel,
        "lang": ticket.lang,
        "skill": ticket.skill or "-",
        "priority": ticket.priority,
        "lost": ticket.lost,
        "waited_s": round(waited),
    }
