"""A statement file: read by its form, held to itself and to what its account said before, taken in or refused whole.

A row remembers the file and why it was refused. The very same file again is ignored; the same statement in another
file brings lines that are known, each counted once; one that tells a line otherwise refuses its file.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from doenda.billing.imports import decode
from doenda.billing.imports.report import Refused, Report
from doenda.billing.imports.run import MAX_BYTES
from doenda.billing.models import ImportFile
from doenda.kernel.db import durable
from doenda.kernel.ids import new_id
from doenda.payments.reconciliation import storing, take_in
from doenda.payments.reconciliation.lines import Statement
from doenda.payments.reconciliation.models import ReconRun
from doenda.payments.reconciliation.readers import camt, checks, mt940, table

KIND = "recon"
FORMS = ("camt", "mt940", "csv:MAPPING")


@dataclass(slots=True)
class FileTaken:
    """What one file came to. `again`: the very same file was taken in before, and nothing was done."""

    file: ImportFile
    report: Report
    runs: list[ReconRun] = field(default_factory=list)
    again: bool = False

    @property
    def ok(self) -> bool:
        return self.file.accepted


def take(path: Path, form: str = "", *, name: str = "") -> FileTaken:
    """Take a statement file in, or refuse it with a report. Opens its own transactions.

    Raises ValueError for a form or a mapping that is not known, OSError for a file that cannot be read.
    """
    name, sha256 = (name or path.name)[:255], ""
    kind, _, mapping = form.partition(":")
    if form and (kind not in {"camt", "mt940", "csv"} or (kind == "csv") != bool(mapping)):
        raise ValueError(f"no such form: {form}; known: {' | '.join(FORMS)}")
    if mapping and mapping not in (known := table.mappings(settings.DOENDA_COUNTRY)):
        raise ValueError(f"no such mapping: {mapping}; known: {', '.join(known)}")
    try:
        sha256 = _digest(path)
        form = form or _form(path)
        if (before := _before(sha256)) is not None:
            return FileTaken(before, Report(counts=dict(before.report.get("counts", {}))), again=True)
        statements = _read(path, form)
        return durable(lambda: _store(statements, sha256, name), once=True)
    except Refused as refused:
        data, rows = refused.report.as_data(), refused.report.counts.get("rows", 0)
        row = ImportFile(sha256=sha256, name=name, kind=KIND, rows=rows, accepted=False, report=data)
        durable(lambda: row.insert(once=True))
        return FileTaken(row, refused.report)


def _before(sha256: str) -> ImportFile | None:
    return ImportFile.objects.filter(sha256=sha256, kind=KIND, accepted=True).first()


def _digest(path: Path) -> str:
    """The file's digest. Raises Refused for an empty or a huge one, before anything of it is read as text."""
    limit: int = getattr(settings, "DOENDA_IMPORT_MAX_BYTES", MAX_BYTES)
    size = path.stat().st_size
    if size > limit:
        raise checks.refuse(1, "file", "", f"the file is larger than {limit:,} bytes (DOENDA_IMPORT_MAX_BYTES)")
    if not size:
        raise checks.refuse(1, "file", "", "the file is empty")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _form(path: Path) -> str:
    """What the file looks like. Raises Refused."""
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(b"\x00\x01 \r\n\t")
    if start.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return "camt"
    if b":20:" in start or start.startswith(b"{1:") or re.match(rb":\d\d[A-Z]?:", start):
        return "mt940"
    raise checks.refuse(1, "file", "", f"the form of this file cannot be seen; it is one of: {', '.join(FORMS)}")


def _read(path: Path, form: str) -> list[Statement]:
    if form == "camt":
        return camt.read(path)
    kind, _, mapping = form.partition(":")
    opened = decode.inspect(path, getattr(settings, "DOENDA_IMPORT_MAX_BYTES", MAX_BYTES))
    return mt940.read(opened) if kind == "mt940" else table.read(opened, mapping)


def _store(statements: Sequence[Statement], sha256: str, name: str) -> FileTaken:
    for source in sorted({each.source for each in statements}):
        storing.lock(source)  # the same file twice at once: the second waits here, and finds the first one's row
    if (before := _before(sha256)) is not None:
        return FileTaken(before, Report(counts=dict(before.report.get("counts", {}))), again=True)
    report, runs = Report(), []
    for place, each in enumerate(statements, 1):
        runs.append(_statement(each, place, sha256, name, report))
        report.refuse_if_bad()  # rolls back what was stored
    file = ImportFile.objects.create(
        sha256=sha256,
        name=name,
        kind=KIND,
        rows=sum(each.lines for each in runs),
        accepted=True,
        report=report.as_data(),
    )
    return FileTaken(file, report, runs)


def _statement(each: Statement, place: int, sha256: str, name: str, report: Report) -> ReconRun:
    where = f"statement {place}"
    _follows(each, place, where)
    run_id = new_id()
    taken = take_in.take_in(each.source, each.lines, run_id=run_id)
    for line in taken.otherwise:
        report.problem(
            place, line.place, "", f"was told otherwise before, or stands in another statement: {line.ident}"
        )
    report.refuse_if_bad()
    for count, more in (
        ("rows", len(each.lines)),
        ("known", taken.known),
        ("matched", taken.matched),
        ("parked", taken.parked),
        ("probes", taken.probes),
        ("pending", each.pending),
    ):
        report.count(count, more)
    return ReconRun.objects.create(id=run_id, **_told(each, taken, sha256, name))


def _told(each: Statement, taken: take_in.Taken, sha256: str, name: str) -> dict[str, Any]:
    """The run's row: their total is what the new lines come to, ours what of it the ledger has, probes apart."""
    theirs = taken.matched_sum + taken.parked_sum
    times = [line.at for line in each.lines]
    return {
        "source": each.source,
        "since": min(times) if times else None,
        "until": max(times) if times else None,
        "name": name,
        "sha256": sha256,
        "form": each.form,
        "statement": each.ident,
        "sequence": each.sequence,
        "opening": each.opening,
        "closing": each.closing,
        "currency": each.currency,
        "lines": len(each.lines),
        "known": taken.known,
        "matched": taken.matched,
        "parked": taken.parked,
        "probes": taken.probes,
        "their_total": theirs,
        "our_total": taken.matched_sum,
        "difference": taken.parked_sum,
        "ok": not taken.parked,
        "told": {
            "pending": each.pending,
            "probe_sum": taken.probe_sum,
            "reasons": taken.reasons,
            "opened_on": each.opened_on.isoformat() if each.opened_on else None,
            "closed_on": each.closed_on.isoformat() if each.closed_on else None,
        },
    }


def _follows(each: Statement, place: int, where: str) -> None:
    """Raises Refused unless the statement goes on where its account's last one of this form ended."""
    runs = ReconRun.objects.filter(source=each.source, form=each.form, closing__isnull=False)
    if each.closing is None or runs.filter(statement=each.ident).exists():
        return
    last = runs.filter(told__closed_on__isnull=False).order_by("-told__closed_on", "-pk").first()
    if last is None:
        return
    reason = checks.gap(_as_statement(last, each), each)
    if reason:
        raise checks.refuse(place, where, each.ident, reason)


def _as_statement(run: ReconRun, like: Statement) -> Statement:
    opened, closed = (run.told.get(name) for name in ("opened_on", "closed_on"))
    return Statement(
        run.form or like.form,
        like.account,
        run.statement,
        run.currency,
        (),
        run.sequence,
        run.opening,
        run.closing,
        date.fromisoformat(opened) if opened else None,
        date.fromisoformat(closed) if closed else None,
    )
