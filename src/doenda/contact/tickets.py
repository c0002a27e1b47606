"""Opening and answering tickets. Opening one promises a date and stops the clock until then, in one transaction."""

from datetime import timedelta
from uuid import UUID

from doenda.billing import accounts
from doenda.contact import callbacks, hours
from doenda.contact.models import Agent, Ticket
from doenda.contact.queue import closing, rows
from doenda.dunning import holds
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic
from doenda.payments import pending

STRANGERS_AN_HOUR = 30
"""Tickets from numbers that open no account, in all, an hour: more are not stored (the answer is the same)."""


def open_ticket(
    kind: str,
    *,
    key: str,
    channel: str,
    lang: str,
    account_id: UUID | None = None,
    bill_id: UUID | None = None,
    phone: str = "",
    wanted: str = "",
    words: str = "",
    calls_back: bool = True,
) -> tuple[Ticket, bool]:
    """The waiting ticket of this key, and whether it is new: the same customer asking again keeps the place in line.

    A person asked for with a number that we dial is in line for a call (`callbacks`); what else is asked is the desk's.
    With an account its collections clock stands until the promised answer; a date that we let pass is renewed, but not
    that of a mere report: it holds the clock once a bill. Once a ticket is answered, asking again opens another. A
    stranger's ticket holds nothing.
    """
    now = clock.now()
    by = hours.answer_by(kind, now)
    with atomic():
        if account_id is not None:
            accounts.lock(account_id)
        key = f"{key}-{Ticket.objects.filter(key__startswith=f'{key}-', closed_at__isnull=False).count()}"
        ticket, made = Ticket.objects.get_or_create(
            key=key,
            defaults={
                "kind": kind,
                "account_id": account_id,
                "bill_id": bill_id,
                "channel": channel,
                "lang": lang,
                "phone": phone,
                "wanted": wanted,
                "words": words[:2000],
                "queued_at": now,
                "answer_by": by,
            },
        )
        if made and calls_back:
            callbacks.plan_if_allowed(ticket)
        renewed = not made and ticket.answer_by < now and kind not in _DATED_ONLY
        if renewed:
            Ticket.objects.filter(pk=ticket.pk).update(answer_by=by)
            ticket.answer_by = by
        if account_id is not None and (made or renewed):
            _stop_clock(ticket)
            facts.record(
                "contact.ticket_opened", account_id, {"ticket": str(ticket.id), "kind": kind, "by": by.isoformat()}
            )
        return ticket, made


_HOLDS = {"dispute": "dispute", "already_paid": "claim", "report": "report"}
BEFORE_LATE = timedelta(minutes=3)
"""How long before a promised answer is due its date moves, so that the clock never runs in between."""
_DATED_ONLY = ("report",)
"""Kinds whose text promises days, and no answer."""


def _stop_clock(ticket: Ticket) -> None:
    """Until the promised answer. With the account locked."""
    assert ticket.account_id is not None
    holds.place(
        ticket.account_id,
        _HOLDS.get(ticket.kind, "ticket"),
        start=clock.now(),
        until=ticket.answer_by,
        reason=f"ticket {ticket.id}",
        key=f"ticket-{ticket.id}-{ticket.answer_by:%Y%m%d%H%M}",
    )


@sweeps.sweep("late answers", every=60)
def stand_by(limit: int = 100) -> int:
    """Answers that we did not give in time: nothing is stopped until we have, so the date moves and the clock stands.

    Who waits for an outcome that has come by itself is answered by that.
    """
    late = Ticket.objects.filter(closed_at=None, account__isnull=False, answer_by__lt=clock.now() + BEFORE_LATE)
    found = list(late.exclude(kind__in=_DATED_ONLY).order_by("answer_by").values_list("pk", flat=True)[:limit])
    for ticket_id in found:
        if _known_by_now(ticket_id):
            answer(ticket_id, by="system", words="the provider has told the outcome")
        else:
            _promise_anew(ticket_id)
    return len(found)


def _known_by_now(ticket_id: UUID) -> bool:
    ticket = Ticket.objects.get(pk=ticket_id)
    if ticket.kind != Ticket.Kind.UNKNOWN_OUTCOME:
        return False
    return pending.adverse_blocked(ticket.account_id) is None if ticket.account_id else True


def _promise_anew(ticket_id: UUID) -> None:
    with atomic():
        ticket = Ticket.objects.get(pk=ticket_id)
        assert ticket.account_id is not None
        accounts.lock(ticket.account_id)
        ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
        if ticket.closed_at is None and ticket.answer_by < clock.now() + BEFORE_LATE:
            ticket.answer_by = hours.answer_by(ticket.kind, clock.now())
            ticket.save(update_fields=["answer_by"])
            _stop_clock(ticket)


def strangers_lately() -> int:
    return Ticket.objects.filter(account=None, dated=True, queued_at__gt=clock.now() - timedelta(hours=1)).count()


def belongs(ticket_id: UUID, account_id: UUID, bill_id: UUID | None = None) -> None:
    """A stranger's ticket turns out to be this account's: its clock stands from now on. With the account locked."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    ticket.put(account_id=account_id, bill_id=bill_id, key=f"line-of-{ticket.pk}")  # its number may have another
    _stop_clock(ticket)


def answer(ticket_id: UUID, *, by: str, words: str) -> Ticket:
    """A person has answered: the hold that the ticket placed ends now, and its place in line with whatever held it.

    `by` is the actor's name for the record.
    """
    with atomic():
        ticket = Ticket.objects.get(pk=ticket_id)
        rows.lock_customer(ticket.account_id, ticket.phone)
        assigned = closing.open_assignment(ticket_id)
        if assigned is not None:
            Agent.objects.select_for_update().get(pk=assigned.agent_id)
        ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
        if ticket.answered_at is None:
            if ticket.state not in ("done", "gone"):
                closing.close(ticket, "done", lost=False)
            ticket.answered_at, ticket.answered_by, ticket.answer = clock.now(), by, words[:2000]
            ticket.save(update_fields=["answered_at", "answered_by", "answer"])
            if ticket.account_id is not None:
                holds.lift(f"ticket-{ticket.id}-", reason=f"answered by {by}")
                facts.record("contact.ticket_answered", ticket.account_id, {"ticket": str(ticket.id), "by": by})
        return ticket
