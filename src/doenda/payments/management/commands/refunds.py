"""`doenda refunds list | approve ID | refuse ID | to-source CASE | to-account CASE`, by a named person."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.kernel.ids import inside, outside
from doenda.payments import desk
from doenda.payments.models import Refund
from doenda.payments.providers.contract import BackTo
from doenda.payments.refunds import NotAllowed

ACTS = ("list", "approve", "refuse", "to-source", "to-account")


class Command(BaseCommand):
    help = "Refunds that wait for a decision, and the decisions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=ACTS)
        parser.add_argument("id", nargs="?", default="", help="of the refund, or of the case, as the list shows it")
        parser.add_argument("--by", default="", help="who decides: stands in the record")
        parser.add_argument("--words", default="", help="why it is refused")
        parser.add_argument("--bank", default="", help="the code of the payer's bank")
        parser.add_argument("--holder", default="", help="the account's holder")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["act"] == "list":
            self._list(as_json=options["json"])
            return
        try:
            refund = self._do(options)
        except (NotAllowed, ValueError) as error:
            raise CommandError(str(error)) from error
        state = "refused" if refund.failed_at else "waits for a second person" if _waits(refund) else "on its way"
        self.stdout.write(f"{outside(refund.pk)} {refund.amount} {state}")

    def _do(self, options: dict[str, Any]) -> Refund:
        about, by = inside(options["id"]), options["by"]
        match options["act"]:
            case "approve":
                return desk.approve(about, by=by)
            case "refuse":
                return desk.refuse(about, by=by, words=options["words"])
            case "to-source":
                return desk.give_back(about, by=by)
            case _:
                # not an argument: a process's arguments are seen by everybody on the machine
                number = sys.stdin.readline().strip()
                return desk.give_back(about, by=by, to=BackTo(options["bank"], number, options["holder"]))

    def _list(self, *, as_json: bool) -> None:
        found = desk.waiting("cases", "approvals")
        rows = [
            {
                "list": name,
                "id": outside(item.id),
                "account": item.account,
                "amount": item.amount,
                "late": item.late,
                "words": item.words,
            }
            for name, items in found.items()
            for item in items
        ]
        if as_json:
            figures = {name: len(items) for name, items in found.items()}
            self.stdout.write(json.dumps({"ok": True, "figures": figures, "refunds": rows}, ensure_ascii=False))
            return
        for row in rows:
            self.stdout.write("  ".join(str(value) for value in row.values()))
        self.stdout.write(f"{len(rows)} wait")


def _waits(refund: Refund) -> bool:
    return refund.needs_two and not refund.approved_by
