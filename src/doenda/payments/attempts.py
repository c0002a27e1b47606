"""Starting an attempt, and what a channel may know of one. Nothing here moves money."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from django.conf import settings

from doenda.billing import accounts
from doenda.billing.models import Bill
from doenda.kernel import clock, once
from doenda.kernel.db import atomic
from doenda.payments import inquiry, policy, providers
from doenda.payments.models import Attempt, AttemptBill
from doenda.payments.moves import charge_of, close_waiting
from doenda.payments.outcomes import begun
from doenda.payments.providers.contract import Moves
from doenda.payments.states import IN_FLIGHT, State

if TYPE_CHECKING:
    from django.db.models import QuerySet

type Said = Literal[
    "redirect",
    "deposit",
    "instructed",
    "paid",
    "refused",
    "unknown",
    "our_fault",
    "busy",
    "nothing_due",
    "expired",
    "person_owns",
]


@dataclass(frozen=True, slots=True)
class Result:
    """What a channel is told. `reason` is the provider's code; `attempt_id` the attempt that it is about."""

    outcome: Said
    attempt_id: UUID | None = None
    redirect_url: str = ""
    reason: str = ""


SAID: dict[State, Said] = {
    State.CREATED: "expired",
    State.NEEDS_REDIRECT: "redirect",
    State.AT_PROVIDER: "redirect",
    State.NEEDS_DEPOSIT: "deposit",
    State.INSTRUCTED: "instructed",
    State.SENT: "unknown",
    State.UNKNOWN: "unknown",
    State.PAID: "paid",
    State.REFUSED: "refused",
    State.OUR_FAULT: "our_fault",
    State.EXPIRED: "expired",
    State.CLOSED: "expired",
    State.REVERSED: "paid",
    State.UNDONE: "refused",
}


def in_flight(bill_ids: list[UUID]) -> Attempt | None:
    """The attempt that may be moving money for one of these bills."""
    moving = (_moving.first(bill_id=bill_id) for bill_id in bill_ids)
    return next((row.attempt for row in moving if row is not None), None)


@once.query
def _moving(bill_id: once.Open) -> "QuerySet[AttemptBill]":
    """At most one: a unique index."""
    return AttemptBill.objects.filter(bill_id=bill_id, in_flight=True).select_related("attempt")


def in_flight_id(bill_ids: list[UUID]) -> UUID | None:
    other = in_flight(bill_ids)
    return other.id if other else None


def start(
    account_id: UUID,
    bills: list[tuple[UUID, int]],
    *,
    channel: str,
    method: str,
    provider: str,
    return_url: str,
    lang: str,
    session_id: UUID | None = None,
    name: str = "",
    bank: str = "",
    mandate_id: UUID | None = None,
    token: str = "",
    device: str = "",
) -> Result:
    """Register one attempt for `bills` (id, minor units) at the provider, who may then wait for the customer's act.

    Whatever this session had begun before is closed first: it can no longer be confirmed. `bank`: where a deposit
    account is wanted. `mandate_id`: the standing authority of a debit. `token`: what a provider that takes the money
    here and now needs (a clerk's shift). `device`: the kind in front of the customer (assurance.devices).
    """
    made = create(
        account_id,
        bills,
        channel=channel,
        method=method,
        provider=provider,
        session_id=session_id,
        details={key: value for key, value in (("bank", bank), ("token", token)) if value},
        mandate_id=mandate_id,
        device=device,
    )
    if isinstance(made, Result):
        return made
    title = name or settings.DOENDA_CARRIER[lang]
    answer = providers.get(provider).start(charge_of(made, name=title, return_url=return_url, lang=lang))
    if begun(made, answer) is not None:
        return Result("busy", in_flight_id([bill_id for bill_id, _ in bills]) or made.id)
    return said(made)


def create(
    account_id: UUID,
    bills: list[tuple[UUID, int]],
    *,
    channel: str,
    method: str,
    provider: str,
    session_id: UUID | None = None,
    details: dict[str, str] | None = None,
    mandate_id: UUID | None = None,
    device: str = "",
) -> Attempt | Result:
    """The row of a new attempt, of which no provider knows yet; or why there is none: busy, nothing_due.

    Raises ValueError for a method that the provider does not have.
    """
    terms = providers.get(provider)
    if method not in terms.methods:
        raise ValueError(f"{provider} has no method {method!r}")
    with atomic():
        account = accounts.lock(account_id)
        bill_ids = [bill_id for bill_id, _ in bills]
        if other := in_flight(bill_ids):
            return Result("busy", other.id)
        owed = {bill.id: bill.remaining for bill in Bill.objects.filter(pk__in=bill_ids, account=account, state="open")}
        wanted = [(bill_id, min(amount, owed.get(bill_id, 0))) for bill_id, amount in bills]
        wanted = [(bill_id, amount) for bill_id, amount in wanted if amount > 0]
        if not wanted:
            return Result("nothing_due")
        if not account.probe and _too_many(account_id):
            return Result("refused", reason="TOO_MANY")
        if session_id is not None:
            close_waiting(account.attempts.filter(session_id=session_id), "another way was chosen")
        waits = terms.methods[method] is Moves.AT_DEPOSIT
        attempt = Attempt.objects.create(
            account=account,
            provider=provider,
            method=method,
            channel=channel,
            amount=sum(amount for _, amount in wanted),
            currency=account.currency,
            synthetic=account.probe,
            session_id=session_id,
            details=details or {},
            mandate_id=mandate_id,
            device=device,
            expires_at=_end_of_day(terms.deposit_life) if waits else clock.now() + terms.redirect_life,
        )
        AttemptBill.objects.bulk_create(AttemptBill(attempt=attempt, bill_id=b, amount=a) for b, a in wanted)
    return attempt


def _too_many(account_id: UUID) -> bool:
    """Has this account begun more in an hour than any customer would?"""
    since = clock.now() - timedelta(hours=1)
    return Attempt.objects.filter(account_id=account_id, created_at__gt=since).count() >= policy.now().attempts_an_hour


def _end_of_day(after: timedelta) -> datetime:
    """A deadline that people can keep in mind: the end of the day on which `after` is over."""
    return clock.at(clock.local(clock.now() + after).date(), 23, 59)


def look(attempt_id: UUID) -> Result:
    """Where the attempt stands now, in a channel's words."""
    return said(Attempt.objects.get(pk=attempt_id))


def said(attempt: Attempt) -> Result:
    """The same of a row that was just read or written."""
    if attempt.state in IN_FLIGHT and attempt.person_owns_at is not None:
        return Result("person_owns", attempt.id, reason=attempt.reason)
    waits = attempt.state in {State.NEEDS_REDIRECT, State.NEEDS_DEPOSIT}
    if waits and attempt.expires_at and attempt.expires_at < clock.now():
        return Result("expired", attempt.id)
    redirect = attempt.redirect_url if SAID[State(attempt.state)] == "redirect" else ""
    return Result(SAID[State(attempt.state)], attempt.id, redirect, attempt.reason)


@dataclass(frozen=True, slots=True)
class Cleared:
    """ "free": nothing moves and something is owed; "paid": nothing is owed any more; "unknown": `attempt_id` may move
    money still, and its provider was asked and could not say."""

    outcome: Literal["free", "paid", "unknown"]
    attempt_id: UUID | None = None


def clear(account_id: UUID, bill_ids: list[UUID], session_id: UUID) -> Cleared:
    """Before anything else is begun: close what this visit began, and settle what may still be moving money."""
    with atomic():
        account = accounts.lock(account_id)
        if not Bill.objects.filter(pk__in=bill_ids, state="open").exists():
            return Cleared("paid")
        moving = in_flight(bill_ids)
        if moving is None:
            close_waiting(account.attempts.filter(session_id=session_id), "another way was chosen")
            return Cleared("free")
    inquiry.ask(moving, leaving=True)
    if not Bill.objects.filter(pk__in=bill_ids, state="open").exists():
        return Cleared("paid", moving.id)
    still = in_flight(bill_ids)
    return Cleared("free") if still is None else Cleared("unknown", still.id)
