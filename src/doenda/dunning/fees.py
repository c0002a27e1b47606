"""Taking a late fee back: the payment had been in time and was only posted late, or the bill had been wrong."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from doenda.billing import post
from doenda.billing.models import Account, ExternalFact
from doenda.dunning.models import LateFee
from doenda.kernel import clock


def reverse_if_paid_in_time(account: Account, bill_ids: list[UUID], data: dict[str, Any]) -> None:
    """A bill whose own amount was covered by money that arrived on a free day owes no fee. With the account locked.

    The day is the external fact's own (`at`: when the money was paid), not when we posted it.
    """
    mine = LateFee.objects.filter(account=account, bill_id__in=bill_ids, reversed_at=None)
    found = mine.select_related("bill").select_for_update(of=("self",))
    for fee in found:
        at = _paid_at(data)
        in_time = at is not None and clock.local(at).date() <= fee.last_free
        if in_time and fee.bill.paid + fee.bill.credited >= fee.bill.amount:
            _reverse(fee, "paid in time, posted late", f"in-time:{fee.pk}")


def reverse_if_wrong(account: Account, bill_ids: list[UUID], data: dict[str, Any]) -> None:
    """Whoever was billed too much, or told a day too soon, was not late with what is right. With the account locked.

    The whole fee goes back, and the bill bears no other one: the mistake was the carrier's.
    """
    due_before = date.fromisoformat(data["was"]["due_date"])
    for fee in LateFee.objects.filter(account=account, bill_id__in=bill_ids, reversed_at=None).select_related("bill"):
        if data["difference"] < 0 or fee.bill.due_date > due_before:
            _reverse(fee, "the bill was wrong", f"corrected:{fee.pk}")


def assessed_since(since: datetime, account_ids: Iterable[UUID]) -> list[UUID]:
    """Which of the accounts bear a fee that was decided since then."""
    mine = LateFee.objects.filter(reversed_at=None, step__decided_at__gte=since, account_id__in=account_ids)
    return list(mine.order_by("account_id").values_list("account_id", flat=True).distinct())


def reverse_as_ours(account: Account, since: datetime) -> int:
    """Fees decided while a way that we had named was failing go back. With the account locked; returns how many."""
    mine = LateFee.objects.filter(account=account, reversed_at=None, step__decided_at__gte=since).select_related("bill")
    found = list(mine.select_for_update(of=("self",)))
    for fee in found:
        _reverse(fee, "a way that we had named was failing", f"our-fault:{fee.pk}")
    return len(found)


def _reverse(fee: LateFee, why: str, key: str) -> None:
    fee.reversed_at, fee.reverse_reason = clock.now(), why
    fee.save(update_fields=["reversed_at", "reverse_reason"])
    post.reverse_late_fee(fee.bill, key)


def _paid_at(data: dict[str, Any]) -> datetime | None:
    kind, external_id = (*data.get("fact", []), "", "")[:2]
    return ExternalFact.objects.filter(kind=kind, external_id=external_id).values_list("at", flat=True).first()
