"""What a state says at an instant: its word, whether it may be named, whom it has misled, and since when."""

from datetime import datetime

from doenda.assurance import hours
from doenda.assurance.rule.memory import WayState
from doenda.assurance.rule.weights import SUSPECT_ABOVE
from doenda.assurance.rule.words import Name


def standing(state: WayState, now: datetime) -> Name:
    """The word for `state` at `now`. No proof, or one that is too old, is never `proven`."""
    if state.retired_at is not None:
        return Name.RETIRED
    if closed_until(state, now) is not None:
        return Name.CLOSED
    if state.mode != "alive":
        return Name(state.mode)
    doubted = state.points > SUSPECT_ABOVE or state.doubt_at is not None or state.reported_at is not None
    if not leased(state, now):
        return Name.SUSPECT if state.part and doubted else Name.UNPROVEN
    if doubted:
        return Name.SUSPECT
    return Name.DEGRADED if state.degraded else Name.PROVEN


def leased(state: WayState, now: datetime) -> bool:
    return state.proven_until is not None and now <= state.proven_until


def closed_until(state: WayState, now: datetime) -> datetime | None:
    """None while it is open; else the first instant after `now` at which neither calendar nor person has it closed."""
    at = now
    while True:
        if state.closed_until is not None and (state.closed_from or at) <= at < state.closed_until:
            at = state.closed_until
        elif (opens := hours.closed_until(state.calendar, at)) is not None:
            at = opens
        else:
            return None if at == now else at


def failing(state: WayState, now: datetime) -> bool:
    """Were customers misled who had been told this way? Not by silence alone: a dead prober is not a failing way.

    Nor does silence begin while it is closed: a lease that ends in closed hours gets another one from the opening.
    """
    if state.retired_at is not None:
        return False
    if state.mode != "alive":
        return True
    if state.part or leased(state, now) or closed_until(state, now) is not None:
        return False
    opened = closed_until(state, state.proven_until) if state.proven_until is not None else None
    if opened is not None and now <= opened + state.lease:
        return False
    silent_since = state.last_proof_at
    return state.last_failure_at is not None and (silent_since is None or state.last_failure_at > silent_since)


def onset(state: WayState, now: datetime) -> datetime:
    """Since when the way fails, to the customer's advantage: the last proof before the first failure of the series."""
    known = [at for at in (state.clean_proof_at, state.series_from) if at is not None]
    return min(known, default=now)
