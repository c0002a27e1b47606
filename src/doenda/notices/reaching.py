"""The gateway as a way of its own, with the purpose `tell`: what proves it, what speaks against it, when it is away.

A customer's delivery receipt is a proof, like the receipt of a loop text (probes/loops.py). A refused or undeliverable
message is the customer's affair (a phone that is off, a number that is gone); silence for as long as receipts may take,
and a bind that does not come about, are the gateway's. Evidence only: what is proven here lets nobody name it.
"""

import logging

from django.conf import settings

from doenda.assurance import evidence, standing, ways
from doenda.assurance.evidence import Outcome, UnknownWay
from doenda.assurance.rule import Name
from doenda.kernel import ids
from doenda.notices.models import Notice

log = logging.getLogger(__name__)

AWAY = "the gateway is withdrawn: nothing would arrive"
PAUSE = 300.0
"""Seconds; those that wait leave as soon as it is back (notices.waiting)."""


def way(gateway: str | None = None) -> str:
    """The slug of a gateway (default: the chosen one) as a way: `sms/text/smpp`. The demo's handset network is none."""
    return f"sms/text/{gateway or settings.DOENDA_GATEWAY}"


def withdrawn() -> bool:
    """Must texts wait? Only where loop texts would bring the gateway back: else customers' own receipts have to, and a
    text that is tried harms nobody, since nothing is held against anybody without its delivery receipt."""
    if not ways.terms(way()).walked:
        return False
    return standing.word(way()) is Name.WITHDRAWN


def worked(notice: Notice) -> None:
    """The notice was delivered, by its receipt; in the caller's transaction."""
    _record(notice.gateway, Outcome.WORKED, "notice", ids.outside(notice.pk), "")


def failed(notice: Notice, gateway: str, *, customers: bool, why: str) -> None:
    """The notice was not delivered; `customers`: for a reason that says nothing of the gateway."""
    outcome = Outcome.FAILED_BY_CUSTOMER if customers else Outcome.FAILED_BY_PROVIDER
    _record(gateway, outcome, "notice", ids.outside(notice.pk), why)


def no_link(gateway: str, why: str) -> None:
    """The gateway could not be reached, or did not let us in; in the caller's transaction."""
    _record(gateway, Outcome.FAILED_BY_PROVIDER, "link", ids.outside(ids.new_id()), why)


def _record(gateway: str, outcome: Outcome, source_kind: str, source_id: str, why: str) -> None:
    slug = way(gateway)
    if not gateway or not ways.declared(slug):
        return
    try:
        evidence.record(slug, outcome, source_kind=source_kind, source_id=source_id, synthetic=False, detail=why[:200])
    except UnknownWay:
        log.warning("%s is no way here yet: run `doenda migrate`", slug)
