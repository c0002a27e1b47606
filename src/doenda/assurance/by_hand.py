"""What a named person may decide about a way, each with a reason that is stored and shown."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from doenda.assurance import rule, standing, ways
from doenda.assurance.rule import Change
from doenda.kernel import clock


def withdraw(slug: str, *, who: str, reason: str) -> None:
    """Out of guidance until a person vouches for it; evidence alone does not bring it back."""
    _apply(slug, "withdrawn", who, reason, lambda state: rule.withdrawn(state, clock.now(), by_hand=True))


def vouch(slug: str, *, who: str, reason: str) -> None:
    """Lift a withdrawal. The way is unproven until the next proof: nobody can vouch for its being named."""
    _apply(slug, "vouched for", who, reason, lambda state: rule.restored(state, counts_from=clock.now()))


def close(slug: str, until: datetime, *, who: str, reason: str) -> None:
    """Closed until then, beside its calendar's hours; closing is no failure of the way and exposes nobody."""
    _apply(slug, "closed", who, reason, lambda state: replace(state, closed_from=clock.now(), closed_until=until))


def retire(slug: str, *, who: str, reason: str) -> None:
    """Not offered again, even if its provider is. Ends a running exposure: from now on its absence is what we say."""
    _apply(slug, "retired", who, reason, lambda state: replace(state, retired_at=clock.now(), retired_by_hand=True))


def offer_again(slug: str, *, who: str, reason: str) -> None:
    """Take back a retirement. The way needs a fresh proof, or comes back withdrawn if that is how it went."""
    _apply(slug, "offered again", who, reason, ways.offered_again)


def _apply(slug: str, verb: str, who: str, reason: str, change: Change) -> None:
    if not who.strip() or not reason.strip():
        raise ValueError("a decision about a way needs a person and a reason")
    with transaction.atomic():
        way, state = standing.lock(slug)
        standing.write(way, change(state), f"{verb} by {who}: {reason}")
