"""Many deposits at once, the plain ones set-wise: the twin of `outcomes.settle`, by the same statements as debits.

Plain is a deposit, of whatever amount, where nothing else was begun for its bills; what is too much becomes credit with
its case. All else goes one by one. Facts are told by the sweep then, so a handful of lines is left to the single path,
which tells at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from doenda.billing import owed
from doenda.billing.models import Account
from doenda.kernel import clock, many
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


def begin_many(coming: Sequence[Coming], channelled: Mapping[str, Any]) -> None:
    """Attempts for deposits into accounts' own numbers, for the open bills as the payer wished, else the oldest first.

    `channelled`: what they share.
    """
    wanting = [
        each for each in coming if each.attempt is None and each.lease.attempt_id is None and not each.account.probe
    ]
    open_bills = owed.remaining_of(each.account.pk for each in wanting)
    parts: list[tuple[UUID, UUID, int]] = []
    now = clock.now()
    for each in wanting:
        open_now = ordered(open_bills.get(each.account.pk, []), [UUID(wish) for wish in each.lease.wishes])
        each.attempt = Attempt(
            created_at=now,
            account=each.account,
            channel=each.lease.channel,
            amount=each.line.amount,
            currency=each.account.currency,
            **channelled,
        )
        covered = owed.spread(open_now, each.line.amount)
        parts += [(each.attempt.pk, bill_id, part) for bill_id, part in covered]
    made = [each.attempt for each in wanting if each.attempt is not None]
    names = ("id", "account_id", "channel", "amount", "currency")
    many.insert(Attempt, {n: [getattr(each, n) for each in made] for n in names}, created_at=now, **channelled)
    attempt_ids, bill_ids, amounts = zip(*parts, strict=True) if parts else ((), (), ())
    many.insert(AttemptBill, {"attempt_id": attempt_ids, "bill_id": bill_ids, "amount": amounts})


def settle_plain(coming: Sequence[Coming]) -> set[UUID]:
    """Settle what is plain, in the caller's transaction with the accounts locked. Returns the lines that are posted."""
    plain = bulk.plain([each.attempt.pk for each in coming if each.attempt], {State.NEEDS_DEPOSIT, State.CREATED})
    due, line_ids, attempt_ids = [], [], []
    for each in coming:
        attempt, line = each.attempt, each.line
        if attempt is None or attempt.pk not in plain:
            continue
        attempt.provider_ref, line.attempt, line.state = line.ref, attempt, DepositLine.State.POSTED
        due.append(bulk.Due(each.account, attempt, CODE, line.at, arrived=line.amount))
        line_ids.append(line.pk)
        attempt_ids.append(attempt.pk)
    bulk.settle(due, CAUSE)
    many.update(DepositLine, line_ids, {"attempt_id": attempt_ids}, state=DepositLine.State.POSTED)
    return set(line_ids)
