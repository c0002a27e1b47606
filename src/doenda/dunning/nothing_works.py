"""While nothing works, by the evidence, every clock stands; when it lasts, what is barred works again."""

from datetime import datetime, timedelta

from django.conf import settings

from doenda.assurance import no_way
from doenda.dunning import policy
from doenda.dunning.clock import Stop
from doenda.dunning.models import Case
from doenda.dunning.words import HoldKind, Stage
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic

REMEMBERED = timedelta(days=400)
"""A debt is barred for, or written off, long before."""


def stops(now: datetime) -> list[Stop]:
    """The stretches that count by the policy, as stops of every account's clock.

    One that lasts stands twice: as a failure of ours, and as the state that lifts bars.
    """
    rules = policy.in_force(settings.DOENDA_COUNTRY, clock.local(now).date())
    found = []
    for each in no_way.stretches(now - REMEMBERED):
        lasted = (each.until or now) - each.since
        if each.failed and lasted >= timedelta(minutes=rules.no_way_stops_minutes):
            found.append(Stop(HoldKind.EXPOSURE, each.since, each.until, "nothing worked"))
        if each.failed and lasted >= timedelta(minutes=rules.no_way_lifts_minutes):
            found.append(Stop(HoldKind.NO_WAY, each.since, each.until, "nothing worked"))
    return found


@sweeps.sweep("nothing_works", every=30)
def sweep(limit: int = 100) -> int:
    """Once it has lasted so long that bars are lifted, barred cases are looked at now. Returns how many."""
    lasting = no_way.running()
    rules = policy.in_force(settings.DOENDA_COUNTRY, clock.today())
    lifts = timedelta(minutes=rules.no_way_lifts_minutes)
    if lasting is None or not lasting.failed or clock.now() - lasting.since < lifts:
        return 0
    barred = Case.objects.filter(
        closed_at=None,
        stage__in=(Stage.OUTGOING_BARRED, Stage.FULLY_BARRED),
        next_check_at__gt=clock.now(),
        stage_since__lte=clock.today(),
    )
    with atomic():
        return barred.update(next_check_at=clock.now())
