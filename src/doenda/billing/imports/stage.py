"""The staging tables of one import: lines in by COPY, the checks that need more than one line, and who is new.

Set-based SQL; the same rules line by line are in judge.py, and a test compares the two on made-up files.
"""

# ruff: noqa: S608 - these statements hold no text from outside

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.billing.imports import reasons
from doenda.billing.imports.lines import Common, Staged
from doenda.billing.imports.report import SHOWN, Report
from doenda.kernel import money
from doenda.kernel.ids import new_id

_TABLES = """
CREATE TEMP TABLE in_line (
    row int, item_class text, amount bigint, head bigint,
    account text, bill text, revision bigint, kind text, credits text, period_start date, period_end date,
    bill_date date, due_date date, currency text, total bigint, holder text, holder_kind text, party text,
    phone text, email text, language text, line text
) ON COMMIT DROP
"""

_BILLS = """
CREATE TEMP TABLE in_bill ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY l.row) AS n, l.row, l.account, l.bill, l.revision, l.kind, l.credits, l.total,
    l.period_start, l.period_end, l.bill_date, l.due_date, l.currency, g.amount, g.mixed, g.discounts,
    b.id AS known_id, b.revision AS known_revision, b.account_id AS known_account, b.state AS known_state,
    b.amount AS known_amount, b.due_date AS known_due,
    CASE WHEN l.kind <> 'bill' THEN l.kind WHEN b.id IS NULL THEN 'new' WHEN l.revision > b.revision THEN 'correct'
        WHEN l.revision = b.revision THEN 'unchanged' ELSE 'older' END AS action
FROM (
    SELECT bill, min(row) AS row, sum(amount) AS amount, min(head) <> max(head) AS mixed,
        bool_or(amount < 0) AS discounts
    FROM in_line GROUP BY bill
) g JOIN in_line l ON l.row = g.row AND l.bill = g.bill LEFT JOIN billing_bill b ON b.number = g.bill
"""

_ACCOUNTS = """
CREATE TEMP TABLE in_account ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY l.row) AS n, l.row, l.account, l.currency, g.currencies, l.holder, l.holder_kind,
    l.party, l.phone, l.email, l.language, a.id AS known_id, a.currency AS known_currency,
    COALESCE(a.id, (%(prefix)s || to_hex(%(start)s + row_number() OVER (ORDER BY l.row)))::uuid) AS id,
    COALESCE(a.probe, false) AS probe
FROM (
    SELECT account, min(row) AS row, min(currency) <> max(currency) AS currencies FROM in_line GROUP BY account
) g JOIN in_line l ON l.row = g.row AND l.account = g.account LEFT JOIN billing_account a ON a.number = g.account
"""

_FINE = "FROM in_bill b JOIN in_account a ON a.account = b.account WHERE NOT b.mixed"

# (column, reason, query of row and value): the set-based form of judge.py, in its order
CHECKS: tuple[tuple[str, str, str], ...] = (
    (
        "bill",
        reasons.MIXED,
        "SELECT min(l.row), l.bill FROM in_bill b JOIN in_line f ON f.row = b.row AND f.bill = b.bill"
        " JOIN in_line l ON l.bill = b.bill AND l.head <> f.head WHERE b.mixed GROUP BY l.bill",
    ),
    ("amount", reasons.NEGATIVE, f"SELECT b.row, b.amount::text {_FINE} AND b.kind = 'bill' AND b.amount < 0"),
    ("amount", reasons.TOO_LARGE, f"SELECT b.row, b.amount::text {_FINE} AND b.amount >= {money.LIMIT}"),
    ("amount", reasons.NOTHING, f"SELECT b.row, b.amount::text {_FINE} AND b.kind = 'credit_note' AND b.amount <= 0"),
    (
        "class",
        reasons.CLASS_NEGATIVE,
        "SELECT min(l.row), l.item_class FROM in_bill b JOIN in_line l ON l.bill = b.bill WHERE NOT b.mixed"
        " AND b.discounts AND b.kind = 'bill' AND b.amount >= 0 GROUP BY l.bill, l.item_class HAVING sum(l.amount) < 0",
    ),
    ("total", reasons.TOTAL, f"SELECT b.row, b.total::text {_FINE} AND b.total <> b.amount"),
    (
        "currency",
        reasons.CURRENCY_IN_FILE,
        "SELECT min(l.row), l.account FROM in_account a JOIN in_line l ON l.account = a.account"
        " AND l.currency <> a.currency WHERE a.currencies GROUP BY l.account",
    ),
    (
        "currency",
        reasons.CURRENCY_KNOWN,
        "SELECT a.row, a.currency FROM in_account a WHERE a.known_currency <> a.currency",
    ),
    (
        "account",
        reasons.OTHER_ACCOUNT,
        f"SELECT b.row, b.account {_FINE} AND b.kind = 'bill' AND b.known_account <> a.id",
    ),
    ("revision", reasons.OLDER, f"SELECT b.row, b.revision::text {_FINE} AND b.action = 'older'"),
    (
        "bill",
        reasons.CANCELLED,
        f"SELECT b.row, b.bill {_FINE} AND b.action = 'correct' AND b.known_state = 'cancelled'",
    ),
    (
        "credits",
        reasons.NO_BILL,
        f"SELECT b.row, b.credits {_FINE} AND b.kind = 'credit_note' AND b.credits <> ''"
        " AND NOT EXISTS (SELECT FROM billing_bill o WHERE o.number = b.credits AND o.account_id = a.id)"
        " AND NOT EXISTS ("
        "SELECT FROM in_bill o WHERE o.bill = b.credits AND o.account = b.account AND o.kind = 'bill')",
    ),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A run of fresh ids made in SQL: UUIDv7 of one instant whose random tail counts upwards from a random start."""

    prefix: str
    start: int

    @staticmethod
    def fresh() -> "Block":
        number = new_id().int
        tail = number & ((1 << 61) - 1)  # the top random bit stays free: there is room to count
        return Block(f"{number >> 64:016x}", tail - (1 << 63))

    @property
    def parameters(self) -> dict[str, Any]:
        return {"prefix": self.prefix, "start": self.start}

    def nth(self, n: int) -> UUID:
        """The same as SQL's (prefix || to_hex(start + n))::uuid."""
        return UUID(self.prefix + f"{(self.start + n) & ((1 << 64) - 1):016x}")


def create() -> None:
    """Make the staging table; it lives until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TABLE IF EXISTS in_line, in_bill, in_account, in_holder"
        )  # a second import in one transaction
        cursor.execute(_TABLES)


def copy(lines: Iterable[Staged]) -> int:
    """Bring the lines in. Returns how many there were."""
    count = 0
    block: list[str] = []
    last: Common | None = None
    rest = ""
    with connection.cursor() as cursor, cursor.copy("COPY in_line FROM STDIN") as stream:
        for row, item_class, amount, common in lines:
            if common is not last:
                last, rest = common, _copied(common)
            block.append(f"{row}\t{item_class}\t{amount}\t{rest}")
            count += 1
            if len(block) == 2000:
                stream.write("".join(block))
                block.clear()
        stream.write("".join(block))
    return count


def _copied(common: Common) -> str:
    """The columns from `head` on as COPY's text form. No field holds a control character: see lines.text."""
    fields = "\t".join(["\0" if value is None else str(value) for value in common])
    return f"{hash(common.head)}\t{fields}\n".replace("\\", "\\\\").replace("\0", "\\N")


def derive() -> None:
    """From lines to bills and accounts, each beside what we know of it."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE in_line (row, bill, account, line)")
        cursor.execute(_BILLS)
        cursor.execute(_ACCOUNTS, Block.fresh().parameters)
        cursor.execute("ANALYZE in_bill")
        cursor.execute("ANALYZE in_account")


def check(report: Report) -> None:
    """Add every problem that the checks find."""
    with connection.cursor() as cursor:
        for column, reason, query in CHECKS:
            cursor.execute(query)
            while found := cursor.fetchmany(SHOWN):
                for row, value in found:
                    report.problem(row, column, value, reason)


def count(query: str) -> int:
    """One number from the staging tables."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])
