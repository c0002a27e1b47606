"""What an outcome means for many attempts at once: the set-based twin of `outcomes.settle` and `outcomes.refuse`.

Only the plain case comes here: an attempt that waits, whose bills are open and owe at least what it asked for, for
which nothing else was begun, on an account that is no probe. Whatever else there is goes one by one through
`outcomes.apply`. Tests hold the rows of both against each other. Facts are told by the sweep, not at once: thousands
of subscribers' calls have no place in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from doenda.billing import books
from doenda.billing.models import Account, AccountRole, ExternalFact, Posting
from doenda.kernel import clock, facts, sweeps, texts
from doenda.kernel.models import OutboxRow
from doenda.notices import kinds, policy, sending
from doenda.notices.models import Notice
from doenda.payments import evidenced
from doenda.payments.models import Attempt, AttemptBill, AttemptMove
from doenda.payments.outcomes import receipt
from doenda.payments.providers.contract import Outcome
from doenda.payments.states import WAITING, State

REFUSALS = frozenset({Outcome.REFUSED, Outcome.OUR_FAULT})

# The bills of the debit owe what they did when it was instructed, or more; nothing else was begun for them.
_PLAIN = """
    SELECT a.id FROM payments_attempt a
    WHERE a.id = ANY(%(ids)s) AND a.state = ANY(%(states)s) AND NOT a.synthetic AND a.times_paid = 0
      AND a.amount = (SELECT sum(p.amount) FROM payments_attemptbill p WHERE p.attempt_id = a.id)
      AND NOT EXISTS (
        SELECT FROM payments_attemptbill p JOIN billing_bill b ON b.id = p.bill_id
        WHERE p.attempt_id = a.id AND (b.state <> 'open' OR b.account_id <> a.account_id
            OR b.amount + b.late_fee - b.paid - b.credited < p.amount))
      AND NOT EXISTS (
        SELECT FROM payments_attemptbill p JOIN payments_attemptbill q ON q.bill_id = p.bill_id
        JOIN payments_attempt o ON o.id = q.attempt_id
        WHERE p.attempt_id = a.id AND o.id <> a.id AND o.state = ANY(%(waiting)s))
"""

_BILLS = """
    UPDATE billing_bill b SET paid = b.paid + take.part,
        state = CASE WHEN take.rest = take.part THEN 'settled' ELSE 'open' END,
        closed_at = CASE WHEN take.rest = take.part THEN %(now)s::timestamptz END
    FROM (SELECT p.bill_id, sum(p.amount) AS part, min(o.amount + o.late_fee - o.paid - o.credited) AS rest
          FROM payments_attemptbill p JOIN billing_bill o ON o.id = p.bill_id
          WHERE p.attempt_id = ANY(%(ids)s) GROUP BY p.bill_id) take
    WHERE b.id = take.bill_id RETURNING b.id, b.state
"""


@dataclass(frozen=True, slots=True)
class Due:
    """An attempt, locked with its account; the provider's word for its outcome, and since when that proves its way."""

    account: Account
    attempt: Attempt
    word: str
    at: datetime
    outcome: Outcome = Outcome.PAID


def plain(attempt_ids: Sequence[UUID], states: Collection[State]) -> set[UUID]:
    """Which of these attempts, whose accounts are locked and which are in one of `states`, can be settled set-wise."""
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN, {"ids": list(attempt_ids), "states": sorted(states), "waiting": sorted(WAITING)})
        return {row[0] for row in cursor.fetchall()}


def settle(paid: Sequence[Due], cause: str) -> None:
    """Post the money of plain attempts and tell everyone. In the caller's transaction, with the accounts locked."""
    if not paid:
        return
    parts = _parts([due.attempt.pk for due in paid])
    for due in paid:
        due.attempt.times_paid, due.attempt.taken = due.attempt.times_paid + 1, due.attempt.amount
    _ledger(paid, parts)
    settled = _take([due.attempt.pk for due in paid])
    _move(paid, State.PAID, cause, {"taken": F("amount"), "times_paid": F("times_paid") + 1})
    for due in paid:
        evidenced.worked(due.attempt, at=due.at)
    _receipts(paid, parts)
    posted = [(due.account.pk, _posted(due, parts[due.attempt.pk], settled)) for due in paid]
    facts.record_many("billing.payment_posted", posted)
    told = ("attempt", "way", "amount", "late")
    facts.record_many(
        "payments.paid",
        [
            (d.account.pk, dict(zip(told, (str(d.attempt.pk), d.attempt.way, d.attempt.taken, False), strict=True)))
            for d in paid
        ],
    )


def _posted(due: Due, parts: Sequence[tuple[UUID, int]], settled: set[UUID]) -> dict[str, Any]:
    bill_ids = [bill_id for bill_id, _ in parts]
    return {
        "bill_ids": [str(each) for each in bill_ids],
        "settled_bill_ids": [str(each) for each in bill_ids if each in settled],
        "amount": due.attempt.amount,
        "credit": 0,
        "currency": due.attempt.currency,
        "fact": ["payment", due.attempt.fact_id],
    }


def _parts(attempt_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, int]]]:
    found: dict[UUID, list[tuple[UUID, int]]] = {each: [] for each in attempt_ids}
    rows = AttemptBill.objects.filter(attempt__in=attempt_ids).order_by("pk")
    for attempt_id, bill_id, amount in rows.values_list("attempt_id", "bill_id", "amount"):
        found[attempt_id].append((bill_id, amount))
    return found


def _ledger(paid: Sequence[Due], parts: Mapping[UUID, Sequence[tuple[UUID, int]]]) -> None:
    """Facts and postings, as billing.post writes them for one. A fact that is there already voids the transaction."""
    now = clock.now()
    ExternalFact.objects.bulk_create(
        ExternalFact(
            kind="payment",
            external_id=due.attempt.fact_id,
            at=now,
            account_id=due.account.pk,
            data={"amount": due.attempt.amount, "currency": due.account.currency, "provider": due.attempt.provider},
        )
        for due in paid
    )
    Posting.objects.bulk_create(
        Posting(
            at=now,
            source_book_id=due.account.pk,
            target_book_id=books.of_carrier(books.clearing(due.attempt.provider), due.account),
            amount=amount,
            currency=due.account.currency,
            account_id=due.account.pk,
            bill_id=bill_id,
            fact_kind="payment",
            fact_id=due.attempt.fact_id,
            leg=leg,
        )
        for due in paid
        for leg, (bill_id, amount) in enumerate(parts[due.attempt.pk])
    )


def _take(attempt_ids: Sequence[UUID]) -> set[UUID]:
    """Let the bills take what is theirs; returns those that are settled by it."""
    with connection.cursor() as cursor:
        cursor.execute(_BILLS, {"ids": list(attempt_ids), "now": clock.now()})
        return {bill_id for bill_id, state in cursor.fetchall() if state == "settled"}


def refuse(refused: Sequence[Due]) -> None:
    """Certainly nothing was taken. In the caller's transaction, with the accounts locked; none of them a probe."""
    for outcome, target, kind in (
        (Outcome.REFUSED, State.REFUSED, "payments.refused"),
        (Outcome.OUR_FAULT, State.OUR_FAULT, "payments.our_fault"),
    ):
        mine = [due for due in refused if due.outcome is outcome]
        _move(mine, target, "", {})
        for due in mine:
            evidenced.failed(due.attempt, by_us=outcome is Outcome.OUR_FAULT)
        said = [(d.account.pk, {"attempt": str(d.attempt.pk), "way": d.attempt.way, "code": d.word}) for d in mine]
        facts.record_many(kind, said)


def _move(moved: Sequence[Due], target: State, cause: str, more: Mapping[str, Any]) -> None:
    """The attempts and their moves; the database refuses an undeclared edge. `cause` "": the result's word."""
    now, alike = clock.now(), dict[str, list[UUID]]()
    AttemptMove.objects.bulk_create(
        AttemptMove(attempt=due.attempt, source=due.attempt.state, target=target, cause=cause or due.word)
        for due in moved
    )
    for due in moved:
        alike.setdefault(due.word, []).append(due.attempt.pk)
        due.attempt.state, due.attempt.reason, due.attempt.ask_at, due.attempt.settled_at = target, due.word, None, now
    for word, ids in alike.items():
        Attempt.objects.filter(pk__in=ids).update(state=target, reason=word, ask_at=None, settled_at=now, **more)


def _receipts(paid: Sequence[Due], parts: Mapping[UUID, Sequence[tuple[UUID, int]]]) -> None:
    """What notices.send writes for one receipt."""
    now, legal = clock.now(), "receipt" in policy.current().legal
    party = _recipients([due.account.pk for due in paid])
    made = []
    for due in paid:
        params = {name: sending.plain(value) for name, value in receipt(due.attempt).items()}
        kinds.check("receipt", params)
        to = party.get(due.account.pk)
        lang = to[1] if to is not None and to[1] in texts.LANGUAGES else texts.LANGUAGES[0]
        made.append(
            Notice(
                account_id=due.account.pk,
                bill_id=parts[due.attempt.pk][0][0],
                party_id=to[0] if to else None,
                kind="receipt",
                lang=lang,
                params=params,
                key=f"receipt-{due.attempt.fact_id}",
                due_at=now,
                legal=legal,
            )
        )
    Notice.objects.bulk_create(made)
    OutboxRow.objects.bulk_create(
        OutboxRow(
            kind=sending.OUTBOX,
            key=str(each.pk),
            payload={"notice": str(each.pk)},
            account_id=each.account_id,
            due_at=now,
        )
        for each in made
    )
    sweeps.nudge("outbox")


def _recipients(account_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """Account to (party, language), as notices' `recipient` finds it: the oldest holder, else the oldest payer."""
    found: dict[UUID, tuple[UUID, str]] = {}
    for role in (AccountRole.Role.HOLDER, AccountRole.Role.PAYER):
        rows = AccountRole.objects.filter(account_id__in=account_ids, role=role, line=None)
        listed = rows.order_by("created_at", "party_id").values_list("account_id", "party_id", "party__language")
        mine: dict[UUID, tuple[UUID, str]] = {}
        for account_id, party_id, lang in listed:
            mine.setdefault(account_id, (party_id, lang))
        found = mine | found
    return found
