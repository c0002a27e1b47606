"""Moving an attempt along a declared edge, reading its row under the account's lock, and closing what was begun."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.kernel import once, outbox
from doenda.kernel.ids import outside
from doenda.payments import providers
from doenda.payments.models import Attempt, AttemptMove
from doenda.payments.providers.contract import Charge
from doenda.payments.states import IN_FLIGHT, WAITING, State, check


@once.query
def _locked(attempt_id: once.Open) -> "QuerySet[Attempt]":
    return Attempt.objects.select_for_update().filter(pk=attempt_id)


def locked(attempt_id: UUID, account_id: UUID | None = None) -> tuple[Account, Attempt]:
    """The attempt and its account, the account's row locked first (design rule 2). In the caller's transaction.

    `account_id` spares a read where the caller knows it. Raises Attempt.DoesNotExist, also for another account's.
    """
    if account_id is None:
        account_id = Attempt.objects.values_list("account_id", flat=True).get(pk=attempt_id)
    account = accounts.lock(account_id)
    attempt = _locked.first(attempt_id=attempt_id)
    if attempt is None or attempt.account_id != account_id:
        raise Attempt.DoesNotExist
    return account, attempt


def lock(attempt: Attempt) -> Account:
    """Lock the attempt's account, then bring `attempt` up to date under that lock. In the caller's transaction."""
    account = accounts.lock(attempt.account_id)
    fresh = _locked.first(attempt_id=attempt.pk)
    if fresh is None:
        raise Attempt.DoesNotExist
    attempt.__dict__.update(fresh.__dict__)  # with its state: what was read with the old one is forgotten
    return account


def move(attempt: Attempt, target: State, cause: str, **changes: Any) -> None:
    """Move and save in the caller's transaction. Raises NotAMove; the database refuses an undeclared edge as well."""
    source = attempt.state
    check(source, target)
    changes |= {"state": target, "in_flight": target in IN_FLIGHT}
    attempt.put(**changes)
    AttemptMove(attempt=attempt, source=source, target=target, cause=cause[:120]).insert()


def close_waiting(attempts: QuerySet[Attempt], cause: str) -> None:
    """Close what was begun and is not in flight. In the caller's transaction, with the account locked.

    What money moves for only by our own act can no longer be charged from here on. An account that waits for a deposit
    is closed at its provider afterwards (money that arrives all the same is booked). A debit is closed only once it is
    recalled: after its cut-off it stays, and what it takes too much goes back by itself.
    """
    for attempt in attempts.filter(state__in=WAITING).select_for_update():
        if attempt.state != State.INSTRUCTED:
            told = attempt.state == State.NEEDS_DEPOSIT or holds(attempt)
            move(attempt, State.CLOSED, cause, ask_at=None)
            if not told:
                continue
        close_there(attempt)


def holds(attempt: Attempt) -> bool:
    """May the payer's money be held at the provider though none has moved?"""
    return attempt.state == State.NEEDS_REDIRECT and providers.get(attempt.provider).holds


def close_there(attempt: Attempt) -> None:
    """Have the provider close what is over here. In the caller's transaction."""
    outbox.put("close", f"{outside(attempt.id)}-{attempt.times_paid}", {}, account_id=attempt.account_id)


def charge_of(attempt: Attempt, *, name: str = "", return_url: str = "", lang: str = "ko", payer: str = "") -> Charge:
    """The attempt as its provider needs it."""
    return Charge(
        order_id=outside(attempt.id),
        amount=attempt.amount,
        currency=attempt.currency,
        method=attempt.method,
        name=name,
        return_url=return_url,
        ref=attempt.provider_ref or "",
        lang=lang,
        token=attempt.details.get("token", ""),
        bank=attempt.details.get("bank", ""),
        until=attempt.expires_at,
        mandate=str(attempt.mandate_id or ""),
        payer=payer,
    )
