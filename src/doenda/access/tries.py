"""Counting wrong answers: a budget per visitor and per number; questions fail closed, paying stays open."""

from datetime import timedelta

from django.db import connection

from doenda.access.models import Tries
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic

WINDOW = timedelta(hours=1)


def hold(who: str) -> int:
    """Wrong answers of `who` in the running window; until the caller's transaction ends nobody else can ask.

    So a thousand guesses at once get no more answers than a thousand in a row.
    """
    return _add(who, 0)


def count(who: str) -> int:
    """Count one wrong answer, atomically, in the caller's transaction. Returns the new count."""
    return _add(who, 1)


def _add(who: str, wrong: int) -> int:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO access_tries AS t (who, since, count) VALUES (%s, %s, %s)
               ON CONFLICT (who) DO UPDATE SET
                 count = CASE WHEN t.since > %s THEN t.count ELSE 0 END + excluded.count,
                 since = CASE WHEN t.since > %s THEN t.since ELSE excluded.since END
               RETURNING count""",
            [who[:80], now, wrong, now - WINDOW, now - WINDOW],
        )
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


@sweeps.sweep("old tries", every=600)
def forget(limit: int = 100) -> int:
    """What is older than the window counts no more."""
    with atomic():
        old = Tries.objects.filter(since__lt=clock.now() - WINDOW).order_by("since").values("pk")[:limit]
        return Tries.objects.filter(pk__in=old).delete()[0]
