"""Instructing what falls due: set-wise, for every bill of an active mandate, in the hours before a file's cut-off.

The query is the set-based form of `rules.instructed_now`; a test compares the two on made-up bills.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import durable
from doenda.kernel.ids import new_id, outside
from doenda.payments.debit import house, policy, rules
from doenda.payments.debit.models import DebitItem
from doenda.payments.debit.policy import Policy
from doenda.payments.debit.tries import COUNTED
from doenda.payments.models import Attempt, AttemptBill, AttemptMove
from doenda.payments.providers.debit.codes import AGAIN, NOT_COUNTED
from doenda.payments.states import IN_FLIGHT, State

BATCH = 1000
CAUSE = "INSTRUCTED"

# A bill that another attempt may be paying, or that is instructed already, is left alone.
_DUE = f"""
    SELECT m.account_id, m.id, b.id, b.amount + b.late_fee - b.paid - b.credited AS remaining
    FROM payments_mandate m JOIN billing_account a ON a.id = m.account_id
    JOIN billing_bill b ON b.account_id = m.account_id AND b.state = 'open'
    CROSS JOIN LATERAL ({COUNTED}) t
    WHERE m.state = 'active' AND m.kind = 'bank' AND m.scheme = %(scheme)s
      AND a.currency = %(currency)s AND NOT a.probe AND {{which}}
      AND CASE WHEN t.tries = 0 THEN COALESCE(
                   date_trunc('month', b.due_date)::date - 1
                   + (SELECT max(d) FROM unnest(%(debit_days)s::int[]) d WHERE d <= date_part('day', b.due_date)),
                   b.due_date) <= %(day)s
               ELSE t.tries < %(most)s AND t.last_word = ANY(%(again)s)
                   AND t.last_day + (%(retry)s::int[])[t.tries] <= %(day)s END
      AND NOT EXISTS (SELECT FROM payments_attemptbill ab JOIN payments_attempt o ON o.id = ab.attempt_id
                      WHERE ab.bill_id = b.id AND o.state = ANY(%(busy)s))
    ORDER BY m.account_id, b.due_date, b.id
"""  # noqa: S608 - no text from outside

_PAGE = """
    SELECT m.account_id FROM payments_mandate m
    WHERE m.state = 'active' AND m.kind = 'bank' AND m.scheme = %(scheme)s AND m.account_id > %(after)s
    ORDER BY m.account_id LIMIT %(batch)s
"""


@dataclass(frozen=True, slots=True)
class Instructed:
    """How many debits were instructed for `day`, and their sum in minor units."""

    day: date | None
    debits: int = 0
    amount: int = 0


@sweeps.sweep("debits to instruct", every=120)
def sweep(limit: int = 100) -> int:
    """One pass over every mandate, while a window is open; a second pass finds nothing more."""
    today = clock.today()
    served = (each for each in sorted(policy.currencies()) if house.serves(policy.in_force(each, today).scheme))
    return sum(run(currency).debits for currency in served)


def run(currency: str, *, channel: str = "web", batch: int = BATCH) -> Instructed:
    """Instruct every bill that is to be debited on the day whose window is open now, `batch` mandates a transaction."""
    now = clock.now()
    terms = policy.in_force(currency, clock.today())
    day = rules.window(terms, now)
    if day is None:
        return Instructed(None)
    debits = amount = 0
    page = _page(terms, UUID(int=0), batch)
    while page:
        ids = page
        made = durable(lambda: _instruct(terms, day, ids, channel), once=True)  # noqa: B023 - runs within this turn
        debits, amount = debits + len(made), amount + sum(made)
        page = _page(terms, page[-1], batch)
    return Instructed(day, debits, amount)


def _page(terms: Policy, after: UUID, batch: int) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_PAGE, {"scheme": terms.scheme, "after": after, "batch": batch})
        return [row[0] for row in cursor.fetchall()]


def due_bills(terms: Policy, day: date, account_ids: Sequence[UUID]) -> list[tuple[UUID, UUID, UUID, int]]:
    """(account, mandate, bill, minor units) of these accounts to debit on `day`, in the order of accounts."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DUE.format(which="m.account_id = ANY(%(accounts)s)"),
            {
                "scheme": terms.scheme,
                "currency": terms.currency,
                "accounts": list(account_ids),
                "debit_days": list(terms.debit_days),
                "day": day,
                "most": terms.most_tries,
                "retry": list(terms.retry_after_days),
                "again": sorted(AGAIN),
                "not_counted": sorted(NOT_COUNTED),
                "busy": sorted(IN_FLIGHT | {State.INSTRUCTED}),
            },
        )
        return [(account, mandate, bill, int(rest)) for account, mandate, bill, rest in cursor.fetchall()]


def _instruct(terms: Policy, day: date, account_ids: Sequence[UUID], channel: str) -> list[int]:
    """One transaction: who is due is asked once more under the accounts' locks. Returns the amounts."""
    candidates = {row[0] for row in due_bills(terms, day, account_ids)}
    locked = accounts.lock_many(candidates)
    wanted: dict[UUID, list[tuple[UUID, UUID, int]]] = {}
    for account_id, mandate_id, bill_id, rest in due_bills(terms, day, list(locked)):
        wanted.setdefault(account_id, []).append((mandate_id, bill_id, rest))
    wanted = {key: rows for key, rows in wanted.items() if sum(row[2] for row in rows) <= terms.largest}
    made = [_rows(terms, locked[account_id], day, channel, rows) for account_id, rows in wanted.items()]
    Attempt.objects.bulk_create(attempt for attempt, _, _ in made)
    AttemptBill.objects.bulk_create(part for _, _, parts in made for part in parts)
    AttemptMove.objects.bulk_create(
        AttemptMove(attempt=attempt, source=State.CREATED, target=State.INSTRUCTED, cause=CAUSE)
        for attempt, _, _ in made
    )
    DebitItem.objects.bulk_create(item for _, item, _ in made)
    due = terms.results_due(day).isoformat()
    told = [(attempt.account_id, {"attempt": str(attempt.id), "due": due}) for attempt, _, _ in made]
    facts.record_many("payments.instructed", told)
    return [attempt.amount for attempt, _, _ in made]


def _rows(
    terms: Policy, account: Account, day: date, channel: str, rows: Sequence[tuple[UUID, UUID, int]]
) -> tuple[Attempt, DebitItem, list[AttemptBill]]:
    item_id = new_id()
    attempt = Attempt(
        account=account,
        provider="debit",
        method="debit",
        channel=channel,
        amount=sum(rest for _, _, rest in rows),
        currency=account.currency,
        state=State.INSTRUCTED,
        mandate_id=rows[0][0],
        provider_ref=outside(item_id),
        due_at=terms.results_due(day),
    )
    item = DebitItem(
        id=item_id,
        attempt=attempt,
        account=account,
        mandate_id=rows[0][0],
        scheme=terms.scheme,
        day=day,
        amount=attempt.amount,
    )
    return attempt, item, [AttemptBill(attempt=attempt, bill_id=bill_id, amount=rest) for _, bill_id, rest in rows]
