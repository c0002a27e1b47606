"""What a waiting customer is told: the rules on the line as it stands, each telling stored with what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Avg, Count, F, Min, Q, Sum, Value
from django.db.models.functions import Coalesce, Greatest, Power, Sqrt

from doenda.contact import hours, policy
from doenda.contact.models import Agent, Assignment, Estimate, Holding, Ticket
from doenda.contact.queue import rows
from doenda.contact.rules import telling, waits
from doenda.contact.rules.order import Desk, Place
from doenda.contact.rules.telling import Advice, Told
from doenda.contact.rules.waits import Crowd, History, Minutes, Wait
from doenda.kernel import clock
from doenda.kernel.db import atomic


@dataclass(frozen=True, slots=True)
class Telling:
    """What to say, and whether to offer a callback before, beside or instead of waiting."""

    told: Told
    advice: Advice


def history(now: datetime, over: Ticket | None = None) -> History:
    """What our own rows say of the last hours: finished services, how long agents were at them, who waited how long
    and gave up; and who came since and goes before `over`."""
    since = now - policy.current().history
    taken = Assignment.objects.filter(taken_at__isnull=False).filter(Q(ended_at=None) | Q(ended_at__gt=since))
    service = taken.aggregate(
        count=Count("pk", filter=Q(end="served")),
        time=Sum(Coalesce("ended_at", Value(now)) - Greatest("taken_at", Value(since))),
        first=Min("taken_at"),
    )
    waiting = Q(waited_until=None, ended_at=None, ticket__state="waiting") | Q(waited_until__gt=since)
    waited = Holding.objects.filter(waiting).aggregate(
        gone=Count("pk", filter=Q(end__in=("gone", "dropped"))),
        time=Sum(Coalesce("waited_until", Value(now)) - Greatest("created_at", Value(since))),
    )
    lately = max(now - policy.current().lately, service["first"] or now)
    return History(
        services=service["count"],
        service_seconds=_seconds(service["time"]),
        gone=waited["gone"],
        waited_seconds=_seconds(waited["time"]),
        overtakers=_overtakers(over, lately) if over is not None else 0,
        span=(now - lately).total_seconds(),
    )


def _overtakers(ticket: Ticket, since: datetime) -> int:
    """Who came since then with so many lost contacts that they went before a place of this one's priority."""
    lost = ticket.priority * policy.current().rises.lost_a_step
    came = Ticket.objects.filter(kind=Ticket.Kind.PERSON, dated=False, queued_at__gt=since, lost__gt=lost)
    return came.exclude(pk=ticket.pk).count()


def _seconds(time: Any) -> float:
    return float(time.total_seconds()) if time is not None else 0.0


def crowd(ticket: Ticket, now: datetime) -> Crowd:
    """Who stands before this ticket for the agents that can serve it; while nobody can, everybody before it counts."""
    groups = Agent.objects.exclude(state__in=("out", "paused")).values("skills", "langs", "state")
    mine = rows.place(ticket)
    desks: list[tuple[Desk, int]] = []
    agents = ready = 0
    for group in groups.annotate(count=Count("pk")):
        desk = Desk(group["skills"], group["langs"])
        desks.append((desk, group["count"]))
        if desk.serves(mine):
            agents += group["count"]
            ready += group["count"] if group["state"] == "ready" else 0
    own = [desk for desk, _ in desks if desk.serves(mine)]
    competing = [
        (Place(0, 0.0, lang=lang, skill=skill), state, count)
        for lang, skill, state, count in _ahead(ticket, now)
        if not own or any(desk.serves(Place(0, 0.0, lang=lang, skill=skill)) for desk in own)
    ]
    return Crowd(
        ahead=sum(count for _, _, count in competing),
        agents=agents,
        ready=ready,
        staying=sum(count for _, state, count in competing if state == "callback"),
        head=_head(now),
        pool=waits.pool(mine, desks, [(place, count) for place, _, count in competing]),
    )


def _ahead(ticket: Ticket, now: datetime) -> list[tuple[str, str, str, int]]:
    """How many stand before it, by language, skill and state."""
    before = rows.in_line(now).order_by().filter(rows.before(ticket)).exclude(pk=ticket.pk)
    return list(before.values_list("lang", "skill", "state").annotate(count=Count("pk")))


def _head(now: datetime) -> float | None:
    """How long the one who stands there longest has, in seconds."""
    standing = Holding.objects.filter(ended_at=None, waited_until=None, ticket__state="waiting")
    since = standing.aggregate(since=Min("created_at"))["since"]
    return (now - since).total_seconds() if since is not None else None


def tell(ticket_id: UUID, channel: str) -> Telling:
    """What to say to this customer now; stored, and settled when the wait ends."""
    now = clock.now()
    with atomic():
        ticket = Ticket.objects.get(pk=ticket_id)
        seen, past = crowd(ticket, now), history(now, ticket)
        wait = waits.estimate(seen, past)
        before, said = _before(ticket_id)
        told = telling.tell(seen.ahead + 1, wait, before, said)
        if ticket.state in ("waiting", "away", "callback"):
            _store(ticket, channel, seen, past, wait, told, first=before is None)
        is_open = hours.hours().is_open(now) or seen.agents > 0  # after hours the line is served while they stay
        waited = (now - ticket.queued_at).total_seconds()
        advice = telling.advise(wait, waited, is_open=is_open, bounds=policy.current().bounds, longer=told.longer)
        return Telling(told, advice)


def _before(ticket_id: UUID) -> tuple[Told | None, Minutes | None]:
    """The last telling, and the last range that was really said, of this ticket on any channel."""
    told = Estimate.objects.filter(ticket=ticket_id, settled_at=None).order_by("created_at", "pk")
    last, ranged = told.last(), told.filter(high__isnull=False).last()
    said = _minutes(ranged) if ranged is not None else None
    if last is None:
        return None, said
    return Told(last.position, _minutes(last), last.said_position, last.longer), said


def _minutes(one: Estimate) -> Minutes | None:
    return None if one.low is None or one.high is None else Minutes(one.low // 60, one.high // 60)


def _store(
    ticket: Ticket, channel: str, seen: Crowd, past: History, wait: Wait | None, told: Told, *, first: bool
) -> None:
    Estimate(
        ticket=ticket,
        channel=channel,
        rule=wait.rule if wait else "",
        position=told.position,
        agents=seen.agents,
        ready=seen.ready,
        mu=past.mu,
        theta=past.theta,
        mean=wait.mean if wait else None,
        variance=wait.variance if wait else None,
        low=told.minutes.low * 60 if told.minutes else None,
        high=told.minutes.high * 60 if told.minutes else None,
        said_position=told.say_position,
        longer=told.longer,
        first=first,
    ).insert()


@dataclass(frozen=True, slots=True)
class Kept:
    """How what was told turned out, since an instant: of those who were served, root mean square error and mean error
    (told less true) in seconds, and the share served within the range that was said."""

    served: int
    rmse: float | None
    bias: float | None
    coverage: float | None


def kept(since: datetime, *, first: bool = True) -> Kept:
    """For supervisors. `first`: only what each customer was told first; else every telling."""
    told = Estimate.objects.filter(outcome="served", created_at__gte=since)
    if first:
        told = told.filter(first=True)
    found = told.aggregate(
        served=Count("pk"),
        rmse=Sqrt(Avg(Power(F("error"), 2))),
        bias=Avg("error"),
        ranged=Count("pk", filter=Q(covered__isnull=False)),
        held=Count("pk", filter=Q(covered=True)),
    )
    share = found["held"] / found["ranged"] if found["ranged"] else None
    return Kept(found["served"], found["rmse"], found["bias"], share)
