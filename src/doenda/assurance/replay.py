"""Replaying a way's log from zero: do the same inputs come to the same standings?

Inputs are evidence, decisions, and the moments at which the house looked and found that time alone had changed a word.
What was found is not taken over, only when. Successes that one transaction stored while another judged a failure may
have counted there a failure later than here: at most a transition then differs, and it is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from doenda.assurance import deciding, rule, ways
from doenda.assurance.models import Evidence, Transition, Way, WayDecision
from doenda.assurance.rule import Event, Name, Outcome, WayState


@dataclass(frozen=True, slots=True)
class Replayed:
    """A way's transitions (was, now) as they were stored and as they come out of its log again."""

    way: str
    evidence: int
    stored: tuple[tuple[str, str], ...]
    again: tuple[tuple[str, str], ...]

    @property
    def same(self) -> bool:
        return self.stored == self.again


type _Input = tuple[datetime, UUID, Event | WayDecision | None]


def replay(slug: str) -> Replayed:
    """Replay one way. Reads only; raises Way.DoesNotExist."""
    way = Way.objects.get(pk=slug)
    kept = list(Transition.objects.filter(way_id=slug).order_by("version"))
    state, word = _blank(way), Name.UNPROVEN
    again: list[tuple[str, str]] = []
    count = 0
    for at, _, what in sorted(_inputs(slug, kept), key=lambda each: each[:2]):
        count += isinstance(what, Event)
        state = _after(state, what, at)
        found = rule.standing(state, at)
        if found is not word:
            again.append((word.value, found.value))
            word = found
    return Replayed(slug, count, tuple((each.was, each.now) for each in kept), tuple(again))


def _after(state: WayState, what: Event | WayDecision | None, at: datetime) -> WayState:
    if isinstance(what, Event):
        return rule.judge(state, what)
    if what is None:
        return rule.tick(state, at)
    return deciding.decide(state, what.kind, at, what.value)


def _blank(way: Way) -> WayState:
    """The state in which every way begins, on the terms that hold for this one."""
    known = ways.load(way)
    return WayState(
        lease=known.lease,
        lease_night=known.lease_night,
        confirms=known.confirms,
        calendar=known.calendar,
        part=known.part,
    )


def _inputs(slug: str, kept: list[Transition]) -> Iterator[_Input]:
    for row in Evidence.objects.filter(way_id=slug).iterator():
        yield row.created_at, row.id, Event(Outcome(row.outcome), row.at, row.created_at, row.synthetic)
    for decision in WayDecision.objects.filter(way_id=slug):
        yield decision.created_at, decision.id, decision
    for each in kept:
        if each.evidence_id is None:
            yield each.at, each.id, None
