"""Opening and answering tickets. Opening one promises a date and stops the clock until then, in one transaction."""

from datetime import timedelta
from uuid import UUID

from doenda.billing import accounts
from doenda.contact import hours
from doenda.contact.models import Ticket
from doenda.dunning import holds
from doenda.kernel import clock, facts
from doenda.kernel.db import atomic

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
) -> tuple[Ticket, bool]:
    """The waiting ticket of this key, and whether it is new: the same customer asking again keeps the place in line.

    With an account its collections clock stands until the promised answer; a date that we let pass is renewed. Once it
    is answered, asking again opens another. A stranger's ticket holds nothing.
    """
    now = clock.now()
    by = hours.answer_by(kind, now)
    with atomic():
        if account_id is not None:
            accounts.lock(account_id)
        key = f"{key}-{Ticket.objects.filter(key__startswith=f'{key}-', answered_at__isnull=False).count()}"
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
        if not made and ticket.answer_by < now:
            Ticket.objects.filter(pk=ticket.pk).update(answer_by=by)
            ticket.answer_by = by
        if account_id is not None and (made or ticket.answer_by == by):
            hold = "ticket" if kind in {"person", "unknown_outcome"} else _HOLDS[kind]
            holds.place(
                account_id,
                hold,
                start=now,
                until=by,
                reason=f"ticket {ticket.id}",
                key=f"ticket-{ticket.id}-{by:%Y%m%d%H%M}",
            )
            facts.record(
                "contact.ticket_opened", account_id, {"ticket": str(ticket.id), "kind": kind, "by": by.isoformat()}
            )
        return ticket, made


_HOLDS = {"dispute": "dispute", "already_paid": "claim", "report": "report"}


def strangers_lately() -> int:
    return Ticket.objects.filter(account=None, queued_at__gt=clock.now() - timedelta(hours=1)).count()


def answer(ticket_id: UUID, *, by: str, words: str) -> Ticket:
    """A person has answered: the hold that the ticket placed ends now. `by` is the actor's name for the record."""
    with atomic():
        ticket = Ticket.objects.get(pk=ticket_id)
        if ticket.account_id is not None:
            accounts.lock(ticket.account_id)
        ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
        if ticket.answered_at is None:
            ticket.answered_at, ticket.answered_by, ticket.answer = clock.now(), by, words[:2000]
            ticket.save(update_fields=["answered_at", "answered_by", "answer"])
            if ticket.account_id is not None:
                holds.lift(f"ticket-{ticket.id}-", reason=f"answered by {by}")
                facts.record("contact.ticket_answered", ticket.account_id, {"ticket": str(ticket.id), "by": by})
        return ticket
