"""`doenda desk`: everything about money that waits for a person, with owner, deadline and age; fails if any is late."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.kernel import words
from doenda.kernel.ids import inside, outside
from doenda.payments import desk
from doenda.payments.counter import lists  # noqa: F401 - its lists register themselves
from doenda.payments.refunds import NotAllowed


class Command(BaseCommand):
    help = "List what waits for a person about money, or say of an attempt that what did not fit was put right."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--list", action="append", default=[], metavar="NAME", help="only this list")
        parser.add_argument("--seen-to", metavar="ID", help="an attempt of the list `attention` that was put right")
        parser.add_argument("--by", default="", help="who: stands in the record")
        parser.add_argument("--words", default="", help="what was done")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["seen_to"]:
                desk.seen_to(inside(options["seen_to"]), by=options["by"], words=options["words"])
                self.stdout.write("seen to")
                return
            found = desk.waiting(*options["list"])
        except KeyError as error:
            raise CommandError(f"no such list: {error}") from error
        except (NotAllowed, ValueError) as error:
            raise CommandError(str(error)) from error
        self._tell(found, as_json=options["json"])

    def _tell(self, found: dict[str, list[desk.Item]], *, as_json: bool) -> None:
        items = [(name, item) for name, each in found.items() for item in each]
        late = sum(item.late for _, item in items)
        figures = {"waiting": len(items), "late": late} | {name: len(each) for name, each in found.items()}
        rows = [_row(name, item) for name, item in items]
        if as_json:
            said = {"ok": not late, "figures": figures, "items": rows}
            self.stdout.write(json.dumps(said, ensure_ascii=False))
        else:
            for row in rows:
                self.stdout.write("  ".join(str(value) for value in row.values()))
            self.stdout.write(f"{len(items)} wait, {late} beyond their deadline")
        if late:
            raise SystemExit(1)


def _row(name: str, item: desk.Item) -> dict[str, object]:
    return {
        "list": name,
        "id": outside(item.id),
        "owner": item.owner,
        "deadline": words.moment(item.deadline, "en"),
        "late": item.late,
        "age_hours": round(item.age.total_seconds() / 3600, 1),
        "account": item.account or "-",
        "amount": item.amount,
        "currency": item.currency or "-",
        "words": item.words,
    }
