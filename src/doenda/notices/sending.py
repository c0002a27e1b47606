"""Writing a notice: one row and its outbox row, in the transaction of whoever decided it."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from doenda.billing.accounts import party_of
from doenda.billing.models import Account, AccountRole, Party
from doenda.kernel import clock, outbox, texts
from doenda.notices import kinds, policy
from doenda.notices.models import Notice

OUTBOX = "notice"


def write(
    kind: str,
    account_id: UUID,
    *,
    bill_id: UUID | None,
    params: dict[str, Any],
    key: str,
    urgent: bool,
    due_at: datetime | None,
) -> Notice:
    """See `notices.send`. A probe account's notices are written and cancelled: nobody lives there."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a notice is written in the transaction that decides it")
    kinds.check(kind, params)
    known = Notice.objects.filter(key=key).first()
    if known is not None:
        return known
    party = recipient(account_id)
    now = clock.now()
    notice = Notice(
        account_id=account_id,
        bill_id=bill_id,
        party=party,
        kind=kind,
        lang=party.language if party is not None and party.language in texts.LANGUAGES else texts.LANGUAGES[0],
        params={name: plain(value) for name, value in params.items()},
        key=key,
        due_at=due_at or now,
        urgent=urgent,
        legal=kind in policy.current().legal,
    )
    probe = Account.objects.filter(pk=account_id, probe=True).exists()
    if probe:
        notice.state, notice.held_reason = Notice.State.CANCELLED, "a probe's account"
    Notice.objects.bulk_create([notice], ignore_conflicts=True)
    written = Notice.objects.get(key=key)
    if written.pk == notice.pk and not probe:
        wait = max(0.0, (notice.due_at - now).total_seconds())
        outbox.put(OUTBOX, str(notice.pk), {"notice": str(notice.pk)}, account_id=account_id, due_in=wait)
    return written


def withdraw(account_id: UUID, kinds: Iterable[str], reason: str) -> int:
    """See `notices.withdraw`. One that was handed over once may have arrived: it stays as it is."""
    waiting = Notice.objects.filter(account_id=account_id, kind__in=list(kinds), handed_at=None)
    states = [Notice.State.DUE, Notice.State.HELD]
    return waiting.filter(state__in=states).update(state=Notice.State.CANCELLED, held_reason=reason[:200])


def recipient(account_id: UUID) -> Party | None:
    """Who is told: the account's holder, else who pays. (A line's user gets no news of the holder's debt.)"""
    return party_of(account_id, AccountRole.Role.HOLDER) or party_of(account_id, AccountRole.Role.PAYER)


def plain(value: Any) -> Any:
    """A parameter as JSON keeps it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
