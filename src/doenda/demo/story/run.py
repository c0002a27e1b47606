"""Both sides for one population: `then` in this process, ours in processes with a house and a database each.

From `SHARDED` customers on ours is played by two houses, each with half of the customers, a prober and a desk of its
own: the figures are sums, and "noticed" is when the slower one did. So it is by the number of customers alone, and not
by the machine: the same seed gives the same figures anywhere.
"""

import gc
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from doenda.demo.story import ours, population, scenario, then
from doenda.demo.story.book import Book, Truth
from doenda.demo.story.population import Customer
from doenda.demo.story.scenario import Scenario
from doenda.kernel import clock
from doenda.sim import databases, fleet

SHARDED = 100
HOUSES = 2
SAMPLE = 200
ENOUGH_TOLD, KEPT = 50, 0.8
"""Of so many callers who were told a range at least that share has to be connected by its end."""
NOT_MODELLED = (
    "what is spoken on our side's telephone: the line is played by its own rules in virtual time (order, estimates, "
    "callbacks, the same agents and talks as then) and the places are real tickets, but nobody hears a prompt"
)


@dataclass(frozen=True)
class Job:
    """One house's part: every `of`-th customer from `at` on; `sample` of them walk the whole web channel."""

    customers: int
    seed: int
    at: int
    of: int
    sample: int


@dataclass
class Played:
    """What became of it. `failures`: why it is not ok, in words."""

    scenario: Scenario
    customers: Sequence[Customer]
    seed: int
    ours: Book
    then: Book
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, dict[str, int | float | bool]]:
        return {"ours": self.ours.figures(), "then": self.then.figures()}


def truth_of(of: Scenario) -> Truth:
    return Truth(of, clock.at(of.first_day, of.breaks_at), clock.day_start(of.day(of.days)))


def play(customers: int, seed: int, argv: Sequence[str]) -> Played:
    """Play it; `argv` begins the command whose `child` it is. Raises ValueError for no customers."""
    of = scenario.load()
    everyone = population.make(customers, seed, of)
    made = Played(of, everyone, seed, Book(truth_of(of)), Book(truth_of(of)))
    houses = HOUSES if customers >= SHARDED else 1
    jobs = [Job(customers, seed, at, houses, _sample(customers) // houses) for at in range(houses)]
    with databases.server() as server, ExitStack() as stack:
        children = [fleet.start(stack, server, argv, at, job) for at, job in enumerate(jobs)]
        then.play(everyone, of, made.then, seed)
        for child in children:
            assert child.stdout is not None
            assert child.stderr is not None
            told = child.stdout.readline()
            if not told:
                made.failures.append(f"a house ended: {child.stderr.read()[-2000:]}")
                continue
            made.ours.add(json.loads(told))
    judge(made)
    return made


def _sample(customers: int) -> int:
    """How many walk the whole web channel: `SAMPLE`, or a third of a small population."""
    return min(SAMPLE, max(1, customers // 3))


def child(job: Job) -> dict[str, Any]:
    """Play one house's part on the database that this process is connected to; its book as plain values."""
    of = scenario.load()
    gc.freeze()
    gc.disable()  # a tenth of the time; what circles leave behind is little
    mine = population.make(job.customers, job.seed, of)[job.at :: job.of]
    book = Book(truth_of(of))
    ours.play(mine, of, book, f"{job.seed} {job.at}", sample=job.sample)
    return book.as_data()


PROMISES = {
    "dead_ends": "a dead end",
    "wrongful_steps": "a wrongful step",
    "wrongful_threats": "a threat while nothing that was named works",
    "ways_unnamed": "a way that works and was not named to who needed it",
    "broken_ways_named": "a way named that was known to be broken",
    "disconnected_calls": "a call ended by us",
}
"""What ours must have none of, and its words."""


def judge(played: Played) -> None:
    """Is ours as it promises? Adds to `failures`, and the notes."""
    found = played.ours.figures()
    for name, words in PROMISES.items():
        if found[name]:
            played.failures.append(f"ours.{name}: {found[name]} times {words}")
    told, kept = int(found["waits_told"]), int(found["waits_kept"])
    if told >= ENOUGH_TOLD and kept < KEPT * told:
        played.failures.append(f"ours told {told} callers how long it takes, and {kept} were connected by then")
    if played.ours.noticed_at is None:
        played.failures.append("ours never noticed")
    played.notes += [f"not modelled: {NOT_MODELLED}", told_of_the_first(played)]


def told_of_the_first(played: Played) -> str:
    """The article's customer, in one line."""
    first = played.customers[0]
    return (
        f"customer 1, the article's: {played.then.met(first)} dead ends then, {played.ours.met(first)} with ours"
        f" ({played.ours.of(first).paid:,} won paid)"
    )
