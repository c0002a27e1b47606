"""What tests of the line share: agents, callers, a bill's account."""

from datetime import timedelta

from doenda.access.models import User
from doenda.contact.models import Agent, Assignment, Ticket
from doenda.contact.queue import agents, entering, serving
from doenda.contact.queue.entering import Entered
from doenda.kernel import clock
from doenda.kernel.db import atomic


def agent(name: str = "lee", *, langs: str = "ko en", skills: str = "") -> Agent:
    """An agent who is out."""
    with atomic():
        user, _ = User.objects.get_or_create(username=name)
    return agents.employ(user.pk, langs=langs.split(), skills=skills.split())


def at_work(name: str = "lee", *, langs: str = "ko en", skills: str = "") -> Agent:
    """An agent at work, with whoever was first in line."""
    made = agent(name, langs=langs, skills=skills)
    agents.ready(made.pk, shift_until=clock.now() + timedelta(hours=8))
    return Agent.objects.get(pk=made.pk)


def call(number: int, *, lang: str = "ko", skill: str = "", phone: str | None = None) -> Entered:
    """A caller's own call: number 3 calls from +821030000003."""
    caller = f"+8210{30000000 + number}" if phone is None else phone
    return entering.enter(channel="call", call_id=f"call-{number}", lang=lang, skill=skill, phone=caller)


def offered_to(one: Agent) -> Ticket | None:
    found = Assignment.objects.filter(agent=one, ended_at=None).select_related("ticket").first()
    return found.ticket if found else None


def assignment(one: Agent) -> Assignment:
    return Assignment.objects.get(agent=one, ended_at=None)


def serve(one: Agent) -> Ticket:
    """Take, talk and finish what is offered: the agent is free afterwards. Returns the ticket."""
    mine = assignment(one)
    ticket = serving.take(mine.pk)
    serving.talked(mine.pk)
    serving.finish(mine.pk, by="user:lee", words="helped")
    return ticket
