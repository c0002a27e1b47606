"""What the line asks of the telephone: agents to ring for callers, customers to call back. Blocking, like `desk`.

The rows are the truth: what is to be done is read from them, so that whoever takes the telephone over does it, too.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F

from doenda.channels.voice.desk import say
from doenda.contact import dialling, policy, tickets
from doenda.contact.models import Assignment, Dial, Holding, Ticket
from doenda.contact.models.tickets import CALL
from doenda.contact.queue import agents, serving
from doenda.contact.queue.serving import NotYours
from doenda.kernel import leases, money

LEASE, TRUNK = "voice", "voice trunk"
AGENTS = "ko"
"""The language of the centre: in it agents are told who calls."""
HELD_FOR = timedelta(seconds=6)
"""How long the telephone is ours without our saying so again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A caller who is with an agent, or offered to one, whose telephone rings for `ring_for` seconds: `talking` once
    the agent has taken the call. Of several calls that hold one place it is the one that talks, else one that has
    shown whose account it is, else the first."""

    assignment: UUID
    call_id: str
    agent: str
    talking: bool
    ring_for: int


@dataclass(frozen=True, slots=True)
class Ring:
    """A customer to be called back; `ring_for` in seconds."""

    dial: UUID
    number: str
    lang: str
    ring_for: int


@dataclass(frozen=True, slots=True)
class Work:
    offers: tuple[Offer, ...]
    rings: tuple[Ring, ...]


def mine(holder: str, *, connected: bool = False) -> bool:
    """Take the telephone, or keep it. False: another process has it. `connected`: calls can be placed just now."""
    other = leases.holder(LEASE)
    if leases.dead(other):
        leases.release(LEASE, other)
    if not leases.acquire(LEASE, holder, HELD_FOR):
        return False
    if connected and settings.DOENDA_TRUNK_DIAL:
        leases.acquire(TRUNK, LEASE, HELD_FOR)
    return True


def give_back(holder: str) -> None:
    """Somebody else may serve the telephone at once."""
    leases.release(LEASE, holder)


def can_ring() -> bool:
    """Can a customer be called back just now: is there a trunk, and somebody who serves the telephone?"""
    return leases.held(TRUNK)


def work() -> Work:
    """Everything that is open."""
    open_ = Assignment.objects.filter(ended_at=None, talked_until=None)
    here = Holding.objects.filter(channel=CALL, ended_at=None)
    talks = open_.filter(taken_at__isnull=False, call_id__in=here.values("call_id"))
    holding = "ticket__holdings__"
    held = open_.filter(taken_at=None, ticket__holdings__channel=CALL, ticket__holdings__ended_at=None)
    offers = held.order_by("pk", f"-{holding}proven", f"{holding}created_at").distinct("pk")
    columns = [
        *talks.values_list("pk", "call_id", "agent__user__username", "taken_at"),
        *offers.values_list("pk", f"{holding}call_id", "agent__user__username", "taken_at"),
    ]
    rules = policy.current()
    offered_for, ring_for = int(rules.offer.total_seconds()), int(rules.callback.ring.total_seconds())
    dials = Dial.objects.filter(ended_at=None).annotate(lang=F("ticket__lang"))
    return Work(
        tuple(Offer(pk, call_id, agent, taken is not None, offered_for) for pk, call_id, agent, taken in columns),
        tuple(Ring(pk, number, lang, ring_for) for pk, number, lang in dials.values_list("pk", "number", "lang")),
    )


# --- agents


def take(assignment: UUID, call_id: str) -> tuple[str, ...] | None:
    """The agent answered: who it is and why, for the agent's ear alone. None: the customer is not there any more.

    Of whoever has shown nothing but a number nothing of the account is said, whose place it may be.
    """
    try:
        ticket = serving.take(assignment, call_id)
    except NotYours:
        not_there(assignment)
        return None
    proven = Assignment.objects.get(pk=assignment).known
    who = [say("voice-whisper-known" if proven else "voice-whisper-stranger", AGENTS)]
    if ticket.lang != AGENTS:
        who.append(say("voice-whisper-language", AGENTS))
    if relayed(ticket.phone):
        who.append(say("voice-whisper-relay", AGENTS))
    if proven and ticket.bill is not None and ticket.bill.remaining:
        who.append(say("voice-whisper-bill", AGENTS, amount=money.words(ticket.bill.money, AGENTS)))
    if ticket.lost:
        who.append(say("voice-whisper-lost", AGENTS, number=str(ticket.lost)))
    return tuple(who)


def not_there(assignment: UUID) -> None:
    """The customer hung up while the agent was told of them."""
    try:
        serving.not_there(assignment)
    except NotYours:
        return


def vouch(assignment: UUID) -> None:
    """The agent has made sure who it is: a callback that this customer had asked for is not needed any more."""
    try:
        serving.vouch(assignment)
    except NotYours:
        return
    talk = Assignment.objects.select_related("ticket", "agent__user").get(pk=assignment)
    asked = Ticket.objects.filter(kind=Ticket.Kind.PERSON, state="callback", phone=talk.ticket.phone)
    for ticket_id in list(asked.exclude(pk=talk.ticket_id).values_list("pk", flat=True)) if talk.ticket.phone else []:
        tickets.answer(ticket_id, by=f"user:{talk.agent.user.username}", words="they called, and an agent knew them")


def relayed(number: str) -> bool:
    """Does a relay service call for somebody who does not hear or speak (in Korea 107, 손말이음)?"""
    return number.removeprefix("+82").lstrip("0") in settings.DOENDA_RELAYS


def not_taken(assignment: UUID, *, refused: bool) -> None:
    """The agent's telephone rang and nobody answered, or the offer was refused: the caller stands where they stood."""
    try:
        serving.decline(assignment, silent=not refused)
    except NotYours:
        return


def talked(assignment: UUID) -> None:
    """The agent hung up: what was said is written up."""
    try:
        serving.talked(assignment)
    except NotYours:
        return


def put_back(assignment: UUID) -> None:
    """The talk broke before it helped: the same place in line."""
    try:
        serving.put_back(assignment)
    except NotYours:
        return


def broken(call_id: str) -> None:
    """Something of ours broke in the middle of this call: whoever talked with an agent is in line again."""
    mine = Assignment.objects.filter(ended_at=None, taken_at__isnull=False, call_id=call_id)
    for assignment in mine.values_list("pk", flat=True):
        put_back(assignment)


def transfer(assignment: UUID, key: str) -> bool:
    """To whoever has the skill of this key (by policy), with the same place in line. False: nobody who has it works."""
    skill = policy.current().transfers.get(key, "")
    mine = Assignment.objects.select_related("ticket").filter(pk=assignment).first()
    if not skill or mine is None or not agents.at_work(skill, lang=mine.ticket.lang, but=mine.agent_id):
        return False
    try:
        serving.put_back(assignment, skill=skill)
    except NotYours:
        return False
    return True


# --- calling back


def answered(dial: UUID, call_id: str) -> UUID | None:
    """The customer is there and wants it: their ticket. None: it is not wanted any more."""
    entered = dialling.answered(dial, channel=CALL, call_id=call_id)
    return entered.ticket.pk if entered is not None else None


def not_reached(dial: UUID, end: str) -> None:
    """Busy, silent or failed: nobody answered, and it has cost nothing."""
    dialling.ended(dial, end, cost=0)


def not_wanted(dial: UUID) -> None:
    """A machine answered, or nobody who wants it; what it cost is said at its end."""
    dialling.ended(dial, "silent")


def costed(dial: UUID, seconds: float | None) -> None:
    """What the call has cost by its length; None: since it began to ring, for whoever took it over."""
    dialling.lasted(dial, seconds)
