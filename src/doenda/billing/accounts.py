"""Accounts: opening one, and the lock that every transaction about its money takes first (design rule 2)."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from doenda.billing import books
from doenda.billing.models import Account, AccountRole, Line, Party
from doenda.kernel import once
from doenda.kernel.ids import new_id


class NotLocked(RuntimeError):
    """A money action was called without the account's lock."""


def _needs_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise NotLocked("an account is locked inside a transaction")


@once.query
def _locked(account_id: once.Open) -> "QuerySet[Account]":
    return Account.objects.select_for_update().filter(pk=account_id)


def lock(account_id: UUID) -> Account:
    """The account, locked until the transaction ends. Raises Account.DoesNotExist, NotLocked outside `atomic`."""
    _needs_transaction()
    account = _locked.first(account_id=account_id)
    if account is None:
        raise Account.DoesNotExist
    account.__dict__["_locked"] = True
    return account


def lock_many(account_ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Several accounts at once, locked in id order, so that two transactions never wait for each other."""
    _needs_transaction()
    rows = Account.objects.select_for_update().filter(pk__in=set(account_ids)).order_by("pk")
    found = {account.pk: account for account in rows}
    for account in found.values():
        account.__dict__["_locked"] = True
    return found


def require_lock(account: Account) -> None:
    """Raises NotLocked unless `account` came from `lock` and a transaction is open."""
    if not account.__dict__.get("_locked") or not transaction.get_connection().in_atomic_block:
        raise NotLocked(f"account {account.number} is not locked in this transaction")


def open_account(
    number: str,
    currency: str,
    *,
    holder: Party | None = None,
    lines: Iterable[str] = (),
    probe: bool = False,
) -> Account:
    """A new account with its receivable book, its lines (E.164) and its holder, in the caller's transaction."""
    account = Account(id=new_id(), number=number, currency=currency, probe=probe)
    account.save(force_insert=True)
    books.open_receivable(account)
    Line.objects.bulk_create(Line(account=account, number=each) for each in lines)
    if holder is not None:
        AccountRole.objects.create(account=account, party=holder, role=AccountRole.Role.HOLDER)
    return account


@once.query
def _parties(account_id: once.Open, role: once.Open) -> "QuerySet[Party]":
    rows = Party.objects.filter(roles__account_id=account_id, roles__role=role, roles__line=None)
    return rows.order_by("roles__created_at", "pk")[:1]


def party_of(account_id: UUID, role: str = AccountRole.Role.HOLDER) -> Party | None:
    """Who has this role on the whole account; the oldest of several."""
    return _parties.first(account_id=account_id, role=role)
