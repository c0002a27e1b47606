"""`doenda tickets`: who waits for a person, oldest promise first; `--answer ID --by NAME --words "…"` answers one."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.access import audit
from doenda.contact import tickets
from doenda.contact.models import Ticket
from doenda.kernel import clock, words
from doenda.kernel.db import atomic
from doenda.kernel.ids import inside, outside


class Command(BaseCommand):
    help = "List customers who wait for a person, or answer one: that ends the hold on their clock."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--answer", metavar="ID", help="the ticket's id, as the list shows it")
        parser.add_argument("--by", help="who answers: stands in the record")
        parser.add_argument("--words", default="", help="what was said")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["answer"]:
            self._answer(options)
            return
        waiting = list(Ticket.objects.filter(closed_at=None).select_related("account", "bill").order_by("answer_by"))
        late = sum(ticket.answer_by < clock.now() for ticket in waiting)
        if options["json"]:
            figures = {"waiting": len(waiting), "late": late}
            self.stdout.write(
                json.dumps(
                    {"ok": not late, "figures": figures, "tickets": [_row(t) for t in waiting]}, ensure_ascii=False
                )
            )
        else:
            for ticket in waiting:
                self.stdout.write("  ".join(str(value) for value in _row(ticket).values()))
            self.stdout.write(f"{len(waiting)} wait, {late} beyond what was promised")
        if late:
            raise SystemExit(1)

    def _answer(self, options: dict[str, Any]) -> None:
        if not options["by"]:
            raise CommandError("--by says who answers")
        try:
            ticket_id = inside(options["answer"])
            with atomic():
                ticket = tickets.answer(ticket_id, by=options["by"], words=options["words"])
                audit.note(options["by"], "ticket answered", subject_id=ticket.pk, account_id=ticket.account_id)
        except (ValueError, Ticket.DoesNotExist) as error:
            raise CommandError(f"no such ticket: {options['answer']}") from error
        self.stdout.write(f"answered; {ticket.kind} of {ticket.account.number if ticket.account else 'a stranger'}")


def _row(ticket: Ticket) -> dict[str, str]:
    return {
        "id": outside(ticket.pk),
        "answer_by": words.moment(ticket.answer_by, "en"),
        "kind": ticket.kind,
        "account": ticket.account.number if ticket.account else "-",
        "bill": ticket.bill.number if ticket.bill else "-",
        "call": ticket.phone or "-",
        "wanted": ticket.wanted or "-",
        "words": ticket.words[:80],
    }
