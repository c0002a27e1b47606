"""Books and their balances. A posting moves its amount out of the source and into the target book.

An account has `receivable` (what it owes us; the book's id is the account's own) and, once there is any,
`customer_credit` (what we owe it, a negative balance). The carrier has, per currency, `billed`, `late_fee_income`,
`elsewhere` (money taken by others for us), `doubly_returned` (refunds of payments that their payers' banks had taken
back as well) and a `clearing:<provider>` each; probe accounts move money over the carrier's `probe:` books only.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from doenda.billing.models import Account, Book
from doenda.kernel import clock
from doenda.kernel.ids import new_id

RECEIVABLE = "receivable"
CREDIT = "customer_credit"
BILLED = "billed"
LATE_FEES = "late_fee_income"
ELSEWHERE = "elsewhere"
DOUBLY_RETURNED = "doubly_returned"
PROBE = "probe:"

_known: dict[tuple[str, str, str], UUID] = {}


@dataclass(frozen=True, slots=True)
class Balance:
    """A book and what stands in it, in minor units."""

    name: str
    account_id: UUID | None
    currency: str
    amount: int


def forget() -> None:
    """Empty this process's cache of the carrier's books (tests and simulations that replace the database under it)."""
    _known.clear()


def clearing(provider: str) -> str:
    """The name of the book in which a provider's money waits; `elsewhere` is no provider of ours."""
    return ELSEWHERE if provider == ELSEWHERE else f"clearing:{provider}"


def of_carrier(name: str, account: Account) -> UUID:
    """The carrier's book of that name for postings of `account`: in its currency, apart for probes. Made if missing."""
    full = PROBE + name if account.probe else name
    key = (str(connection.settings_dict["NAME"]), full, account.currency)
    found = _known.get(key)
    if found is None:
        found = ensure_carrier(full, account.currency)
        made: UUID = found
        transaction.on_commit(lambda: _known.__setitem__(key, made))  # a rolled back book is not remembered
    return found


def ensure_carrier(full_name: str, currency: str) -> UUID:
    """The id of the carrier's book, made if missing, in the caller's transaction."""
    return _ensure(None, full_name, currency)


def of_account(account: Account, name: str) -> UUID:
    """The id of a customer's book, made if missing, in the caller's transaction."""
    return account.pk if name == RECEIVABLE else _ensure(account.pk, name, account.currency)


def open_receivable(account: Account) -> None:
    """Give a new account its receivable book."""
    Book(id=account.pk, account=account, name=RECEIVABLE, currency=account.currency).save(force_insert=True)


def _ensure(account_id: UUID | None, name: str, currency: str) -> UUID:
    owner = Q(account=None) if account_id is None else Q(account_id=account_id)
    found = Book.objects.filter(owner, name=name, currency=currency).values_list("pk", flat=True)
    book_id = found.first()
    if book_id is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO billing_book (id, created_at, name, account_id, currency) VALUES (%s, %s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [new_id(), clock.now(), name, account_id, currency],
            )
        book_id = found.get()
    return book_id


_MOVES = """
    SELECT book, SUM(amount) AS amount FROM (
        SELECT target_book_id AS book, amount FROM billing_posting {where}
        UNION ALL SELECT source_book_id, -amount FROM billing_posting {where}
    ) moves GROUP BY book
"""


def balances(account_id: UUID | None = None) -> list[Balance]:
    """Each book that ever moved and what stands in it; of one account's postings only, if given."""
    where = "" if account_id is None else "WHERE account_id = %s"
    parameters = [] if account_id is None else [account_id, account_id]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT b.name, b.account_id, b.currency, m.amount::bigint"  # noqa: S608 - no text from outside
            f" FROM ({_MOVES.format(where=where)}) m JOIN billing_book b ON b.id = m.book ORDER BY b.name, b.id",
            parameters,
        )
        return [Balance(*row) for row in cursor.fetchall()]


def balance(account_id: UUID, name: str) -> int:
    """What stands in one book of an account, in minor units."""
    return sum(each.amount for each in balances(account_id) if each.name == name and each.account_id == account_id)


def credit(account_id: UUID) -> int:
    """What we owe the customer, in minor units: overpaid and not yet used or refunded. Never below zero."""
    return max(0, -balance(account_id, CREDIT))


@dataclass(frozen=True, slots=True)
class Trial:
    """The proof: per currency the books sum to zero; accounts whose bills and ledger differ (at most 100 are named)."""

    sums: dict[str, int]
    differing: list[tuple[str, int, int]]

    @property
    def ok(self) -> bool:
        return not any(self.sums.values()) and not self.differing


_DIFFERING = f"""
    WITH owed AS (
        SELECT account_id, SUM(amount + late_fee - paid - credited) AS owed FROM billing_bill GROUP BY account_id
    ), stands AS ({_MOVES.format(where="")})
    SELECT a.number, COALESCE(o.owed, 0)::bigint, COALESCE(s.amount, 0)::bigint
    FROM billing_account a LEFT JOIN owed o ON o.account_id = a.id LEFT JOIN stands s ON s.book = a.id
    WHERE COALESCE(o.owed, 0) <> COALESCE(s.amount, 0) ORDER BY a.number LIMIT 100
"""  # noqa: S608 - no text from outside


def trial() -> Trial:
    """Prove the ledger: the books sum to zero, and each receivable is what its account's bills say."""
    sums: dict[str, int] = {}
    for each in balances():
        sums[each.currency] = sums.get(each.currency, 0) + each.amount
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING)
        return Trial(sums, [(str(number), owed, stands) for number, owed, stands in cursor.fetchall()])
