"""From staging to rows: everything new by INSERT … SELECT, in the transaction of the import.

The set-wise twin of `accounts.open_account` and `bills.issue`. `in_account.id` is the account, known or new.
"""

# ruff: noqa: S608 - these statements hold no text from outside

from typing import Any

from django.db import connection

from doenda.billing import books
from doenda.billing.imports.report import Report
from doenda.billing.imports.stage import Block
from doenda.kernel import clock

UNKNOWN_HOLDER = "unknown holder"
_KEY = "CASE WHEN {i}.party = '' THEN 'a' || {i}.account ELSE 'p' || {i}.party END"  # one party a reference or account
_ID = "(%(prefix)s || to_hex(%(start)s + {n}))::uuid"

_HOLDERS = """
CREATE TEMP TABLE in_holder ON COMMIT DROP AS
SELECT DISTINCT ON ({key}) {key} AS key, i.party, p.id AS known_id, COALESCE(p.id, {id}) AS id,
    COALESCE(NULLIF(i.holder, ''), '{unknown}') AS name,
    CASE WHEN i.holder = '' THEN 'unknown' ELSE i.holder_kind END AS kind, i.phone, i.email, i.language
FROM in_account i LEFT JOIN billing_party p ON p.reference = i.party AND i.party <> ''
WHERE i.known_id IS NULL
ORDER BY {key}, i.n
"""

# (what is counted, statement); %(now)s is the clock's, ids come from a fresh block each
_STEPS: tuple[tuple[str, str], ...] = (
    ("", _HOLDERS.format(key=_KEY.format(i="i"), id=_ID.format(n="i.n"), unknown=UNKNOWN_HOLDER)),
    (
        "parties",
        "INSERT INTO billing_party (id, created_at, kind, name, phone, email, language, reference)"
        " SELECT id, %(now)s, kind, name, phone, email, language, party FROM in_holder WHERE known_id IS NULL",
    ),
    (
        "accounts",
        "INSERT INTO billing_account (id, created_at, number, currency, probe)"
        " SELECT id, %(now)s, account, currency, false FROM in_account WHERE known_id IS NULL ORDER BY n",
    ),
    (
        "",
        "INSERT INTO billing_book (id, created_at, name, account_id, currency)"
        f" SELECT id, %(now)s, '{books.RECEIVABLE}', id, currency FROM in_account WHERE known_id IS NULL ORDER BY n",
    ),
    (
        "",
        "INSERT INTO billing_accountrole (id, created_at, account_id, party_id, role)"
        f" SELECT {_ID.format(n='a.n')}, %(now)s, a.id, h.id, 'holder' FROM in_account a"
        f" JOIN in_holder h ON h.key = {_KEY.format(i='a')} WHERE a.known_id IS NULL"
        " ORDER BY a.n",
    ),
    (
        "lines",
        "INSERT INTO billing_line (id, created_at, account_id, number, barring, lost)"
        f" SELECT {_ID.format(n='x.n')}, %(now)s, x.id, x.line, 'none', false FROM ("
        "   SELECT min(l.row) AS n, a.id, l.line FROM in_line l JOIN in_account a ON a.account = l.account"
        "   WHERE l.line <> '' GROUP BY a.id, l.line) x ORDER BY x.n ON CONFLICT (account_id, number) DO NOTHING",
    ),
    (
        "",
        "INSERT INTO billing_externalfact (kind, external_id, at, created_at, account_id, data)"
        " SELECT 'bill', b.bill || '/' || b.revision, %(now)s, %(now)s, a.id, '{}'::jsonb FROM in_bill b"
        " JOIN in_account a ON a.account = b.account WHERE b.action = 'new' ORDER BY b.n",
    ),
    (
        "bills",
        "INSERT INTO billing_bill (id, created_at, account_id, number, revision, period_start, period_end, bill_date,"
        " due_date, currency, amount, late_fee, paid, credited, state, closed_at, probe)"
        f" SELECT {_ID.format(n='b.n')}, %(now)s, a.id, b.bill, b.revision, b.period_start, b.period_end, b.bill_date,"
        " b.due_date, b.currency, b.amount, 0, 0, 0, CASE WHEN b.amount > 0 THEN 'open' ELSE 'settled' END,"
        " CASE WHEN b.amount > 0 THEN NULL ELSE %(now)s::timestamptz END, a.probe FROM in_bill b"
        " JOIN in_account a ON a.account = b.account WHERE b.action = 'new' ORDER BY b.n",
    ),
    (
        "",
        "INSERT INTO billing_posting (id, created_at, at, source_book_id, target_book_id, amount, currency, account_id,"
        " bill_id, fact_kind, fact_id, leg)"
        f" SELECT {_ID.format(n='b.n')}, %(now)s, %(now)s, k.id, a.id, b.amount, b.currency, a.id,"
        " (%(bill_prefix)s || to_hex(%(bill_start)s + b.n))::uuid, 'bill', b.bill || '/' || b.revision, 0"
        " FROM in_bill b JOIN in_account a ON a.account = b.account JOIN billing_book k ON k.account_id IS NULL"
        " AND k.currency = b.currency"
        f" AND k.name = CASE WHEN a.probe THEN '{books.PROBE}' ELSE '' END || '{books.BILLED}'"
        " WHERE b.action = 'new' AND b.amount > 0 ORDER BY b.n",
    ),
    (
        "items",
        "INSERT INTO billing_billitem (id, created_at, bill_id, line_id, item_class, amount)"
        f" SELECT {_ID.format(n='l.row')}, %(now)s, (%(bill_prefix)s || to_hex(%(bill_start)s + b.n))::uuid, s.id,"
        " l.item_class, l.amount FROM in_line l JOIN in_bill b ON b.bill = l.bill AND b.action = 'new'"
        " JOIN in_account a ON a.account = l.account"
        " LEFT JOIN billing_line s ON s.account_id = a.id AND s.number = l.line AND l.line <> '' ORDER BY l.row",
    ),
)

# Known customers whose file says something new about how to reach them.
_REACH = """
    UPDATE billing_party p SET phone = COALESCE(NULLIF(i.phone, ''), p.phone),
        email = COALESCE(NULLIF(i.email, ''), p.email), name = COALESCE(NULLIF(i.holder, ''), p.name),
        kind = CASE WHEN i.holder = '' THEN p.kind ELSE i.holder_kind END
    FROM in_account i JOIN billing_accountrole r ON r.account_id = i.known_id
    WHERE r.role = 'holder' AND r.line_id IS NULL AND p.id = r.party_id AND (
        i.phone NOT IN ('', p.phone) OR i.email NOT IN ('', p.email) OR i.holder NOT IN ('', p.name))
"""


def everything_new(report: Report) -> None:
    """Insert parties, accounts, roles, lines, facts, bills, postings and items; count them in the report."""
    _ensure_billed()
    bill_block = Block.fresh()
    fixed: dict[str, Any] = {
        "now": clock.now(),
        "bill_prefix": bill_block.prefix,
        "bill_start": bill_block.start,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REACH)
        report.count("parties_updated", cursor.rowcount)
        for counted, statement in _STEPS:
            block = bill_block if counted == "bills" else Block.fresh()
            cursor.execute(statement, fixed | block.parameters)
            if counted:
                report.count(counted, cursor.rowcount)


def _ensure_billed() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT currency, probe FROM in_account")
        for currency, probe in cursor.fetchall():
            books.ensure_carrier((books.PROBE if probe else "") + books.BILLED, currency)
