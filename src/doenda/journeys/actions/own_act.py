"""What waits for the payer's own act (an account, a slip) or for the bank's (a debit), and standing authority to it."""

import hashlib
from datetime import timedelta
from uuid import UUID

from doenda.dunning import promises
from doenda.journeys.actions.binding import Answered, Context, action
from doenda.journeys.actions.promising import promised
from doenda.journeys.actions.receipts import ended, paid_before, receipt, refused
from doenda.journeys.consent import shown
from doenda.journeys.declarations import ATTEMPT, UNTIL
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import attempts, inquiry
from doenda.payments.debit import mandates
from doenda.payments.debit.policy import in_force
from doenda.payments.models import Attempt


@action
def look_account(context: Context) -> Answered:
    """Ask now whether the money is there: a doorbell may have been lost."""
    if answered := _overtaken(context):
        return answered
    inquiry.ask(Attempt.objects.get(pk=UUID(context.data[ATTEMPT])))
    if answered := _overtaken(context):
        return answered
    return "waits", {}


@action
def promise_account(context: Context) -> Answered:
    """The customer will bring it: the clock stands until the account's last day, as far as the policy allows."""
    if answered := _overtaken(context):
        return answered
    attempt = Attempt.objects.get(pk=UUID(context.data[ATTEMPT]))
    last = clock.local((attempt.expires_at or clock.now()) - timedelta(minutes=1)).date()
    day = max(clock.today(), min(last, promises.last_day_allowed()))
    with atomic():
        made = promises.by_customer(context.account.id, [context.bill.id], day=day, key=f"account-{attempt.id}")
    return ("not_allowed", {}) if made is None else ("done", {UNTIL: made.until.isoformat()})


def _overtaken(context: Context) -> Answered | None:
    """What makes the account useless: it was paid into, something else paid or is paying, its time is over."""
    seen = attempts.look(UUID(context.data[ATTEMPT]))
    if seen.outcome == "paid":
        return "paid", receipt(seen.attempt_id)
    if not context.bill.remaining:
        return paid_before(context.bill.id)
    if other := attempts.in_flight_id([context.bill.id]):
        return "unknown", receipt(other)
    return None if seen.outcome == "deposit" else ("gone", {})


@action
def sign_mandate(context: Context) -> Answered:
    """Standing authority to debit, from what was just typed: sealed there, kept nowhere here.

    Run again after a crash, nothing is handed over any more: the customer is asked again, unless it was done.
    """
    given = context.handed_over
    if not given:
        return ("signed" if mandates.active(context.account.id) else "again"), {}
    lang, now = context.session.lang, clock.now()
    visitor = f"{context.session.channel} {outside(context.session.id)} {context.visitor}"[:80]
    proof = "\n".join((shown(lang), given["agreed"], given["bank"], given["holder"], now.isoformat(), visitor))
    source = mandates.Source(
        kind="bank",
        scheme=in_force(context.account.currency, clock.today()).scheme,
        number=given["number"],
        holder=given["holder"],
        bank=given["bank"],
        check=given["birth"],
    )
    consent = mandates.Consent(
        how="signature",
        text=f"{given['agreed']}-{lang}",
        at=now,
        visitor=visitor,
        sha256=hashlib.sha256(proof.encode()).hexdigest(),
    )
    try:
        mandates.activate(mandates.request(context.account.id, source, consent).id)
    except mandates.NotAMandate:
        return "again", {}
    return "signed", {}


@action
def watch_debit(context: Context) -> Answered:
    """A debit is on its way: the date by which its result is known is a promise of ours."""
    seen = attempts.look(UUID(context.data[ATTEMPT]))
    if seen.outcome == "paid":
        return "paid", receipt(seen.attempt_id)
    if not context.bill.remaining:
        return paid_before(context.bill.id)
    if ended(seen):
        if other := attempts.in_flight_id([context.bill.id]):
            return "unknown", receipt(other)
        return "refused", refused(seen, context.data)
    due = Attempt.objects.values_list("due_at", flat=True).get(pk=UUID(context.data[ATTEMPT]))
    known_on = clock.local(max(due or clock.now(), clock.now())).date()
    return promised(context, "debit", clock.at(known_on, 23, 59))
