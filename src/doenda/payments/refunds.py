"""Giving money back to where it came from: decided with its outbox row, done under one key, posted once.

Two kinds. A whole payment goes back, and its bills are owed again. Or what was overpaid goes back: it became the
customer's credit when it arrived (a `RefundCase`, with owner and day), and is set aside as soon as a refund is decided,
so that nothing else can spend it meanwhile. Above the policy's limit a second person must agree.
"""

from datetime import timedelta
from uuid import UUID

from doenda.billing import accounts, books, post
from doenda.billing.models import Account
from doenda.kernel import clock, facts, outbox, sweeps
from doenda.kernel.db import atomic, durable
from doenda.kernel.models import OutboxRow
from doenda.notices import send
from doenda.payments import policy, providers
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.owned import to_a_person
from doenda.payments.providers.contract import BackTo, Outcome
from doenda.payments.states import State

SYSTEM = "system"
STUCK_AFTER = timedelta(hours=24)


class NotAllowed(ValueError):
    """This refund may not be done so, or not by this person; the message says why."""


def ask(attempt: Attempt, reason: str, *, by: str = SYSTEM) -> Refund:
    """Decide to give the whole of a paid attempt back. In the caller's transaction; once a reason."""
    return _decide(attempt, attempt.taken or attempt.amount, reason, by=by, of_credit=False)


def _decide(attempt: Attempt, amount: int, reason: str, *, by: str, of_credit: bool) -> Refund:
    needs_two = not attempt.synthetic and amount > policy.now().four_eyes_above
    refund, made = Refund.objects.get_or_create(
        attempt=attempt,
        reason=reason,
        defaults={"amount": amount, "asked_by": by, "needs_two": needs_two, "of_credit": of_credit},
    )
    if made and not needs_two:
        _send_off(refund)
    return refund


def _send_off(refund: Refund) -> None:
    outbox.put("refund", str(refund.id), {}, account_id=refund.attempt.account_id)


def approve(refund_id: UUID, *, by: str) -> Refund:
    """The second pair of eyes. Raises NotAllowed for whoever asked, and where nothing waits for approval."""
    with atomic():
        refund = Refund.objects.select_related("attempt").get(pk=refund_id)
        accounts.lock(refund.attempt.account_id)
        refund = Refund.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=refund_id)
        if not refund.needs_two or refund.approved_by or refund.failed_at:
            raise NotAllowed("nothing waits for approval here")
        if by in {refund.asked_by, ""}:
            raise NotAllowed("somebody else must approve it")
        refund.approved_by = by
        refund.save(update_fields=["approved_by"])
        RefundCase.objects.filter(refund=refund, closed_at=None).update(owner="system")
        _send_off(refund)
        return refund


def open_case(account: Account, attempt: Attempt, amount: int) -> RefundCase:
    """Somebody paid `amount` too much with this attempt. With the account locked; once a payment.

    It goes back by itself to where it came from, where that is known and the sum is below the limit of two persons.
    """
    rules = policy.now()
    case, made = RefundCase.objects.get_or_create(
        fact_id=attempt.fact_id,
        defaults={
            "account": account,
            "attempt": attempt,
            "amount": amount,
            "currency": attempt.currency,
            "owner": "desk",
            "due_at": clock.now() + timedelta(days=rules.refund_days),
        },
    )
    if not made:
        return case
    if providers.get(attempt.provider).source_known and attempt.method not in rules.not_by_itself:
        give_credit_back(account, case, by=SYSTEM)
    told = {"amount": amount, "currency": attempt.currency, "back": "source" if case.refund_id else "asked"}
    send("overpaid", account.id, params=told, key=f"overpaid-{attempt.fact_id}")
    known = {"case": str(case.id), "amount": amount, "way": attempt.way, "back": told["back"]}
    facts.record("payments.overpaid", account.id, known)
    return case


def give_credit_back(account: Account, case: RefundCase, *, by: str, back_to: BackTo | None = None) -> Refund:
    """Decide that the case's credit goes back, and set it aside. With the account locked.

    Raises NotAllowed if the case is closed, has a refund on its way, or its credit has been used since.
    """
    if case.closed_at is not None or (case.refund and case.refund.failed_at is None):
        raise NotAllowed("this case is closed, or its refund is on its way")
    if books.credit(account.pk) < case.amount:
        case.closed_at, case.outcome = clock.now(), "used"
        case.save(update_fields=["closed_at", "outcome"])
        raise NotAllowed("the credit has paid other bills since")
    attempt = case.attempt
    tries = attempt.refunds.filter(of_credit=True).count()
    refund = _decide(attempt, case.amount, f"overpaid-{attempt.times_paid}-{tries}", by=by, of_credit=True)
    post.refund(
        account, case.amount, provider=attempt.provider, fact_kind="refund", fact_id=str(refund.id), at=clock.now()
    )
    if back_to is not None:
        keep = {"bank": back_to.bank, "number": back_to.number, "holder": back_to.holder}
        Attempt.objects.filter(pk=attempt.pk).update(details=attempt.details | {"back_to": keep})
    case.refund = refund
    case.owner = "desk" if refund.needs_two else "system"
    case.save(update_fields=["refund", "owner"])
    return refund


def forget(attempt: Attempt) -> None:
    """The payment came undone: nothing was overpaid any more. What is on its way back already, its provider refuses."""
    open_cases = RefundCase.objects.filter(attempt=attempt, closed_at=None, refund=None)
    open_cases.update(closed_at=clock.now(), outcome="undone")


@outbox.handles("refund", lease=20.0)
def send_refund(row: OutboxRow) -> outbox.Outcome:
    refund = Refund.objects.select_related("attempt").get(pk=UUID(row.key))
    if refund.done_at is not None or refund.failed_at is not None:
        return outbox.Sent()
    attempt = refund.attempt
    back = attempt.details.get("back_to")
    answer = providers.get(attempt.provider).refund(
        charge_of(attempt),
        amount=refund.amount,
        key=f"refund-{refund.id}",
        reason=refund.reason,
        back_to=BackTo(**back) if back else None,
    )
    if answer.outcome is Outcome.GIVEN_BACK:
        durable(lambda: _posted(refund, row))
        return outbox.Sent()
    if answer.outcome is Outcome.REFUSED:
        durable(lambda: _failed(refund, row, answer.code))
        return outbox.Sent()
    return outbox.Again(None, answer.code)


def reverse(account: Account, attempt: Attempt, fact: tuple[str, str], reason: str) -> None:
    """The provider has given a paid attempt's money back: take it out of the books. Needs the account's lock."""
    post.undo_payment("payment", attempt.fact_id, fact)
    move(attempt, State.REVERSED, reason, given_back=attempt.taken)
    facts.record("payments.reversed", account.id, {"attempt": str(attempt.id), "reason": reason})


def _posted(refund: Refund, row: OutboxRow) -> None:
    account, attempt = locked(refund.attempt_id)
    if attempt.state == State.PAID and refund.of_credit:
        attempt.given_back += refund.amount
        attempt.save(update_fields=["given_back"])
    elif attempt.state == State.PAID:
        reverse(account, attempt, ("refund", str(refund.id)), refund.reason)
    now = clock.now()
    Refund.objects.filter(pk=refund.pk).update(done_at=now)
    if RefundCase.objects.filter(refund=refund, closed_at=None).update(closed_at=now, outcome="refunded"):
        told = {"amount": refund.amount, "currency": attempt.currency, "method": attempt.method}
        send("refunded", account.id, params=told, key=f"refunded-{refund.id}")
    outbox.finish(row)


def _failed(refund: Refund, row: OutboxRow, code: str) -> None:
    """It will certainly not go back this way: what was set aside is credit again, and a person's case."""
    _, attempt = locked(refund.attempt_id)
    if refund.of_credit:
        post.undo_payment("refund", str(refund.id), ("refund_failed", str(refund.id)))
        RefundCase.objects.filter(refund=refund, closed_at=None).update(owner="desk")
    elif not attempt.synthetic:
        to_a_person(attempt, f"REFUND {code}")
    Refund.objects.filter(pk=refund.pk).update(failed_at=clock.now(), code=code[:80])
    outbox.finish(row)


@sweeps.sweep("stuck refunds", every=300)
def own_stuck(limit: int = 100) -> int:
    """A refund that nobody confirms for a day is still tried, and belongs to a person."""
    old = Refund.objects.filter(done_at=None, failed_at=None, created_at__lt=clock.now() - STUCK_AFTER)
    found = list(old.filter(attempt__person_owns_at=None).values_list("attempt_id", flat=True)[:limit])
    for attempt_id in found:
        with atomic():
            _, attempt = locked(attempt_id)
            to_a_person(attempt, "REFUND_NOT_CONFIRMED")
    return len(found)
