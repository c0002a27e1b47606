"""From a call to a screen: a text with a link that is used once, and two digits that only the caller hears. And from an
open page into a call: eight digits that only the page shows, keyed once.

A caller's number can be forged, so the text alone joins nothing: whoever opens the link types the digits that the call
says. Then page and call are in one hand, and walk one session. The text goes only to a number that an account has;
strangers hear the same words (design rule 14).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from doenda.access import tokens, tries
from doenda.billing.models import AccountRole
from doenda.contact import numbers
from doenda.journeys import sessions
from doenda.journeys.models import CallCode, Invitation, Session
from doenda.journeys.sessions import NoSession
from doenda.kernel import clock, once, outbox, randomness, sealing, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.models import OutboxRow
from doenda.notices import reaching, send, sending

if TYPE_CHECKING:
    from django.db.models import QuerySet

PURPOSE = "screen"
GOOD_FOR = timedelta(minutes=20)
MOST_TRIES = 5
CODE_DIGITS = 8
TEXTS_AN_HOUR = 4
"""To one number, whoever calls with it."""
WRONG_AN_HOUR = 200
"""Wrong eight digits of all callers together: with a thousand pages that show some, one in five hundred hits in an
hour."""
_ALL = "call-code:"


class NoInvitation(LookupError):
    """Never made, used, too old, or guessed at too often: one answer."""


def can_text(phone: str) -> bool:
    """Can a text reach this number now? The same for strangers' numbers. While the gateway is withdrawn, by evidence
    or by hand, no call offers one."""
    return numbers.is_mobile(phone) and not reaching.withdrawn()


def invite(address: str, *, call: str, phone: str) -> str:
    """Have the link to this session sent to the caller; the digits to say. Asked again in one call: the same text, as
    long as it still opens this session.

    Raises NoSession.
    """
    sessions.look(address)
    with atomic():
        mine = Invitation.objects.filter(call=call, phone=phone, used_at=None, until__gt=clock.now())
        for live in mine.filter(tries__lt=MOST_TRIES).order_by("-created_at", "-pk"):
            if _opens(live.sealed) == address:
                return live.digits
        made = Invitation(
            call=call,
            phone=phone,
            sealed=sealing.seal(address.encode()),
            digits=f"{randomness.below(100):02}",
            until=clock.now() + GOOD_FOR,
        )
        made.insert()
        if tries.count(f"screen:{phone}") <= TEXTS_AN_HOUR:
            outbox.put("screen_link", str(made.pk), {"invitation": str(made.pk)})
        return made.digits


@outbox.handles("screen_link")
def _send_link(row: OutboxRow) -> outbox.Outcome:
    made = Invitation.objects.filter(pk=row.payload["invitation"]).first()
    account_id = next(_accounts(made.phone), None) if made is not None else None
    if made is not None and account_id is not None:
        with atomic():
            params = {"screen": str(made.pk), "leave_by": clock.local(made.until).date()}
            send("screen", account_id, params=params, key=f"screen-{made.pk}", urgent=True)
    return outbox.Sent()


def _accounts(phone: str) -> Iterator[UUID]:
    """Accounts whose texts go to this number."""
    held = AccountRole.objects.filter(party__phone=phone, role__in=["holder", "payer"]).order_by("pk")
    for account_id in held.values_list("account_id", flat=True)[:5]:
        party = sending.recipient(account_id)
        if party is not None and party.phone == phone:
            yield account_id


def _opens(sealed: bytes | memoryview) -> str:
    """The address in it; "" where the key has gone."""
    try:
        return sealing.open_sealed(sealed).decode()
    except sealing.CannotOpen:
        return ""


def find(token: str) -> UUID:
    """The invitation that the link opens, as long as it can be used. Raises NoInvitation."""
    found = tokens.find(token)
    if found is None or found.purpose != PURPOSE:
        raise NoInvitation
    _usable(Invitation.objects.filter(pk=found.subject_id).first())
    return found.subject_id


def _usable(made: Invitation | None) -> Invitation:
    if made is None or made.used_at is not None or made.until <= clock.now() or made.tries >= MOST_TRIES:
        raise NoInvitation
    return made


def join(token: str, digits: str) -> str:
    """The address of the session that page and call walk from now on; "" for wrong digits. Raises NoInvitation."""
    subject = find(token)
    with atomic():
        made = _usable(Invitation.objects.select_for_update().filter(pk=subject).first())
        if digits.replace(" ", "") != made.digits:
            made.put(tries=made.tries + 1)
            return ""
        made.put(used_at=clock.now())
        tokens.revoke(made.pk)
    try:
        return sessions.screen(sealing.open_sealed(made.sealed).decode()).address
    except (NoSession, sealing.CannotOpen) as error:
        raise NoInvitation from error


def code_of(session: Session) -> CallCode | None:
    """The digits that this session's page shows just now."""
    return _code_of.first(session_id=session.pk, now=clock.now())


@once.query
def _code_of(session_id: once.Open, now: once.Open) -> "QuerySet[CallCode]":
    return CallCode.objects.filter(session=session_id, used_at=None, until__gt=now).order_by("pk")[:1]


def show_code(address: str) -> CallCode:
    """Digits with which a call joins this session; asked again, the same. Raises NoSession."""
    visit = sessions.look(address)
    with atomic():
        sessions.locked(visit.address)
        if (live := code_of(visit.session)) is not None:
            return live
        made = CallCode(
            session_id=visit.session.pk,
            code=f"{randomness.below(10**CODE_DIGITS):0{CODE_DIGITS}}",
            sealed=sealing.seal(visit.address.encode()),
            until=clock.now() + GOOD_FOR,
        )
        made.insert()
        return made


def take_up(code: str, *, call: str, caller: str) -> str:
    """The address of the session whose page shows these digits, now walked by this call, too; "" for wrong ones.

    After a few wrong ones nothing is right for this caller for an hour. Numbers can be forged, so all callers' wrong
    ones count, too: after many, digits are right only from a number that the page's own account has.
    """
    who = f"call-code:{caller or call}"
    with atomic():
        all_wrong, wrong = tries.hold(_ALL), tries.hold(who)
        live = CallCode.objects.select_for_update(of=("self",)).filter(code=code, used_at=None, until__gt=clock.now())
        found = live.select_related("session").first() if wrong < MOST_TRIES else None
        if found is not None and all_wrong >= WRONG_AN_HOUR and not numbers.is_own(caller, found.session.account_id):
            return ""  # the right ones: nobody's guess
        if found is None:
            tries.count(who)
            tries.count(_ALL)
            return ""
        found.put(used_at=clock.now())
    try:
        return sessions.screen(sealing.open_sealed(found.sealed).decode(), call=call).address
    except (NoSession, sealing.CannotOpen):
        return ""


@sweeps.sweep("invitations to a screen", every=600)
def forget(limit: int = 100) -> int:
    """What is over is nobody's any more."""
    gone = clock.now() - timedelta(days=1)
    with atomic():
        old = [row.pk for row in Invitation.objects.filter(until__lt=gone)[:limit]]
        codes = [row.pk for row in CallCode.objects.filter(until__lt=gone)[:limit]]
        return Invitation.objects.filter(pk__in=old).delete()[0] + CallCode.objects.filter(pk__in=codes).delete()[0]
