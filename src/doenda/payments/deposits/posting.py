"""Stored lines come home through the one outcome model: part payment, exact, too much, taken back, sent back.

Lines are taken in batches, their accounts locked in id order; a line that nothing can be done with does not hold up
the others, and is parked.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import batched
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Sum

from doenda.billing import accounts, owed
from doenda.billing.models import Account
from doenda.kernel.db import durable
from doenda.kernel.ids import outside
from doenda.payments import outcomes
from doenda.payments.deposits import bulk, storing
from doenda.payments.deposits.models import DepositLease, DepositLine
from doenda.payments.deposits.movements import DEPOSIT, RETURNED
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import lock
from doenda.payments.owned import to_a_person
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.deposit.provider import paid_by
from doenda.payments.states import State

log = logging.getLogger(__name__)
PROVIDER, METHOD = "deposit", "deposit"
BATCH = 500
FEW = 10
"""Lines of one transaction, set-wise and one by one: their accounts are locked meanwhile, some tenths of a second."""
S = DepositLine.State


def post(limit: int) -> int:
    """Bring home up to `limit` stored lines, the oldest first. Returns how many are done with."""
    oldest = DepositLine.objects.filter(state=S.STORED).order_by("pk").values_list("pk", "lease__account_id")[:limit]
    waiting = sorted(oldest, key=lambda each: (each[1] or UUID(int=0), each[0]))
    return sum(_batch(chunk) for chunk in batched(waiting, BATCH))


def _batch(chunk: Sequence[tuple[UUID, UUID | None]]) -> int:
    """What is plain in one transaction, the rest a few at a time: nobody waits long for an account."""
    if len(chunk) < bulk.FROM:
        return _tried(chunk, many=False)
    done = _tried(chunk, many=True)
    stored = set(
        DepositLine.objects.filter(pk__in=[pk for pk, _ in chunk], state=S.STORED).values_list("pk", flat=True)
    )
    left = [each for each in chunk if each[0] in stored]
    return done + sum(_tried(few, many=False) for few in batched(left, FEW))


def _tried(chunk: Sequence[tuple[UUID, UUID | None]], *, many: bool) -> int:
    try:
        return durable(lambda: _bring_home(chunk, many=many), once=True)
    except (DatabaseError, ValueError, LookupError) as error:
        if many:
            log.exception("%s deposit lines are booked one by one", len(chunk))
            return 0
        if len(chunk) > 1:
            return sum(_tried([each], many=False) for each in chunk)
        log.exception("deposit line %s could not be booked", chunk[0][0])
        name = type(error).__name__
        return durable(lambda: _give_to_desk(chunk[0][0], name), once=True)


def _give_to_desk(line_id: UUID, reason: str) -> int:
    line = DepositLine.objects.select_for_update().filter(pk=line_id, state=S.STORED).first()
    if line is None:
        return 0
    storing.park(line, reason)
    line.save()
    return 1


def _bring_home(chunk: Sequence[tuple[UUID, UUID | None]], *, many: bool) -> int:
    locked = accounts.lock_many(account_id for _, account_id in chunk if account_id is not None)
    rows = DepositLine.objects.select_for_update(of=("self",)).filter(pk__in=[pk for pk, _ in chunk], state=S.STORED)
    lines = sorted(rows.select_related("lease"), key=lambda each: each.pk)
    attempts = Attempt.objects.select_for_update().in_bulk(
        [line.lease.attempt_id for line in lines if line.lease and line.lease.attempt_id]
    )
    refs = [line.ref for line in lines if line.kind == DEPOSIT]
    booked = {each.provider_ref: each for each in Attempt.objects.filter(provider=PROVIDER, provider_ref__in=refs)}
    if many:
        return _many(lines, locked, attempts, booked)
    done, met = 0, set[UUID]()
    for line in lines:
        if line.kind != DEPOSIT:
            done += _followed(line)
        elif line.lease is not None:
            account, own = locked[line.lease.account_id], attempts.get(line.lease.attempt_id or line.pk)
            if own is not None and account.pk in met:
                lock(own)  # an earlier line of this account may have closed it
            _deposit(account, line, line.lease, booked.get(line.ref), own)
            met.add(account.pk)
            done += 1
    return done


def _many(
    lines: Sequence[DepositLine],
    locked: Mapping[UUID, Account],
    attempts: Mapping[UUID, Attempt],
    booked: Mapping[str | None, Attempt],
) -> int:
    """Post what is plain set-wise: of each account its first line, for the next one meets other bills."""
    first: dict[UUID, bulk.Coming] = {}
    for line in lines:
        if line.lease is None or line.lease.account_id in first:
            continue
        account = locked[line.lease.account_id]
        own = attempts.get(line.lease.attempt_id or line.pk)
        first[account.pk] = bulk.Coming(line, line.lease, account, own if own and not own.times_paid else None)
    fit = [
        each
        for each in first.values()
        if each.line.kind == DEPOSIT and each.line.currency == each.account.currency and each.line.ref not in booked
    ]
    bulk.begin_many(fit, {"provider": PROVIDER, "method": METHOD})
    posted = bulk.settle_plain(fit)
    begun = [each for each in fit if each.attempt and each.line.pk not in posted and each.lease.attempt_id is None]
    for each in begun:  # not plain after all: something else was begun for the same bills
        assert each.attempt is not None
        book(each.account, each.line, each.attempt)
    return len(posted) + len(begun)


def _deposit(
    account: Account, line: DepositLine, lease: DepositLease, booked: Attempt | None, asked_for: Attempt | None
) -> None:
    """Money that arrived: of the attempt for which the number was given out, else of a new attempt of its own."""
    if line.currency != account.currency:
        storing.park(line, "wrong_currency")
        line.save()
        return
    if booked is not None:  # an inquiry brought it home before
        _posted(line, booked)
        return
    own = asked_for is not None and not asked_for.times_paid
    if asked_for is None or not own:
        asked_for = begin(account, line.amount, parts(account, lease, line.amount), lease.channel)
    book(account, line, asked_for)


def book(account: Account, line: DepositLine, attempt: Attempt) -> None:
    """The line pays the attempt. With the account locked; parks it if the outcome model would not take it."""
    outcomes.bring(account, attempt, paid_by(line, outside(attempt.id)), "deposit", fresh=True, asked_in=attempt.state)
    if attempt.state in {State.PAID, State.REVERSED} and attempt.provider_ref == line.ref:
        _posted(line, attempt)
        return
    storing.park(line, f"not_booked {attempt.reason}")
    line.save()


def _posted(line: DepositLine, attempt: Attempt) -> None:
    line.state, line.attempt = S.POSTED, attempt
    line.reason, line.owner, line.due_at = "", "", None
    line.save(update_fields=["state", "attempt", "reason", "owner", "due_at", "lease", "handled_by", "handled_at"])


def begin(account: Account, amount: int, covered: Sequence[tuple[UUID, int]], channel: str) -> Attempt:
    """An attempt for money that came unasked: it is settled in the same transaction."""
    attempt = Attempt.objects.create(
        account=account,
        provider=PROVIDER,
        method=METHOD,
        channel=channel,
        amount=amount,
        currency=account.currency,
        synthetic=account.probe,
    )
    AttemptBill.objects.bulk_create(AttemptBill(attempt=attempt, bill_id=bill, amount=part) for bill, part in covered)
    return attempt


def parts(account: Account, lease: DepositLease | None, amount: int) -> list[tuple[UUID, int]]:
    """Which bills it pays: those the number was given out for; else as the payer wished, then the oldest due first."""
    open_now = [(each.bill_id, each.remaining) for each in owed.open_bills(account.pk)]
    if lease is not None and lease.attempt_id is not None:
        named = AttemptBill.objects.filter(attempt=lease.attempt_id).order_by("pk").values_list("bill_id", flat=True)
        rank = {bill_id: place for place, bill_id in enumerate(named)}
        open_now = sorted((each for each in open_now if each[0] in rank), key=lambda each: rank[each[0]])
    elif lease is not None and lease.wishes:
        open_now = bulk.ordered(open_now, [UUID(each) for each in lease.wishes])
    return owed.spread(open_now, amount)


def _followed(line: DepositLine) -> int:
    """A deposit was sent back or taken back: the bank has told us what became of a line that we know."""
    origin = DepositLine.objects.select_for_update(of=("self",)).get(bank=line.bank, ident=line.of)
    if origin.state == S.STORED:
        return 0  # first that one
    attempt = origin.attempt
    if origin.state == S.POSTED and attempt is not None:
        account = accounts.lock(attempt.account_id)
        attempt = Attempt.objects.select_for_update().get(pk=attempt.pk)
        answer = paid_by(origin, outside(attempt.id))
        if line.kind == RETURNED:
            given_back = all_returned(origin)
            answer = replace(answer, code="RETURNED", given_back=given_back)
        else:
            answer = replace(answer, code="TAKEN_BACK", outcome=Outcome.UNDONE)
        known = attempt.state
        outcomes.bring(account, attempt, answer, "deposit list", fresh=True, asked_in=known)
        if line.kind != RETURNED and attempt.state != State.UNDONE:
            to_a_person(attempt, f"TAKEN_BACK when {known}")
        line.state, line.attempt = S.POSTED, attempt
    else:
        line.state = S.NOTED
        gone = all_returned(origin) + (line.amount if line.kind != RETURNED else 0)
        if origin.state == S.PARKED and gone >= origin.amount:
            origin.state = S.NOTED
            origin.save(update_fields=["state"])
    line.save(update_fields=["state", "attempt"])
    return 1


def all_returned(origin: DepositLine) -> int:
    """What of a deposit went back to its sender (minor units)."""
    back = DepositLine.objects.filter(bank=origin.bank, of=origin.ident, kind=RETURNED)
    return int(back.aggregate(sum=Sum("amount"))["sum"] or 0)
