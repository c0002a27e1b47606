"""How often our own walks fail although nothing is wrong: measured, budgeted at 1 %, and told to a person beyond it.

A walk that failed while both of its confirm runs worked was our own flake. At 1 % a healthy way is withdrawn falsely a
few times a year; at 3 % every other day (docs/bench.md).
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from doenda.assurance import pager
from doenda.kernel import clock, sweeps

log = logging.getLogger(__name__)

BUDGET = 0.01
WINDOW = timedelta(days=7)
LEAST = 500
"""Fewer walks than so many say nothing of a rate of one in a hundred."""

_COUNT = """
SELECT count(*), count(*) FILTER (WHERE r.outcome LIKE 'failed%%' AND confirmed.worked = 2)
  FROM probes_proberun r
  LEFT JOIN LATERAL (
      SELECT count(*) FILTER (WHERE c.outcome = 'worked') AS worked FROM (
          SELECT outcome FROM probes_proberun c
           WHERE c.way = r.way AND c.confirms AND c.created_at >= r.created_at
             AND c.created_at < r.created_at + interval '45 seconds'
           ORDER BY c.created_at LIMIT 2) c
  ) confirmed ON r.outcome LIKE 'failed%%'
 WHERE NOT r.confirms AND r.created_at >= %s
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """Walks of the last days that were made in their turn, and those of them that were our own flakes."""

    walks: int
    flakes: int

    @property
    def share(self) -> float:
        return self.flakes / self.walks if self.walks else 0.0

    @property
    def beyond(self) -> bool:
        return self.walks >= LEAST and self.share > BUDGET


def rate() -> Rate:
    """The rate of the last seven days, over all ways and runners."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [clock.now() - WINDOW])
        walks, flakes = cursor.fetchone()
    return Rate(walks, flakes)


@sweeps.sweep("flakes", every=3600)
def sweep(limit: int = 100) -> int:
    """Call a person when the budget is exceeded, once a day at most. Returns 1 if it is."""
    found = rate()
    if not found.beyond:
        return 0
    said = f"{found.share:.1%} of {found.walks} walks failed although nothing was wrong: look at the runners"
    log.warning(said)
    with transaction.atomic():
        pager.call(f"flakes-{clock.today():%Y%m%d}", said)
    return 1
