"""Charges: begun, confirmed, closed, watched."""

from collections.abc import Mapping
from uuid import UUID

from django.conf import settings

from doenda.billing.models import Bill
from doenda.journeys.actions.binding import Answered, Context, action
from doenda.journeys.actions.promising import UNKNOWN_KNOWN_BY, promised
from doenda.journeys.actions.receipts import ended, paid_before, receipt, refused
from doenda.journeys.actions.ways import amount_of, following, on_its_way
from doenda.journeys.declarations import ATTEMPT
from doenda.kernel import clock
from doenda.payments import attempts, charge, providers
from doenda.payments.debit import mandates
from doenda.payments.debit.models import Mandate
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Moves
from doenda.payments.states import State

MOST_PROVIDERS = 3
"""How many providers of one method are asked, one after the other, before the customer is told that it failed."""
WITHIN = 5.0
"""Seconds after which no further provider is asked: somebody is waiting in front of the page."""


@action
def close_attempt(context: Context) -> Answered:
    cleared = attempts.clear(context.account.id, [context.bill.id], context.session.id)
    if cleared.outcome == "paid" and cleared.attempt_id is None:
        return paid_before(context.bill.id)
    return cleared.outcome, receipt(cleared.attempt_id)


@action
def start_attempt(context: Context) -> Answered:
    """Begin at the chosen way's provider; fails that one by our fault (certainly nothing taken), at the next."""
    bill, way = context.bill, context.data["way"]
    method = way.split("/")[1]
    if not bill.remaining:
        return "nothing_due", {}
    if moving := attempts.in_flight_id([bill.id]):
        return "busy", receipt(moving)
    if method == "debit" and (instructed := on_its_way(bill.id)):
        return "instructed", receipt(instructed)
    if waiting := _waits_already(bill, way, amount_of(bill, context.data)):
        return "deposit", receipt(waiting.id)
    if method == "debit" and _mandate(context) is None:
        return "needs_mandate", {}
    seen, way = _begin(context, bill, way)
    if seen.outcome == "redirect" and not seen.redirect_url and providers.get(way.split("/")[2]).script is not None:
        return "script", {**receipt(seen.attempt_id), "way": way}
    outcome, values = _said(seen, context.data, {"person_owns": "unknown", "expired": "certain_failure"})
    return outcome, {**values, "way": way}


def _mandate(context: Context) -> Mandate | None:
    """The bank account that may be debited; a kept card is charged elsewhere."""
    found = mandates.active(context.account.id)
    return found if found is not None and found.kind == Mandate.Kind.BANK else None


def _waits_already(bill: Bill, way: str, amount: int) -> Attempt | None:
    """The account (or slip) that waits for just this: the same number again is better than a second one."""
    _, method, provider = way.split("/")
    if providers.get(provider).methods.get(method) is not Moves.AT_DEPOSIT:
        return None
    waiting = Attempt.objects.filter(bills__bill_id=bill.id, state=State.NEEDS_DEPOSIT, amount=amount)
    return waiting.filter(method=method, expires_at__gt=clock.now()).order_by("-created_at").first()


def _begin(context: Context, bill: Bill, way: str) -> tuple[attempts.Result, str]:
    begun, failed, amount = clock.monotonic(), [way], amount_of(bill, context.data)
    while True:
        seen = _start(context, bill, way, amount)
        if seen.outcome != "our_fault" or len(failed) >= MOST_PROVIDERS or clock.monotonic() - begun > WITHIN:
            return seen, way
        other = following(way, context.session, amount, context.data, failed)
        if other is None:
            return seen, way
        failed.append(other)
        way = other


def _start(context: Context, bill: Bill, way: str, amount: int) -> attempts.Result:
    channel, method, provider = way.split("/")
    mandate = _mandate(context) if method == "debit" else None
    return attempts.start(
        context.account.id,
        [(bill.id, amount)],
        channel=channel,
        method=method,
        provider=provider,
        return_url=f"{settings.DOENDA_BASE_URL}/s/{context.address}/return",
        lang=context.session.lang,
        session_id=context.session.id,
        name=f"{settings.DOENDA_CARRIER[context.session.lang]} {bill.number}",
        mandate_id=mandate.id if mandate else None,
        device=context.session.device,
    )


@action
def confirm_attempt(context: Context) -> Answered:
    seen = charge.confirm(
        UUID(context.data[ATTEMPT]),
        order_id=context.data.get("order_id", ""),
        ref=context.data.get("ref", ""),
        amount=context.data.get("paid_amount", ""),
        token=context.data.get("token", ""),
        account_id=context.session.account_id,
    )
    if seen.outcome in {"nothing_due", "expired"} and not context.bill.remaining:
        return paid_before(context.bill.id)
    return _said(seen, context.data, {"person_owns": "unknown", "redirect": "expired"})


def _said(seen: attempts.Result, data: Mapping[str, str], meant: Mapping[str, str]) -> Answered:
    outcome = meant.get(seen.outcome, str(seen.outcome))
    if outcome in {"refused", "our_fault"}:
        return outcome, receipt(seen.attempt_id) | refused(seen, data)
    return outcome, receipt(seen.attempt_id)


@action
def watch_attempt(context: Context) -> Answered:
    seen = attempts.look(UUID(context.data[ATTEMPT]))
    if seen.outcome == "paid":
        return "paid", {}
    if ended(seen):
        return "refused", refused(seen, context.data)
    attempt = Attempt.objects.get(pk=UUID(context.data[ATTEMPT]))
    return promised(context, "unknown", max(clock.now(), attempt.created_at) + UNKNOWN_KNOWN_BY)
