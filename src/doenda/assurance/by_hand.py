"""What a named person may decide about a way, each with a reason that is stored and shown."""

from datetime import datetime

from django.db import transaction

from doenda.assurance import deciding, standing
from doenda.kernel import clock


def withdraw(slug: str, *, who: str, reason: str) -> None:
    """Out of guidance until a person vouches for it; evidence alone does not bring it back."""
    _apply(slug, "withdraw", "withdrawn", who, reason)


def vouch(slug: str, *, who: str, reason: str) -> None:
    """Lift a withdrawal. The way is unproven until the next proof: nobody can vouch for its being named."""
    _apply(slug, "vouch", "vouched for", who, reason)


def close(slug: str, until: datetime, *, who: str, reason: str) -> None:
    """Closed until then, beside its calendar's hours; closing is no failure of the way and exposes nobody."""
    _apply(slug, "close", "closed", who, reason, value=until.isoformat())


def retire(slug: str, *, who: str, reason: str) -> None:
    """Not offered again, even if its provider is. Ends a running exposure: from now on its absence is what we say."""
    _apply(slug, "retire", "retired", who, reason)


def offer_again(slug: str, *, who: str, reason: str) -> None:
    """Take back a retirement. The way needs a fresh proof, or comes back withdrawn if that is how it went."""
    _apply(slug, "offer_again", "offered again", who, reason)


def _apply(slug: str, kind: str, verb: str, who: str, reason: str, *, value: str = "") -> None:
    if not who.strip() or not reason.strip():
        raise ValueError("a decision about a way needs a person and a reason")
    with transaction.atomic():
        way, state = standing.lock(slug)
        state = deciding.decided(way, state, kind, clock.now(), who=who, reason=reason, value=value)
        standing.write(way, state, f"{verb} by {who}: {reason}")
