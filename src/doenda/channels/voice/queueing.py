"""A caller's place in line, as the call asks for it: what is told, the callback, and the place that outlives the call.

Blocking work like `desk`'s; the rules and the rows are contact's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from doenda.channels import whens
from doenda.channels.voice.desk import say
from doenda.contact import callbacks, hours, numbers
from doenda.contact.models import Ticket
from doenda.contact.models.tickets import CALL
from doenda.contact.queue import entering, estimates, rows
from doenda.contact.queue.estimates import Telling
from doenda.contact.rules.callback import Refused
from doenda.journeys import screens
from doenda.journeys import sessions as walking
from doenda.kernel import clock


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller stands, and all that there is to be said of it. `can_text`: a text would reach the caller."""

    ticket: UUID
    lines: tuple[str, ...]
    can_text: bool = False


def open_now() -> bool:
    """Does anybody answer at this hour?"""
    return hours.hours().is_open(clock.now())


def stand(call_id: str, *, lang: str, caller: str, address: str = "") -> Place:
    """Stand in line with this call, or take the place up again that this customer has already."""
    account_id = bill_id = None
    if address:
        session = walking.look(address).session
        if session.journey != "enter":
            account_id, bill_id = session.account_id, session.bill_id
    entered = entering.enter(
        channel=CALL, call_id=call_id, lang=lang, phone=caller, account_id=account_id, bill_id=bill_id
    )
    ticket = entered.ticket
    telling = estimates.tell(ticket.pk, CALL)
    told = _told(telling, lang) or [say("voice-wait-unknown", lang)]
    offer = [say("voice-wait-callback", lang)] if numbers.dialable(ticket.phone) else []
    can_text = screens.can_text(caller)
    if can_text:
        offer.append(say("voice-wait-screen", lang))
    said = [*offer, *told] if telling.advice.callback_first else [*told, *offer]
    return Place(ticket.pk, (*said, say("voice-wait-kept", lang)), can_text)


@dataclass(frozen=True, slots=True)
class Now:
    """What is true now, in words; nothing where there is nothing to say. `over`: nobody answers any more today, and
    the wait has ended; `promised`: somebody calls."""

    lines: tuple[str, ...]
    over: bool = False
    promised: bool = False


def tell(call_id: str, ticket: UUID, lang: str) -> Now:
    """Once a minute. Who still waits when everybody has gone home is called, and does not wait all night."""
    telling = estimates.tell(ticket, CALL)
    if not telling.advice.closed:
        return Now(tuple(_told(telling, lang)))
    if promised := call_me(call_id, lang):
        return Now((say("voice-wait-closed", lang), promised), over=True, promised=True)
    let_go(call_id, dropped=False)
    opens = whens.from_when(hours.hours().opens(clock.now()), lang)
    return Now((say("voice-wait-closed-no-callback", lang, opens=opens),), over=True)


def _told(telling: Telling, lang: str) -> list[str]:
    told, said = telling.told, list[str]()
    if told.longer:
        said.append(say("voice-wait-longer", lang))
    elif told.minutes is not None:
        said.append(say("voice-wait-range", lang, low=str(told.minutes.low), high=str(told.minutes.high)))
    if told.say_position and told.position > 1:
        said.append(say("voice-wait-place", lang, ahead=str(told.position - 1)))
    return said


def renew(call_ids: Iterable[str]) -> frozenset[str]:
    """These calls are there still. Those of them that hold a place."""
    return entering.renew(CALL, call_ids)


def let_go(call_id: str, *, dropped: bool) -> None:
    """The call holds the place no more; the place stays for a while."""
    entering.let_go(CALL, call_id, "dropped" if dropped else "gone")


def call_me(call_id: str, lang: str) -> str:
    """Be called instead: in turn, or by a person from the desk by its date. What is to be said; "": impossible."""
    try:
        until = callbacks.promise(CALL, call_id)
    except (Refused, callbacks.NotWaiting):
        return ""
    return say("voice-callback", lang, until=whens.until(until, lang))


def place_over(call_id: str, lang: str) -> str:
    """What became of a place that this call held and holds no more, where the customer chose it on their page: what is
    to be said; "": it only lapsed, and is taken up again."""
    last = rows.last_held(CALL, call_id)
    if last is None or last.ended_at is None:
        return ""
    if callbacks.awaited(last):
        return say("voice-callback", lang, until=whens.until(callbacks.said_until(last, last.ticket), lang))
    return say("voice-wait-done", lang) if last.ticket.state == "gone" and last.end == "gone" else ""


def waits(call_id: str) -> bool:
    """Was this call in line when whoever served it died?"""
    return Ticket.objects.filter(holdings__channel=CALL, holdings__call_id=call_id, holdings__ended_at=None).exists()
