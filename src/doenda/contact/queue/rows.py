"""The line's rows as the pure rules take them, and the locks that its actions share."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from doenda.billing import accounts
from doenda.contact.models import Agent, Dial, Holding, Ticket
from doenda.contact.rules.order import Desk, Place, Standing

_TURN = 0x646F656E6461  # "doenda": the key of the advisory lock
ORDER = ("-priority", "queued_at", "id")


def turn() -> None:
    """Whose turn it is is decided by one transaction at a time: strict order, and no agent promised twice."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_TURN])


def lock_customer(account_id: UUID | None, phone: str) -> None:
    """One customer enters, leaves and is joined by one transaction at a time."""
    if account_id is not None:
        accounts.lock(account_id)
    if phone:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [f"caller {phone}", _TURN])


def lock_customers(accounts_: Iterable[UUID | None], phone: str) -> None:
    """`lock_customer` where a call goes from one account to another: accounts in one order, whoever swaps them."""
    for account_id in sorted({each for each in accounts_ if each is not None}):
        accounts.lock(account_id)
    lock_customer(None, phone)


def lock_ticket(ticket_id: UUID) -> Ticket:
    """The ticket locked after its customer. Raises Ticket.DoesNotExist."""
    seen = Ticket.objects.get(pk=ticket_id)
    lock_customer(seen.account_id, seen.phone)
    return Ticket.objects.select_for_update().get(pk=ticket_id)


def in_line(now: datetime) -> "QuerySet[Ticket]":
    """Who stands in line and may be served: there, or to be called back from now on. In order."""
    here = Q(state="waiting") | Q(state="callback", window_from__lte=now)
    return Ticket.objects.filter(here).order_by(*ORDER)


def before(ticket: Ticket) -> Q:
    """What stands before this ticket: the pure order as a condition."""
    same = Q(priority=ticket.priority)
    return (
        Q(priority__gt=ticket.priority)
        | same & Q(queued_at__lt=ticket.queued_at)
        | same & Q(queued_at=ticket.queued_at, id__lt=ticket.id)
    )


def places(now: datetime) -> Iterator[Place]:
    """The line as it stands, in order, for the pure rules."""
    ringing = Exists(Dial.objects.filter(ticket=OuterRef("pk"), ended_at=None))
    for ticket in in_line(now).annotate(ringing=ringing).iterator():
        yield place(ticket, ringing=ticket.ringing)


def place(ticket: Ticket, *, ringing: bool = False) -> Place:
    standing: Standing = "callback" if ticket.state == "callback" else "waiting"
    if ticket.state == "away":
        standing = "away"
    at = ticket.queued_at.timestamp()
    standing = "dialling" if ringing else standing
    return Place(ticket.id.int, at, ticket.priority, ticket.lang, ticket.skill, standing)


def desk(agent: Agent) -> Desk:
    return Desk(frozenset(agent.skills), frozenset(agent.langs))


def serveable_by(agent: Agent) -> Q:
    """`Desk.serves` as a condition."""
    return (Q(skill="") | Q(skill__in=agent.skills)) & (Q(lang="") | Q(lang__in=agent.langs))


def last_held(channel: str, call_id: str) -> Holding | None:
    """What this channel holds, or held last, with its ticket."""
    held = Holding.objects.filter(channel=channel, call_id=call_id).select_related("ticket__bill")
    return held.order_by("-created_at", "-pk").first()


def others(holding: Holding) -> "QuerySet[Holding]":
    """What else holds the same place."""
    return Holding.objects.filter(ticket=holding.ticket_id, ended_at=None).exclude(pk=holding.pk)


def speaks_for_all(holding: Holding, ticket: Ticket) -> bool:
    """May whoever is on this channel decide for the place? A number can be forged: who has shown nothing but a number
    decides for their own call alone, where the place is an account's by now or somebody else is there, too."""
    return holding.proven or (ticket.account_id is None and not others(holding).exists())


def spoken_with(ticket_id: UUID) -> Holding | None:
    """Whom an agent gets of all who hold one place: one who has shown whose it is, else who came first."""
    return Holding.objects.filter(ticket_id=ticket_id, ended_at=None).order_by("-proven", "created_at", "pk").first()


def held(ticket_id: UUID) -> Holding | None:
    """What holds the ticket now: the newest channel that still does."""
    return Holding.objects.filter(ticket_id=ticket_id, ended_at=None).order_by("created_at", "pk").last()


def held_as(ticket_id: UUID) -> dict[str, str]:
    """The same for a fact: channel and call; empty where nothing holds it."""
    found = held(ticket_id)
    return {"channel": found.channel, "call": found.call_id} if found else {}
