"""Writing a notice: one row and its outbox row, in the transaction of whoever decided it."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet

from doenda.billing.accounts import party_of
from doenda.billing.models import Account, AccountRole, Party
from doenda.kernel import clock, once, outbox, texts
from doenda.notices import kinds, policy
from doenda.notices.models import Notice

OUTBOX = "notice"
_WITHDRAW = """
    UPDATE notices_notice SET state = 'cancelled', held_reason = %s
    WHERE account_id = %s AND kind = ANY(%s) AND handed_at IS NULL AND state IN ('due', 'held')
"""


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
    party, probe, now = recipient(account_id), _is_probe(account_id), clock.now()
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
    if probe:
        notice.state, notice.held_reason = Notice.State.CANCELLED, "a probe's account"
    if not notice.insert(once=True):
        return Notice.objects.get(key=key)
    if not probe:
        wait = max(0.0, (notice.due_at - now).total_seconds())
        outbox.put(OUTBOX, str(notice.pk), {"notice": str(notice.pk)}, account_id=account_id, due_in=wait)
    return notice


def withdraw(account_id: UUID, kinds: Iterable[str], reason: str) -> int:
    """See `notices.withdraw`. One that was handed over once may have arrived: it stays as it is."""
    with connection.cursor() as cursor:  # on the way of every payment: plain SQL, made once
        cursor.execute(_WITHDRAW, [reason[:200], account_id, list(kinds)])
        return int(cursor.rowcount)


@once.query
def _probe(account_id: once.Open) -> "QuerySet[Account, tuple[bool]]":
    return Account.objects.filter(pk=account_id).values_list("probe")


def _is_probe(account_id: UUID) -> bool:
    found = _probe.first(account_id=account_id)
    return found is not None and found[0]


def recipient(account_id: UUID) -> Party | None:
    """Who is told: the account's holder, else who pays. (A line's user gets no news of the holder's debt.)"""
    return party_of(account_id, AccountRole.Role.HOLDER) or party_of(account_id, AccountRole.Role.PAYER)


def plain(value: Any) -> Any:
    """A parameter as JSON keeps it."""
    if isinstance(value, date | datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
