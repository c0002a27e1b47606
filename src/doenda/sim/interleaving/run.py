"""Running scenarios: every plan of each, as many as asked for; one plan alone; what did not hold."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from doenda.billing import books
from doenda.billing.models import Account
from doenda.kernel import clock, offset, randomness
from doenda.kernel.db import atomic
from doenda.sim import drivers, ground
from doenda.sim.interleaving import between, checks, scenarios, scene
from doenda.sim.interleaving.engine import Ended, Engine
from doenda.sim.interleaving.plans import Explorer, NotRepeated, Walk, read
from doenda.sim.interleaving.scene import REGISTRY, Scenario, staged

assert scenarios
MOST = 2000
"""Plans of one scenario, if it has so many."""
QUICK = 16
"""The same where it has to be quick (CI): all scenarios in some minutes, those with the fewest interruptions first."""
AFRESH = 100
"""Runs from one emptying of the database to the next: what earlier ones left makes every look at it longer."""
ENOUGH = 3
"""A scenario stops after so many runs that failed: the others would say the same."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not hold in one run; `plan` replays it: `replay(scenario, plan)`."""

    plan: str
    words: tuple[str, ...]


@dataclass
class Ran:
    """One scenario: `run` plans of `possible` (reckoned, unless `exact`), with its failures."""

    name: str
    actors: int
    run: int = 0
    possible: int = 0
    exact: bool = False
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def line(self) -> str:
        about = "" if self.exact else "about "
        end = "ok" if not self.failures else f"FAILED: {self.failures[0].plan}: {self.failures[0].words[0]}"
        return f"{self.name}: {self.run} / {about}{self.possible}, {self.seconds:.1f} s, {end}"


def names() -> list[str]:
    return sorted(REGISTRY)


def run(
    names: Iterable[str] | None = None,
    most: int = MOST,
    seed: int = 1,
    *,
    enough: int = ENOUGH,
    empty: Callable[[], None] | None = None,
) -> Iterator[Ran]:
    """Run the scenarios (all, or these), on the database that this process is connected to; at most `most` plans each.

    A scenario stops after `enough` runs that failed. `empty` empties the database, where that may be done: before each
    scenario, and every `AFRESH` runs. Raises KeyError for a name that there is not.
    """
    chosen = [REGISTRY[name] for name in (sorted(REGISTRY) if names is None else names)]
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # the losers of a race say so
    try:
        with _prepared():
            for played in chosen:
                yield _scenario(played, most, seed, enough, empty)
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _prepared() -> Iterator[None]:
    offset.forget()
    between.begin()
    _anew()
    try:
        yield
    finally:
        between.end()
        books.forget()


def _anew() -> None:
    """What this process remembers is of the database as it is; and each run finds the carrier's books as the others do:
    whoever looks one up first asks more than who knows it."""
    ground.forget()
    scene.forget()
    anybody = Account(currency="KRW")
    with atomic():
        for name in (books.BILLED, books.LATE_FEES, books.ELSEWHERE, *map(books.clearing, drivers.names())):
            books.of_carrier(name, anybody)


def _scenario(played: Scenario, most: int, seed: int, enough: int, empty: Callable[[], None] | None) -> Ran:
    begun = clock.monotonic()
    explorer = Explorer(played.actors, preemptions=played.preemptions, seed=seed)
    ran = Ran(played.name, played.actors)
    walk: Walk | None = None
    with Engine(played.actors, inside=played.inside) as engine:
        try:
            for walk in explorer.walks(most):
                if empty is not None and ran.run % AFRESH == 0:
                    empty()
                    _anew()
                    _rehearse(engine, played, seed)
                ran.run += 1
                wrong = _one(engine, played, walk, f"{seed}:{played.name}:{explorer.run}")
                if wrong:
                    ran.failures.append(Failure(walk.plan, tuple(wrong)))
                if len(ran.failures) >= enough:
                    break
        except NotRepeated as error:
            ran.failures.append(Failure(walk.plan if walk else "", (str(error),)))
    trial = books.trial()
    if not trial.ok:
        ran.failures.append(Failure("", (f"the whole ledger does not balance: {trial}",)))
    ran.possible, ran.exact = explorer.possible, explorer.exact
    ran.seconds = clock.monotonic() - begun
    return ran


def _rehearse(engine: Engine, played: Scenario, seed: int) -> None:
    """Whoever comes first to an empty database does what the next need not do any more; the runs are to be alike."""
    _one(engine, played, Walk(preemptions=played.preemptions), f"{seed}:{played.name}:rehearsal")


def replay(name: str, plan: str, seed: int = 1) -> list[str]:
    """One plan alone: what does not hold. Raises NotRepeated where it cannot be followed."""
    played = REGISTRY[name]
    with _prepared(), Engine(played.actors, inside=played.inside) as engine:
        return _one(engine, played, Walk(read(plan), played.preemptions), f"{seed}:{name}:{plan}")


def _one(engine: Engine, played: Scenario, walk: Walk, seed: str) -> list[str]:
    """Set the stage, run, look. What does not hold, in words."""
    with randomness.seeded(seed), staged(engine, played.providers) as scene:
        play = played.play(scene)
        try:
            ended = engine.run(next(play), walk)
            wrong = list(checks.of_the_run(played, ended))
            wrong += _to_the_end(play, ended)
            wrong += [*scene.wrong, *checks.of_the_end(scene)]
        finally:
            play.close()
            between.forget()
        return wrong


def _to_the_end(play: object, ended: Ended) -> list[str]:
    try:
        play.send(ended)  # type: ignore[attr-defined]
    except StopIteration:
        return []
    except Exception as error:  # noqa: BLE001 - the look at the end is part of what is looked at
        return [f"the end could not be looked at: {type(error).__name__}: {error}"]
    return ["the scenario yields twice"]
