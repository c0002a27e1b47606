"""The ways to pay that this customer may be shown here and now: one a method, by standing and cost."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from doenda.assurance import guidance, standing
from doenda.assurance.guidance import OfferedWay
from doenda.assurance.rule import Name
from doenda.billing.models import Bill
from doenda.journeys.actions.receipts import of_bill, tried
from doenda.journeys.models import Session
from doenda.payments import routing
from doenda.payments.debit.policy import currencies
from doenda.payments.states import State

MEDIUM = {"voice": "voice"}
"""By which medium a channel names ways (guidance.MEDIA); the others show pages."""
NO_SCRIPTS = "scripts"
"""The key under which a session knows ("no") that the device in front of it runs no script."""


def listed(among: str, session: Session, *, scripts: bool = True) -> tuple[OfferedWay, ...]:
    """What a `Choose` step chooses from: the ways that this customer may be shown here and now.

    `scripts` False: only those that work on any device.
    """
    assert among == "ways_to_pay"
    assert session.account is not None
    if session.account.probe:  # the prober walks what nobody may be told: that is how a way comes back
        return tuple(
            OfferedWay(way.slug, way.method, way.channel, False, way.provider)
            for way in standing.current("pay").values()
            if way.channel == session.channel and way.standing != Name.RETIRED
        )

    def choose(ways: tuple[OfferedWay, ...]) -> tuple[OfferedWay, ...]:
        possible = tuple(way for way in ways if way.channel == session.channel and _sensible(way, session))
        return routing.best(
            possible,
            amount=amount_of(session.bill, session.data),
            currency=session.account.currency if session.account else "",
            avoid=tried(session.data),
            scripts=scripts and session.data.get(NO_SCRIPTS) != "no",
        )

    offered = guidance.offer(
        "pay",
        session.account.id,
        MEDIUM.get(session.channel, "page"),
        lang=session.lang,
        subject_id=session.id,
        device=session.device,
        choose=choose,
    )
    return offered.ways


def by_page(session: Session) -> tuple[OfferedWay, ...]:
    """What somebody on the telephone can pay with on a page, as texts name it: a call leads there."""
    if session.channel != "voice" or session.account is None or session.account.probe:
        return ()
    return tuple(way for way in guidance.snapshot().named("script") if way.channel == "web" and _sensible(way, session))


def reachable(among: str, session: Session) -> bool:
    """Is there anything to choose, here or on the page that the call leads to?"""
    return bool(listed(among, session) or by_page(session))


def elsewhere(session: Session) -> tuple[OfferedWay, ...]:
    """What works, but not on the kind of device that the customer holds: to be used on another one."""
    if session.account is None or not session.device:
        return ()
    found = guidance.snapshot().elsewhere(session.channel, session.device)
    return tuple(way for way in found if _sensible(way, session))


def instead(session: Session) -> tuple[OfferedWay, ...]:
    """After a failure of ours: what works now and does not hang on a provider that has just failed this customer.

    On this channel as it may be shown here, and on every other as texts name it.
    """
    failed = {way.split("/")[2] for way in tried(session.data)}
    if (way := session.data.get("way")) is not None:
        failed.add(way.split("/")[2])
    here = [way for way in listed("ways_to_pay", session) if way.proven]
    away = [way for way in guidance.snapshot().named("script") if way.channel != session.channel]
    known = {way.method for way in here}
    return tuple(
        way for way in (*here, *(one for one in away if one.method not in known)) if way.provider not in failed
    )


def amount_of(bill: Bill | None, data: Mapping[str, str]) -> int:
    """Minor units that are going to be paid."""
    return int(data.get("amount") or (bill.remaining if bill else 0))


def _sensible(way: OfferedWay, session: Session) -> bool:
    """A second debit of one bill is never asked for while the first is on its way."""
    if way.method != "debit" or session.account is None or session.bill_id is None:
        return True
    return session.account.currency in currencies() and on_its_way(session.bill_id) is None


def on_its_way(bill_id: UUID) -> UUID | None:
    """The attempt by which a debit of the bill is instructed."""
    found = of_bill(bill_id, State.INSTRUCTED)
    return found.id if found else None


def following(slug: str, session: Session, amount: int, data: Mapping[str, str], failed: list[str]) -> str | None:
    """The next provider of the same method after `slug` has failed, if one may be named now."""
    assert session.account is not None
    found = routing.next_after(
        slug,
        guidance.read().named(MEDIUM.get(session.channel, "page"), device=session.device),
        amount=amount,
        currency=session.account.currency,
        avoid=failed,
        scripts=data.get(NO_SCRIPTS) != "no",
    )
    return found.slug if found else None


def opening(channel: str) -> datetime | None:
    """When the first way opens, where every way of the channel is closed by its hours and none by a fault."""
    mine = [way for way in standing.current("pay").values() if way.channel == channel and way.standing != Name.RETIRED]
    if not mine or any(way.standing is not Name.CLOSED for way in mine):
        return None
    opens = [way.until for way in guidance.closed_now(channel)]
    return min(opens) if opens else None
