"""An agent takes the next customer: pulled, offered, taken, talked, wrapped up. One ticket one agent.

A freed agent pulls at once; the sweep pulls for whom that was lost. An agent who does not take an offer within its
lease loses it and is paused; the customer loses nothing.
"""

from typing import Literal
from uuid import UUID

from doenda.contact import policy, tickets
from doenda.contact.models import Agent, Assignment, Dial, Holding, Ticket
from doenda.contact.queue import closing, evidenced, outcomes, ringing, rows
from doenda.contact.rules.order import can_spare
from doenda.kernel import clock, facts
from doenda.kernel.db import atomic

type Back = Literal["line", "callback"]


class NotYours(LookupError):
    """The agent does not have this ticket, or has it no more."""


def pull(agent_id: UUID) -> Assignment | None:
    """Offer the next customer to this agent, if free. None: not free, or nobody whom this agent can serve."""
    with atomic():
        rows.turn()
        agent = Agent.objects.select_for_update().get(pk=agent_id)
        if agent.state != Agent.State.READY:
            return None
        ticket = _next(agent)
        if ticket is None:
            return None
        now = clock.now()
        assignment = Assignment(ticket=ticket, agent=agent, lease_until=now + policy.current().offer)
        assignment.insert()
        ticket.put(state="offered")
        agent.put(state="offered", since=now)
        _tell("contact.offered", assignment, ticket)
        return assignment


def _next(agent: Agent) -> Ticket | None:
    """`Line.next_for` on the rows: the first who is there, unless every free agent is kept for a callback.

    A head whose row is locked for a moment (its customer opens the page, too) is waited for, not skipped: skipping it
    would serve the second first. Whoever holds a ticket's row wants neither the turn nor a free agent's.
    """
    now = clock.now()
    mine = rows.in_line(now).filter(rows.serveable_by(agent))
    ticket = mine.filter(state="waiting").select_for_update().first()
    if ticket is None:
        return None
    ahead = mine.filter(rows.before(ticket), state="callback")
    if not ringing.possible(now):
        ahead = ahead.filter(pk__in=Dial.objects.filter(ended_at=None).values("ticket"))
    kept = [rows.place(one) for one in ahead]
    free = [rows.desk(one) for one in Agent.objects.filter(state="ready")] if kept else []
    return ticket if can_spare(free, kept) else None


def take(assignment_id: UUID, call_id: str = "") -> Ticket:
    """The agent answers: waiting is over for this call (else for whom the agent gets of all who hold the place).
    Whoever else holds it waits on.

    Raises NotYours if the offer was lost meanwhile, or this call is not there any more.
    """
    with atomic():
        assignment, ticket = _mine(assignment_id)
        held = Holding.objects.filter(ticket=ticket.pk, ended_at=None)
        served = held.filter(call_id=call_id).first() if call_id else rows.spoken_with(ticket.pk)
        if ticket.state != "offered" or (served is None and call_id):
            raise NotYours(str(assignment_id))
        now = clock.now()
        assignment.put(
            taken_at=now, known=served is not None and served.proven, call_id=served.call_id if served else ""
        )
        Agent.objects.filter(pk=assignment.agent_id).update(state="talking", since=now)
        if served is not None and served.waited_until is None:
            served.put(waited_until=now, end="served")
        outcomes.settle(ticket.pk, "served", now)
        ticket.put(state="talking")
        evidenced.answered(ticket, now)
        _tell("contact.taken", assignment, ticket)
        return ticket


def decline(assignment_id: UUID, *, silent: bool = False) -> None:
    """The offer is given back, or was never answered: the customer stands where they stood, the agent is paused."""
    with atomic():
        _, ticket = _mine(assignment_id)
        if ticket.state != "offered":
            raise NotYours(str(assignment_id))
        now = clock.now()
        end, pause = ("silent", "did not answer") if silent else ("declined", "refused the call")
        closing.end_assignment(ticket.pk, end, now, pause=pause)
        ticket.put(state="waiting")


def not_there(assignment_id: UUID) -> None:
    """The agent answered, and the customer has just hung up: the agent is free, and whoever else holds the place stands
    where they stood."""
    with atomic():
        _, ticket = _mine(assignment_id)
        now = clock.now()
        closing.end_assignment(ticket.pk, "left", now)
        closing.stand_again(ticket, now)


def vouch(assignment_id: UUID) -> None:
    """The agent has made sure, by asking, that it is the customer whom they talk with."""
    with atomic():
        assignment, _ = _mine(assignment_id)
        assignment.put(known=True)


def talked(assignment_id: UUID) -> None:
    """The talk is over, the writing-up begins."""
    with atomic():
        _, ticket = _mine(assignment_id)
        if ticket.state == "talking":
            closing.talk_over(ticket, clock.now())


def finish(assignment_id: UUID, *, by: str, words: str) -> None:
    """The customer was answered: the ticket is done, its clock runs again, and the agent is free. `by`: the actor.

    Was it somebody who had shown nothing but a number, then an account's place, or one that others hold, is still its
    customer's: it is kept as if that call had never been.
    """
    with atomic():
        assignment, ticket = _mine(assignment_id)
        if ticket.state not in ("talking", "wrapping_up"):
            raise NotYours(str(assignment_id))
        held = Holding.objects.filter(ticket=ticket.pk, ended_at=None)
        if assignment.known or not (held.exclude(call_id=assignment.call_id).exists() or ticket.account_id):
            tickets.answer(assignment.ticket_id, by=by, words=words)
            return
        now = clock.now()
        for holding in held.select_for_update().filter(call_id=assignment.call_id):
            closing.end_holding(holding, "served", now)
        closing.end_assignment(ticket.pk, "served", now)
        closing.stand_again(ticket, now)


def put_back(assignment_id: UUID, *, skill: str = "") -> None:
    """The talk broke before it helped, or goes on with somebody who has `skill`: the same place, `queued_at` and all,
    held by what still holds it, or away."""
    with atomic():
        _, ticket = _mine(assignment_id)
        if ticket.state not in ("talking", "wrapping_up"):
            raise NotYours(str(assignment_id))
        now = clock.now()
        closing.end_assignment(ticket.pk, "back", now)
        if skill:
            ticket.put(skill=skill)
        closing.stand_again(ticket, now)


def _mine(assignment_id: UUID) -> tuple[Assignment, Ticket]:
    """An open assignment with customer, agent and ticket locked. Raises NotYours."""
    seen = Assignment.objects.select_related("ticket").filter(pk=assignment_id).first()
    if seen is None:
        raise NotYours(str(assignment_id))
    rows.lock_customer(seen.ticket.account_id, seen.ticket.phone)
    Agent.objects.select_for_update().get(pk=seen.agent_id)
    ticket = Ticket.objects.select_for_update().get(pk=seen.ticket_id)
    assignment = Assignment.objects.select_for_update().get(pk=assignment_id)
    if assignment.ended_at is not None:
        raise NotYours(str(assignment_id))
    return assignment, ticket


def _tell(kind: str, assignment: Assignment, ticket: Ticket) -> None:
    said = {"assignment": str(assignment.pk), "agent": str(assignment.agent_id), "ticket": str(ticket.pk)}
    facts.record(kind, ticket.account_id, said | rows.held_as(ticket.pk))
