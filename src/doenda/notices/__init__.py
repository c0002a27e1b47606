"""Texts to customers and their deliveries by gateway, caps and quiet hours: when and by what, never whom to dun.

May touch: assurance, billing, access, kernel.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from doenda.notices.models import Notice
    from doenda.notices.proof import DeliveredNotice


def send(
    kind: str,
    account_id: UUID,
    *,
    bill_id: UUID | None = None,
    params: dict[str, Any],
    key: str,
    urgent: bool = False,
    due_at: datetime | None = None,
) -> "Notice":
    """Write one notice and its outbox row in the caller's transaction; the same `key` again is the same notice.

    `kind` and the `params` it needs: see notices.kinds. Rendered and addressed when it is sent, not now. `urgent` lets
    news of the customer's own affairs wake them at night; it never lets a demand for payment.
    Raises ValueError for an unknown kind or a missing parameter, RuntimeError outside a transaction.
    """
    from doenda.notices import sending

    return sending.write(kind, account_id, bill_id=bill_id, params=params, key=key, urgent=urgent, due_at=due_at)


def withdraw(account_id: UUID, kinds: Iterable[str], reason: str) -> int:
    """Cancel the account's notices of these kinds that have not left and cannot have left; returns how many.

    Call it in the transaction that makes them untrue, with the account locked.
    """
    from doenda.notices import sending

    return sending.withdraw(account_id, kinds, reason)


def cancelled(notice_ids: Iterable[UUID]) -> set[UUID]:
    """Which of them were cancelled before they left."""
    from doenda.notices import proof

    return proof.cancelled(notice_ids)


def first_left(account_id: UUID, kinds: Iterable[str], bill_ids: Iterable[UUID]) -> dict[UUID, date]:
    """The day (the carrier's) on which the first notice of these kinds about each bill left, or certainly could not."""
    from doenda.notices import proof

    return proof.first_left(account_id, kinds, bill_ids)


def delivered(notice_id: UUID) -> datetime | None:
    """When the notice reached the customer's phone, by the gateway's receipt; None if that is not known."""
    from doenda.notices import proof

    return proof.delivered(notice_id)


def delivered_with_proof(kind: str, account_id: UUID, since: datetime) -> "list[DeliveredNotice]":
    """The notices of a kind delivered since then, with the ways that each named as proven, the oldest first."""
    from doenda.notices import proof

    return proof.delivered_with_proof(kind, account_id, since)
