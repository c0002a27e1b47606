"""What an outcome means for many attempts at once: the set-based twin of `outcomes.settle` and `outcomes.refuse`.

Only the plain case comes here: an attempt that waits, whose bills are open and owe at least what it asked for, for
which nothing else was begun, on an account that is no probe. More or less than it asked for may have arrived: what no
bill takes is credit, with its case. Whatever else there is goes one by one through `outcomes.apply`. Tests hold the
rows of both against each other. Facts are told by the sweep, not at once: thousands of subscribers' calls have no place
in one transaction.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from doenda.billing import books, owed
from doenda.billing.models import Account, AccountRole, ExternalFact, Posting
from doenda.kernel import clock, facts, many, sweeps, texts
from doenda.kernel.ids import new_id
from doenda.kernel.models import OutboxRow
from doenda.notices import kinds, policy, sending
from doenda.notices.models import Notice
from doenda.payments import evidenced, refunds
from doenda.payments.models import Attempt, AttemptBill, AttemptMove
from doenda.payments.outcomes import receipt
from doenda.payments.providers.contract import Outcome
from doenda.payments.states import WAITING, State

REFUSALS = frozenset({Outcome.REFUSED, Outcome.OUR_FAULT})

# The bills owe what they did when the attempt began, or more; nothing else was begun for them.
_PLAIN = """
    SELECT a.id FROM payments_attempt a
    WHERE a.id = ANY(%(ids)s) AND a.state = ANY(%(states)s) AND NOT a.synthetic AND a.times_paid = 0
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
        state = CASE WHEN b.amount + b.late_fee - b.paid - b.credited = take.part THEN 'settled' ELSE 'open' END,
        closed_at = CASE WHEN b.amount + b.late_fee - b.paid - b.credited = take.part THEN %(now)s::timestamptz END
    FROM (SELECT bill_id, sum(part) AS part FROM unnest(%(bills)s::uuid[], %(parts)s::bigint[]) AS u (bill_id, part)
          GROUP BY bill_id) take
    WHERE b.id = take.bill_id RETURNING b.id, b.state
"""


@dataclass(frozen=True, slots=True)
class Due:
    """An attempt, locked with its account; the provider's word for its outcome, and since when that proves its way.

    `arrived`: how much was paid (minor units), if not what was asked for.
    """

    account: Account
    attempt: Attempt
    word: str
    at: datetime
    outcome: Outcome = Outcome.PAID
    arrived: int | None = None


@dataclass(frozen=True, slots=True)
class _Paid:
    """What of it is for which bill, and what is too much."""

    due: Due
    covered: Sequence[tuple[UUID, int]]
    beyond: int

    @property
    def account(self) -> Account:
        return self.due.account

    @property
    def attempt(self) -> Attempt:
        return self.due.attempt


def plain(attempt_ids: Sequence[UUID], states: Collection[State]) -> set[UUID]:
    """Which of these attempts, whose accounts are locked and which are in one of `states`, can be settled set-wise."""
    with connection.cursor() as cursor:
        cursor.execute(_PLAIN, {"ids": list(attempt_ids), "states": sorted(states), "waiting": sorted(WAITING)})
        return {row[0] for row in cursor.fetchall()}


def settle(due: Sequence[Due], cause: str) -> None:
    """Post the money of plain attempts and tell everyone. In the caller's transaction, with the accounts locked.

    An attempt's `provider_ref` is written as it stands in `due`.
    """
    if not due:
        return
    paid = _spread(due)
    _ledger(paid)
    settled = _take(paid)
    taken = {name: [getattr(each.attempt, name) for each in paid] for name in ("taken", "times_paid", "provider_ref")}
    _move(due, State.PAID, cause, taken)
    evidenced.worked_many([(each.attempt, each.at) for each in due])
    _receipts(paid)
    for each in paid:
        if each.beyond:
            refunds.open_case(each.account, each.attempt, each.beyond)
    facts.record_many("billing.payment_posted", [(each.account.pk, _posted(each, settled)) for each in paid])
    facts.record_many("payments.paid", [(each.account.pk, _told(each.attempt)) for each in paid])


def _told(attempt: Attempt) -> dict[str, Any]:
    return {"attempt": str(attempt.pk), "way": attempt.way, "amount": attempt.taken, "late": False}


def _posted(paid: _Paid, settled: set[UUID]) -> dict[str, Any]:
    bill_ids = [bill_id for bill_id, _ in paid.covered]
    return {
        "bill_ids": [str(each) for each in bill_ids],
        "settled_bill_ids": [str(each) for each in bill_ids if each in settled],
        "amount": paid.attempt.taken,
        "credit": paid.beyond,
        "currency": paid.attempt.currency,
        "fact": ["payment", paid.attempt.fact_id],
    }


def _spread(due: Sequence[Due]) -> list[_Paid]:
    """What arrived over the bills that it was asked for, in their order. Brings the attempts up to date."""
    parts: dict[UUID, list[tuple[UUID, int]]] = {each.attempt.pk: [] for each in due}
    rows = AttemptBill.objects.filter(attempt__in=list(parts)).order_by("pk")
    for attempt_id, bill_id, amount in rows.values_list("attempt_id", "bill_id", "amount"):
        parts[attempt_id].append((bill_id, amount))
    paid = []
    for each in due:
        attempt = each.attempt
        attempt.taken = attempt.amount if each.arrived is None else each.arrived
        attempt.times_paid += 1
        covered = owed.spread(parts[attempt.pk], attempt.taken)
        paid.append(_Paid(each, covered, attempt.taken - sum(part for _, part in covered)))
    return paid


def _ledger(paid: Sequence[_Paid]) -> None:
    """Facts and postings, as billing.post writes them for one. A fact that is there already voids the transaction."""
    now = clock.now()
    told = [
        {"amount": each.attempt.taken, "currency": each.account.currency, "provider": each.attempt.provider}
        for each in paid
    ]
    by_fact: many.Columns = {
        "external_id": [each.attempt.fact_id for each in paid],
        "account_id": [each.account.pk for each in paid],
        "data": told,
    }
    many.insert(ExternalFact, by_fact, kind="payment", at=now)
    legs = [(each, leg, *move) for each in paid for leg, move in enumerate(_moves(each))]
    clearing = _clearing(paid)
    by_leg: many.Columns = {
        "source_book_id": [source for _, _, source, _, _ in legs],
        "target_book_id": [clearing[each.attempt.provider, each.account.currency] for each, *_ in legs],
        "amount": [amount for _, _, _, amount, _ in legs],
        "currency": [each.account.currency for each, *_ in legs],
        "account_id": [each.account.pk for each, *_ in legs],
        "bill_id": [bill_id for *_, bill_id in legs],
        "fact_id": [each.attempt.fact_id for each, *_ in legs],
        "leg": [leg for _, leg, *_ in legs],
    }
    many.insert(Posting, by_leg, at=now, fact_kind="payment")


def _clearing(paid: Sequence[_Paid]) -> dict[tuple[str, str], UUID]:
    """The carrier's books that their money comes into; none of the accounts is a probe."""
    alike = {(each.attempt.provider, each.account.currency): each.account for each in paid}
    return {key: books.of_carrier(books.clearing(key[0]), account) for key, account in alike.items()}


def _moves(paid: _Paid) -> Iterator[tuple[UUID, int, UUID | None]]:
    """From which book, how much, for which bill."""
    for bill_id, part in paid.covered:
        yield paid.account.pk, part, bill_id
    if paid.beyond:
        yield books.of_account(paid.account, books.CREDIT), paid.beyond, None


def _take(paid: Sequence[_Paid]) -> set[UUID]:
    """Let the bills take what is theirs; returns those that are settled by it."""
    parts = [part for each in paid for part in each.covered]
    bills, amounts = [bill_id for bill_id, _ in parts], [amount for _, amount in parts]
    with connection.cursor() as cursor:
        cursor.execute(_BILLS, {"bills": bills, "parts": amounts, "now": clock.now()})
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


def _move(moved: Sequence[Due], target: State, cause: str, more: many.Columns) -> None:
    """The attempts and their moves; the database refuses an undeclared edge. `cause` "": the result's word."""
    now, ids = clock.now(), [due.attempt.pk for due in moved]
    if not ids:
        return
    steps: many.Columns = {
        "attempt_id": ids,
        "source": [due.attempt.state for due in moved],
        "cause": [cause or due.word for due in moved],
    }
    many.insert(AttemptMove, steps, target=target)
    for due in moved:
        due.attempt.state, due.attempt.reason, due.attempt.ask_at, due.attempt.settled_at = target, due.word, None, now
    words = {"reason": [due.word for due in moved]}
    many.update(Attempt, ids, {**words, **more}, state=target, ask_at=None, settled_at=now)


def _receipts(paid: Sequence[_Paid]) -> None:
    """What notices.send writes for one receipt."""
    now = clock.now()
    party = _recipients([each.account.pk for each in paid])
    told = [{name: sending.plain(value) for name, value in receipt(each.attempt).items()} for each in paid]
    for params in told:
        kinds.check("receipt", params)
    ids, accounts = [new_id() for _ in paid], [each.account.pk for each in paid]
    to = [party.get(account_id, (None, "")) for account_id in accounts]
    notices: many.Columns = {
        "id": ids,
        "account_id": accounts,
        "bill_id": [each.covered[0][0] if each.covered else None for each in paid],
        "party_id": [party_id for party_id, _ in to],
        "lang": [lang if lang in texts.LANGUAGES else texts.LANGUAGES[0] for _, lang in to],
        "params": told,
        "key": [f"receipt-{each.attempt.fact_id}" for each in paid],
    }
    many.insert(Notice, notices, kind="receipt", due_at=now, legal="receipt" in policy.current().legal)
    keys = [str(notice_id) for notice_id in ids]
    effects: many.Columns = {"key": keys, "payload": [{"notice": key} for key in keys], "account_id": accounts}
    many.insert(OutboxRow, effects, kind=sending.OUTBOX, due_at=now)
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
