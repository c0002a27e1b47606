"""Taking a late fee back when the payment turns out to have been in time, only posted late."""

from datetime import datetime
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
            fee.reversed_at, fee.reverse_reason = clock.now(), "paid in time, posted late"
            fee.save(update_fields=["reversed_at", "reverse_reason"])
            post.reverse_late_fee(fee.bill, f"in-time:{fee.pk}")


def _paid_at(data: dict[str, Any]) -> datetime | None:
    kind, external_id = (*data.get("fact", []), "", "")[:2]
    return ExternalFact.objects.filter(kind=kind, external_id=external_id).values_list("at", flat=True).first()
