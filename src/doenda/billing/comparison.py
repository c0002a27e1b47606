"""The carrier's billing system against our books: every bill matched, or listed with what differs and who owns it.

Both sides' sums are compared to the won. What our feed has told and the carrier has not acknowledged yet explains a
difference until it is too old. Probes are left out. Only reads: nothing is changed on either side.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from doenda.billing import books
from doenda.billing.comparison_near import pool, suggestion
from doenda.billing.comparison_rows import Told, read
from doenda.billing.imports import decode
from doenda.billing.imports.report import Refused, Report
from doenda.billing.imports.run import MAX_BYTES
from doenda.kernel import clock
from doenda.kernel.ids import inside, outside

LATE_AFTER = timedelta(days=2)
"""By when the carrier's books have acknowledged a posting. The carrier's choice, not law."""
SHOWN = 1000
"""Findings of one kind that are listed by name; all are counted, and all are in the sums."""


class Reason(StrEnum):
    """What is found. A closed list."""

    AMOUNT_DIFFERS = "AMOUNT_DIFFERS"
    PAID_DIFFERS = "PAID_DIFFERS"
    REMAINING_DIFFERS = "REMAINING_DIFFERS"
    STATE_DIFFERS = "STATE_DIFFERS"
    ACCOUNT_DIFFERS = "ACCOUNT_DIFFERS"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    NOT_HERE = "NOT_HERE"  # they have the bill, we have not
    NOT_THERE = "NOT_THERE"  # it is owed here, and they have nothing of it
    IN_TRANSIT = "IN_TRANSIT"  # our feed has told it lately: they have not acknowledged it yet
    UNACKNOWLEDGED = "UNACKNOWLEDGED"  # a posting of ours that they have not acknowledged for too long
    POSTING_NOT_HERE = "POSTING_NOT_HERE"  # they name a posting that is none of ours
    POSTING_DIFFERS = "POSTING_DIFFERS"


OWNERS: Mapping[Reason, str] = dict.fromkeys(Reason, "billing") | {Reason.IN_TRANSIT: "system"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that differs. `row` of the file, 0 where it has none; `theirs` less `ours` is its part of the
    difference of what remains (minor units). `suggestion`: the bill that may be meant."""

    row: int
    about: str
    account: str
    reason: Reason
    words: str
    currency: str
    theirs: int = 0
    ours: int = 0
    suggestion: str = ""

    @property
    def owner(self) -> str:
        return OWNERS[self.reason]

    def as_data(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "owner": self.owner}


@dataclass
class Compared:
    """What came of it. `sums` by currency: what remains by their books, by ours, and what explains the difference.

    `refused` is set where the file could not be read: then nothing was compared.
    """

    lines: int = 0
    matched: int = 0
    probes: int = 0
    closed: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    sums: dict[str, dict[str, int]] = field(default_factory=dict)
    refused: Report | None = None

    @property
    def balanced(self) -> bool:
        """Is the difference of the sums that of the findings, to the won?"""
        return all(each["theirs"] - each["ours"] == each["explained"] for each in self.sums.values())

    @property
    def ok(self) -> bool:
        """Does nothing wait for anybody?"""
        waiting = sum(count for reason, count in self.counts.items() if reason != Reason.IN_TRANSIT)
        return self.refused is None and self.balanced and not waiting

    @property
    def figures(self) -> dict[str, int]:
        """Lines of the file and where each of them ended; and what the file does not have."""
        ours_alone = (Reason.NOT_THERE, Reason.UNACKNOWLEDGED)
        told = sum(count for reason, count in self.counts.items() if reason not in ours_alone)
        return {
            "lines": self.lines,
            "matched": self.matched,
            "parked": told,
            "refused": self.refused.problems_total if self.refused else 0,
            "probes": self.probes,
            "not_there": self.counts.get(Reason.NOT_THERE, 0),
            "unacknowledged": self.counts.get(Reason.UNACKNOWLEDGED, 0),
            "closed_not_told": self.closed,
        }

    @property
    def failures(self) -> list[str]:
        """What waits for somebody, a short line each; or why the file was refused."""
        if self.refused is not None:
            return [f"refused: {each}" for each in self.refused.problems[:20]]
        waiting = [each for each in self.findings if each.reason is not Reason.IN_TRANSIT]
        found = [f"{each.about} {each.reason} ({each.owner}): {each.words}" for each in waiting[:20]]
        return found if self.balanced else [*found, f"the sums do not add up: {self.sums}"]

    def add(self, found: Finding) -> None:
        count = self.counts[found.reason] = self.counts.get(found.reason, 0) + 1
        if count <= SHOWN:
            self.findings.append(found)
        self.sum_of(found.currency)["explained"] += found.theirs - found.ours

    def sum_of(self, currency: str) -> dict[str, int]:
        return self.sums.setdefault(currency, {"theirs": 0, "ours": 0, "explained": 0})


def compare(path: Path, *, late_after: timedelta = LATE_AFTER) -> Compared:
    """Compare a file of the carrier's books with ours, or refuse it with a report by row. Raises OSError.

    Bills that are closed here need not be in the file; those that are owed here must. Opens its own transaction.
    """
    result, report = Compared(), Report()
    try:
        opened = decode.inspect(path, getattr(settings, "DOENDA_IMPORT_MAX_BYTES", MAX_BYTES))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TABLES)
            result.lines = _copy(cursor, read(opened, report))
            if not result.lines and not report.problems_total:
                report.problem(1, "file", "", "there is no row in this file")
            report.refuse_if_bad()
            cursor.execute("ANALYZE in_books")
            _bills(cursor, result)
            _postings(cursor, result, late_after)
            _totals(cursor, result)
            cursor.execute("DROP TABLE in_books")  # a caller's transaction may go on, and compare another file
    except Refused as refused:
        return Compared(refused=refused.report)
    return result


_TABLES = """
CREATE TEMP TABLE in_books (
    row int, key text, account text, currency text, amount bigint, paid bigint, remaining bigint, late_fee bigint,
    credited bigint, state text, posting boolean
) ON COMMIT DROP
"""


def _copy(cursor: Any, rows: Iterable[Told]) -> int:
    """The rows into the table. No field holds a control character: see lines.text."""
    count = 0
    names = [each.name for each in dataclasses.fields(Told)]
    with cursor.copy("COPY in_books FROM STDIN") as stream:
        for told in rows:
            stream.write_row([getattr(told, name) for name in names])
            count += 1
    return count


_OURS = "FROM billing_bill b JOIN billing_account a ON a.id = b.account_id"
_REMAINING = "b.amount + b.late_fee - b.paid - b.credited"
_MATCHED = """
    SELECT count(*) FILTER (WHERE b.probe OR a.probe), count(*) FILTER (WHERE NOT (b.probe OR a.probe))
    FROM in_books t JOIN (billing_bill b JOIN billing_account a ON a.id = b.account_id) ON b.number = t.key
    WHERE NOT t.posting
"""
_DIFFERING = f"""
    WITH differing AS (
        SELECT t.*, b.id, a.number AS our_account, b.currency AS our_currency, b.amount AS our_amount,
            b.paid AS our_paid, {_REMAINING} AS our_remaining, b.state AS our_state, b.account_id AS our_account_id,
            b.late_fee AS our_late_fee, b.credited AS our_credited
        FROM in_books t JOIN billing_bill b ON b.number = t.key JOIN billing_account a ON a.id = b.account_id
        WHERE NOT t.posting AND NOT b.probe AND NOT a.probe AND (
            (t.account, t.currency, t.amount, t.paid, t.remaining)
                IS DISTINCT FROM (a.number::text, b.currency::text, b.amount, b.paid, {_REMAINING})
            OR (t.state <> '' AND t.state <> b.state) OR t.late_fee <> b.late_fee OR t.credited <> b.credited)
    )
    SELECT d.row, d.key, d.account, d.currency, d.amount, d.paid, d.remaining, d.late_fee, d.credited, d.state,
        d.our_account, d.our_currency, d.our_amount, d.our_paid, d.our_remaining, d.our_late_fee, d.our_credited,
        d.our_state, COALESCE(w.told, 0)::bigint, COALESCE(w.postings, 0)
    FROM differing d LEFT JOIN LATERAL (
        SELECT SUM(CASE WHEN p.target_book_id = d.our_account_id THEN p.amount ELSE -p.amount END) AS told,
            count(*) AS postings
        FROM billing_posting p LEFT JOIN billing_postingack k ON k.posting_id = p.id
        WHERE p.account_id = d.our_account_id AND p.bill_id = d.id AND k.posting_id IS NULL
          AND d.our_account_id IN (p.source_book_id, p.target_book_id)
    ) w ON true ORDER BY d.row
"""  # noqa: S608 - no text from outside
_NOT_HERE = """
    SELECT t.row, t.key, t.account, t.currency, t.amount, t.remaining FROM in_books t
    LEFT JOIN billing_bill b ON b.number = t.key WHERE NOT t.posting AND b.id IS NULL ORDER BY t.row
"""
_NOT_THERE = f"""
    SELECT b.number, a.number, b.currency, b.amount, {_REMAINING} {_OURS} LEFT JOIN in_books t
        ON t.key = b.number AND NOT t.posting
    WHERE t.key IS NULL AND NOT b.probe AND NOT a.probe AND b.state = 'open' ORDER BY b.id
"""
_CLOSED = """
    SELECT count(*) FROM billing_bill b JOIN billing_account a ON a.id = b.account_id LEFT JOIN in_books t
        ON t.key = b.number AND NOT t.posting
    WHERE t.key IS NULL AND NOT b.probe AND NOT a.probe AND b.state <> 'open'
"""


class _Differing(NamedTuple):
    """A bill that both have, and of which they say something else. `told`: what our postings without an acknowledgement
    add to it (minor units)."""

    row: int
    key: str
    account: str
    currency: str
    amount: int
    paid: int
    remaining: int
    late_fee: int | None
    credited: int | None
    state: str
    our_account: str
    our_currency: str
    our_amount: int
    our_paid: int
    our_remaining: int
    our_late_fee: int
    our_credited: int
    our_state: str
    told: int
    postings: int


def _bills(cursor: Any, result: Compared) -> None:
    cursor.execute(_MATCHED)
    result.probes, found = cursor.fetchone()
    cursor.execute(_DIFFERING)
    differing = cursor.fetchall()
    result.matched = found - len(differing)
    for row in differing:
        both = _Differing(*row)
        result.add(_difference(both))
        if both.currency != both.our_currency:
            result.sum_of(both.our_currency)["explained"] -= both.our_remaining
    if _one(cursor, _HAS_BILLS):
        cursor.execute(_NOT_HERE)
        strange = cursor.fetchall()
        cursor.execute(_NOT_THERE)
        missing = cursor.fetchall()
        known = pool(strange, missing)
        for row, key, account, currency, amount, remaining in strange:
            meant = suggestion(key, account, amount, known)
            words = "we have no bill of this number"
            result.add(Finding(row, key, account, Reason.NOT_HERE, words, currency, remaining, 0, meant))
        for number, account, currency, _, remaining in missing:
            words = "it is owed here, and is not in the file"
            result.add(Finding(0, number, account, Reason.NOT_THERE, words, currency, 0, remaining))
        result.closed = _one(cursor, _CLOSED)


_HAS_BILLS = "SELECT EXISTS (SELECT FROM in_books WHERE NOT posting)"


def _one(cursor: Any, sql: str) -> Any:
    cursor.execute(sql)
    return cursor.fetchone()[0]


def _difference(d: _Differing) -> Finding:
    """What differs about a bill that both have (pure)."""
    pairs = {
        Reason.ACCOUNT_DIFFERS: (d.account, d.our_account),
        Reason.CURRENCY_DIFFERS: (d.currency, d.our_currency),
        Reason.AMOUNT_DIFFERS: (d.amount, d.our_amount),
        Reason.PAID_DIFFERS: (d.paid, d.our_paid),
        Reason.REMAINING_DIFFERS: (d.remaining, d.our_remaining),
        Reason.STATE_DIFFERS: (d.state or d.our_state, d.our_state),
    }
    reason = next((each for each, (theirs, ours) in pairs.items() if theirs != ours), Reason.REMAINING_DIFFERS)
    names: dict[str, tuple[object, object]] = {
        each.value.removesuffix("_DIFFERS").lower(): pair for each, pair in pairs.items()
    }
    names["late_fee"] = (d.our_late_fee if d.late_fee is None else d.late_fee, d.our_late_fee)
    names["credited"] = (d.our_credited if d.credited is None else d.credited, d.our_credited)
    words = "; ".join(f"{name} {theirs}, ours {ours}" for name, (theirs, ours) in names.items() if theirs != ours)
    ours = d.our_remaining if d.currency == d.our_currency else 0
    same = (d.account, d.currency, d.amount) == (d.our_account, d.our_currency, d.our_amount)
    if same and d.postings and d.our_remaining - d.remaining == d.told:
        reason, words = Reason.IN_TRANSIT, f"{words}: {d.postings} posting(s) not acknowledged yet"
    return Finding(d.row, d.key, d.account, reason, words, d.currency, d.remaining, ours)


def _postings(cursor: Any, result: Compared, late_after: timedelta) -> None:
    """Postings that the file names against ours; and those of ours that were never acknowledged, nor stand in it."""
    cursor.execute("SELECT row, key, account, currency, amount FROM in_books WHERE posting ORDER BY row")
    named = {inside(key): (row, key, account, currency, amount) for row, key, account, currency, amount in cursor}
    cursor.execute(_POSTINGS_OF, [list(named)])
    ours = {pk: each for pk, *each in cursor.fetchall()}
    for pk, (row, key, account, currency, amount) in named.items():
        mine = ours.get(pk)
        if mine is None:
            words = f"we have no posting of this id, of {amount}"
            result.add(Finding(row, key, account, Reason.POSTING_NOT_HERE, words, currency))
        elif mine[3]:
            result.probes += 1
        elif (account, currency, amount) != (mine[0] or "", mine[1], mine[2]):
            words = f"{account} {amount} {currency}, ours {mine[0]} {mine[2]} {mine[1]}"
            result.add(Finding(row, key, account, Reason.POSTING_DIFFERS, words, currency))
        else:
            result.matched += 1
    cursor.execute(_LATE, {"before": clock.now() - late_after, "named": list(named), "probe": f"{books.PROBE}%"})
    for pk, account, currency, amount, at in cursor.fetchall():
        words = f"{amount} posted at {at.isoformat()} was never acknowledged"
        result.add(Finding(0, outside(pk), account or "", Reason.UNACKNOWLEDGED, words, currency))


_POSTINGS_OF = """
    SELECT p.id, a.number, p.currency, p.amount, COALESCE(a.probe, false)
    FROM billing_posting p LEFT JOIN billing_account a ON a.id = p.account_id WHERE p.id = ANY(%s)
"""
_LATE = """
    SELECT p.id, a.number, p.currency, p.amount, p.created_at
    FROM billing_posting p LEFT JOIN billing_postingack k ON k.posting_id = p.id
    LEFT JOIN billing_account a ON a.id = p.account_id
    JOIN billing_book s ON s.id = p.source_book_id JOIN billing_book g ON g.id = p.target_book_id
    WHERE k.posting_id IS NULL AND p.created_at < %(before)s AND p.id <> ALL(%(named)s)
      AND s.name NOT LIKE %(probe)s AND g.name NOT LIKE %(probe)s ORDER BY p.id
"""
_TOTALS = f"""
    SELECT t.currency, SUM(t.remaining)::bigint, 0::bigint FROM in_books t
        LEFT JOIN (billing_bill b JOIN billing_account a ON a.id = b.account_id) ON b.number = t.key
        WHERE NOT t.posting AND NOT COALESCE(b.probe OR a.probe, false) GROUP BY 1
    UNION ALL
    SELECT b.currency, 0::bigint, SUM({_REMAINING})::bigint {_OURS}
        WHERE NOT b.probe AND NOT a.probe GROUP BY 1
"""  # noqa: S608 - no text from outside


def _totals(cursor: Any, result: Compared) -> None:
    """What remains by both books; a file of postings alone says nothing of it."""
    if not _one(cursor, _HAS_BILLS):
        result.sums = {}
        return
    cursor.execute(_TOTALS)
    for currency, theirs, ours in cursor.fetchall():
        each = result.sum_of(currency)
        each["theirs"] += theirs
        each["ours"] += ours
