"""Agents come, pause and go. What an agent is in the middle of is finished first: a pause waits for the wrap-up."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from doenda.contact import policy
from doenda.contact.models import Agent, Assignment
from doenda.contact.queue import serving
from doenda.kernel import clock
from doenda.kernel.db import atomic

_FREE = ("out", "ready", "paused")


def employ(user_id: UUID, *, langs: Iterable[str], skills: Iterable[str] = ()) -> Agent:
    """A member of staff answers customers in these languages and matters. Again: what they can serve changes."""
    with atomic():
        agent, _ = Agent.objects.update_or_create(
            user_id=user_id, defaults={"langs": sorted(set(langs)), "skills": sorted(set(skills))}
        )
        return agent


def ready(agent_id: UUID, *, shift_until: datetime | None = None, by_telephone: bool = False) -> Assignment | None:
    """The agent is free, and pulls at once: the assignment offered, if anybody waits. `shift_until` begins a shift.

    `by_telephone`: there is no desk that says it is still there; the shift's end and unanswered offers decide.
    """
    now = clock.now()
    with atomic():
        agent = Agent.objects.select_for_update().get(pk=agent_id)
        seen_until = None if by_telephone else now + policy.current().desk_lease
        going_on = agent.shift_until if agent.shift_until is not None and agent.shift_until > now else None
        until = shift_until or going_on
        if agent.state in _FREE:
            agent.put(state="ready", since=now, reason="", pause_after="", shift_until=until, seen_until=seen_until)
        else:
            agent.put(pause_after="", shift_until=until, seen_until=seen_until)
    return serving.pull(agent_id)


def pause(agent_id: UUID, reason: str) -> None:
    """Now, or once what the agent is in the middle of is over."""
    _stop(agent_id, "paused", reason)


def sign_out(agent_id: UUID) -> None:
    """The shift ends now, or once what the agent is in the middle of is over."""
    with atomic():
        Agent.objects.filter(pk=agent_id).update(shift_until=clock.now())
    _stop(agent_id, "out", "signed out")


def _stop(agent_id: UUID, state: str, reason: str) -> None:
    with atomic():
        agent = Agent.objects.select_for_update().get(pk=agent_id)
        if agent.state in _FREE:
            agent.put(state=state, since=clock.now(), reason=reason)
        else:
            agent.put(pause_after=reason)


def at_work(skill: str, *, lang: str, but: UUID) -> bool:
    """Is anybody else than `but` (an agent's id) at work who has this skill and speaks this language?"""
    others = Agent.objects.exclude(state__in=("out", "paused")).exclude(pk=but)
    return others.filter(skills__contains=[skill], langs__contains=[lang]).exists()


def seen(agent_id: UUID) -> None:
    """The agent's desk is still there (its page asks every few seconds)."""
    with atomic():
        Agent.objects.filter(pk=agent_id).update(seen_until=clock.now() + policy.current().desk_lease)
