"""The way "call us": every call that reached a person in time is a proof of it, and every one that did not speaks
against it. A call centre that answers nobody is a way that fails: an incident, and a person is paged.

In time: within the policy's `overload_minutes` on the line, beyond which we ourselves name a callback first. Who hung
up or chose a callback before that has said nothing of us, unless nobody was at work at all. Only where the telephone is
served by us (DOENDA_ARI_URL).
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings

from doenda.assurance import evidence
from doenda.assurance.evidence import Outcome, UnknownWay
from doenda.contact import policy
from doenda.contact.models import Agent, Holding, Ticket
from doenda.contact.models.tickets import CALL
from doenda.kernel.ids import outside

log = logging.getLogger(__name__)

WAY = "voice/person/line"


def answered(ticket: Ticket, now: datetime) -> None:
    """A person has taken the call; in the caller's transaction. Who asked to be called back had not to wait."""
    if ticket.window_from is None:
        _record(ticket, now, late=Outcome.FAILED_BY_US, early=Outcome.WORKED)


def lost(ticket: Ticket, now: datetime) -> None:
    """The customer went, and did not come back while the place was kept; in the caller's transaction."""
    early = Outcome.FAILED_BY_CUSTOMER if Agent.objects.exclude(state="out").exists() else Outcome.FAILED_BY_US
    _record(ticket, now, late=Outcome.FAILED_BY_US, early=early)


def let_off(ticket: Ticket, now: datetime) -> None:
    """The customer chose to be called back; in the caller's transaction. It speaks against us only when it was late."""
    _record(ticket, now, late=Outcome.FAILED_BY_US, early=None)


def _record(ticket: Ticket, now: datetime, *, late: Outcome, early: Outcome | None) -> None:
    if not settings.DOENDA_ARI_URL:
        return
    waited = _on_the_line(ticket, now)
    if waited is None:
        return
    outcome = late if waited > timedelta(seconds=policy.current().bounds.overload) else early
    if outcome is None:
        return
    try:
        evidence.record(
            WAY,
            outcome,
            source_kind="ticket",
            source_id=outside(ticket.pk),
            synthetic=False,
            account_id=ticket.account_id,
            detail=f"{waited.total_seconds():.0f} s on the line",
        )
    except UnknownWay:  # nothing was written: the call goes on
        log.warning("%s is no way here yet: run `doenda migrate`", WAY)


def _on_the_line(ticket: Ticket, now: datetime) -> timedelta | None:
    """How long they waited on the telephone, times away not counted. None: they came by no call."""
    calls = Holding.objects.filter(ticket=ticket.pk, channel=CALL).order_by("created_at")
    waited, counted = None, None
    for since, until in calls.values_list("created_at", "waited_until"):
        end = until or now
        begun = since if counted is None else max(since, counted)  # two telephones at one place wait once
        waited = (waited or timedelta()) + max(timedelta(), end - begun)
        counted = end if counted is None else max(counted, end)
    return waited
