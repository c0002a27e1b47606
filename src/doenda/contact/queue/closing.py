"""How a place in line ends, or stands without its channel: always together with what held it and who served it."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from doenda.contact import policy
from doenda.contact.models import Agent, Assignment, Dial, Holding, Ticket
from doenda.contact.queue import outcomes, rows
from doenda.kernel import clock, facts, sweeps


def unhold(seen: Holding, going: str) -> Ticket | None:
    """End one holding. The last one gone, a waiting ticket is away, an offered one loses its agent, a talk is over."""
    known = Ticket.objects.get(pk=seen.ticket_id)
    rows.lock_customer(known.account_id, known.phone)
    assignment = open_assignment(seen.ticket_id)
    if assignment is not None:
        Agent.objects.select_for_update().get(pk=assignment.agent_id)
    ticket = Ticket.objects.select_for_update().get(pk=seen.ticket_id)
    holding = Holding.objects.select_for_update().get(pk=seen.pk)
    if holding.ended_at is not None:
        return None
    now = clock.now()
    others = Holding.objects.filter(ticket=ticket.pk, ended_at=None).exclude(pk=holding.pk).exists()
    end_holding(holding, "moved" if others else going, now)
    if ticket.state == "talking" and assignment is not None and assignment.call_id in ("", holding.call_id):
        talk_over(ticket, now)
    elif others:
        return ticket
    elif ticket.state == "waiting":
        away(ticket, now)
    elif ticket.state == "offered":
        end_assignment(ticket.pk, "left", now)
        away(ticket, now)
    elif ticket.state == "talking":
        talk_over(ticket, now)
    return ticket


def away(ticket: Ticket, now: datetime) -> None:
    """The customer is not there; the place is. Who asked to be called back before is called back."""
    if ticket.window_from is not None:
        ticket.put(state="callback", kept_until=None)
    else:
        ticket.put(state="away", kept_until=now + policy.current().place_kept)
    facts.record("contact.away", ticket.account_id, {"ticket": str(ticket.pk)})


def stand_again(ticket: Ticket, now: datetime) -> None:
    """The same place as before an agent had it: held by what still holds it; else away, or on the desk if a date was
    told."""
    if rows.held(ticket.pk) is not None:
        ticket.put(state="waiting")
        sweeps.nudge("line")
    elif ticket.dated and ticket.window_from is None:
        ticket.put(state="desk", kept_until=None)
    else:
        away(ticket, now)


def talk_over(ticket: Ticket, now: datetime) -> None:
    """The call ended; the agent writes it up within the policy's time."""
    assignment = open_assignment(ticket.pk)
    assert assignment is not None
    assignment.put(talked_until=now, lease_until=now + policy.current().wrap_up)
    Agent.objects.filter(pk=assignment.agent_id).update(state="wrap_up", since=now)
    ticket.put(state="wrapping_up")


def close(ticket: Ticket, state: Literal["done", "gone"], *, lost: bool) -> None:
    """The place ends, with whatever holds it. With customer, agent and ticket locked, in this order."""
    now = clock.now()
    end_assignment(ticket.pk, "served" if state == "done" else "left", now)
    for dial in Dial.objects.select_for_update().filter(ticket=ticket.pk, ended_at=None):
        dial.put(ended_at=now, end="withdrawn")
        facts.record("contact.dial_ended", None, {"dial": str(dial.pk), "ticket": str(ticket.pk), "end": "withdrawn"})
    for holding in Holding.objects.select_for_update().filter(ticket=ticket.pk, ended_at=None).order_by("pk"):
        end_holding(holding, "served" if state == "done" else "gone", now)
    outcomes.settle(ticket.pk, "gone", now)
    ticket.put(state=state, closed_at=now, kept_until=None, lost=ticket.lost + lost)
    if state == "gone":
        facts.record("contact.gone", ticket.account_id, {"ticket": str(ticket.pk), "lost": ticket.lost})


def end_holding(holding: Holding, end: str, now: datetime) -> None:
    if holding.waited_until is None:
        holding.put(waited_until=now, end=end, ended_at=now)
    else:
        holding.put(ended_at=now)


def open_assignment(ticket_id: UUID) -> Assignment | None:
    return Assignment.objects.filter(ticket=ticket_id, ended_at=None).first()


def end_assignment(ticket_id: UUID, end: str, now: datetime, *, pause: str = "") -> None:
    """The agent is free of this ticket: paused for that reason, or as asked for meanwhile, out if the shift is over."""
    assignment = Assignment.objects.select_for_update().filter(ticket=ticket_id, ended_at=None).first()
    if assignment is None:
        return
    if end == "served" and assignment.taken_at is None:
        end = "left"
    assignment.put(ended_at=now, end=end)
    agent = Agent.objects.select_for_update().get(pk=assignment.agent_id)
    state, reason = "ready", ""
    if agent.shift_until is not None and agent.shift_until <= now:
        state, reason = "out", "the shift is over"
    elif pause or agent.pause_after:
        state, reason = "paused", pause or agent.pause_after
    agent.put(state=state, since=now, reason=reason, pause_after="")
    said = {"ticket": str(ticket_id), "agent": str(agent.pk), "assignment": str(assignment.pk), "end": end}
    facts.record("contact.assignment_ended", None, said)
    sweeps.nudge("line")
