"""One file from outside: looked at, taken in or refused whole, and remembered with its report."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from doenda.billing.imports import bills, decode, payments, table, tmf678
from doenda.billing.imports.decode import Opened
from doenda.billing.imports.report import Refused, Report
from doenda.billing.models import ImportFile
from doenda.kernel import facts

MAX_BYTES = 512 * 1024 * 1024
_LOCK = 0x446F656E6461  # one import at a time: a second one waits here, not in the middle of the first one's rows


@dataclass(frozen=True, slots=True)
class Imported:
    """`file` is the row that remembers it; `again` says that the same file was accepted before and nothing was done."""

    file: ImportFile
    report: Report
    again: bool = False

    @property
    def ok(self) -> bool:
        return self.file.accepted


def import_file(path: Path, *, kind: str | None = None, item_class: str = "service", name: str = "") -> Imported:
    """Take a file in, or refuse it with a report by row; either way one ImportFile row says so.

    `kind` is "bills" or "payments", found out if not given. `item_class` is the class of what a TMF678 bill asks for,
    as that form names no classes. Raises OSError for a file that cannot be read. Opens its own transaction.
    """
    name = (name or path.name)[:255]
    try:
        opened = decode.inspect(path, getattr(settings, "DOENDA_IMPORT_MAX_BYTES", MAX_BYTES))
        kind = kind or _kind(opened)
    except Refused as refused:
        return _refuse(name, kind or "unknown", "", refused.report)
    before = ImportFile.objects.filter(sha256=opened.sha256, kind=kind, accepted=True).first()
    if before is not None:
        return Imported(before, Report(counts=dict(before.report.get("counts", {}))), again=True)
    report = Report()
    try:
        with transaction.atomic():
            return Imported(_take_in(opened, kind, item_class, name, report=report), report)
    except Refused as refused:
        return _refuse(name, kind, opened.sha256, refused.report)


def _kind(opened: Opened) -> str:
    if opened.json:
        return "bills"
    with table.rows(opened) as (header, _):
        return "payments" if "payment_id" in header else "bills"


def _take_in(opened: Opened, kind: str, item_class: str, name: str, *, report: Report) -> ImportFile:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if kind == "payments":
        payments.take_in(opened, report)
    elif opened.json:
        tmf678.take_in(opened, report, item_class)
    else:
        bills.take_in(bills.read_csv(opened, report), report)
    file = ImportFile.objects.create(
        sha256=opened.sha256,
        name=name,
        kind=kind,
        rows=report.counts.get("rows", 0),
        accepted=True,
        report=report.as_data(),
    )
    data = {"file_id": str(file.pk), "kind": kind, "count": report.counts.get("bills", 0), "counts": report.counts}
    facts.record("billing.file_imported", None, data)
    return file


def _refuse(name: str, kind: str, sha256: str, report: Report) -> Imported:
    with transaction.atomic():
        file = ImportFile.objects.create(
            sha256=sha256,
            name=name,
            kind=kind,
            rows=report.counts.get("rows", 0),
            accepted=False,
            report=report.as_data(),
        )
    return Imported(file, report)
