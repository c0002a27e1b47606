"""Kept cards: a mandate of kind card is charged through the provider `toss`, method `billing`, by its billing key.

The key is sealed with the mandate and opened only for the one request that needs it (debit/keys.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from doenda.kernel import clock, sweeps
from doenda.payments import charge
from doenda.payments.attempts import Result
from doenda.payments.debit import mandates, policy, rules
from doenda.payments.debit.keys import METHOD
from doenda.payments.debit.models import Mandate
from doenda.payments.providers.debit.codes import NOT_COUNTED
from doenda.payments.states import IN_FLIGHT, State

PROVIDER = "toss"
FROM_HOUR, UNTIL_HOUR = 9, 18
"""Cards are charged in these hours of the carrier's day, so that whoever is told can still do something."""


def charge_card(account_id: UUID, bills: Sequence[tuple[UUID, int]], *, channel: str) -> Result:
    """Charge the account's kept card for `bills` (id, minor units) now. Refused "NO_MANDATE" where there is none."""
    mandate = mandates.active(account_id)
    if mandate is None or mandate.kind != Mandate.Kind.CARD:
        return Result("refused", reason="NO_MANDATE")
    return charge.by_key(
        account_id, list(bills), channel=channel, method=METHOD, provider=PROVIDER, mandate_id=mandate.pk
    )


@dataclass(frozen=True, slots=True)
class _Due:
    account_id: UUID
    bill_id: UUID
    remaining: int
    currency: str
    due: date
    tried: rules.Tried


# A charge that was refused counts as a try; what the card's company says decides nothing here, the days do.
_OPEN = """
    SELECT m.account_id, b.id, b.amount + b.late_fee - b.paid - b.credited, b.currency, b.due_date,
           t.tries, t.last_day
    FROM payments_mandate m JOIN billing_account a ON a.id = m.account_id AND NOT a.probe
    JOIN billing_bill b ON b.account_id = m.account_id AND b.state = 'open' AND b.due_date <= %(today)s
    CROSS JOIN LATERAL (
        SELECT count(*) AS tries, max((o.created_at AT TIME ZONE %(zone)s)::date) AS last_day
        FROM payments_attemptbill ab JOIN payments_attempt o ON o.id = ab.attempt_id
        WHERE ab.bill_id = b.id AND o.method = 'billing' AND o.state IN ('paid', 'refused', 'undone')
          AND o.reason <> ALL (%(not_counted)s)) t
    WHERE m.state = 'active' AND m.kind = 'card'
      AND NOT EXISTS (SELECT FROM payments_attemptbill ab JOIN payments_attempt o ON o.id = ab.attempt_id
                      WHERE ab.bill_id = b.id AND (o.state = ANY(%(busy)s)
                          OR (o.method = 'billing' AND o.state = 'our_fault' AND o.created_at > %(lately)s)))
    ORDER BY m.account_id, b.due_date, b.id LIMIT 5000
"""


@sweeps.sweep("cards to charge", every=300)
def sweep(limit: int = 100) -> int:
    """Charge the kept cards of bills that are due, one account after the other, within the hours for it."""
    if not FROM_HOUR <= clock.local(clock.now()).hour < UNTIL_HOUR:
        return 0
    by_account: dict[UUID, list[tuple[UUID, int]]] = {}
    for row in _due():
        terms = policy.in_force(row.currency, clock.today())
        first = rules.earliest(terms, row.due, row.tried)
        if first is not None and first <= clock.today():
            by_account.setdefault(row.account_id, []).append((row.bill_id, row.remaining))
    for account_id in list(by_account)[:limit]:
        charge_card(account_id, by_account[account_id], channel="web")
    return min(limit, len(by_account))


def _due() -> list[_Due]:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            {
                "today": clock.today(),
                "zone": str(clock.zone()),
                "not_counted": sorted(NOT_COUNTED),
                "busy": sorted(IN_FLIGHT | {State.INSTRUCTED}),
                "lately": clock.day_start(clock.local(now).date()),
            },
        )
        return [
            _Due(account, bill, int(rest), currency, due, rules.Tried(tries, last))
            for account, bill, rest, currency, due, tries, last in cursor.fetchall()
        ]
