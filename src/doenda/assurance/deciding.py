"""What changes a way's state beside evidence and time, each by its name: the same when decided and when replayed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from doenda.assurance import rule
from doenda.assurance.models import Way, WayDecision
from doenda.assurance.rule import WayState

type Decide = Callable[[WayState, datetime, str], WayState]


def offered_again(state: WayState, now: datetime) -> WayState:
    """A retired way's state once it may be offered again: unproven, unless evidence or a person withdrew it."""
    back = replace(state, retired_at=None, retired_by_hand=False)
    return rule.restored(back, counts_from=now) if back.mode == "alive" else back


def _closed(state: WayState, now: datetime, value: str) -> WayState:
    return replace(state, closed_from=now, closed_until=datetime.fromisoformat(value))


KINDS: dict[str, Decide] = {
    "withdraw": lambda state, now, value: rule.withdrawn(state, now, by_hand=True),
    "vouch": lambda state, now, value: rule.restored(state, counts_from=now),
    "close": _closed,
    "retire": lambda state, now, value: replace(state, retired_at=now, retired_by_hand=value != "configuration"),
    "offer_again": lambda state, now, value: offered_again(state, now),
    "with_parent": lambda state, now, value: replace(rule.withdrawn(state, now), by_parent=True),
    "parent_back": lambda state, now, value: rule.restored(state, counts_from=now),
    "doubt": lambda state, now, value: rule.doubted(state, now),
    "baseline": lambda state, now, value: replace(state, baseline=float(value)),
}
"""From a state, the instant and the decision's value to the state after it."""


def decide(state: WayState, kind: str, now: datetime, value: str = "") -> WayState:
    """The state after a decision: time passes before and after, as with an outcome, so that a replay comes to it."""
    return rule.tick(KINDS[kind](rule.tick(state, now), now, value), now)


def decided(
    way: Way,
    state: WayState,
    kind: str,
    now: datetime,
    *,
    who: str,
    reason: str,
    value: str = "",
    using: str = "default",
) -> WayState:
    """The state after the decision, which is kept. With the way locked. Raises KeyError, ValueError."""
    after = decide(state, kind, now, value)
    WayDecision.objects.using(using).create(
        way=way, kind=kind, value=value, who=who[:80], reason=reason[:200], created_at=now
    )
    return after
