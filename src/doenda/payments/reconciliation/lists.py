"""Lines that wait for a person, for the desk: of every source."""

from collections.abc import Iterable

from doenda.kernel import clock
from doenda.payments import desk
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.queue import shown


@desk.lists("reconciliation")
def _parked() -> Iterable[desk.Item]:
    """What the other side tells otherwise than our ledger, or one of them does not tell at all."""
    for line in ReconLine.objects.filter(state=ReconLine.State.PARKED).select_related("account"):
        why = [f"{shown(line.source)} {line.kind}: {line.reason}", str(line.suggestion.get("why", ""))]
        yield desk.Item(
            line.pk,
            "reconciliation",
            line.created_at,
            line.due_at or clock.now(),
            "; ".join(filter(None, why)),
            line.account.number if line.account else "",
            line.amount,
            line.currency,
            line.owner,
        )
