"""Many deposits at once, the plain ones set-wise: the twin of `outcomes.settle`, by the same statements as debits.

Plain is a deposit of exactly what its attempt asked for, or of what open bills still owe, where nothing else was begun
for these bills. All else goes one by one. Facts are told by the sweep then, so a handful of lines is left to the single
path, which tells at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from doenda.billing import owed
from doenda.billing.models import Account
from doenda.payments import bulk
from doenda.payments.deposits.models import DepositLease, DepositLine
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.states import State

FROM = 20
"""Fewer lines than these are brought home one by one."""
CAUSE, CODE = "deposit", "DEPOSIT"


@dataclass(slots=True)
class Coming:
    """A line, its lease and locked account, and the attempt that it is to pay, as soon as there is one."""

    line: DepositLine
    lease: DepositLease
    account: Account
    attempt: Attempt | None = None


def ordered(open_now: Sequence[tuple[UUID, int]], first: Sequence[UUID]) -> list[tuple[UUID, int]]:
    """Open bills with those that the payer named before, the rest oldest first (pure)."""
    rank = {bill_id: place for place, bill_id in enumerate(first)}
    return sorted(open_now, key=lambda each: rank.get(each[0], len(rank)))


def begin_many(coming: Sequence[Coming], channelled: Mapping[str, str]) -> None:
    """Attempts for deposits into accounts' own numbers that open bills take whole. `channelled`: what they share."""
    wanting = [each for each in coming if each.attempt is None and each.lease.attempt_id is None]
    open_bills = owed.open_bills_of(each.account.pk for each in wanting)
    made: list[Attempt] = []
    parts: list[AttemptBill] = []
    for each in wanting:
        open_now = [(bill.bill_id, bill.remaining) for bill in open_bills.get(each.account.pk, [])]
        covered = owed.spread(ordered(open_now, [UUID(wish) for wish in each.lease.wishes]), each.line.amount)
        if sum(part for _, part in covered) != each.line.amount or each.account.probe:
            continue
        each.attempt = Attempt(
            account=each.account,
            channel=each.lease.channel,
            amount=each.line.amount,
            currency=each.account.currency,
            **channelled,
        )
        made.append(each.attempt)
        parts += [AttemptBill(attempt=each.attempt, bill_id=bill_id, amount=part) for bill_id, part in covered]
    Attempt.objects.bulk_create(made)
    AttemptBill.objects.bulk_create(parts)


def settle_plain(coming: Sequence[Coming]) -> set[UUID]:
    """Settle what is plain, in the caller's transaction with the accounts locked. Returns the lines that are posted."""
    exact = {each.attempt.pk: each for each in coming if each.attempt and each.attempt.amount == each.line.amount}
    plain = bulk.plain(list(exact), {State.NEEDS_DEPOSIT, State.CREATED})
    paid = [each for attempt_id, each in exact.items() if attempt_id in plain]
    if not paid:
        return set()
    attempts = []
    for each in paid:
        assert each.attempt is not None
        each.attempt.provider_ref, each.line.attempt, each.line.state = each.line.ref, each.attempt, "posted"
        attempts.append(each.attempt)
    Attempt.objects.bulk_update(attempts, ["provider_ref"])
    due = [bulk.Due(each.account, attempt, CODE, each.line.at) for each, attempt in zip(paid, attempts, strict=True)]
    bulk.settle(due, CAUSE)
    DepositLine.objects.bulk_update([each.line for each in paid], ["state", "attempt"])
    return {each.line.pk for each in paid}
