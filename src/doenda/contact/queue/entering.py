"""Entering the line and leaving it, by any channel. The same customer is one place, whatever they try it with."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from doenda.contact import numbers, policy, tickets
from doenda.contact.models import Dial, Holding, Ticket
from doenda.contact.queue import closing, rows
from doenda.contact.rules.order import priority
from doenda.kernel import clock, facts, sweeps
from doenda.kernel.db import atomic

_LIVE = ("desk", "waiting", "away", "callback", "offered", "talking", "wrapping_up")
type Going = Literal["dropped", "gone"]


@dataclass(frozen=True, slots=True)
class Entered:
    """`resumed`: the place stood already, by whatever channel; `joined`: lost contacts that count as this one."""

    ticket: Ticket
    holding: Holding
    resumed: bool
    joined: int


class NotInLine(LookupError):
    """The ticket is closed, or never was a place in line."""


def enter(
    *,
    channel: str,
    call_id: str,
    lang: str,
    phone: str = "",
    account_id: UUID | None = None,
    bill_id: UUID | None = None,
    skill: str = "",
    words: str = "",
) -> Entered:
    """Stand in line, or resume the place of this account or number. Idempotent by (channel, call id).

    A number can be forged: by it alone nobody comes to a place that is an account's, nor learns that there is one. Who
    shows the account while they wait takes along how long they have waited.
    """
    with atomic():
        again = _open(channel, call_id)
        rows.lock_customers([account_id, again.ticket.account_id if again is not None else None], phone)
        again, since = _open(channel, call_id), None
        if again is not None:
            if (held := _still_theirs(again, account_id, bill_id)) is not None:
                return Entered(held, again, resumed=True, joined=0)
            since = _earned(again, account_id)
        found = _standing(account_id, phone, bill_id)
        if found is None:
            found, _ = tickets.open_ticket(
                "person",
                key=f"line-{account_id or phone or f'{channel}-{call_id}'}",
                channel=channel,
                lang=lang,
                account_id=account_id,
                bill_id=bill_id,
                phone=phone,
                words=words,
                calls_back=False,
            )
            found.put(dated=False)
            resumed = False
        else:
            resumed = True
        ticket = Ticket.objects.select_for_update().get(pk=found.pk)
        ticket.skill = skill or ticket.skill
        if since is not None and since < ticket.queued_at:
            ticket.put(queued_at=since)
        ticket.phone = ticket.phone or phone
        joined = _join(ticket, account_id, phone)
        holding = _hold(ticket, channel, call_id, proven=account_id is not None)
        return Entered(ticket, holding, resumed, joined)


def _open(channel: str, call_id: str) -> Holding | None:
    held = Holding.objects.filter(channel=channel, call_id=call_id, ended_at=None)
    return held.select_related("ticket").first()


def _still_theirs(again: Holding, account_id: UUID | None, bill_id: UUID | None) -> Ticket | None:
    """The place that this call holds, if it is whoever's is on it by what they have shown. None: it is let go of."""
    held = Ticket.objects.get(pk=again.ticket_id)
    if account_id is None or held.account_id == account_id:
        return held
    if held.account_id is None and not _live(account=account_id).exists() and _adoptable(held, account_id, again):
        _adopt(held, account_id, bill_id, again)
        held.refresh_from_db()
        return held
    closing.unhold(again, "moved")
    return None


def _earned(again: Holding, account_id: UUID | None) -> datetime | None:
    """Since when somebody has waited who was on a number's place and turns out to be an account's customer."""
    before = again.ticket
    if account_id is None or before.account_id is not None:
        return None
    return before.queued_at if numbers.is_own(before.phone, account_id) else again.created_at


def _adoptable(ticket: Ticket, account_id: UUID, again: Holding | None) -> bool:
    """May a number's place become this account's? If the number is the account's own, or nobody else ever held it."""
    if ticket.state not in ("desk", "waiting", "away", "callback"):
        return False
    if numbers.is_own(ticket.phone, account_id):
        return True
    held = Holding.objects.filter(ticket=ticket.pk)
    return again is not None and not held.exclude(pk=again.pk).exists()


def _adopt(ticket: Ticket, account_id: UUID, bill_id: UUID | None, again: Holding | None) -> None:
    """It is the account's from now on, held by who has shown it alone: other calls of that number stand in anew."""
    tickets.belongs(ticket.pk, account_id, bill_id)
    for other in Holding.objects.select_for_update().filter(ticket=ticket.pk, ended_at=None).order_by("pk"):
        if again is None or other.pk != again.pk:
            closing.end_holding(other, "moved", clock.now())
    if again is not None:
        again.put(proven=True)


def resume(ticket_id: UUID, *, channel: str, call_id: str) -> Entered:
    """The holder of a link to this ticket holds its place on one more channel. Raises NotInLine."""
    with atomic():
        ticket = rows.lock_ticket(ticket_id)
        if ticket.state not in _LIVE or ticket.kind != Ticket.Kind.PERSON:
            raise NotInLine(str(ticket_id))
        again = Holding.objects.filter(channel=channel, call_id=call_id, ended_at=None).first()
        holding = again or _hold(ticket, channel, call_id, proven=ticket.account_id is not None)
        return Entered(ticket, holding, resumed=True, joined=0)


def _live(**whose: object) -> "QuerySet[Ticket]":
    live = Ticket.objects.filter(kind=Ticket.Kind.PERSON, state__in=_LIVE, **whose)
    return live.order_by("queued_at", "id")


def _standing(account_id: UUID | None, phone: str, bill_id: UUID | None) -> Ticket | None:
    """The live place of this customer: the oldest of the account if it is known, else of the number alone."""
    numbers_own = _live(account=None, phone=phone).first() if phone else None
    if account_id is None:
        return numbers_own
    found = _live(account=account_id).first()
    if found is None and numbers_own is not None and _adoptable(numbers_own, account_id, None):
        _adopt(numbers_own, account_id, bill_id, None)
        return numbers_own
    return found


def _join(ticket: Ticket, account_id: UUID | None, phone: str) -> int:
    """Weeks of lost calls are one customer: what was lost counts here, and nowhere else again."""
    rules, now = policy.current(), clock.now()
    same = Q(account=account_id) if account_id is not None else Q(pk__in=[])
    if phone:
        same |= Q(phone=phone, account=account_id)
    lost = Ticket.objects.filter(
        same, kind=Ticket.Kind.PERSON, state="gone", joined_into=None, closed_at__gt=now - rules.lost_for
    ).exclude(pk=ticket.pk)
    found = list(lost.select_for_update().order_by("pk"))
    for one in found:
        ticket.lost += one.lost
        one.put(joined_into_id=ticket.pk)
    _rise(ticket, now)
    ticket.save(update_fields=["lost", "priority", "skill", "phone"])
    return len(found)


def _rise(ticket: Ticket, now: datetime) -> None:
    waited = (now - ticket.queued_at).total_seconds()
    ticket.priority = max(ticket.priority, priority(ticket.lost, waited, policy.current().rises))


def _hold(ticket: Ticket, channel: str, call_id: str, *, proven: bool) -> Holding:
    now = clock.now()
    until = now + policy.current().holding_lease
    holding = Holding(ticket=ticket, channel=channel, call_id=call_id, proven=proven, lease_until=until)
    holding.insert()
    _came(ticket.pk, now)
    if ticket.state in ("desk", "away", "callback"):
        ticket.put(state="waiting", channel=channel, kept_until=None)
    said = {"ticket": str(ticket.pk), "channel": channel, "call": call_id, "state": ticket.state}
    facts.record("contact.held", ticket.account_id, said)
    sweeps.nudge("line")
    return holding


def _came(ticket_id: UUID, now: datetime) -> None:
    """The customer is there by themselves: our call to them is not needed any more."""
    for dial in Dial.objects.select_for_update().filter(ticket=ticket_id, ended_at=None):
        dial.put(ended_at=now, end="came")
        facts.record("contact.dial_ended", None, {"dial": str(dial.pk), "ticket": str(ticket_id), "end": "came"})


def renew(channel: str, call_ids: Iterable[str]) -> frozenset[str]:
    """These calls are there still. Those of them that hold a ticket: of the others the place may be resumed."""
    until = clock.now() + policy.current().holding_lease
    with atomic():
        held = Holding.objects.filter(channel=channel, call_id__in=list(call_ids), ended_at=None)
        found = frozenset(held.values_list("call_id", flat=True))
        held.update(lease_until=until)
        return found


def let_go(channel: str, call_id: str, going: Going) -> Ticket | None:
    """A channel holds its ticket no more: the line broke, or the customer hung up (`gone`). Either way the place is
    kept for a while: who hung up after twenty minutes calls again. None if it held nothing."""
    with atomic():
        seen = Holding.objects.filter(channel=channel, call_id=call_id, ended_at=None).first()
        if seen is None:
            return None
        return closing.unhold(seen, going)


def leave(channel: str, call_id: str) -> None:
    """The customer wants no person any more: said so, or was helped on the screen. Ends the place with all that holds
    it; who may not speak for it (`rows.speaks_for_all`) lets go of it alone."""
    with atomic():
        holding = rows.last_held(channel, call_id)
        if holding is None:
            return
        rows.lock_customer(holding.ticket.account_id, holding.ticket.phone)
        if not rows.speaks_for_all(holding, holding.ticket):
            closing.unhold(holding, "gone")
            return
        ticket = Ticket.objects.select_for_update().get(pk=holding.ticket_id)
        if ticket.state in ("waiting", "away", "callback", "desk"):
            closing.close(ticket, "gone", lost=False)
