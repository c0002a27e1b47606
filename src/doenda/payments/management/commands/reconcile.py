"""`doenda reconcile FILE… | --provider NAME | --billing FILE | --queue | --accept ID | --dismiss ID`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from doenda.kernel import clock, words
from doenda.kernel.ids import inside, outside
from doenda.payments import staff
from doenda.payments.reconciliation import queue, statements

FIGURES = ("files", "statements", "lines", "known", "matched", "parked", "refused", "ignored", "pending", "probes")


@dataclass
class Told:
    """What the command says: figures (a contract: add, do not rename), what did not hold, and rows for the eye."""

    figures: dict[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


class Command(BaseCommand):
    help = "Hold a bank's statements, a provider's list or the carrier's billing against our ledger; see to what waits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="*", type=Path, metavar="FILE", help="statements: camt, MT940 or a bank's CSV"
        )
        parser.add_argument(
            "--format", default="", metavar=" | ".join(statements.FORMS), help="where the file cannot say"
        )
        parser.add_argument("--provider", default="", metavar="NAME", help="a provider's own list, or `all`")
        parser.add_argument("--since", type=date.fromisoformat, help="first day of the list (default: yesterday)")
        parser.add_argument("--until", type=date.fromisoformat, help="the day after its last (default: today)")
        parser.add_argument("--billing", type=Path, metavar="FILE", help="the carrier's billing: its open items as CSV")
        parser.add_argument("--queue", action="store_true", help="list what waits")
        parser.add_argument("--accept", metavar="ID", help="a line of the queue is what is suggested")
        parser.add_argument("--bill", default="", metavar="NUMBER", help="with --accept: it pays this bill")
        parser.add_argument("--dismiss", metavar="ID", help="nothing is to be done about a line of the queue")
        parser.add_argument("--by", default="", help="who: stands in the record")
        parser.add_argument("--words", default="", help="with --dismiss: why")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = [name for name in ("files", "provider", "billing", "queue", "accept", "dismiss") if options[name]]
        if len(chosen) != 1:
            raise CommandError("one of: files, --provider, --billing, --queue, --accept, --dismiss")
        try:
            told: Told = getattr(self, f"_{chosen[0]}")(options)
        except (queue.NotAllowed, staff.NotAllowed, ValueError, KeyError, OSError) as error:
            raise CommandError(str(error)) from error
        self._say(told, as_json=options["json"])

    def _files(self, options: dict[str, Any]) -> Told:
        told = Told(dict.fromkeys(FIGURES, 0))
        figures = told.figures
        for path in options["files"]:
            taken = statements.take(path, options["format"])
            figures["files"] += 1
            figures["ignored"] += taken.again
            figures["refused"] += not taken.ok
            if not taken.ok:
                told.failures += [f"{path.name} is refused: {each}" for each in taken.report.problems[:20]]
            elif taken.again:
                told.notes.append(f"{path.name} was taken in before, and is ignored")
            for run in taken.runs:
                for name in ("lines", "known", "matched", "parked", "probes"):
                    figures[name] += getattr(run, name)
                figures["statements"] += 1
                figures["pending"] += run.told["pending"]
                told.rows.append(_row(run))
        return told

    def _provider(self, options: dict[str, Any]) -> Told:
        from django.conf import settings

        from doenda.payments.reconciliation import feeds, settlements

        day = timedelta(days=1)
        until = clock.day_start(options["until"] or clock.today())
        since = clock.day_start(options["since"]) if options["since"] else until - day
        every = options["provider"] == "all"
        names = [each for each in settings.DOENDA_PROVIDERS if feeds.has_list(each)] if every else [options["provider"]]
        told = Told(dict.fromkeys(("providers", "lines", "known", "matched", "parked", "refused", "probes"), 0))
        for name in names:
            told.figures["providers"] += 1
            looks = [feeds.reconcile, *([settlements.reconcile] if settlements.has_payouts(name) else [])]
            for run in (look(name, since, until) for look in looks):
                for figure in ("lines", "known", "matched", "parked", "probes"):
                    told.figures[figure] += getattr(run, figure)
                told.figures["refused"] += bool(run.told.get("stopped"))
                told.rows.append(_row(run))
                if not run.ok:
                    told.failures.append(f"{run.source}: {_why(run)}")
        return told

    def _billing(self, options: dict[str, Any]) -> Told:
        from doenda.billing import comparison

        result = comparison.compare(options["billing"])
        sums = [{"currency": currency, **sums} for currency, sums in sorted(result.sums.items())]
        findings = [{name: str(value) for name, value in each.as_data().items()} for each in result.findings]
        return Told(dict(result.figures), list(result.failures), rows=[*sums, *findings])

    def _queue(self, options: dict[str, Any]) -> Told:
        found = queue.waiting()
        now = clock.now()
        late = sum(each.due_at < now for each in found)
        failures = [f"{late} wait beyond their deadline"] if late else []
        return Told({"waiting": len(found), "late": late}, failures, rows=list(_waiting(found)))

    def _accept(self, options: dict[str, Any]) -> Told:
        return _handled(queue.accept(inside(options["accept"]), by=options["by"], bill=options["bill"]))

    def _dismiss(self, options: dict[str, Any]) -> Told:
        return _handled(queue.dismiss(inside(options["dismiss"]), by=options["by"], words=options["words"]))

    def _say(self, told: Told, *, as_json: bool) -> None:
        ok = not told.failures
        if as_json:
            said = {
                "ok": ok,
                "figures": told.figures,
                "failures": told.failures,
                "notes": told.notes,
                "rows": told.rows,
            }
            self.stdout.write(json.dumps(said, ensure_ascii=False))
        else:
            for row in told.rows:
                self.stdout.write("  ".join(str(value) for value in row.values() if value not in {"", None}))
            width = max(map(len, told.figures), default=0)
            for name, value in told.figures.items():
                self.stdout.write(
                    f"  {name:<{width}}  {value:,}" if isinstance(value, int) else f"  {name:<{width}}  {value}"
                )
            for note in told.notes:
                self.stdout.write(f"  {note}")
            for failure in told.failures:
                self.stdout.write(f"  FAILED: {failure}")
            self.stdout.write("ok" if ok else "not ok")
        if not ok:
            raise SystemExit(1)


def _row(run: Any) -> dict[str, Any]:
    return {
        "source": queue.shown(run.source),
        "statement": run.statement,
        "lines": run.lines,
        "matched": run.matched,
        "parked": run.parked,
        "known": run.known,
        "currency": run.currency,
        "theirs": run.their_total,
        "ours": run.our_total,
        "difference": run.difference,
    }


def _why(run: Any) -> str:
    stopped = run.told.get("stopped")
    return f"could not be read whole: {stopped}" if stopped else f"{run.difference} {run.currency} is not explained"


def _waiting(found: list[queue.Waiting]) -> Iterator[dict[str, Any]]:
    for each in found:
        yield {
            "id": outside(each.line_id),
            "deadline": words.moment(each.due_at, "en"),
            "source": each.source,
            "kind": each.kind,
            "amount": each.amount,
            "currency": each.currency,
            "reference": each.reference,
            "reason": each.reason,
            "owner": each.owner,
            "suggestion": json.dumps(each.suggestion, ensure_ascii=False) if each.suggestion else "",
            "asked_by": each.asked_by,
        }


def _handled(handled: queue.Handled) -> Told:
    notes = ["done" if handled.done else "noted: above the limit, so somebody else has to ask for the same"]
    return Told({"done": int(handled.done), "posted": handled.posted}, notes=notes)
