"""A bank's statement file: read strictly by a mapping, taken in whole or refused whole, and known when it comes again.

Its lines go the same way as those of the bank's list. A line is known by the bank's own number for it (`movements`), so
the same file, the same lines in another file, and a line that the list brought before all count once; one that says
something else than before refuses the file.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from doenda.billing.imports import decode, table
from doenda.billing.imports.report import Refused, Report
from doenda.billing.imports.run import MAX_BYTES
from doenda.billing.models import ImportFile
from doenda.kernel import clock, sweeps
from doenda.kernel.db import durable
from doenda.payments.deposits import storing
from doenda.payments.deposits.movements import DEPOSIT, RETURNED, TAKEN_BACK, Movement

POLICIES = Path(__file__).parent / "policies"
KIND = "statement"
_AMOUNT = re.compile(r"\d{1,3}(,\d{3})+|\d{1,15}")
_NUMBER = re.compile(r"[\d-]{4,40}")
_IDENT = re.compile(r"[0-9A-Za-z_./-]{1,80}")


class MappingBroken(ValueError):
    """The description of a bank's file says something that cannot be; names the file and the bank."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How one bank's file says what happened (policies/statements-*.toml describes each name)."""

    bank: str
    currency: str
    ident: tuple[str, ...]
    at: tuple[str, ...]
    at_form: str
    number: str
    amount: str
    kind: str
    kinds: Mapping[str, str]
    remitter: str = ""
    of: str = ""
    ignored: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(each for each in (*self.ident, *self.at, self.number, self.amount, self.kind) if each)

    @property
    def day_only(self) -> bool:
        """Does the file name days without a clock time?"""
        return not any(mark in self.at_form for mark in ("%H", "%T", "%X", "%c"))


@cache
def mappings(country: str = "KR") -> Mapping[str, Columns]:
    """Every bank's description by its name. Raises MappingBroken."""
    path = POLICIES / f"statements-{country.lower()}.toml"
    found = {}
    for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
        try:
            lists = {each: tuple(entry[each]) for each in ("ident", "at", "ignored")}
            made = Columns(**(entry | lists))
        except (TypeError, KeyError) as error:
            raise MappingBroken(f"{path.name} [{name}]: {error}") from error
        if not made.ident or set(made.kinds.values()) - {DEPOSIT, RETURNED, TAKEN_BACK}:
            raise MappingBroken(f"{path.name} [{name}]: ident names the bank's own number; kinds are of the three")
        found[name] = made
    return found


@dataclass(frozen=True, slots=True)
class Taken:
    """`file` remembers it; `again`: the very same file was taken in before, and nothing was done."""

    file: ImportFile
    report: Report
    again: bool = False

    @property
    def ok(self) -> bool:
        return self.file.accepted


def take_in(path: Path, mapping: str, *, name: str = "") -> Taken:
    """Take a statement in, or refuse it with a report by row; either way a row remembers it. Opens its transactions.

    Raises KeyError for a mapping that is not described, OSError for a file that cannot be read.
    """
    columns = mappings(settings.DOENDA_COUNTRY)[mapping]
    name, sha256, report = (name or path.name)[:255], "", Report()
    try:
        opened = decode.inspect(path, getattr(settings, "DOENDA_IMPORT_MAX_BYTES", MAX_BYTES))
        sha256 = opened.sha256
        before = ImportFile.objects.filter(sha256=sha256, kind=KIND, accepted=True).first()
        if before is not None:
            return Taken(before, Report(counts=dict(before.report.get("counts", {}))), again=True)
        found = _read_all(opened, columns, report)
        report.refuse_if_bad()
        return durable(lambda: _store(found, columns, sha256, name), once=True)
    except Refused as refused:
        data, rows = refused.report.as_data(), refused.report.counts.get("rows", 0)
        row = ImportFile(sha256=sha256, name=name, kind=KIND, rows=rows, accepted=False, report=data)
        durable(lambda: row.insert(once=True))
        return Taken(row, refused.report)


def _store(found: Mapping[int, Movement], columns: Columns, sha256: str, name: str) -> Taken:
    storing.lock_feed()  # the same file twice at the same moment: the second waits here, and finds the first one's row
    before = ImportFile.objects.filter(sha256=sha256, kind=KIND, accepted=True).first()
    if before is not None:
        return Taken(before, Report(counts=dict(before.report.get("counts", {}))), again=True)
    report = Report()
    result = storing.store(list(found.values()), KIND)
    rows = {(each.bank, each.ident): row for row, each in found.items()}
    for key in result.conflicts:
        report.problem(rows[key], columns.ident[0], key[1], "the bank told this movement otherwise before")
    report.counts = {"rows": len(found), "new": result.new, "known": result.known}
    report.refuse_if_bad()  # rolls back what was stored
    file = ImportFile.objects.create(
        sha256=sha256, name=name, kind=KIND, rows=len(found), accepted=True, report=report.as_data()
    )
    sweeps.nudge("deposits")
    return Taken(file, report)


def _read_all(opened: decode.Opened, columns: Columns, report: Report) -> dict[int, Movement]:
    """Every line by its row; what is wrong goes to the report."""
    found: dict[int, Movement] = {}
    seen: dict[str, int] = {}
    with table.rows(opened) as (header, body):
        optional = tuple(each for each in (columns.remitter, columns.of) if each)
        lowered = [tuple(each.lower() for each in names) for names in (columns.needed, (*optional, *columns.ignored))]
        table.check_header(header, lowered[0], lowered[1])
        for row, fields in body:
            report.count("rows")
            line = read(dict(zip(header, map(str.strip, fields), strict=False)), columns)
            if len(fields) != len(header):
                report.problem(row, "line", "", f"{len(fields)} fields where the header has {len(header)}")
            elif isinstance(line, tuple):
                report.problem(row, *line)
            elif line.ident in seen:
                report.problem(row, columns.ident[0], line.ident, f"the same number stands in row {seen[line.ident]}")
            else:
                found[row], seen[line.ident] = line, row
    return found


def read(fields: Mapping[str, str], columns: Columns) -> Movement | tuple[str, str, str]:
    """The rule for one line (pure): what it says, or the column, value and reason of the first thing wrong with it."""
    return next(_wrong(fields, columns), None) or _movement(fields, columns)


def _wrong(fields: Mapping[str, str], columns: Columns) -> Iterator[tuple[str, str, str]]:
    said = _said(fields, columns)
    checks: Sequence[tuple[str, str, Any, str]] = (
        (columns.ident[0], said["ident"], _IDENT.fullmatch(said["ident"]), "the bank's own number of the movement"),
        (columns.number, "", _NUMBER.fullmatch(said["number"]), "not an account number"),
        (columns.amount, said["amount"], _AMOUNT.fullmatch(said["amount"]), "not a whole amount of money"),
        (columns.kind, said["kind"], columns.kinds.get(said["kind"]), f"one of {', '.join(columns.kinds)}"),
        (columns.remitter, "", len(said["remitter"]) <= 60, "longer than 60 characters"),
        (columns.at[0], said["at"], _moment(said["at"], columns.at_form), f"not of the form {columns.at_form}"),
    )
    for column, value, right, reason in checks:
        if not right:
            yield column, value, reason
            return
    if not int(said["amount"].replace(",", "")):
        yield columns.amount, said["amount"], "a movement is more than nothing"
    elif (columns.kinds[said["kind"]] != DEPOSIT) != bool(said["of"]):
        yield (
            columns.of or columns.kind,
            said["of"],
            "what was returned or taken back names its deposit, no deposit does",
        )


def _said(fields: Mapping[str, str], columns: Columns) -> dict[str, str]:
    def of(*names: str, joined: str = " ") -> str:
        return joined.join(fields.get(name.lower(), "") for name in names if name).strip()

    return {
        "ident": of(*columns.ident, joined="-"),
        "number": of(columns.number),
        "amount": of(columns.amount),
        "kind": of(columns.kind),
        "remitter": of(columns.remitter),
        "at": of(*columns.at),
        "of": of(columns.of),
    }


def _movement(fields: Mapping[str, str], columns: Columns) -> Movement:
    said = _said(fields, columns)
    at = _moment(said["at"], columns.at_form)
    assert at is not None
    return Movement(
        bank=columns.bank,
        ident=said["ident"],
        kind=columns.kinds[said["kind"]],
        number=said["number"].replace("-", ""),
        amount=int(said["amount"].replace(",", "")),
        currency=columns.currency,
        at=at,
        remitter=said["remitter"],
        of=said["of"],
        day_only=columns.day_only,
    )


def _moment(said: str, form: str) -> datetime | None:
    """A moment on the carrier's clock, unless the file names its own offset."""
    try:
        found = datetime.strptime(said, form)  # noqa: DTZ007 - its zone is the carrier's, added below
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=clock.zone())
