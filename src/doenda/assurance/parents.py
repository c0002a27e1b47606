"""A provider that fails takes all its ways with it, at once: those too that nobody has tried yet.

The provider is taken to fail when at least two of its ways were withdrawn by evidence of their own, and none of its
ways has worked since the last of them was. It is taken back as soon as one of those has worked its way back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from doenda.assurance import deciding, rule, standing, ways
from doenda.assurance.models import Way
from doenda.assurance.rule import Name, WayState
from doenda.kernel import clock, facts, sweeps

LEAST = 2


@dataclass(frozen=True, slots=True)
class Child:
    """A way under its provider, as it stands."""

    slug: str
    state: WayState
    last_proof_at: datetime | None


def to_withdraw(children: Sequence[Child]) -> list[str]:
    """The ways to take along now (pure)."""
    own = [each for each in children if _by_itself(each.state)]
    if len(own) < LEAST:
        return []
    last = max(each.state.withdrawn_at for each in own if each.state.withdrawn_at is not None)
    if any(each.last_proof_at is not None and each.last_proof_at > last for each in children):
        return []
    return [each.slug for each in children if each.state.mode == "alive" and each.state.retired_at is None]


def to_give_back(children: Sequence[Child]) -> list[str]:
    """The ways that were taken along, once another of the provider's works again or none fails any more (pure)."""
    taken = [each for each in children if each.state.by_parent and each.state.mode != "alive"]
    since = min((each.state.withdrawn_at for each in taken if each.state.withdrawn_at is not None), default=None)
    proofs = [each.last_proof_at for each in children if each.state.mode == "alive" and each.last_proof_at is not None]
    works = since is not None and any(proof > since for proof in proofs)
    return [each.slug for each in taken] if works or not any(_by_itself(each.state) for each in children) else []


def _by_itself(state: WayState) -> bool:
    return state.mode != "alive" and not (state.by_parent or state.by_hand) and state.retired_at is None


@facts.subscribes("assurance.way_changed", name="assurance.parents")
def _changed(fact: facts.Fact) -> None:
    """Not here: this holds one way's lock, and another's may not be taken beside it."""
    if fact.data["to"] in (Name.WITHDRAWN, Name.PROVEN):
        sweeps.nudge("parents")


@sweeps.sweep("parents", every=2)
def sweep(limit: int = 100) -> int:
    """Take along, and give back. Returns the ways that changed; each in a transaction of its own."""
    families: dict[str, list[Child]] = {}
    seen = standing.current()
    for row in Way.objects.filter(retired_at=None).order_by("slug"):
        if row.slug in seen:  # not the ways on one kind of device
            child = Child(row.slug, ways.load(row), seen[row.slug].last_proof_at)
            families.setdefault(row.provider, []).append(child)
    done = 0
    for provider, children in families.items():
        for slug in to_withdraw(children):
            done += _decide(slug, "with_parent", f"{provider} fails: its other ways were withdrawn")
        for slug in to_give_back(children):
            done += _decide(slug, "parent_back", f"{provider} works again: this way needs a proof of its own")
    return done


def _decide(slug: str, kind: str, why: str) -> int:
    with transaction.atomic():
        way, state = standing.lock(slug)
        if (state.mode == "alive") != (kind == "with_parent") or state.retired_at is not None:
            return 0
        state = deciding.decided(way, state, kind, clock.now(), who="its provider", reason=why)
        return int(standing.write(way, rule.tick(state, clock.now()), why))
