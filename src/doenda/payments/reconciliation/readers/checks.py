"""What every reader holds a statement to (pure), and how it says that one cannot be taken."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from doenda.billing.imports.decode import refuse
from doenda.kernel import clock
from doenda.kernel.money import Money, exponent
from doenda.payments.reconciliation.lines import Line, Statement

__all__ = ["currency", "instant", "linked", "minor", "refuse", "sums_up"]


def currency(code: str, row: int, where: str) -> str:
    """An ISO 4217 code. Raises Refused."""
    try:
        exponent(code)
    except ValueError as error:
        raise refuse(row, where, code, "not a currency code of ISO 4217") from error
    return code


def minor(text: str, code: str, row: int, where: str) -> int:
    """A plain decimal as minor units of the currency. Raises Refused for anything else, and for less than one unit."""
    cleaned = text.strip()
    if not cleaned or len(cleaned) > 24 or not cleaned.isascii() or set(cleaned) - set("0123456789.-+"):
        raise refuse(row, where, text, "not an amount")
    try:
        return Money.of_decimal(Decimal(cleaned), code).minor
    except (InvalidOperation, ValueError) as error:
        raise refuse(row, where, text, f"not a whole amount of {code}: {error}"[:200]) from error


def instant(day: date, at: datetime | None = None) -> datetime:
    """When a movement of a day was: the moment if it is told, else the day's first where the carrier is."""
    if at is None:
        return clock.day_start(day)
    return at if at.tzinfo else at.replace(tzinfo=clock.zone())


def sums_up(found: Statement, row: int, where: str) -> Statement:
    """The statement, if opening and booked lines come to its closing balance. Raises Refused."""
    if found.opening is not None and found.closing is not None:
        comes_to = found.opening + found.total
        if comes_to != found.closing:
            raise refuse(
                row,
                where,
                found.closing,
                f"opening {found.opening} and {len(found.lines)} lines come to {comes_to}, in minor units"
                f" of {found.currency}: the closing balance is off by {found.closing - comes_to}",
            )
    return found


def linked(statements: Sequence[Statement]) -> list[Statement]:
    """Statements of one file, if each follows on what the one before it of its account left. Raises Refused."""
    last: dict[str, Statement] = {}
    seen: set[tuple[str, str]] = set()
    for row, each in enumerate(statements, 1):
        where = f"statement {row}"
        if (each.account, each.ident) in seen:
            raise refuse(row, where, each.ident, "the same statement stands in this file twice")
        seen.add((each.account, each.ident))
        before = last.get(each.account)
        if before is not None and (reason := gap(before, each)):
            raise refuse(row, where, each.ident, reason)
        last[each.account] = each
    return list(statements)


def gap(before: Statement, after: Statement) -> str:
    """Why something is missing between two statements of an account; "" if nothing is, or `after` is not the later.

    Balances tell, numbers only help to name it: banks leave out numbers of days without movements. A row of numbers
    may begin again at 1 with a new year.
    """
    if before.closing is None or after.opening is None or not _later(before, after):
        return ""
    if before.closing == after.opening:
        return ""
    missing = ""
    if before.sequence is not None and after.sequence is not None and after.sequence > before.sequence + 1:
        missing = f": number {before.sequence + 1} and what follows is missing"
    return (
        f"it opens with {after.opening} (minor units), but the statement before it,"
        f" {before.ident}, closed with {before.closing}{missing}"
    )


def _later(before: Statement, after: Statement) -> bool:
    if before.sequence is not None and after.sequence is not None:
        if after.sequence == before.sequence + 1:
            return True
        if after.sequence < before.sequence and after.closed_on == before.closed_on:
            return False
    if before.closed_on is None or after.opened_on is None or after.closed_on is None:
        return False
    return after.opened_on >= before.closed_on or (after.closed_on > before.closed_on)


def strong(lines: Sequence[Line], refs: Sequence[str]) -> list[bool]:
    """Which of the bank's references name one line of this statement alone, and can be its key in any file."""
    counts: dict[tuple[date | None, str], int] = {}
    for line, ref in zip(lines, refs, strict=True):
        counts[line.booked_on, ref] = counts.get((line.booked_on, ref), 0) + 1
    return [bool(ref) and counts[line.booked_on, ref] == 1 for line, ref in zip(lines, refs, strict=True)]
