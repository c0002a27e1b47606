"""When a way is proven again, the notices that were held for want of one leave at once instead of at their next try."""

from doenda.assurance.rule import NAMED
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.models import OutboxRow
from doenda.notices import reaching
from doenda.notices.handing_over import NO_WAY
from doenda.notices.sending import OUTBOX


@facts.subscribes("assurance.way_changed", name="notices.waiting")
def way_changed(fact: facts.Fact) -> None:
    """Bring the held ones forward: those that name ways, and those that waited for the gateway itself."""
    if fact.data["way"] == reaching.way():
        if fact.data["from"] == "withdrawn":
            _forward(reaching.AWAY)
    elif fact.data["to"] in NAMED:
        _forward(NO_WAY)


def _forward(reason: str) -> None:
    """Locks no account; a row that is being sent is left alone."""
    held = OutboxRow.objects.filter(kind=OUTBOX, done_at=None, parked_at=None, reason=reason)
    free = held.filter(lease_until=None).select_for_update(skip_locked=True).values_list("pk", flat=True)
    if OutboxRow.objects.filter(pk__in=list(free[:10_000])).update(due_at=clock.now()):
        sweeps.nudge("outbox")
