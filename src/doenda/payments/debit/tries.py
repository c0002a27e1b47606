"""What was tried before for a bill: read for one attempt or many, as the rules need it."""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from django.db import connection

from doenda.kernel import clock
from doenda.payments.debit import policy, rules
from doenda.payments.providers.debit.codes import AGAIN, NOT_COUNTED

# Our own faults are not counted; a debit that was instructed and recalled was none. OFFSET 0 holds the planner to the
# way from the bill to its attempts to their items: without statistics of a day's new items it would read them all.
COUNTED = """
    SELECT count(*) AS tries, max(i.day) AS last_day,
           (array_agg(i.code ORDER BY i.day DESC, i.created_at DESC, i.id DESC))[1] AS last_word
    FROM (SELECT attempt_id FROM payments_attemptbill WHERE bill_id = b.id OFFSET 0) ab
    CROSS JOIN LATERAL (SELECT * FROM payments_debititem WHERE attempt_id = ab.attempt_id AND kind = 'debit' OFFSET 0) i
    WHERE i.state IN ('paid', 'refused', 'returned') AND i.code <> ALL (%(not_counted)s)
"""


def next_days(attempt_ids: Iterable[UUID]) -> dict[UUID, date | None]:
    """For each attempt the day on which its bills are debited again, by the policy, if they stay owed."""
    wanted = list(attempt_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mine.attempt_id, b.currency, b.due_date, t.tries, t.last_day, t.last_word"  # noqa: S608
            " FROM payments_attemptbill mine JOIN billing_bill b ON b.id = mine.bill_id"
            f" CROSS JOIN LATERAL ({COUNTED}) t WHERE mine.attempt_id = ANY(%(wanted)s)",
            {"wanted": wanted, "not_counted": sorted(NOT_COUNTED)},
        )
        rows = cursor.fetchall()
    now, found = clock.now(), dict[UUID, date | None](dict.fromkeys(wanted))
    for attempt_id, currency, due, tries, last_day, word in rows:
        terms = policy.in_force(currency, clock.today())
        day = rules.plan(terms, due, rules.Tried(tries, last_day, not tries or word in AGAIN), now)
        known = found[attempt_id]
        if day is not None and (known is None or day < known):
            found[attempt_id] = day
    return found
