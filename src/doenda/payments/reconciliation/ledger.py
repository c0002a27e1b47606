"""What our ledger has that a line may be: payments that came in, and money that went back. Read set-wise, never locked.

A payment of ours is known by our order id, the provider's key of it, the bank's number of its deposit, or a bill's
number; what came in without an attempt of ours (`payment:elsewhere`) by its own key or a bill's number.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from doenda.billing.imports.elsewhere import FACT_KIND as ELSEWHERE
from doenda.kernel.ids import inside, outside
from doenda.payments import providers
from doenda.payments.models import Attempt, DepositLine, Refund
from doenda.payments.reconciliation.lines import Kind
from doenda.payments.reconciliation.rules import WINDOW, FactKey, Owed, Posted

PAYMENT, REFUND = "payment", "refund"
BACK = ("undone", "given_back")
SAME_AMOUNT = 2000
"""Of more open bills that owe one amount than this, none is looked for by likeness: all would be like each other."""

_NAMED = """
    SELECT id FROM payments_attempt WHERE id = ANY(%(ids)s)
    UNION SELECT id FROM payments_attempt WHERE provider = ANY(%(providers)s) AND provider_ref = ANY(%(words)s)
    UNION SELECT p.attempt_id FROM billing_bill b JOIN payments_attemptbill p ON p.bill_id = b.id
        WHERE b.number = ANY(%(words)s)
    UNION SELECT attempt_id FROM payments_depositline WHERE ident = ANY(%(words)s) AND attempt_id IS NOT NULL
"""
_ELSEWHERE = """
    SELECT f.external_id, f.at, f.account_id, a.currency, a.probe,
           COALESCE(SUM(p.amount), 0)::bigint, array_remove(array_agg(b.number), NULL)
    FROM billing_externalfact f JOIN billing_account a ON a.id = f.account_id
    JOIN billing_posting p ON p.fact_kind = f.kind AND p.fact_id = f.external_id
    LEFT JOIN billing_bill b ON b.id = p.bill_id
    WHERE f.kind = %(kind)s AND {which}
    GROUP BY f.external_id, f.at, f.account_id, a.currency, a.probe
"""
_NAMED_ELSEWHERE = """(f.external_id = ANY(%(words)s) OR f.external_id IN (
    SELECT p.fact_id FROM billing_bill b JOIN billing_posting p ON p.account_id = b.account_id AND p.bill_id = b.id
    WHERE b.number = ANY(%(words)s) AND p.fact_kind = %(kind)s))"""
_HOLDERS = """
    SELECT DISTINCT ON (r.account_id) r.account_id, y.name
    FROM billing_accountrole r JOIN billing_party y ON y.id = r.party_id
    WHERE r.account_id = ANY(%s) AND r.role = 'holder' AND r.line_id IS NULL
    ORDER BY r.account_id, r.created_at, r.id
"""


def named(words: Collection[str]) -> list[Posted]:
    """Every movement that one of these words may name."""
    sought: dict[str, Any] = {"words": list(words), "ids": _order_ids(words)}
    sought["providers"] = list(settings.DOENDA_PROVIDERS)
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, sought)
        attempts = [attempt_id for (attempt_id,) in cursor.fetchall()]
    return of_attempts(attempts) + _elsewhere(_NAMED_ELSEWHERE, {"words": list(words)})


def similar(amounts: Collection[int], since: datetime, until: datetime) -> list[Posted]:
    """Movements of these amounts (minor units) about this time, with the names of their accounts' holders."""
    near = {"settled_at__gte": since - WINDOW, "settled_at__lt": until + WINDOW, "taken__in": set(amounts)}
    attempts = Attempt.objects.filter(**near).exclude(synthetic=True).values_list("pk", flat=True)
    around = {"since": since - WINDOW, "until": until + WINDOW}
    found = of_attempts(attempts) + [
        each for each in _elsewhere("f.at >= %(since)s AND f.at < %(until)s", around) if each.amount in amounts
    ]
    return _with_names(found)


def of_attempts(attempt_ids: Iterable[UUID]) -> list[Posted]:
    """What these attempts moved: each payment that was taken, each refund, each undoing. Minor units."""
    rows = Attempt.objects.filter(pk__in=list(attempt_ids), times_paid__gt=0).values_list(*_Attempt._fields)
    attempts = {each.pk: each for each in map(_Attempt._make, rows)}
    ids = list(attempts)
    bills = _bills(ids)
    deposits = _deposits(ids)
    refunds = Refund.objects.filter(attempt__in=ids, done_at__isnull=False).values_list("pk", "attempt_id", "amount")
    keys: dict[FactKey, tuple[UUID, int]] = {(REFUND, str(pk)): (of, amount) for pk, of, amount in refunds}
    for attempt in attempts.values():
        for fact_id in _fact_ids(attempt, deposits.get(attempt.pk, ())):
            keys |= {(kind, fact_id): (attempt.pk, 0) for kind in (PAYMENT, *BACK)}
    facts = _facts(keys)
    alone = {name for name in settings.DOENDA_PROVIDERS if providers.get(name).singly}
    found = []
    for key, (at, _) in facts.items():
        attempt_id, amount = keys[key]
        attempt = attempts[attempt_id]
        _, paid = facts.get((PAYMENT, key[1]), (at, None))
        kind: Kind = "in" if key[0] == PAYMENT else "out"
        named_too = deposits.get(attempt_id, ())
        found.append(
            Posted(
                *key,
                order_id=outside(attempt_id),
                provider_ref=attempt.provider_ref or "",
                amount=amount or (int(paid["amount"]) if paid else attempt.amount),
                currency=attempt.currency,
                at=at,
                kind=kind,
                bills=bills.get(attempt_id, ()),
                account_id=attempt.account_id,
                probe=attempt.synthetic,
                also=tuple(each.ident for each in named_too if each.ref in key[1] or kind == "out"),
                singly=attempt.provider in alone,
            )
        )
    return found


class _Attempt(NamedTuple):
    """What of an attempt is asked here: whole rows by the hundred thousand cost more than the matching."""

    pk: UUID
    provider: str
    provider_ref: str | None
    times_paid: int
    amount: int
    currency: str
    account_id: UUID
    synthetic: bool


def _fact_ids(attempt: _Attempt, deposits: Sequence[DepositLine]) -> list[str]:
    """Under what its payments were posted: a deposit that was undone and made again has a key of its own."""
    refs = {attempt.provider_ref or outside(attempt.pk), *(each.ref for each in deposits)}
    bases = [f"{attempt.provider}:{ref}" for ref in sorted(refs)]
    return bases + [f"{each}#{time}" for each in bases for time in range(2, attempt.times_paid + 1)]


def _facts(keys: Collection[FactKey]) -> dict[FactKey, tuple[datetime, dict[str, Any]]]:
    kinds, ids = [kind for kind, _ in keys], [fact_id for _, fact_id in keys]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT f.kind, f.external_id, f.at, f.data::text FROM unnest(%s::text[], %s::text[]) k (kind, external_id)"
            " JOIN billing_externalfact f ON f.kind = k.kind AND f.external_id = k.external_id",
            [kinds, ids],
        )
        return {(kind, fact_id): (at, json.loads(data)) for kind, fact_id, at, data in cursor.fetchall()}


def _bills(attempt_ids: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
    found: dict[UUID, tuple[str, ...]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.attempt_id, array_agg(b.number) FROM payments_attemptbill p"
            " JOIN billing_bill b ON b.id = p.bill_id WHERE p.attempt_id = ANY(%s) GROUP BY p.attempt_id",
            [list(attempt_ids)],
        )
        for attempt_id, numbers in cursor.fetchall():
            found[attempt_id] = tuple(numbers)
    return found


def _deposits(attempt_ids: Sequence[UUID]) -> dict[UUID, list[DepositLine]]:
    """The bank's own numbers of deposits: its statement names them so, without the bank's code before it."""
    found: dict[UUID, list[DepositLine]] = {}
    for each in DepositLine.objects.filter(attempt__in=attempt_ids):
        assert each.attempt_id is not None
        found.setdefault(each.attempt_id, []).append(each)
    return found


def _elsewhere(which: str, sought: dict[str, Any]) -> list[Posted]:
    with connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE.format(which=which), {**sought, "kind": ELSEWHERE})
        return [
            Posted(
                ELSEWHERE,
                fact_id,
                order_id="",
                provider_ref=fact_id,
                amount=amount,
                currency=currency,
                at=at,
                kind="in",
                bills=tuple(numbers),
                account_id=account_id,
                probe=probe,
            )
            for fact_id, at, account_id, currency, probe, amount, numbers in cursor.fetchall()
        ]


def _with_names(found: Sequence[Posted]) -> list[Posted]:
    names = _holders({each.account_id for each in found if each.account_id})
    return [replace(each, name=names.get(each.account_id, "")) if each.account_id else each for each in found]


def _holders(account_ids: Collection[UUID]) -> dict[UUID, str]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [list(account_ids)])
        return dict(cursor.fetchall())


def _order_ids(words: Iterable[str]) -> list[UUID]:
    found = []
    for word in words:
        if len(word) == 26:
            try:
                found.append(inside(word))
            except ValueError:
                continue
    return found


def begun(words: Collection[str]) -> dict[str, str]:
    """Attempts that these words name and that have taken nothing: order id → state. Money of theirs is not posted by
    hand: the provider is asked."""
    rows = Attempt.objects.filter(pk__in=_order_ids(words), times_paid=0).values_list("pk", "state")
    return {outside(pk): str(state) for pk, state in rows}


def deposits(words: Collection[str]) -> dict[str, tuple[UUID, str, int]]:
    """Deposits that the bank's list has told of and that are not in the ledger: ident → (line, state, amount)."""
    rows = DepositLine.objects.filter(ident__in=list(words), kind="deposit", attempt=None)
    return {each.ident: (each.pk, str(each.state), each.amount) for each in rows}


_OWED = """
    WITH owing AS (
        SELECT b.id, b.number, b.account_id, b.currency, b.probe,
               (b.amount + b.late_fee - b.paid - b.credited)::bigint AS remaining
        FROM billing_bill b WHERE b.state = 'open'
    ), alike AS (
        SELECT *, count(*) OVER (PARTITION BY remaining, currency) AS crowd
        FROM owing WHERE remaining = ANY(%(amounts)s)
    )
    SELECT id, number, account_id, remaining, currency, probe FROM owing WHERE number = ANY(%(words)s)
    UNION SELECT id, number, account_id, remaining, currency, probe FROM alike WHERE crowd <= %(crowd)s
"""


def owing(words: Collection[str], amounts: Collection[int]) -> list[Owed]:
    """Open bills that these words name, or that owe one of these amounts."""
    with connection.cursor() as cursor:
        cursor.execute(_OWED, {"words": list(words), "amounts": list(amounts), "crowd": SAME_AMOUNT})
        rows = cursor.fetchall()
    names = _holders({row[2] for row in rows})
    return [
        Owed(bill_id, number, account_id, remaining, currency, names.get(account_id, ""), probe)
        for bill_id, number, account_id, remaining, currency, probe in rows
    ]
