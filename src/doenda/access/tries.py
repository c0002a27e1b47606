"""Counting wrong answers: a budget per visitor and per number; questions fail closed, paying stays open."""

from datetime import timedelta

from django.db import connection

from doenda.access.models import Tries
from doenda.kernel import clock

WINDOW = timedelta(hours=1)


def spent(who: str) -> int:
    """Wrong answers of `who` in the running window."""
    row = Tries.objects.filter(who=who[:80], since__gt=clock.now() - WINDOW).first()
    return row.count if row else 0


def count(who: str) -> int:
    """Count one wrong answer, atomically, in the caller's transaction. Returns the new count."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO access_tries AS t (who, since, count) VALUES (%s, %s, 1)
               ON CONFLICT (who) DO UPDATE SET
                 count = CASE WHEN t.since > %s THEN t.count + 1 ELSE 1 END,
                 since = CASE WHEN t.since > %s THEN t.since ELSE excluded.since END
               RETURNING count""",
            [who[:80], now, now - WINDOW, now - WINDOW],
        )
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])
