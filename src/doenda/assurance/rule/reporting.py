"""What customers say, and what they do not come back from, puts a way in doubt: it is named to nobody until it has
shown that it works. It never withdraws: words can be made up, so nobody else's clock stops for them.
"""

from dataclasses import replace
from datetime import datetime

from doenda.assurance.rule.memory import WayState
from doenda.assurance.rule.weights import (
    REPORTS_ANSWERED_BY,
    REPORTS_FORGOTTEN,
    REPORTS_LAST,
    REPORTS_MOST,
    REPORTS_NEEDED,
    REPORTS_WITHIN,
)


def reported(state: WayState, at: datetime) -> WayState:
    """One more customer says that it does not work; the caller sees to it that one person counts once."""
    if state.mode != "alive":
        return state
    recent = (*(each for each in state.reports if at - each < REPORTS_WITHIN), at)
    if state.reported_at is None and len(recent) >= state.reports_needed:
        return replace(state, reports=recent, reported_at=at, reports_answered=0)
    return replace(state, reports=recent)


def doubted(state: WayState, at: datetime) -> WayState:
    """In doubt at once, for what was measured and not for what was said."""
    if state.mode != "alive" or state.reported_at is not None:
        return state
    return replace(state, reported_at=at, reports_answered=0)


def answered(state: WayState, now: datetime) -> WayState:
    """It worked to the last step. Enough of that ends the doubt, and the next one needs twice as many reports: who
    makes them up cannot keep a way that works from being named."""
    if state.reported_at is None:
        return state
    if state.reports_answered + 1 < REPORTS_ANSWERED_BY:
        return replace(state, reports_answered=state.reports_answered + 1)
    needed = min(REPORTS_MOST, 2 * state.reports_needed)
    return replace(state, reports=(), reported_at=None, reports_answered=0, reports_needed=needed, wary_since=now)


def forgotten(state: WayState, now: datetime) -> WayState:
    """Doubt ends by itself where nothing can answer it, and what made the house wary is forgotten at last."""
    if state.reported_at is not None and now - state.reported_at >= REPORTS_LAST:
        state = replace(state, reports=(), reported_at=None, reports_answered=0)
    if state.wary_since is not None and now - state.wary_since >= REPORTS_FORGOTTEN:
        state = replace(state, wary_since=None, reports_needed=REPORTS_NEEDED)
    return state
