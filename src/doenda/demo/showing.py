"""How the demo page writes amounts, instants and ages, and plain words for the rooms' own words. Pure."""

from datetime import datetime, timedelta

from doenda.kernel import clock
from doenda.kernel.money import Money
from doenda.kernel.words import amount

STANDING = {
    "proven": ("●", "proven", "good"),
    "suspect": ("▲", "suspect", "warn"),
    "withdrawn": ("■", "withdrawn", "bad"),
    "half_open": ("◐", "half open", "warn"),
    "degraded": ("▲", "degraded", "warn"),
    "unproven": ("○", "unproven", "soft"),
    "closed": ("▬", "closed", "soft"),
    "retired": ("✕", "retired", "soft"),
}
"""A standing's shape, word and tone: shape and word say the same as the colour."""

BARRING = {"none": "open", "outgoing": "outgoing barred", "both": "fully barred"}

STAGE = {
    "watching": "watching",
    "reminded": "reminded",
    "noticed": "told that the line will be barred",
    "outgoing_barred": "outgoing barred",
    "fully_barred": "fully barred",
}


def plain(word: str) -> str:
    """A room's word as people write it."""
    return word.replace("_", " ")


def won(minor: int, currency: str) -> str:
    return amount(Money(minor, currency), "ko")


def moment(instant: datetime) -> str:
    """On the carrier's clock: "22 Oct 15:20:07"."""
    local = clock.local(instant)
    return f"{local.day} {local:%b %H:%M:%S}"


def span(length: timedelta) -> str:
    """Roughly: "12 s", "3 min", "2 h", "5 days"."""
    seconds = int(abs(length).total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"


def ago(instant: datetime | None, now: datetime) -> str:
    """ "12 s ago", "in 3 days", "never"."""
    if instant is None:
        return "never"
    return f"in {span(instant - now)}" if instant > now else f"{span(now - instant)} ago"
