"""An outcome becomes durable: one transaction that moves the attempt, posts the money, records evidence and the news.

Whoever learns of an outcome first (the customer's own request, the worker, an inquiry after a doorbell, a file) brings
it here; under the account's lock the second to come finds it done.
"""

from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError
from django.db.models import QuerySet

from doenda.billing import post
from doenda.billing.models import Account
from doenda.kernel import clock, facts, once, outbox
from doenda.kernel.db import atomic, durable
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.notices import send
from doenda.payments import refunds, undoing
from doenda.payments.evidenced import failed, worked
from doenda.payments.listening import next_look
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import close_there, close_waiting, lock, move
from doenda.payments.owned import to_a_person
from doenda.payments.providers import get
from doenda.payments.providers.contract import Answer, Moves, Outcome
from doenda.payments.states import IN_FLIGHT, OVER, WAITING, State

FIRST_QUESTION = timedelta(seconds=2)
CERTAINLY_NOT = frozenset({Outcome.REFUSED, Outcome.EXPIRED, Outcome.OUR_FAULT, Outcome.GIVEN_BACK})
BEGUN = {
    Outcome.NEEDS_REDIRECT: State.NEEDS_REDIRECT,
    Outcome.NEEDS_DEPOSIT: State.NEEDS_DEPOSIT,
    Outcome.INSTRUCTED: State.INSTRUCTED,
}
_ANSWERED = frozenset({State.NEEDS_DEPOSIT, State.INSTRUCTED})
"""States that wait for what others do elsewhere: a certain "no" ends them."""


def begun(attempt: Attempt, answer: Answer) -> str | None:
    """Bring home what the provider answered to `start`. `attempt` is up to date afterwards.

    Returns the reason why the customer may not go on, if money of another attempt is moving for one of the bills.
    """
    if answer.outcome is Outcome.PAID:
        apply(attempt, answer, "taken at once")
        return None
    at_redirect = get(attempt.provider).methods[attempt.method] is Moves.AT_REDIRECT
    try:
        with atomic():
            lock(attempt)
            target = BEGUN.get(answer.outcome)
            if attempt.state != State.CREATED:
                if attempt.state == State.CLOSED and target is State.NEEDS_DEPOSIT:
                    close_there(attempt)  # another way was chosen while the provider opened it
                return None
            if answer.outcome is Outcome.CLOSED:
                move(attempt, State.CLOSED, "closed at this hour")
            elif target is None:
                refuse(attempt, answer)
            elif target is State.NEEDS_REDIRECT and at_redirect:
                _wait_for_the_customer(attempt, State.AT_PROVIDER, answer)
            else:
                _wait_for_the_customer(attempt, target, answer)
    except IntegrityError as error:
        if "bill_one_attempt_in_flight" not in str(error):
            raise
        with atomic():
            lock(attempt)
            move(attempt, State.CLOSED, "another attempt is moving money")
            close_there(attempt)
        return "busy"
    return None


def _wait_for_the_customer(attempt: Attempt, target: State, answer: Answer) -> None:
    details = dict(attempt.details)
    if answer.client:
        details["client"] = dict(answer.client)
    if into := answer.pay_into:
        details["pay_into"] = asdict(into) | {"until": into.until.isoformat() if into.until else ""}
    until = into.until if into and into.until else attempt.expires_at
    move(
        attempt,
        target,
        answer.code,
        provider_ref=answer.ref or None,
        redirect_url=answer.redirect_url,
        details=details,
        secret=answer.secret[:64],
        due_at=answer.due_at,
        expires_at=None if target is State.INSTRUCTED else until,
        ask_at=next_look(attempt, until) if target is State.NEEDS_DEPOSIT else None,
    )
    if target is State.INSTRUCTED:
        told = {"attempt": str(attempt.id), "due": answer.due_at.isoformat() if answer.due_at else ""}
        facts.record("payments.instructed", attempt.account_id, told)


def apply(attempt: Attempt, answer: Answer, cause: str, *, row: OutboxRow | None = None) -> None:
    """Bring a provider's answer to the attempt; also marks the outbox row done. `attempt` is up to date afterwards.

    `attempt` comes as it was when the provider was asked: an answer may be older than what we concluded since.
    """
    asked_in, asked_of = attempt.state, attempt.times_paid

    def work() -> None:
        account = lock(attempt)
        fresh = asked_in == attempt.state and asked_of == attempt.times_paid
        bring(account, attempt, answer, cause, fresh=fresh, asked_in=asked_in, row=row)
        if row is not None:
            outbox.finish(row)

    durable(work)


def bring(
    account: Account,
    attempt: Attempt,
    answer: Answer,
    cause: str,
    *,
    fresh: bool,
    asked_in: str,
    row: OutboxRow | None = None,
) -> None:
    """The same in the caller's transaction, with the account locked. `fresh`: nothing changed since it was asked."""
    said = answer.outcome
    if said is Outcome.PAID and attempt.state == State.PAID:
        undoing.compare(account, attempt, answer)
    elif said is Outcome.PAID and attempt.state in OVER and asked_in not in OVER:
        inquiry_due(attempt)
    elif said is Outcome.PAID:
        settle(account, attempt, answer, cause)
    elif attempt.state == State.PAID:
        if (
            fresh or said is Outcome.GIVEN_BACK
        ):  # what went back does not come again; what waits may have been paid since
            undoing.undo(account, attempt, answer, cause)
    elif attempt.state in _ANSWERED:
        if said in CERTAINLY_NOT and fresh:
            _end_waiting(attempt, answer, cause)
    elif attempt.state in IN_FLIGHT:
        if said in CERTAINLY_NOT and not _one_of_several(answer, row):
            refuse(attempt, answer)
        elif attempt.state == State.SENT:
            _unknown(attempt, answer)


def _end_waiting(attempt: Attempt, answer: Answer, cause: str) -> None:
    """A debit that the bank refused is a refusal; an account that is closed or too late was merely not used."""
    if answer.outcome in {Outcome.REFUSED, Outcome.OUR_FAULT}:
        refuse(attempt, answer)
    elif answer.outcome is Outcome.EXPIRED and attempt.state == State.NEEDS_DEPOSIT:
        move(attempt, State.EXPIRED, answer.code, ask_at=None)
    else:
        move(attempt, State.CLOSED, cause, ask_at=None)


def _one_of_several(answer: Answer, row: OutboxRow | None) -> bool:
    """Our fault is certain of the one request that met it; another one of the same charge may have arrived."""
    return answer.outcome is Outcome.OUR_FAULT and row is not None and outbox.tried_by_others(row)


def inquiry_due(attempt: Attempt) -> None:
    """Have the attempt asked about at the next sweep."""
    attempt.ask_at = clock.now()
    attempt.save(update_fields=["ask_at"])


def settle(account: Account, attempt: Attempt, answer: Answer, cause: str) -> None:
    """The provider took the money: post it once, close what else was begun, tell everyone. Needs the account's lock."""
    if attempt.state in (State.PAID, State.REVERSED):
        return
    if not _matches(attempt, answer):
        to_a_person(attempt, f"MISMATCH {answer.amount} {answer.currency} {answer.order_id}")
        return
    assert answer.amount is not None
    late, came_from = attempt.state in OVER, attempt.state
    now = clock.now()
    parts, others = _parts(attempt)
    attempt.times_paid += 1
    move(
        attempt,
        State.PAID,
        cause,
        settled_at=now,
        provider_ref=answer.ref or attempt.provider_ref or outside(attempt.id),
        ask_at=None,
        reason=answer.code,
        taken=answer.amount,
        times_paid=attempt.times_paid,
    )
    covered, beyond = _spread(parts, answer.amount)
    posted = post.payment(
        account,
        covered,
        beyond=beyond,
        provider=attempt.provider,
        fact_kind="payment",
        fact_id=attempt.fact_id,
        at=now,
    )
    if begun_too := _not_needed(others, {*posted.settled}):
        close_waiting(Attempt.objects.filter(pk__in=begun_too), "paid")
    if attempt.synthetic:
        refunds.ask(attempt, "probe")
    else:
        worked(attempt, at=answer.at if came_from in _ANSWERED or answer.at else attempt.sent_at)
        bill_id = covered[0][0] if covered else None
        send("receipt", account.id, bill_id=bill_id, params=receipt(attempt), key=f"receipt-{attempt.fact_id}")
        if posted.credit:
            refunds.open_case(account, attempt, posted.credit)
    facts.record(
        "payments.paid",
        account.id,
        {"attempt": str(attempt.id), "way": attempt.way, "amount": attempt.taken, "late": late},
    )


def _spread(parts: list[tuple[UUID, int]], amount: int) -> tuple[list[tuple[UUID, int]], int]:
    """What arrived over the bills that it was asked for, in their order; and what is left over."""
    covered = []
    for bill_id, asked in parts:
        part = min(asked, amount)
        if part:
            covered.append((bill_id, part))
        amount -= part
    return covered, amount


@dataclass(frozen=True, slots=True)
class _Begun:
    """An attempt that was begun for one of the bills that are being paid."""

    attempt_id: UUID
    bill_id: UUID
    state: str
    provider: str


@once.query
def _begun_for(attempt_id: once.Open) -> "QuerySet[AttemptBill, tuple[UUID, UUID, int, str, str]]":
    """Every attempt's part of the bills that this attempt is for."""
    mine = AttemptBill.objects.filter(attempt=attempt_id).values("bill")
    rows = AttemptBill.objects.filter(bill__in=mine).order_by("pk")
    return rows.values_list("attempt_id", "bill_id", "amount", "attempt__state", "attempt__provider")


def _parts(attempt: Attempt) -> tuple[list[tuple[UUID, int]], list[_Begun]]:
    """What part of the attempt is for which bill, and the other attempts that were begun for these bills."""
    found = _begun_for(attempt_id=attempt.pk)
    parts = [(bill_id, amount) for attempt_id, bill_id, amount, _, _ in found if attempt_id == attempt.pk]
    others = [_Begun(one, bill, state, by) for one, bill, _, state, by in found if one != attempt.pk]
    return parts, [each for each in others if each.state in WAITING]


def _not_needed(others: list[_Begun], settled: set[UUID]) -> set[UUID]:
    """What a payment makes needless: all that was begun for a bill that is settled; and of a bill that still owes,
    whatever was begun for another sum, but not an account into which any amount may be paid."""
    return {
        each.attempt_id
        for each in others
        if each.bill_id in settled or each.state != State.NEEDS_DEPOSIT or get(each.provider).exact
    }


def refuse(attempt: Attempt, answer: Answer) -> None:
    """Certainly nothing was taken. Needs the account's lock."""
    ours = answer.outcome is Outcome.OUR_FAULT
    was_unknown = attempt.state == State.UNKNOWN
    target = State.OUR_FAULT if ours and not was_unknown else State.REFUSED
    move(attempt, target, answer.code, reason=answer.code, settled_at=clock.now(), ask_at=None)
    if attempt.synthetic:
        return
    failed(attempt, by_us=ours)
    if was_unknown:
        send("refused_later", attempt.account_id, params=receipt(attempt), key=f"refused-{attempt.id}")
    kind = "payments.our_fault" if ours else "payments.refused"
    facts.record(kind, attempt.account_id, {"attempt": str(attempt.id), "way": attempt.way, "code": answer.code})


def _unknown(attempt: Attempt, answer: Answer) -> None:
    move(attempt, State.UNKNOWN, answer.code, reason=answer.code, ask_at=clock.now() + FIRST_QUESTION)
    if not attempt.synthetic:
        failed(attempt, by_us=True, unanswered=True)
    facts.record(
        "payments.unknown", attempt.account_id, {"attempt": str(attempt.id), "way": attempt.way, "code": answer.code}
    )


def _matches(attempt: Attempt, answer: Answer) -> bool:
    terms = get(attempt.provider)
    any_amount = not terms.exact and answer.amount is not None and answer.amount > 0
    wanted = answer.amount if any_amount else attempt.amount
    return (answer.order_id, answer.amount, answer.currency, answer.merchant) == (
        outside(attempt.id),
        wanted,
        attempt.currency,
        terms.merchant,
    )


def receipt(attempt: Attempt) -> dict[str, object]:
    """What a notice about the attempt needs to know."""
    return {
        "attempt": str(attempt.id),
        "amount": attempt.taken or attempt.amount,
        "currency": attempt.currency,
        "method": attempt.method,
    }
