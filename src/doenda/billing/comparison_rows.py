"""The rows of a file that says what the carrier's own books hold: bills, and postings that it has taken over.

CSV with a header, or a JSON object a line. Strict: one row that cannot be read refuses the file whole.

bill      bill, account, currency, amount, paid, remaining; if known late_fee, credited, state
posting   posting (our id of it), account, currency, amount
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from doenda.billing.imports import decode, lines, table
from doenda.billing.imports.decode import Opened
from doenda.billing.imports.lines import Wrong
from doenda.billing.imports.report import Refused, Report
from doenda.kernel.ids import inside

BILL = ("bill", "account", "currency", "amount", "paid", "remaining")
BILL_TOO = ("late_fee", "credited", "state")
POSTING = ("posting", "account", "currency", "amount")
STATES = ("open", "settled", "cancelled")
JUNK_ROWS = 100
"""So many wrong rows and not one right: it is another file."""
type Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What their books say of a bill, or (with `posting`) of a posting of ours. Minor units; None: it says nothing."""

    row: int
    key: str
    account: str
    currency: str
    amount: int
    paid: int = 0
    remaining: int = 0
    late_fee: int | None = None
    credited: int | None = None
    state: str = ""
    posting: bool = False


def read(opened: Opened, report: Report) -> Iterator[Told]:
    """The rows; what is wrong goes into the report. Raises Refused where the file as a whole cannot be read."""
    seen: dict[tuple[bool, str], int] = {}
    for row, values in _json(opened) if opened.json else _csv(opened):
        try:
            told = _row(row, values)
        except _Bad as bad:
            report.problem(row, bad.column, values.get(bad.column, ""), bad.reason)
            if not seen and report.problems_total >= JUNK_ROWS:
                raise Refused(report) from None
            continue
        before = seen.setdefault((told.posting, told.key), row)
        if before != row:
            column = "posting" if told.posting else "bill"
            report.problem(row, column, told.key, f"it stands in this file already, on line {before}")
            continue
        yield told


class _Bad(ValueError):
    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason


def _csv(opened: Opened) -> Iterator[tuple[int, Values]]:
    with table.rows(opened) as (header, body):
        if "posting" in header:
            table.check_header(header, POSTING, ())
        else:
            table.check_header(header, BILL, BILL_TOO)
        for row, fields in body:
            if len(fields) != len(header):
                raise decode.refuse(row, "line", "", f"{len(fields)} fields where the header has {len(header)}")
            yield row, dict(zip(header, map(str.strip, fields), strict=True))


def _json(opened: Opened) -> Iterator[tuple[int, Values]]:
    with opened.path.open(encoding=opened.encoding, errors="strict") as stream:
        for row, line in enumerate(decode.lines(stream), 1):
            if not line.strip():
                continue
            try:
                found = json.loads(line, parse_float=Decimal, object_pairs_hook=_once)
            except _Bad as bad:
                raise decode.refuse(row, bad.column, "", bad.reason) from bad
            except (ValueError, RecursionError) as error:
                raise decode.refuse(row, "line", "", "not a JSON object on one line") from error
            if not isinstance(found, dict):
                raise decode.refuse(row, "line", "", "not a JSON object on one line")
            yield row, _texts(row, found)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Bad("line", "a name stands twice in the object")
    return found


def _texts(row: int, found: Mapping[str, Any]) -> Values:
    known = set(POSTING) if "posting" in found else {*BILL, *BILL_TOO}
    if strange := sorted(set(found) - known):
        raise decode.refuse(row, strange[0], "", f"unknown name; known: {', '.join(sorted(known))}")
    values: dict[str, str] = {}
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise decode.refuse(row, name, value, "neither a text nor a number")
        values[name] = str(value).strip()
    return values


def _row(row: int, values: Values) -> Told:
    """The rule for one row (pure). Raises _Bad."""
    posting = "posting" in values
    key = _text(values, "posting" if posting else "bill")
    if posting:
        try:
            inside(key)
        except ValueError:
            raise _Bad("posting", "is not the id of a posting of ours") from None
    account, currency = _text(values, "account"), values.get("currency", "")
    try:
        lines.currency(currency)
    except Wrong as error:
        raise _Bad("currency", str(error)) from None
    amount = _money(values, "amount", currency)
    if posting:
        return Told(row, key, account, currency, amount, posting=True)
    state = values.get("state", "").lower()
    if state and state not in STATES:
        raise _Bad("state", f"not one of {', '.join(STATES)}")
    told = Told(
        row,
        key,
        account,
        currency,
        amount,
        paid=_money(values, "paid", currency),
        remaining=_money(values, "remaining", currency),
        late_fee=_money(values, "late_fee", currency) if values.get("late_fee") else None,
        credited=_money(values, "credited", currency) if values.get("credited") else None,
        state=state,
    )
    if told.late_fee is not None and told.credited is not None:
        left = told.amount + told.late_fee - told.paid - told.credited
        if left != told.remaining:
            raise _Bad("remaining", f"the row's own amounts come to {left}")
    return told


def _text(values: Values, column: str) -> str:
    try:
        return lines.needed(values.get(column, ""), "bill" if column == "posting" else column)
    except Wrong as error:
        raise _Bad(column, str(error)) from None


def _money(values: Values, column: str, currency: str) -> int:
    try:
        found = lines.amount(values.get(column, ""), currency)
    except Wrong as error:
        raise _Bad(column, str(error)) from None
    if found < 0:
        raise _Bad(column, "is negative")
    return found
