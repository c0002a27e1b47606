"""No stuck agents, no ghost callers: every state that waits for somebody has a lease, and what lapsed is taken on.

The rows are the truth: after a crash of anything above, these sweeps bring agents, tickets and holdings together again.
"""

from collections.abc import Callable, Iterable
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from doenda.contact import policy
from doenda.contact.models import Agent, Assignment, Holding, Ticket
from doenda.contact.models.tickets import IN_LINE
from doenda.contact.queue import closing, evidenced, rows, serving
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic

BUSY = ("offered", "talking", "wrap_up")


@sweeps.sweep("line", every=2)
def pull_for_the_free(limit: int = 100) -> int:
    """Whoever is free and has nobody takes the next, who is free longest first."""
    with atomic():
        rows.turn()
        _rise()
    waiting = Ticket.objects.filter(state="waiting").exists()
    free = Agent.objects.filter(state="ready").order_by("since", "id") if waiting else Agent.objects.none()
    return sum(serving.pull(agent_id) is not None for agent_id in list(free.values_list("pk", flat=True)[:limit]))


@sweeps.sweep("line leases", every=5)
def lapse(limit: int = 100) -> int:
    """What lapsed since the last look: holdings, offers, wrap-ups, kept places, desks and shifts."""
    now = clock.now()
    open_ = Assignment.objects.filter(ended_at=None)
    gone_on = (
        (_let_lapse, Holding.objects.filter(ended_at=None, lease_until__lt=now)),
        (_silent, open_.filter(ticket__state="offered", lease_until__lt=now)),
        (_wrapped_up, open_.filter(ticket__state="wrapping_up", lease_until__lt=now)),
        (_unheard, open_.filter(~_open(Holding, "ticket", "ticket"), ticket__state="talking")),
        (_give_up, Ticket.objects.filter(state="away", kept_until__lt=now)),
        (_nobody_there, Ticket.objects.filter(~_open(Holding, "ticket"), state="waiting")),
        (_sign_out, Agent.objects.filter(state="ready").filter(Q(seen_until__lt=now) | Q(shift_until__lte=now))),
        (_strand, Agent.objects.filter(~_open(Assignment, "agent"), state__in=BUSY)),
    )
    done = 0
    for mend, lapsed in gone_on:
        done += _each(mend, list(lapsed.values_list("pk", flat=True).order_by("pk")[: max(0, limit - done)]))
    return done


def _open(rows_of: type[Assignment] | type[Holding], of: str, mine: str = "pk") -> Exists:
    """Whether one of these is still open."""
    return Exists(rows_of.objects.filter(ended_at=None, **{of: OuterRef(mine)}))


def _each(mend: Callable[[UUID], None], found: Iterable[UUID]) -> int:
    """One transaction each, all checked again under lock: two workers may have seen the same."""
    done = 0
    for pk in found:
        with atomic():
            mend(pk)
        done += 1
    return done


def _let_lapse(holding_id: UUID) -> None:
    holding = Holding.objects.get(pk=holding_id)
    if holding.ended_at is None and holding.lease_until < clock.now():
        closing.unhold(holding, "dropped")


def _silent(assignment_id: UUID) -> None:
    try:
        serving.decline(assignment_id, silent=True)
    except serving.NotYours:
        return


def _wrapped_up(assignment_id: UUID) -> None:
    """Nobody said how it went. The ticket is closed as talked; a customer who is not helped is back in line by the
    agent's own word before that."""
    try:
        serving.finish(assignment_id, by="system", words="the wrap-up ran out")
    except serving.NotYours:
        return


def _unheard(assignment_id: UUID) -> None:
    try:
        serving.talked(assignment_id)
    except serving.NotYours:
        return


def _give_up(ticket_id: UUID) -> None:
    """The place was kept long enough: a lost contact, which counts when the customer comes again. A date that was told
    is kept all the same."""
    ticket = rows.lock_ticket(ticket_id)
    if ticket.state == "away" and ticket.kept_until is not None and ticket.kept_until < clock.now():
        if ticket.dated:
            ticket.put(state="desk", kept_until=None, lost=ticket.lost + 1)
        else:
            paid = ticket.bill is not None and ticket.bill.remaining == 0  # what they called about is done
            last = ticket.holdings.order_by("ended_at", "pk").last()
            helped = paid or (last is not None and last.end in ("served", "moved"))  # moved: to their account
            if not helped:
                evidenced.lost(ticket, clock.now())
            closing.close(ticket, "gone", lost=not helped)


def _nobody_there(ticket_id: UUID) -> None:
    ticket = rows.lock_ticket(ticket_id)
    if ticket.state == "waiting" and rows.held(ticket_id) is None:
        closing.away(ticket, clock.now())


def _sign_out(agent_id: UUID) -> None:
    agent, now = Agent.objects.select_for_update().get(pk=agent_id), clock.now()
    over = agent.shift_until is not None and agent.shift_until <= now
    if agent.state == "ready" and (over or (agent.seen_until is not None and agent.seen_until < now)):
        agent.put(state="out", since=now, reason="the shift is over" if over else "the desk is not there")


def _strand(agent_id: UUID) -> None:
    agent = Agent.objects.select_for_update().get(pk=agent_id)
    if agent.state in BUSY and not agent.assignments.filter(ended_at=None).exists():
        agent.put(state="paused", since=clock.now(), reason="had nobody")


def _rise() -> None:
    """`order.priority` set-wise: who waits long rises, the older first. Never down."""
    rises = policy.current().rises
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE contact_ticket AS t SET priority = risen.priority FROM ("
            " SELECT id, least(%(most)s, ceil(lost::numeric / %(lost)s)"
            "   + floor(greatest(0, extract(epoch FROM %(now)s - queued_at)) / %(after)s))::smallint AS priority"
            " FROM contact_ticket WHERE state = ANY(%(standing)s)) AS risen"
            " WHERE t.id = risen.id AND t.priority < risen.priority AND t.state = ANY(%(standing)s)",
            {
                "most": rises.most,
                "lost": rises.lost_a_step,
                "after": rises.after,
                "now": clock.now(),
                "standing": list(IN_LINE),
            },
        )
