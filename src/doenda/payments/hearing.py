"""What may have been paid in that we have not heard of: nobody is threatened or stopped because news got lost.

A doorbell is lost, a bank's list cannot be read for days: who has an account to pay into is asked about once more.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from doenda.kernel import clock, sweeps
from doenda.payments import policy, providers
from doenda.payments.deposits.models import DepositFeed, DepositLease
from doenda.payments.models import Attempt
from doenda.payments.states import State

POOLED = "deposit"
"""The provider whose numbers are leased: its list tells of all of them."""


def unheard(account_id: UUID) -> bool:
    """May money have been paid in for the account since we last heard of it, too long ago?"""
    oldest = clock.now() - timedelta(minutes=policy.now().heard_minutes)
    heard = Coalesce("heard_at", "created_at")
    if _waiting(account_id).annotate(heard=heard).filter(heard__lt=oldest).exists():
        return True
    if POOLED not in settings.DOENDA_PROVIDERS:
        return False  # nobody is left who could tell
    paid_into = Q(rests_until=None) | Q(rests_until__gt=clock.now())
    if not DepositLease.objects.filter(paid_into, account_id=account_id).exists():
        return False
    read_at = DepositFeed.objects.values_list("read_at", flat=True).first()
    return read_at is None or read_at < oldest


def ask(account_id: UUID) -> None:
    """Have everything asked that may know of it, at the next sweep. In the caller's transaction."""
    _waiting(account_id).update(ask_at=clock.now())
    for name in ("inquiries", "deposits"):
        sweeps.nudge(name)


def _waiting(account_id: UUID) -> "QuerySet[Attempt]":
    """Accounts opened at providers that only answer, or ring."""
    asked = [name for name in settings.DOENDA_PROVIDERS if providers.get(name).listens_every is not None]
    return Attempt.objects.filter(account_id=account_id, state=State.NEEDS_DEPOSIT, provider__in=asked)
