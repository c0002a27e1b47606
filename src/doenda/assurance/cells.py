"""A way on one kind of device, judged by itself: it may fail there and nowhere else, seen by no walk of another kind.

Such a cell is a way's row of its own (`web/transfer/toss@in_app`, purpose "device"), made when something first speaks
against the way on that kind of device, or when a browser of that kind first walks it. What its evidence says is kept
from customers with that kind of device; the way itself, and all others, go on.
"""

from django.db import transaction

from doenda.assurance import deciding, devices, rule, ways
from doenda.assurance.models import Way
from doenda.assurance.rule import Name
from doenda.kernel import clock

LEASE_WALKED = 1800
"""Seconds: walks in a real browser are made a few times an hour."""
LEASE = 28 * 86400
"""Where nobody walks it, only customers' own results say something, and silence of theirs says nothing."""
AGAINST = frozenset({Name.WITHDRAWN, Name.HALF_OPEN, Name.SUSPECT})
"""What of a cell counts: a cell proves nothing, it only speaks against a way."""


def ensure(way: str, device: str) -> str | None:
    """The cell's slug, its row made if it is not there; None where device or way are not known. In a transaction."""
    if device not in devices.table().kinds:
        return None
    base = Way.objects.filter(pk=way, retired_at=None).exclude(purpose=ways.DEVICE).first()
    if base is None:
        return None
    slug = devices.cell(way, device)
    lease = LEASE_WALKED if ways.browser_for(slug) else LEASE
    values = {
        "channel": base.channel,
        "method": base.method,
        "provider": base.provider,
        "purpose": ways.DEVICE,
        "position": base.position,
        "lease_seconds": lease,
    }
    row, made = Way.objects.get_or_create(slug=slug, defaults=values)
    if not made and (row.retired_at is not None or row.lease_seconds != lease):
        _take_up(slug, lease)
    return slug


@transaction.atomic
def _take_up(slug: str, lease: int) -> None:
    """Its way is offered again, or is walked otherwise than before."""
    row = Way.objects.select_for_update(no_key=True).get(pk=slug)
    now, row.lease_seconds = clock.now(), lease
    state = ways.load(row)
    if state.retired_at is not None and not state.retired_by_hand:
        state = deciding.decided(
            row,
            state,
            "offer_again",
            now,
            who="configuration",
            reason="its way is offered again",
            value="configuration",
        )
        row.state, row.calm, row.retired_at = ways.store(state), state.calm, None
        row.standing, row.proven_until = rule.standing(state, now), state.proven_until
    row.save()
