"""Giving money back to where it came from: decided with its outbox row, done under one key, posted once.

Two kinds. A whole payment goes back, and its bills are owed again. Or what was overpaid goes back: it became the
customer's credit when it arrived (a `RefundCase`, with owner and day), and is set aside as soon as a refund is decided,
so that nothing else can spend it meanwhile. Above the policy's limit a second person must agree.
"""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from doenda.billing import accounts, books, post
from doenda.billing.models import Account, ExternalFact
from doenda.kernel import clock, facts, outbox, sweeps
from doenda.kernel.db import atomic, durable
from doenda.kernel.models import OutboxRow
from doenda.kernel.sealing import open_sealed, seal
from doenda.notices import send
from doenda.payments import policy, providers
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import charge_of, locked, move
from doenda.payments.owned import to_a_person
from doenda.payments.providers.contract import BackTo, Outcome
from doenda.payments.staff import person
from doenda.payments.states import State

SYSTEM = "system"
SLOWLY = 600.0
"""Seconds until a refund is asked about again that waits for somebody's hand, or for the next file."""


class NotAllowed(ValueError):
    """This refund may not be done so, or not by this person; the message says why."""


def ask(attempt: Attempt, reason: str, *, by: str = SYSTEM) -> Refund:
    """Decide to give back the whole of a paid attempt, or what of it is still here. In the caller's transaction, with
    the account locked; the same reason again is the same refund, unless that one failed.

    What of it is the customer's credit by now (a bill was cancelled) is set aside first, as a refund of its own.
    Raises NotAllowed for a payment that does not stand, of which everything goes back already, or that has paid for
    something else since.
    """
    key = reason if attempt.times_paid < 2 else f"{reason}@{attempt.times_paid}"
    found = [each for each in attempt.refunds.all() if each.reason.partition("#")[0] == key]
    standing = [each for each in found if each.failed_at is None]
    if whole := next((each for each in standing if not each.of_credit), None):
        return whole
    waiting = attempt.refunds.filter(of_credit=True, needs_two=True, approved_by="", done_at=None, failed_at=None)
    for part in waiting.exclude(pk__in=[each.pk for each in standing]):
        withdraw(part, "THE_WHOLE_GOES_BACK")
    left = attempt.taken - given(attempt)
    if attempt.state == State.PAID and not left and standing:
        return standing[0]
    if attempt.state != State.PAID or left <= 0:
        raise NotAllowed("nothing of this payment is left to give back")
    needs_two = _needs_two(attempt, left)
    aside = None
    if of_credit := _of_credit(attempt, left):
        aside = _decide(attempt, of_credit, _named(key, len(found)), by=by, of_credit=True, needs_two=needs_two)
        _set_aside(aside)
        RefundCase.objects.filter(fact_id=attempt.fact_id, closed_at=None).update(refund=aside, owner=_owner(aside))
    if aside is not None and of_credit == left:
        return aside
    again = len(found) + (aside is not None)
    return _decide(attempt, left - of_credit, _named(key, again), by=by, of_credit=False, needs_two=needs_two)


def _named(key: str, again: int) -> str:
    return f"{key}#{again}" if again else key


def _of_credit(attempt: Attempt, left: int) -> int:
    """What of the rest of a payment is the customer's credit now. Raises NotAllowed if that has paid something else."""
    if attempt.synthetic:
        return 0
    gone = sum(each.amount for each in _standing(attempt) if each.of_credit)
    part = min(left, post.turned_to_credit("payment", attempt.fact_id) - gone)
    if part > books.credit(attempt.account_id):
        raise NotAllowed("this money has paid another bill since")
    return max(part, 0)


def _set_aside(refund: Refund) -> None:
    attempt = refund.attempt
    account = accounts.lock(attempt.account_id)
    fact = {"fact_kind": "refund", "fact_id": str(refund.id)}
    post.refund(account, refund.amount, provider=attempt.provider, at=clock.now(), **fact)


def _owner(refund: Refund) -> str:
    return "desk" if refund.needs_two else "system"


def given(attempt: Attempt) -> int:
    """What of the present payment went back, or is to (minor units)."""
    return sum(each.amount for each in _standing(attempt))


def _standing(attempt: Attempt) -> "QuerySet[Refund]":
    return attempt.refunds.filter(failed_at=None, created_at__gte=_since(attempt))


def _since(attempt: Attempt) -> datetime:
    """A deposit may come undone and be made again: refunds before that were of another payment."""
    return attempt.undone_at or attempt.created_at


def _needs_two(attempt: Attempt, amount: int) -> bool:
    return not attempt.synthetic and amount > policy.now().four_eyes_above


def _decide(
    attempt: Attempt,
    amount: int,
    reason: str,
    *,
    by: str,
    of_credit: bool,
    needs_two: bool,
    back_to: BackTo | None = None,
) -> Refund:
    refund = Refund.objects.create(
        attempt=attempt,
        reason=reason,
        amount=amount,
        asked_by=by,
        needs_two=needs_two,
        of_credit=of_credit,
        back_to=seal(json.dumps(asdict(back_to)).encode()) if back_to else None,
    )
    if not needs_two:
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
        if not by or person(by) == person(refund.asked_by):
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
    if attempt.method not in providers.get(attempt.provider).source_unknown:
        give_credit_back(account, case, by=SYSTEM)
    told = {"amount": amount, "currency": attempt.currency, "back": "source" if case.refund_id else "asked"}
    send("overpaid", account.id, params=told, key=f"overpaid-{attempt.fact_id}")
    known = {"case": str(case.id), "amount": amount, "way": attempt.way, "back": told["back"]}
    facts.record("payments.overpaid", account.id, known)
    return case


def give_credit_back(account: Account, case: RefundCase, *, by: str, back_to: BackTo | None = None) -> Refund | None:
    """Decide that what is left of the case's credit goes back, and set it aside. With the account locked.

    None: the credit has paid other bills since, and the case is closed. Raises NotAllowed if the case is closed, its
    payment does not stand, or its refund is on its way.
    """
    attempt = case.attempt
    if case.closed_at is not None or (case.refund and case.refund.failed_at is None):
        raise NotAllowed("this case is closed, or its refund is on its way")
    if attempt.state != State.PAID:
        raise NotAllowed("the payment does not stand any more")
    amount = min(case.amount, books.credit(account.pk))
    if not amount:
        _close(case, "used")
        return None
    tries = attempt.refunds.filter(of_credit=True).count()
    reason = f"overpaid-{attempt.times_paid}-{tries}"
    needs_two = _needs_two(attempt, amount)
    refund = _decide(attempt, amount, reason, by=by, of_credit=True, needs_two=needs_two, back_to=back_to)
    _set_aside(refund)
    case.refund, case.owner = refund, _owner(refund)
    case.save(update_fields=["refund", "owner"])
    return refund


def _close(case: RefundCase, outcome: str) -> None:
    case.closed_at, case.outcome = clock.now(), outcome
    case.save(update_fields=["closed_at", "outcome"])


def withdraw(refund: Refund, code: str) -> None:
    """It will certainly not go back this way: what was set aside is credit again, and a person's case while the payment
    stands. With the account locked."""
    if refund.of_credit and not _merged(refund):
        post.undo_payment("refund", str(refund.pk), ("refund_failed", str(refund.pk)))
    refund.failed_at, refund.code = clock.now(), code[:80]
    refund.save(update_fields=["failed_at", "code"])
    stands = Attempt.objects.filter(pk=refund.attempt_id, state=State.PAID).exists()
    for case in RefundCase.objects.filter(refund=refund, closed_at=None):
        if stands:
            case.owner = "desk"
            case.save(update_fields=["owner"])
        else:
            _close(case, "undone")


def forget(attempt: Attempt, outcome: str = "undone") -> None:
    """The payment stands no more, so nothing was overpaid. What is on its way back already, its provider refuses; what
    waits for a second person is withdrawn. With the account locked."""
    for refund in attempt.refunds.filter(needs_two=True, approved_by="", done_at=None, failed_at=None):
        withdraw(refund, "UNDONE")
    for case in RefundCase.objects.filter(attempt=attempt, closed_at=None).select_related("refund"):
        if case.refund is None or case.refund.failed_at is not None:
            _close(case, outcome)


@outbox.handles("refund", lease=20.0)
def send_refund(row: OutboxRow) -> outbox.Outcome:
    refund = Refund.objects.select_related("attempt").get(pk=UUID(row.key))
    if refund.done_at is not None or refund.failed_at is not None:
        return outbox.Sent()
    attempt = refund.attempt
    earlier = refund.created_at < _since(attempt)
    stands = attempt.state == State.PAID and not earlier
    terms = providers.get(attempt.provider)
    bound = terms.refunds_later and row.tries > 1
    if not stands and not bound and not (refund.of_credit and attempt.state == State.REVERSED):
        durable(lambda: _failed(refund, row, "UNDONE"))
        return outbox.Sent()
    answer = terms.refund(
        charge_of(attempt),
        amount=refund.amount,
        key=f"refund-{refund.id}",
        reason=refund.reason,
        back_to=BackTo(**json.loads(open_sealed(refund.back_to))) if refund.back_to else None,
    )
    if answer.outcome is Outcome.GIVEN_BACK:
        durable(lambda: _posted(refund, row))
        return outbox.Sent()
    if answer.outcome is Outcome.REFUSED:
        durable(lambda: _failed(refund, row, answer.code))
        return outbox.Sent()
    return outbox.Again(SLOWLY if answer.outcome is Outcome.PENDING else None, answer.code)


def reverse(account: Account, attempt: Attempt, fact: tuple[str, str], reason: str) -> None:
    """The provider has given a paid attempt's money back: take it out of the books. Needs the account's lock.

    What of it went back as credit before is part of the whole: its own postings are undone with it.
    """
    for refund in _standing(attempt).filter(of_credit=True):
        post.undo_payment("refund", str(refund.pk), ("refund_merged", str(refund.pk)))
    post.undo_payment("payment", attempt.fact_id, fact)
    move(attempt, State.REVERSED, reason, given_back=attempt.taken)
    forget(attempt, "given_back")
    facts.record("payments.reversed", account.id, {"attempt": str(attempt.id), "reason": reason})


def _caseless(refund: Refund) -> bool:
    """Credit of a cancelled bill: nobody paid too much, so nobody's case tells what became of it."""
    return refund.of_credit and not RefundCase.objects.filter(refund=refund).exists()


def _merged(refund: Refund) -> bool:
    return ExternalFact.objects.filter(kind="refund_merged", external_id=str(refund.pk)).exists()


def _posted(refund: Refund, row: OutboxRow) -> None:
    account, attempt = locked(refund.attempt_id)
    if _over(refund, row):
        return
    stands, earlier = attempt.state == State.PAID, refund.created_at < _since(attempt)
    if stands and not earlier and refund.of_credit:
        attempt.given_back += refund.amount
        attempt.save(update_fields=["given_back"])
    elif stands and not earlier:
        reverse(account, attempt, ("refund", str(refund.id)), refund.reason)
    elif not refund.of_credit:
        if earlier or attempt.state == State.UNDONE:
            fact = {"fact_kind": "refund", "fact_id": str(refund.id)}
            post.doubly_returned(account, refund.amount, provider=attempt.provider, at=clock.now(), **fact)
        to_a_person(attempt, f"REFUNDED WHEN {attempt.state}")
    now = clock.now()
    Refund.objects.filter(pk=refund.pk).update(done_at=now)
    closed = RefundCase.objects.filter(refund=refund, closed_at=None).update(closed_at=now, outcome="refunded")
    if closed or (_caseless(refund) and stands):
        told = {"amount": refund.amount, "currency": attempt.currency, "method": attempt.method}
        send("refunded", account.id, params=told, key=f"refunded-{refund.id}")
    outbox.finish(row)


def _over(refund: Refund, row: OutboxRow) -> bool:
    """Has another sender, who had the row after our lease ran out, brought its answer home? With the account locked."""
    refund.refresh_from_db(fields=["done_at", "failed_at"])
    if refund.done_at is None and refund.failed_at is None:
        return False
    outbox.finish(row)
    return True


def _failed(refund: Refund, row: OutboxRow, code: str) -> None:
    _, attempt = locked(refund.attempt_id)
    if _over(refund, row):
        return
    withdraw(refund, code)
    alone = not refund.of_credit or _caseless(refund)
    if not attempt.synthetic and (_merged(refund) or (alone and attempt.state == State.PAID)):
        to_a_person(attempt, f"REFUND {code}")
    outbox.finish(row)


@sweeps.sweep("stuck refunds", every=300)
def own_stuck(limit: int = 100) -> int:
    """A refund that its provider does not confirm in its time is still tried, and belongs to a person."""
    done, now = 0, clock.now()
    sent_off = Refund.objects.filter(done_at=None, failed_at=None).exclude(needs_two=True, approved_by="")
    for name in settings.DOENDA_PROVIDERS:
        late = sent_off.filter(attempt__provider=name, created_at__lt=now - providers.get(name).refund_within)
        found = late.filter(attempt__person_owns_at=None).values_list("attempt_id", flat=True)
        for attempt_id in found[: limit - done]:
            done += 1
            with atomic():
                _, attempt = locked(attempt_id)
                to_a_person(attempt, "REFUND_NOT_CONFIRMED")
    return done
