"""A CSV of payments taken elsewhere: payment_id, account, amount, currency, paid_at, and the bill if it is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from doenda.billing import accounts
from doenda.billing.imports import elsewhere, lines, table
from doenda.billing.imports.bills import JUNK_ROWS
from doenda.billing.imports.decode import Opened
from doenda.billing.imports.lines import Wrong
from doenda.billing.imports.report import Refused, Report
from doenda.billing.models import Account, Bill
from doenda.kernel import clock

REQUIRED = ("payment_id", "account", "amount", "currency", "paid_at")
OPTIONAL = ("bill",)
CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Paid:
    """One line: `amount` in minor units of `currency`, `bill` a number or ""."""

    row: int
    payment_id: str
    account: str
    bill: str
    amount: int
    currency: str
    paid_at: datetime


def moment(value: str) -> datetime:
    """A day (its first instant where the carrier is) or an ISO 8601 instant; without an offset it is the carrier's."""
    if len(value) == 10:
        return clock.day_start(lines.day(value))
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise Wrong("not a date or an instant (ISO 8601)") from error
    lines.day(value[:10])
    return found if found.tzinfo else found.replace(tzinfo=clock.zone())


def read(header: Sequence[str], row: int, fields: Sequence[str]) -> Paid | list[tuple[str, str, str]]:
    """The rule for one line: what it says, or everything wrong with it (pure)."""
    if len(fields) != len(header):
        return [("line", "", f"{len(fields)} fields where the header has {len(header)}")]
    f = {"bill": ""} | dict(zip(header, map(str.strip, fields), strict=True))
    problems: list[tuple[str, str, str]] = []
    paid_at, amount = clock.now(), 0
    try:
        column = "payment_id"
        lines.needed(f[column], column)
        column = "account"
        lines.needed(f[column], column)
        column = "bill"
        lines.text(f[column], column)
        column = "paid_at"
        paid_at = moment(f[column])
        column = "currency"
        lines.currency(f[column])
        column = "amount"
        amount = lines.amount(f[column], f["currency"])
        if amount <= 0:
            raise Wrong("a payment is more than nothing")
    except Wrong as error:
        problems.append((column, f[column], str(error)))
        return problems
    return Paid(row, f["payment_id"], f["account"], f["bill"], amount, f["currency"], paid_at)


def _read_all(opened: Opened, report: Report) -> Iterator[Paid]:
    seen: dict[str, int] = {}
    with table.rows(opened) as (header, body):
        table.check_header(header, REQUIRED, OPTIONAL)
        for row, fields in body:
            line = read(header, row, fields)
            if isinstance(line, list):
                for problem in line:
                    report.problem(row, *problem)
                if not seen and report.problems_total >= JUNK_ROWS:
                    raise Refused(report)
            elif line.payment_id in seen:
                reason = f"the payment stands in this file already, on line {seen[line.payment_id]}"
                report.problem(row, "payment_id", line.payment_id, reason)
            else:
                seen[line.payment_id] = row
                yield line


def take_in(opened: Opened, report: Report) -> None:
    """Check every line, then post them all, in the caller's transaction. Raises Refused."""
    found = list(_read_all(opened, report))
    known_accounts: dict[str, Account] = {}
    known_bills: dict[str, Bill] = {}
    for start in range(0, len(found), CHUNK):
        part = found[start : start + CHUNK]
        rows = Account.objects.filter(number__in={line.account for line in part})
        known_accounts |= {each.number: each for each in rows}
        bills = Bill.objects.filter(number__in={line.bill for line in part if line.bill})
        known_bills |= {each.number: each for each in bills}
    for line in found:
        _check(line, known_accounts.get(line.account), known_bills.get(line.bill), report)
    if not found and not report.problems_total:
        report.problem(1, "file", "", "there is no payment in this file")
    report.refuse_if_bad()
    report.counts["rows"] = len(found)
    locked = accounts.lock_many(each.pk for each in known_accounts.values())
    for line in found:
        account = locked[known_accounts[line.account].pk]
        bill = known_bills.get(line.bill)
        new = elsewhere.take_in(account, line.payment_id, line.amount, line.paid_at, bill=bill, part=False)
        report.count("payments" if new else "unchanged")


def _check(line: Paid, account: Account | None, bill: Bill | None, report: Report) -> None:
    if account is None:
        report.problem(line.row, "account", line.account, "no such account")
        return
    if account.currency != line.currency:
        report.problem(line.row, "currency", line.currency, f"the account's currency is {account.currency}")
    if line.bill and (bill is None or bill.account_id != account.pk):
        report.problem(line.row, "bill", line.bill, "the account has no bill of this number")
