"""What became of what was told: each telling gets its outcome, error and whether it held."""

from datetime import datetime
from uuid import UUID

from doenda.contact.models import Estimate


def settle(ticket_id: UUID, outcome: str, now: datetime) -> None:
    """The wait ended: served, or why not. `error` is the told mean less the truth, in seconds."""
    for one in Estimate.objects.select_for_update().filter(ticket=ticket_id, settled_at=None).order_by("pk"):
        waited = (now - one.created_at).total_seconds()
        served = outcome == "served"
        one.put(
            outcome=outcome,
            waited=waited,
            error=one.mean - waited if served and one.mean is not None else None,
            covered=waited <= one.high if served and one.high is not None else None,
            settled_at=now,
        )
