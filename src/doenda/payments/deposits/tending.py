"""Keeping the bank's numbers as our leases say: opened, closed when they have served; and learning of the pool."""

import logging
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q

from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic, durable
from doenda.payments.deposits import arrivals, policy, storing
from doenda.payments.deposits.models import DepositFeed, DepositLease, DepositNumber
from doenda.payments.models import AttemptBill
from doenda.payments.providers.deposit.client import PAGE
from doenda.payments.providers.deposit.codes import NIGHT
from doenda.payments.states import OVER, State

log = logging.getLogger(__name__)
SILENT = frozenset({"NOT_REACHED", "NO_ANSWER", NIGHT})
LONGEST_PAUSE = 600.0
POOL_EVERY = timedelta(hours=1)


@sweeps.sweep("deposit numbers", every=15)
def sweep(limit: int = 100) -> int:
    """Tell the bank what it does not know yet, one number at a time; a silent bank is left alone for now."""
    bank = arrivals.provider()
    if bank is None:
        return 0
    _served(limit)
    done = 0
    while done < limit and (lease := _claim()) is not None:
        done += 1
        said = bank.open(lease) if lease.close_wanted_at is None else bank.close(lease)
        if said.code in SILENT:
            break
        if said.code:
            log.error("the bank says %s to a number's lease %s", said.code, lease.order_id)
    return done


def _served(limit: int) -> None:
    """What has served its purpose is to be closed, however that came about: no act elsewhere has to think of it."""
    now = clock.now()
    still_owed = AttemptBill.objects.filter(attempt=OuterRef("attempt"), bill__state="open")
    over = (
        Q(until__lt=now)
        | Q(attempt__state__in=sorted(OVER))
        | (Q(attempt__state=State.PAID) & ~Exists(still_owed))
        | Q(attempt__isnull=False, opened_at=None, since__lt=now - policy.now().unconfirmed)
    )
    with atomic():
        live = DepositLease.objects.filter(over, closed_at=None, close_wanted_at=None).values_list("pk", flat=True)
        found = list(live[:limit])
        DepositLease.objects.filter(pk__in=found, close_wanted_at=None).update(close_wanted_at=now, try_at=now)


def _claim() -> DepositLease | None:
    """The next lease of which the bank must be told; the next try is dated first, so that a crash only delays it."""
    now = clock.now()
    with atomic():
        unsaid = Q(close_wanted_at__isnull=False) | Q(attempt=None, opened_at=None)
        due = DepositLease.objects.select_for_update(skip_locked=True, of=("self",)).filter(unsaid, closed_at=None)
        lease = due.filter(try_at__lte=now).select_related("number").order_by("try_at", "pk").first()
        if lease is not None:
            lease.tries += 1
            lease.try_at = now + timedelta(seconds=min(LONGEST_PAUSE, 15.0 * 2 ** min(lease.tries, 10)))
            lease.save(update_fields=["tries", "try_at"])
        return lease


@sweeps.sweep("deposit pool", every=30)
def refill(limit: int = 100) -> int:
    """Learn of the numbers that the bank has given the carrier: at once while there are none, else hourly."""
    bank = arrivals.provider()
    feed, _ = DepositFeed.objects.get_or_create(pk=1)
    now = clock.now()
    if bank is None or (feed.numbers_at is not None and now - feed.numbers_at < POOL_EVERY):
        return 0
    after = 0
    while True:
        found, code = bank.bank.numbers(after)
        if code:
            return 0
        after += len(found)
        rows = [DepositNumber(bank=b, number=number, holder=holder) for b, number, holder in found]
        with atomic():
            DepositNumber.objects.bulk_create(rows, ignore_conflicts=True)
        if len(found) < PAGE:
            break
    durable(lambda: _pooled(after))
    return 0


def _pooled(count: int) -> None:
    feed = storing.lock_feed()
    feed.numbers, feed.numbers_at = count, clock.now() if count else None
    feed.save()
