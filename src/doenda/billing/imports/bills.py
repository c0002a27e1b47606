"""One bills file, from its lines to the ledger: stage, check, write what is new, then what needs locks."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from doenda.billing import accounts, bills, books, classes, post
from doenda.billing.imports import stage, table, write
from doenda.billing.imports.decode import Opened
from doenda.billing.imports.lines import OPTIONAL, REQUIRED, LineRule, Staged
from doenda.billing.imports.report import SHOWN, Refused, Report
from doenda.billing.models import Account, Bill
from doenda.kernel import clock

JUNK_ROWS = 200


def read_csv(opened: Opened, report: Report) -> Iterator[Staged]:
    """The good lines; the bad ones go to the report. Raises Refused early when the first `JUNK_ROWS` are all bad."""
    with table.rows(opened) as (header, body):
        table.check_header(header, REQUIRED, OPTIONAL)
        known = classes.policy(clock.today(), settings.DOENDA_COUNTRY).in_files
        rule = LineRule(header, classes=known, country=settings.DOENDA_COUNTRY)
        good = bad = 0
        for row, fields in body:
            line = rule.read(row, fields)
            if isinstance(line, Staged):
                good += 1
                yield line
                continue
            bad += 1
            for column, value, reason in line:
                report.problem(row, column, value, reason)
            if not good and bad >= JUNK_ROWS:
                report.note(f"the first {bad} lines are all bad; the rest was not read")
                raise Refused(report)


def take_in(lines: Iterable[Staged], report: Report) -> None:
    """Stage and write a file's bills in the caller's transaction. Raises Refused; then nothing may be committed."""
    stage.create()
    report.counts["rows"] = stage.copy(lines)
    if not report.counts["rows"] and not report.problems_total:
        report.problem(1, "file", "", "there is no bill in this file")
        raise Refused(report)
    stage.derive()
    stage.check(report)
    report.refuse_if_bad()
    write.everything_new(report)
    report.counts["unchanged"] = stage.count("SELECT count(*) FROM in_bill WHERE action = 'unchanged'")
    _note_differing(report)
    _under_locks(report)


_DIFFERING = f"""
    SELECT row, bill FROM in_bill WHERE action = 'unchanged' AND (amount <> known_amount OR due_date <> known_due)
    ORDER BY row LIMIT {SHOWN}
"""  # noqa: S608 - no text from outside


def _note_differing(report: Report) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING)
        for row, bill in cursor.fetchall():
            report.note(f"row {row}: bill {bill} differs from ours with the same revision; ours stays")


class _Work(NamedTuple):
    row: int
    action: str
    bill: str
    revision: int
    credits: str
    due_date: date
    bill_date: date
    amount: int
    account_id: UUID


_WORK = """
    SELECT b.row, b.action, b.bill, b.revision, b.credits, b.due_date, b.bill_date, b.amount::bigint, a.id
    FROM in_bill b JOIN in_account a ON a.account = b.account
    WHERE b.action IN ('correct', 'credit_note') ORDER BY b.row
"""
_WITH_CREDIT = f"""
    SELECT DISTINCT a.id FROM in_account a JOIN in_bill b ON b.account = a.account AND b.action IN ('new', 'correct')
    JOIN billing_book k ON k.account_id = a.id AND k.name = '{books.CREDIT}'
"""  # noqa: S608 - no text from outside


def _under_locks(report: Report) -> None:
    """Corrections, credit notes, and credit that new bills use up: few, each by its row-wise action."""
    with connection.cursor() as cursor:
        cursor.execute(_WORK)
        work = [_Work(*row) for row in cursor.fetchall()]
        cursor.execute(_WITH_CREDIT)
        with_credit = {row[0] for row in cursor.fetchall()}
    if not work and not with_credit:
        return
    locked = accounts.lock_many({each.account_id for each in work} | with_credit)
    items = _items([each.bill for each in work if each.action == "correct"])
    for each in work:
        account = locked[each.account_id]
        if each.action == "correct":
            _correct(account, each, items[each.bill], report)
        else:
            _credit(account, each, report)
    for account_id in sorted(with_credit):
        if post.use_credit(locked[account_id]):
            report.count("credit_used")


def _correct(account: Account, each: _Work, items: Sequence[bills.Item], report: Report) -> None:
    bill = Bill.objects.get(number=each.bill)
    bills.correct(account, bill, each.revision, items, due_date=each.due_date)
    report.count("corrected")


def _credit(account: Account, each: _Work, report: Report) -> None:
    named = Bill.objects.get(number=each.credits) if each.credits else None
    done = bills.credit(account, each.amount, fact_id=each.bill, at=clock.day_start(each.bill_date), bill=named)
    report.count("credited" if done else "unchanged")


def _items(numbers: Sequence[str]) -> dict[str, list[bills.Item]]:
    found: dict[str, list[bills.Item]] = {}
    if numbers:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT l.bill, l.item_class, l.amount, s.id FROM in_line l JOIN in_account a ON a.account = l.account"
                " LEFT JOIN billing_line s ON s.account_id = a.id AND s.number = l.line"
                " JOIN in_bill b ON b.bill = l.bill WHERE b.action = 'correct' ORDER BY l.row"
            )
            for bill, item_class, amount, line_id in cursor.fetchall():
                found.setdefault(bill, []).append(bills.Item(item_class, amount, line_id))
    return found
