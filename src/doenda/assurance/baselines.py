"""What share of tries fails while a way is healthy, learned for each way from its own last four weeks.

The baseline is the upper 99 % of the hourly rates of failure: a way on which a twelfth always fails (old cards, a
strict bank) is not withdrawn for it every third day, and one on which nothing ever fails is withdrawn sooner. Hours in
which it was failing are none of health, and hours with few tries say nothing.
"""

from datetime import timedelta

from django.db import connection, transaction

from doenda.assurance import deciding, standing
from doenda.assurance.models import Way
from doenda.assurance.rule import weights
from doenda.kernel import clock, sweeps

WINDOW = timedelta(days=28)
LEAST_TRIES, LEAST_HOURS = 20, 24
"""An hour with fewer tries is left out; a way with fewer such hours keeps the baseline that it has."""
MOVES_BY = 0.005
"""A smaller difference changes nothing: each change is a decision that is kept."""

_RATES = """
SELECT count(*), percentile_cont(0.99) WITHIN GROUP (ORDER BY rate) FROM (
    SELECT count(*) FILTER (WHERE e.outcome <> 'worked')::float / count(*) AS rate
      FROM assurance_evidence e
     WHERE e.way_id = %(way)s AND e.at >= %(since)s AND NOT e.synthetic
       AND e.outcome IN ('worked', 'failed_by_us', 'failed_by_provider')
       AND NOT EXISTS (SELECT 1 FROM assurance_exposure x WHERE x.way_id = e.way_id AND e.at >= x.onset
                          AND (x.ended_at IS NULL OR e.at <= x.ended_at))
     GROUP BY date_trunc('hour', e.at) HAVING count(*) >= %(least)s) hours
"""


def learned(slug: str) -> float | None:
    """The baseline that the way's own evidence gives; None: too little is known."""
    with connection.cursor() as cursor:
        cursor.execute(_RATES, {"way": slug, "since": clock.now() - WINDOW, "least": LEAST_TRIES})
        hours, rate = cursor.fetchone()
    return weights.baseline(rate) if hours >= LEAST_HOURS else None


@sweeps.sweep("baselines", every=3600)
def sweep(limit: int = 100) -> int:
    """Learn every way's baseline anew. Returns how many changed."""
    return sum(_learn(slug) for slug in Way.objects.filter(retired_at=None).values_list("slug", flat=True))


def _learn(slug: str) -> int:
    rate = learned(slug)
    if rate is None:
        return 0
    with transaction.atomic():
        way, state = standing.lock(slug)
        if abs(state.baseline - rate) < MOVES_BY or state.mode != "alive":
            return 0
        why = f"{rate:.1%} of an hour's tries fail while it is healthy"
        state = deciding.decided(
            way, state, "baseline", clock.now(), who="its own evidence", reason=why, value=f"{rate:.4f}"
        )
        standing.write(way, state, why)
        return 1
