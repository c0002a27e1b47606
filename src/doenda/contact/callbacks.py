"""Asking to be called back: the same ticket, the same `queued_at`, without a channel, in the window that was asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from doenda.contact import hours, numbers, policy, windows
from doenda.contact.models import Holding, Ticket
from doenda.contact.queue import closing, evidenced, outcomes, rows
from doenda.contact.rules.callback import Refused
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic

_MAY_ASK = ("desk", "waiting", "away", "callback")


@dataclass(frozen=True, slots=True)
class Planned:
    """The window in which we ring, UTC."""

    ticket: Ticket
    begins: datetime
    ends: datetime


class NotWaiting(LookupError):
    """The ticket is with an agent, or closed: there is nothing to call back for."""


def plan(ticket_id: UUID, *, wanted: str = windows.SOONEST, phone: str = "") -> Planned:
    """Call this customer back instead of letting them wait. Asking again changes the window, never the place.

    Raises Refused if the number is none that we dial (the ticket stands as it stood), NotWaiting.
    """
    with atomic():
        ticket = rows.lock_ticket(ticket_id)
        if ticket.state not in _MAY_ASK:
            raise NotWaiting(str(ticket_id))
        number = phone or ticket.phone
        numbers.may_dial(number, ticket.account_id)
        planned = _stand(ticket, number, wanted)
        _end_holdings(ticket)
        facts.record(
            "contact.callback_planned",
            ticket.account_id,
            {"ticket": str(ticket.pk), "from": planned.begins.isoformat(), "until": planned.ends.isoformat()},
        )
        sweeps.nudge("callbacks")
        return planned


def promise(channel: str, call_id: str) -> datetime:
    """Until when somebody calls, so that whoever is on this channel need not wait: in turn if the number is known as
    theirs, else a person from the desk, by its date (a machine never rings a number that is merely said).

    Who may not speak for the place (`rows.speaks_for_all`) ends their own call alone, and who has shown nothing but a
    number hears the date that every such caller hears. Raises Refused for a number that nobody here dials, NotWaiting.
    """
    with atomic():
        holding = rows.last_held(channel, call_id)
        if holding is None:
            raise NotWaiting(call_id)
        ticket = rows.lock_ticket(holding.ticket_id)
        holding.refresh_from_db()
        if ticket.state not in _MAY_ASK:
            raise NotWaiting(call_id)
        if not rows.speaks_for_all(holding, ticket):
            _promise_one(ticket, holding)
        else:
            try:
                plan(ticket.pk)
            except Refused as refused:
                if refused.args != (numbers.UNPROVEN,):
                    raise
                _end_holdings(ticket)
                _to_desk(ticket)
        ticket.refresh_from_db()
        holding.refresh_from_db()
        return said_until(holding, ticket)


def awaited(holding: Holding) -> bool:
    """Was a call promised on this channel, and is still to come, as far as whoever was on it may know?"""
    ticket = holding.ticket
    if holding.end != "callback":
        return False
    if holding.proven:
        return ticket.state in ("callback", "desk")
    return ticket.closed_at is None or ticket.account_id is not None


def said_until(holding: Holding, ticket: Ticket) -> datetime:
    """The date that whoever chose to be called on this channel was told: of the place for who has shown whose it is;
    else the one that a stranger's number gets at that moment, so that a forged one learns nothing."""
    if holding.proven and ticket.state == "callback" and ticket.window_until is not None:
        return ticket.window_until
    return ticket.answer_by if holding.proven else hours.answer_by(Ticket.Kind.PERSON, holding.ended_at or clock.now())


def _promise_one(ticket: Ticket, holding: Holding) -> None:
    """Somebody else is there by the same number, and waits on: a call is owed to the number all the same."""
    if holding.ended_at is not None or ticket.account_id is not None:
        raise NotWaiting(holding.call_id)
    if not numbers.dialable(ticket.phone):
        raise Refused("not dialled")
    closing.end_holding(holding, "callback", clock.now())
    ticket.put(dated=True)


def _to_desk(ticket: Ticket) -> None:
    ticket.put(state="desk", dated=True, kept_until=None)


def _end_holdings(ticket: Ticket) -> None:
    now = clock.now()
    mine = list(Holding.objects.select_for_update().filter(ticket=ticket.pk, ended_at=None).order_by("pk"))
    if mine:
        evidenced.let_off(ticket, now)
    for holding in mine:
        closing.end_holding(holding, "callback", now)
    outcomes.settle(ticket.pk, "callback", now)


def plan_if_allowed(ticket: Ticket) -> bool:
    """A ticket that was just opened, for a number that may be dialled, is in line for a call; else it is the desk's."""
    if ticket.kind != Ticket.Kind.PERSON or not ticket.phone:
        return False
    try:
        numbers.may_dial(ticket.phone, ticket.account_id)
    except Refused:
        return False
    _stand(ticket, ticket.phone, ticket.wanted or windows.SOONEST)
    return True


def _stand(ticket: Ticket, number: str, wanted: str) -> Planned:
    begins, ends = windows.window(wanted, clock.now(), hours.hours(), policy.current().callback)
    ticket.put(state="callback", phone=number, wanted=wanted, window_from=begins, window_until=ends, kept_until=None)
    return Planned(ticket, begins, ends)


def later(ticket: Ticket, at: datetime) -> None:
    """Not before `at`: within the window if it still runs then, else in the next of its name. The place stays."""
    assert ticket.window_until is not None
    if at < ticket.window_until:
        ticket.put(window_from=at)
        return
    begins, ends = windows.window(ticket.wanted or windows.SOONEST, at, hours.hours(), policy.current().callback)
    ticket.put(window_from=begins, window_until=ends)


@sweeps.sweep("callback windows", every=60)
def roll(limit: int = 100) -> int:
    """A window that went by without its turn: the next of the same name, with the same place in line."""
    now = clock.now()
    passed = Ticket.objects.filter(state="callback", window_until__lte=now).order_by("pk")
    found = list(passed.values_list("pk", flat=True)[:limit])
    for ticket_id in found:
        with atomic():
            ticket = rows.lock_ticket(ticket_id)
            if ticket.state == "callback" and ticket.window_until is not None and ticket.window_until <= now:
                later(ticket, now)
    return len(found)
