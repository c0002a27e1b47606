"""Leases: taking a number out of the pool, giving it up, its rest. The bank is told by `tending` and the provider."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError

from doenda.billing.models import Account
from doenda.kernel import clock, sweeps
from doenda.kernel.db import durable
from doenda.payments.deposits import policy
from doenda.payments.deposits.models import DepositLease, DepositNumber
from doenda.payments.deposits.rules import span
from doenda.payments.models import Attempt

_TAKEN = ("payments_depositlease_attempt_id", "deposit_lease_own")


def banks() -> list[str]:
    """The codes of banks of which a number is free now."""
    free = DepositNumber.objects.filter(free_at__lte=clock.now(), retired=False)
    return sorted(free.values_list("bank", flat=True).distinct())


def take(attempt_id: UUID, *, bank: str = "", until: datetime | None = None) -> DepositLease | None:
    """Lease a number to an attempt, durably; the same attempt again has the same number.

    None: the pool (of that bank) is empty, or the attempt's number has been given up. Opens its own transaction.
    """
    attempt = Attempt.objects.get(pk=attempt_id)

    def work() -> DepositLease | None:
        found = _of(attempt=attempt)
        if found is None and had_enough(attempt):
            return None
        if found is None:
            return _lease(attempt.account, bank, attempt=attempt, channel=attempt.channel, until=until)
        return found if found.closed_at is None and found.close_wanted_at is None else None

    return _once(work, lambda: _of(attempt=attempt))


def own(account: Account, *, bank: str = "", wishes: Sequence[UUID] = (), channel: str = "web") -> DepositLease | None:
    """The account's own number for good ("your deposit account"), leased now if it has none; None: the pool is empty.

    `wishes`: bills that the payer wants paid first, in that order. The bank opens it at the next sweep, or at once by
    `providers.get("deposit").open(lease)`; it may be told to the payer once `opened_at` is set.
    """

    def work() -> DepositLease | None:
        found = _of(account=account, attempt=None, closed_at=None)
        if found is not None:
            return found
        sweeps.nudge("deposit numbers")
        return _lease(account, bank, channel=channel, wishes=wishes)

    return _once(work, lambda: _of(account=account, attempt=None, closed_at=None))


def had_enough(attempt: Attempt) -> bool:
    """Has its account had more numbers lately than the pool can spare for one? They rest before others get them."""
    rules = policy.now()
    mine = DepositLease.objects.filter(account_id=attempt.account_id, since__gt=clock.now() - rules.rest)
    return not attempt.synthetic and mine.exclude(attempt=None).count() >= rules.numbers_an_account


def _once(work: Callable[[], DepositLease | None], again: Callable[[], DepositLease | None]) -> DepositLease | None:
    """Two at the same moment for the same attempt or account: a unique index lets one of them lease."""
    try:
        return durable(work)
    except IntegrityError as error:
        if not any(name in str(error) for name in _TAKEN):
            raise
        return again()


def _of(**which: object) -> DepositLease | None:
    return DepositLease.objects.select_related("number", "attempt").filter(**which).first()


def _lease(
    account: Account,
    bank: str,
    *,
    attempt: Attempt | None = None,
    channel: str,
    until: datetime | None = None,
    wishes: Sequence[UUID] = (),
) -> DepositLease | None:
    """The number that has been free for longest; two takers never wait for each other, and never get the same."""
    now = clock.now()
    free = DepositNumber.objects.select_for_update(skip_locked=True).filter(free_at__lte=now, retired=False)
    if bank:
        free = free.filter(bank=bank)
    number = free.order_by("free_at", "pk").first()
    if number is None:
        return None
    lease = DepositLease.objects.create(
        number=number,
        account=account,
        attempt=attempt,
        channel=channel,
        wishes=[str(each) for each in wishes],
        since=now,
        until=until,
        span=span(number.pk, now, None),
    )
    DepositNumber.objects.filter(pk=number.pk).update(free_at=None)
    return lease


def opened(lease_id: UUID) -> None:
    """The bank has confirmed that the number takes deposits."""
    DepositLease.objects.filter(pk=lease_id, opened_at=None).update(opened_at=clock.now())


def give_up(lease_id: UUID) -> None:
    """The number is not needed any more: it will be closed at the bank, and rests from then on."""
    now = clock.now()
    DepositLease.objects.filter(pk=lease_id, close_wanted_at=None).update(close_wanted_at=now, try_at=now)


def ended(lease_id: UUID) -> None:
    """The bank has confirmed that the number takes nothing any more: its rest begins. Only our own probes' is short."""
    lease = DepositLease.objects.select_for_update(of=("self",)).select_related("account").get(pk=lease_id)
    if lease.closed_at is not None:
        return
    now, rules = clock.now(), policy.now()
    rest = rules.probe_rest if lease.account.probe else rules.rest
    lease.closed_at = now
    lease.rests_until = (now + rest).replace(microsecond=0) + timedelta(seconds=1)  # spans are of whole seconds
    lease.span = span(lease.number_id, lease.since, lease.rests_until)
    lease.save(update_fields=["closed_at", "rests_until", "span"])
    DepositNumber.objects.filter(pk=lease.number_id).update(free_at=lease.rests_until)
