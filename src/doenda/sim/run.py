"""Playing one schedule: a safety phase with faults, healing, and what must hold after each step and at rest."""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from doenda.kernel import randomness
from doenda.payments.models import AttemptMove
from doenda.sim import building, healing, invariants
from doenda.sim.building import Plan
from doenda.sim.ground import Ground
from doenda.sim.invariants import Violation
from doenda.sim.points import Point, Points
from doenda.sim.schedule import Schedule
from doenda.sim.world import World

FORGED = "forged webhook: "
"""What the acts call a letter that they forged, before how."""


@dataclass
class Played:
    """What became of one schedule. `points`: passed in its safety phase; `struck`: the one that it died at (sweeps)."""

    seed: int
    violations: list[Violation] = field(default_factory=list)
    story: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    points: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    struck: tuple[int, Point] | None = None
    steps: int = 0
    moves: set[tuple[str, str]] = field(default_factory=set)
    fingerprint: str = ""
    providers: tuple[str, ...] = ()
    happened: Counter[str] = field(default_factory=Counter)
    """How much of what there was: attempts, texts at the handsets, commands to the switch, what seldom comes about."""


def play(
    ground: Ground,
    schedule: Schedule,
    *,
    die_at: int | None = None,
    only: frozenset[int] | None = None,
    plan: Plan | None = None,
) -> Played:
    """Play it on an empty ground. `die_at`: at exactly this point the process dies; `only` these steps are done.

    After the first violation the world goes no further.
    """
    ground.clear()
    played = Played(schedule.seed)
    points = Points(schedule.rates, die_at)
    with building.world(schedule, points, plan) as world, _overheard(world):
        played.providers = tuple(world.drivers)
        _live(world, played, only)
        played.points, played.kinds, played.struck = points.passed, points.kinds, points.struck
        played.story, played.faults = world.lines, world.faults
        played.moves = set(AttemptMove.objects.values_list("source", "target").distinct())
        played.fingerprint = _fingerprint(world, ground.fingerprint())
        played.happened = _happened(world)
    return played


def _live(world: World, played: Played, only: frozenset[int] | None) -> None:
    seen = 0
    for step in world.schedule.steps:
        if only is not None and step.number not in only:
            continue
        world.step, world.between = step.number, 0
        world.chance = randomness.stream(f"{world.seed}:{step.number}")
        with randomness.seeded(f"{world.seed}:{step.number}:ids"):
            world.act(step.act)
        played.steps += 1
        if world.commits != seen:
            _see(world, played, invariants.after_each_step(world))
        seen = world.commits
        if played.violations:
            return
    world.chance = randomness.stream(f"{world.seed}:after")
    with randomness.seeded(f"{world.seed}:after:ids"):
        left = healing.heal(world)
    if left:
        played.violations.append(Violation("REST", "; ".join(left[:4]), None))
    _see(world, played, invariants.at_rest(world))


def _see(world: World, played: Played, found: Iterator[Violation]) -> None:
    world.note_attempts()
    with world.looked_at():
        played.violations += list(found)
    played.violations += [Violation("SURPRISE", words, world.step) for words in world.surprises]
    world.surprises.clear()


def _happened(world: World) -> Counter[str]:
    handset: Any = world.hall.truths["handset"]
    bars = sum(b'"none"' not in request.content for request in world.sent_to_switch)
    with connection.cursor() as cursor:
        cursor.execute(_HAPPENED)
        unknowns, returned, back, refunds, credits_, leased = cursor.fetchone()
    return Counter(
        attempts=len(world.attempts),
        texts=len(handset.messages),
        bars=bars,
        restores=len(world.sent_to_switch) - bars,
        pages=len(world.shown),
        unknowns=unknowns,
        debits_returned=returned,
        deposits_taken_back=back,
        refunds_done=refunds,
        credit_refunds_done=credits_,
        numbers_leased_again=leased,
        forged_letters=sum(count for name, count in world.faults.items() if name.startswith(FORGED)),
    )


_HAPPENED = """
    SELECT count(*) FILTER (WHERE m.target = 'unknown'),
           count(*) FILTER (WHERE m.target = 'undone' AND a.method = 'debit'),
           count(*) FILTER (WHERE m.source = 'paid' AND m.target IN ('undone', 'needs_deposit')
                            AND a.method = 'deposit'),
           (SELECT count(*) FROM payments_refund WHERE done_at IS NOT NULL AND NOT of_credit),
           (SELECT count(*) FROM payments_refund WHERE done_at IS NOT NULL AND of_credit),
           (SELECT count(*) - count(DISTINCT number_id) FROM payments_depositlease)
    FROM payments_attemptmove m JOIN payments_attempt a ON a.id = m.attempt_id
"""


@contextmanager
def _overheard(world: World) -> Iterator[None]:
    """The house's log says nothing of what is meant to go wrong; an error that nobody meant is a violation."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers[:] = [_Ear(world)]
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers[:] = before
        root.setLevel(level)


class _Ear(logging.Handler):
    def __init__(self, world: World) -> None:
        super().__init__(logging.WARNING)
        self._world = world

    def emit(self, record: logging.LogRecord) -> None:
        with self._world.looked_at():
            invariants.as_it_logs(self._world, record.getMessage())
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not self._world.expects(error):
            self._world.surprised(record.name, error)


def _fingerprint(world: World, rows: str) -> str:
    """Of the story and of every row at its end: two plays of one seed have the same."""
    told = "\n".join([*world.lines, rows, world.now.instant.isoformat()])
    return hashlib.sha256(told.encode()).hexdigest()[:16]
