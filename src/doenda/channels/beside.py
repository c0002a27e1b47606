"""What stands beside a page while its customer is on the telephone: that both move together, and the place in line.

The page shows what was told last and moves nothing; whoever chooses here to be called back, or to wait no more, chooses
it for the call, too.
"""

from dataclasses import dataclass
from typing import Literal

from django.conf import settings

from doenda.channels import whens
from doenda.contact import callbacks, numbers
from doenda.contact.models import Estimate, Holding, Ticket
from doenda.contact.models.tickets import CALL
from doenda.contact.queue import entering, rows
from doenda.contact.rules.callback import Refused
from doenda.journeys import screens
from doenda.journeys.models import CallCode, Session
from doenda.kernel import leases, texts

type Choice = Literal["call_me", "enough"]
CHOICES: tuple[Choice, ...] = ("call_me", "enough")


@dataclass(frozen=True, slots=True)
class Beside:
    """`lines`: in the order in which they are read; `choices`: what can be chosen; `waits`: somebody is waited for."""

    lines: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    waits: bool = False


def of(session: Session, lang: str) -> Beside | None:
    """None: no call walks this session, and none is awaited."""
    if not session.call or session.screened_at is None:
        code = screens.code_of(session)
        return None if code is None else Beside((_how_to_call(code, lang),), waits=True)
    held = rows.last_held(CALL, session.call)
    if held is None:
        return Beside((texts.say("web-beside-together", lang),))
    if callbacks.awaited(held):
        until = whens.until(callbacks.said_until(held, held.ticket), lang)
        return Beside((texts.say("web-beside-callback", lang, until=until),), waits=True)
    return _place(held, lang)


def _place(held: Holding, lang: str) -> Beside:
    """The place in line. At an account's place who has shown nothing but a number is shown their own call alone."""
    ticket, here = held.ticket, held.ended_at is None
    theirs = held.proven or ticket.account_id is None
    can_ring: tuple[Choice, ...] = ("call_me",) if numbers.dialable(ticket.phone) else ()
    match ticket.state:
        case "waiting" | "offered" if here or theirs:
            paid = theirs and ticket.bill is not None and ticket.bill.remaining == 0
            lines = [*_told(ticket, lang), texts.say("web-beside-paid" if paid else "web-beside-kept", lang)]
            return Beside(tuple(lines), ("enough",) if paid else can_ring, waits=True)
        case "away" if theirs:
            assert ticket.kept_until is not None
            kept = texts.say("web-beside-away", lang, until=whens.from_when(ticket.kept_until, lang))
            return Beside((kept,), can_ring if rows.speaks_for_all(held, ticket) else (), waits=True)
        case "talking" | "wrapping_up" if ticket.assignments.filter(ended_at=None, call_id=held.call_id).exists():
            return Beside((texts.say("web-beside-talking", lang),), waits=True)
        case _:
            return Beside((texts.say("web-beside-together", lang),))


def _how_to_call(code: CallCode, lang: str) -> str:
    digits = f"{code.code[:4]} {code.code[4:]}"
    return texts.say("web-beside-to-call", lang, call=settings.DOENDA_CALL, digits=digits)


def can_call() -> bool:
    """Does anybody serve the telephone, so that a call can join a page?"""
    return leases.held("voice")


def _told(ticket: Ticket, lang: str) -> list[str]:
    """The last range and the last position that were said, on whatever channel."""
    told = Estimate.objects.filter(ticket=ticket.pk, settled_at=None).order_by("-created_at", "-pk")
    last, placed = told.first(), told.filter(said_position=True).first()
    said = [texts.say("web-beside-unknown", lang)]
    if last is not None and last.longer:
        said = [texts.say("web-beside-longer", lang)]
    elif last is not None and last.low is not None and last.high is not None:
        said = [texts.say("web-beside-range", lang, low=str(last.low // 60), high=str(last.high // 60))]
    if placed is not None and placed.position > 1:
        said.append(texts.say("web-beside-ahead", lang, ahead=str(placed.position - 1)))
    return said


def choose(session: Session, what: Choice) -> None:
    """Take the customer's choice; one that came too late, or was never offered, changes nothing."""
    shown = of(session, session.lang)
    if shown is None or what not in shown.choices:
        return
    if what == "enough":
        entering.leave(CALL, session.call)
        return
    try:
        callbacks.promise(CALL, session.call)
    except (Refused, callbacks.NotWaiting):
        return
