"""The same outcomes through the database, row by row: the way's stored standing must be what the pure rule says."""

from datetime import timedelta

from doenda.app.benches import ground
from doenda.app.benches.detection import ours, traces
from doenda.app.benches.detection.traces import Fault
from doenda.assurance import evidence, rule, standing
from doenda.assurance.rule import Event, Outcome
from doenda.kernel import clock, randomness
from doenda.kernel.db import atomic

WAY = "web/card/sandbox"
RUNS = (Fault("healthy", 5, real=0.05, walks=0.01), Fault("half", 5, real=0.5, walks=0.5))


def differ(count: int, database: str | None) -> list[str]:
    """Feed `count` outcomes of healthy traffic and of half of it failing; where rows and rule say something else."""
    with ground.ground(database, None):
        return [words for number, fault in enumerate(RUNS) for words in _one(number, fault, count)]


def _one(number: int, fault: Fault, count: int) -> list[str]:
    found: list[str] = []
    begins = ours.START + timedelta(days=number)
    with clock.freeze(begins) as now:
        with atomic():
            _, state = standing.lock(WAY)
        coming = traces.trace(fault, randomness.stream(f"rows:{number}"), begins=0.0)
        for each, seen in zip(range(count), coming, strict=False):
            at = begins + timedelta(seconds=seen.began)
            now.set(max(clock.now(), at))
            outcome = Outcome.WORKED if seen.ok else Outcome.FAILED_BY_PROVIDER
            with atomic():
                evidence.record(
                    WAY, outcome, source_kind="bench", source_id=f"{number}-{each}", synthetic=seen.walk, at=at
                )
            state = rule.judge(state, Event(outcome, at, clock.now(), seen.walk))
            word, said = standing.current()[WAY].standing, rule.standing(state, clock.now())
            with atomic():
                _, stored = standing.lock(WAY)  # with the successes that are stored and not judged yet
            if (word, round(stored.points, 9)) != (said, round(state.points, 9)):
                found.append(f"outcome {each}: rows say {word} {stored.points}, the rule {said} {state.points}")
    return found
