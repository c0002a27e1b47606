"""News from below that changes a case: money posted or undone, a bill corrected, a notice delivered. All idempotent.

What a way's standing wakes locks nothing: a failing payment holds its account's lock and waits for the way's.
"""

from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from doenda.assurance.rule import NAMED
from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.dunning import cases, fees, promises
from doenda.dunning.models import Case, LateFee, Promise
from doenda.kernel import facts, once, sweeps
from doenda.kernel.facts import Fact


def _review(fact: Fact) -> None:
    """In the transaction that recorded the fact: money and its consequences are durable together."""
    if fact.account_id is not None:
        cases.review(fact.account_id)


@facts.subscribes("billing.payment_posted", name="dunning.paid")
def paid(fact: Fact) -> None:
    """A payment by any path: a fee that it was in time for goes back, promises are kept, the case may close.

    On the way of every payment: one query locks the account and tells which of the three there is.
    """
    account = _concerned.first(account_id=fact.account_id)
    if account is None:
        return
    if account.has_fee:
        bills = [UUID(bill) for bill in fact.data.get("bill_ids", [])]
        fees.reverse_if_paid_in_time(account, bills, fact.data)
    if account.has_promise:
        promises.keep_if_paid(account.pk)
    if account.has_case:
        cases.review_locked(account)


@once.query
def _concerned(account_id: once.Open) -> "QuerySet[Any]":
    """The account, locked, and whether it has a fee, a promise, a case that a payment may end."""
    mine = {"account_id": OuterRef("pk")}
    return (
        Account.objects.select_for_update(of=("self",))
        .filter(pk=account_id)
        .annotate(
            has_fee=Exists(LateFee.objects.filter(**mine, reversed_at=None)),
            has_promise=Exists(Promise.objects.filter(**mine, kept_at=None, broken_at=None)),
            has_case=Exists(Case.objects.filter(**mine, closed_at=None)),
        )
    )


@facts.subscribes("billing.bill_settled", name="dunning.settled")
def settled(fact: Fact) -> None:
    """A bill closed without a payment of its own: credit, a credit note, a cancellation."""
    if fact.account_id is not None:
        promises.keep_if_paid(accounts.lock(fact.account_id).pk)
        _review(fact)


@facts.subscribes("billing.bill_corrected", name="dunning.corrected")
def corrected(fact: Fact) -> None:
    """A fee on what had been billed too much goes back."""
    if fact.account_id is not None:
        account = accounts.lock(fact.account_id)
        fees.reverse_if_wrong(account, [UUID(bill) for bill in fact.data["bill_ids"]], fact.data)
    _review(fact)


@facts.subscribes("billing.bill_credited", name="dunning.credited")
def credited(fact: Fact) -> None:
    _review(fact)


@facts.subscribes("billing.payment_undone", name="dunning.undone")
def undone(fact: Fact) -> None:
    """Money went back: what is overdue again gets a case again, from the first step."""
    _review(fact)


@facts.subscribes("assurance.way_changed", name="dunning.way_back")
def way_back(fact: Fact) -> None:
    """Cases and promises that wait for a proven way are found by their sweeps, which lock what they need."""
    if fact.data["to"] in NAMED:
        sweeps.nudge("cases")
        sweeps.nudge("promises")


@facts.subscribes("notices.cancelled", name="dunning.cancelled")
@facts.subscribes("notices.failed", name="dunning.not_reached")
@facts.subscribes("notices.delivered", name="dunning.delivered")
def delivered(fact: Fact) -> None:
    if fact.account_id is not None:
        cases.look_again(fact.account_id)


@facts.subscribes("payments.unknown", name="dunning.unknown")
@facts.subscribes("payments.our_fault", name="dunning.our_fault")
@facts.subscribes("payments.refused", name="dunning.refused")
def attempt_news(fact: Fact) -> None:
    """An attempt's outcome starts or ends an interval in which nothing adverse may happen."""
    if fact.account_id is not None:
        cases.look_again(fact.account_id)
