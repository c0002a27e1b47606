"""Ringing customers back, up to the seam: who is dialled and when is decided here, the telephone is the voice's.

The voice says with `ringing.dials_while` that it can ring, hears the fact "contact.dial", and reports `answered`,
`ended` and `costed`. Nothing is dialled while nothing can ring: the ticket stands, and a person calls from the desk by
its date.
"""

import logging
from datetime import datetime
from itertools import islice
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from doenda.contact import callbacks, numbers, policy
from doenda.contact.models import Agent, Dial, DialDay, Ticket
from doenda.contact.queue import entering, estimates, ringing, rows
from doenda.contact.rules import callback
from doenda.contact.rules.callback import Refused
from doenda.contact.rules.order import Place
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic

log = logging.getLogger(__name__)
UNREACHED = ("busy", "silent", "failed")


@sweeps.sweep("callbacks", every=2)
def dial_due(limit: int = 100) -> int:
    """Ring whose turn it is. Returns the calls begun."""
    _expire(limit)
    now = clock.now()
    begun = 0
    while begun < limit and ringing.possible(now) and _dial_next(now):
        begun += 1
    return begun


def _dial_next(now: datetime) -> bool:
    with atomic():
        rows.turn()
        return any(_begin(UUID(int=place.id), now) for place in _due(now))


def _due(now: datetime) -> list[Place]:
    """`callback.due` on the rows, of whom an agent who is free for them can really serve."""
    ready = list(Agent.objects.filter(state="ready"))
    in_flight = list(Ticket.objects.filter(dials__ended_at=None, dials__isnull=False))
    if len(ready) <= len(in_flight):
        return []
    busy = Agent.objects.filter(state__in=("talking", "wrap_up")).count()
    ring = policy.current().callback.ring.total_seconds()
    coming = callback.coming_free(ring, busy, estimates.history(now).mu)
    line = islice(rows.places(now), len(ready) + coming)
    found = callback.due(line, free=len(ready), coming=coming, in_flight=len(in_flight))
    return [place for place in found if _free_for(place, ready, in_flight)]


def _free_for(place: Place, ready: list[Agent], in_flight: list[Ticket]) -> bool:
    able = [rows.desk(agent) for agent in ready if rows.desk(agent).serves(place)]
    taken = sum(any(desk.serves(rows.place(ticket)) for desk in able) for ticket in in_flight)
    return len(able) > taken


def _begin(ticket_id: UUID, now: datetime) -> bool:
    """One live call a ticket and a number, under the ticket's lock, within the day's money. False: not this one."""
    ticket = Ticket.objects.select_for_update().get(pk=ticket_id)
    if ticket.state != "callback" or ticket.window_from is None or ticket.window_from > now:
        return False
    try:
        found = numbers.may_dial(ticket.phone, ticket.account_id)
    except Refused as refused:
        _to_the_desk(ticket, f"not dialled: {refused}")
        return False
    rules = policy.current().callback
    reserved = rules.money.reserved(found)
    tries = Dial.objects.filter(ticket=ticket).count() + 1
    dial = Dial(ticket=ticket, number=ticket.phone, tries=tries, lease_until=now + rules.lease, reserved=reserved)
    try:
        with transaction.atomic():
            dial.insert()
    except IntegrityError:
        return False  # this ticket or this number rings already
    if not _reserve(reserved, rules.money.most_a_day):
        dial.delete()
        return False
    said = {"dial": str(dial.pk), "ticket": str(ticket.pk), "number": dial.number, "lang": ticket.lang}
    facts.record("contact.dial", ticket.account_id, said | {"ring_s": int(rules.ring.total_seconds())})
    return True


def _reserve(amount: int, most: int) -> bool:
    """The breaker: what a day's calls may cost in all, those in flight counted at what they may cost."""
    DialDay.objects.get_or_create(day=clock.today(), defaults={"most": most})
    day = DialDay.objects.select_for_update().get(day=clock.today())
    if day.spent + amount > day.most:
        log.warning("no more calls today: %s of %s minor units are spent or set aside", day.spent, day.most)
        return False
    day.spent += amount
    day.save(update_fields=["spent"])
    return True


def answered(dial_id: UUID, *, channel: str, call_id: str) -> entering.Entered | None:
    """The customer answered: this call now holds their place. None if it is not wanted any more: hang up kindly."""
    with atomic():
        dial = _locked(dial_id)
        if dial.ended_at is not None or dial.ticket.state != "callback":
            return None
        dial.put(ended_at=clock.now(), end="answered")
        return entering.resume(dial.ticket_id, channel=channel, call_id=call_id)


def ended(dial_id: UUID, end: str, *, cost: int | None = None) -> None:
    """The call reached nobody: busy, silent or failed. Rung again after the policy's pause, then the desk's.

    `cost`: what it has cost, in minor units, where that is known by now."""
    if end not in UNREACHED:
        raise ValueError(f"a call that reached nobody ended {end!r}")
    with atomic():
        dial = _locked(dial_id)
        if cost is not None:
            _cost(dial, cost)
        if dial.ended_at is not None:
            return
        now = clock.now()
        dial.put(ended_at=now, end=end)
        said = {"dial": str(dial.pk), "ticket": str(dial.ticket_id), "end": end}
        facts.record("contact.dial_ended", dial.ticket.account_id, said)
        if dial.ticket.state != "callback":
            return
        again = callback.next_try(dial.tries, policy.current().callback.pauses, now)
        if again is None:
            _to_the_desk(dial.ticket, f"not reached in {dial.tries} calls")
        else:
            callbacks.later(dial.ticket, again)


def costed(dial_id: UUID, cost: int) -> None:
    """What the call has cost, in minor units, once it is over: the rest of what was set aside is free again."""
    with atomic():
        _cost(_locked(dial_id), cost)


def _cost(dial: Dial, cost: int) -> None:
    if dial.cost is None:
        dial.put(cost=cost)
        day = clock.local(dial.created_at).date()
        DialDay.objects.filter(day=day).update(spent=F("spent") + cost - dial.reserved)


def lasted(dial_id: UUID, seconds: float | None) -> None:
    """`costed` by the length of the call (None: since it began to ring): each minute that was begun, at the tariff of
    the number's range."""
    dial = Dial.objects.get(pk=dial_id)
    if seconds is None:
        seconds = (clock.now() - dial.created_at).total_seconds()
    a_minute = policy.current().callback.money.a_minute[callback.range_of(dial.number, settings.DOENDA_COUNTRY)]
    costed(dial_id, ceil(max(0.0, seconds) / 60) * a_minute)


def _locked(dial_id: UUID) -> Dial:
    """The call, with customer and ticket locked before it."""
    seen = Dial.objects.get(pk=dial_id)
    ticket = rows.lock_ticket(seen.ticket_id)
    dial = Dial.objects.select_for_update().get(pk=dial_id)
    dial.ticket = ticket
    return dial


def _to_the_desk(ticket: Ticket, reason: str) -> None:
    """A person takes it up by its date: the clock stands until then, as for every ticket."""
    ticket.put(state="desk", window_from=None, window_until=None, words=f"{ticket.words}\n{reason}".strip()[:2000])
    facts.record("contact.unreached", ticket.account_id, {"ticket": str(ticket.pk), "reason": reason})


def _expire(limit: int) -> None:
    """Calls that we hear nothing of any more: failed, at the cost that was set aside."""
    lapsed = Dial.objects.filter(ended_at=None, lease_until__lt=clock.now()).order_by("pk")
    for dial_id in list(lapsed.values_list("pk", flat=True)[:limit]):
        ended(dial_id, "failed")
