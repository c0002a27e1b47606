"""Which actor goes on at each boundary: schedules found one by one, each once. Pure: no database, clock or thread.

How many boundaries an actor has shows only while it runs (it may be told "busy" and be done), so schedules are found
by replaying: a finished run shows every decision that could have been another one, and each of those begins a part of
the tree that nobody has seen (stateless model checking, after Godefroid's VeriSoft). Once nothing is left unseen the
count is exact; until then what is left is reckoned from the longest way that each actor was seen to go.

Where there are more than can be run, every other one is the next with the fewest interruptions, for most races show
with one or two (Musuvathi and Qadeer's iterative context bounding); the others are spread over the whole by chance.
"""

import random  # noqa: TID251 - it chooses schedules, from a seed; the house itself is told nothing of it
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import factorial, prod

LETTERS = "abcdefghij"


class NotRepeated(RuntimeError):
    """The same decisions led elsewhere than before: the run depends on something that the plan does not hold."""


def allowed(runnable: Sequence[int], last: int | None, spare: int | None) -> tuple[int, ...]:
    """Who may go on. `spare`: how often an actor that could go on may still be interrupted (None: always)."""
    if last in runnable and spare == 0:
        assert last is not None
        return (last,)
    return tuple(sorted(runnable))


def spent(runnable: Sequence[int], last: int | None, chosen: int) -> int:
    """1 if this choice interrupts an actor that could have gone on."""
    return int(last in runnable and chosen != last)


@cache
def count(left: tuple[int, ...], last: int | None = None, spare: int | None = None) -> int:
    """How many schedules there are for actors that have so many parts left to run."""
    if spare is None:
        return factorial(sum(left)) // prod(factorial(each) for each in left)
    runnable = [actor for actor, parts in enumerate(left) if parts]
    if not runnable:
        return 1
    return sum(
        count(_after(left, actor), actor, spare - spent(runnable, last, actor))
        for actor in allowed(runnable, last, spare)
    )


def _after(left: Sequence[int], actor: int) -> tuple[int, ...]:
    return tuple(parts - (at == actor) for at, parts in enumerate(left))


@dataclass(frozen=True, slots=True)
class Decision:
    could: tuple[int, ...]
    chosen: int
    spare: int | None
    """What may still be interrupted after it."""


@dataclass
class Walk:
    """The decisions of one run: first those of `prefix`, then by chance, or (without chance) whoever has gone on."""

    prefix: tuple[int, ...] = ()
    preemptions: int | None = None
    chance: random.Random | None = None
    lengths: Sequence[int] = ()
    decisions: list[Decision] = field(default_factory=list)

    def choose(self, runnable: Sequence[int]) -> int:
        """Who goes on, of these. Raises NotRepeated where the prefix asks for somebody who cannot."""
        last = self.decisions[-1].chosen if self.decisions else None
        spare = self.decisions[-1].spare if self.decisions else self.preemptions
        could = allowed(runnable, last, spare)
        place = len(self.decisions)
        if place < len(self.prefix):
            chosen = self.prefix[place]
            if chosen not in could:
                raise NotRepeated(f"{self.plan or 'at first'}: {LETTERS[chosen]} cannot go on here")
        elif self.chance is None:
            chosen = last if last in could and last is not None else could[0]
        else:
            chosen = self._by_chance(could, runnable, last, spare)
        left = None if spare is None else spare - spent(runnable, last, chosen)
        self.decisions.append(Decision(could, chosen, left))
        return chosen

    def _by_chance(self, could: tuple[int, ...], runnable: Sequence[int], last: int | None, spare: int | None) -> int:
        """As likely as there are schedules behind each choice: so all schedules are about equally likely."""
        assert self.chance is not None
        if len(could) == 1:
            return could[0]
        parts = remaining(self.trace, self.lengths, runnable)
        weights = [
            count(_after(parts, each), each, None if spare is None else spare - spent(runnable, last, each))
            for each in could
        ]
        return self.chance.choices(could, [weight / max(weights) for weight in weights])[0]

    @property
    def trace(self) -> tuple[int, ...]:
        return tuple(each.chosen for each in self.decisions)

    @property
    def plan(self) -> str:
        """The run in a word, by which it can be replayed: one letter an actor's turn."""
        return written(self.trace)


def written(trace: Sequence[int]) -> str:
    return "".join(LETTERS[each] for each in trace)


def read(plan: str) -> tuple[int, ...]:
    """The decisions of a plan's word. Raises ValueError for what is none."""
    return tuple(LETTERS.index(letter) for letter in plan)


def remaining(trace: Sequence[int], lengths: Sequence[int], runnable: Sequence[int]) -> tuple[int, ...]:
    """How many parts each actor has left, by the longest way it was seen to go; who can run has one at least."""
    gone = [trace.count(actor) for actor in range(len(lengths))]
    return tuple(
        max(length - done, 1) if actor in runnable else 0
        for actor, (length, done) in enumerate(zip(lengths, gone, strict=True))
    )


@dataclass(frozen=True, slots=True)
class _Unseen:
    """A part of the tree that no run has entered: these decisions, and whatever follows."""

    prefix: tuple[int, ...]
    runnable: tuple[int, ...]
    spare: int | None
    interruptions: int


class Explorer:
    """Finds the schedules of `actors` one by one: all of them, or as many as are asked for, spread over the whole."""

    def __init__(self, actors: int, *, preemptions: int | None = None, seed: int = 1) -> None:
        self.preemptions = preemptions
        self.chance = random.Random(seed)  # noqa: S311
        self.lengths = [1] * actors
        self.run = 0
        self._unseen: list[_Unseen] = [_Unseen((), tuple(range(actors)), preemptions, 0)]
        self._weights = [1]
        self._whole = False

    def walks(self, most: int) -> Iterator[Walk]:
        """Walks to run, each to its end before the next is asked for. Raises NotRepeated."""
        while self._unseen and self.run < most:
            calm = self.run % 2 == 0
            begin = self._pick(self._calmest() if calm else self._anywhere())
            walk = Walk(begin.prefix, self.preemptions, None if calm else self.chance, self.lengths)
            yield walk
            self._learn(begin, walk)

    def _calmest(self) -> int:
        """One of those with the fewest interruptions so far; the run goes on without any."""
        fewest = min(each.interruptions for each in self._unseen)
        return self.chance.choice([at for at, each in enumerate(self._unseen) if each.interruptions == fewest])

    def _anywhere(self) -> int:
        """As likely as there are schedules behind it."""
        if not self._whole:
            self._weights = [self._behind(each) for each in self._unseen]
            self._whole = True
        top = max(self._weights)
        return self.chance.choices(range(len(self._unseen)), [weight / top for weight in self._weights])[0]

    def _pick(self, place: int) -> _Unseen:
        """Whoever it is leaves the list."""
        picked = self._unseen[place]
        self._unseen[place], self._weights[place] = self._unseen[-1], self._weights[-1]
        self._unseen.pop(), self._weights.pop()
        return picked

    def _behind(self, each: _Unseen) -> int:
        if not each.prefix:
            return count(tuple(self.lengths), None, each.spare)
        *before, last = each.prefix
        return count(_after(remaining(before, self.lengths, each.runnable), last), last, each.spare)

    def _learn(self, begin: _Unseen, walk: Walk) -> None:
        trace = walk.trace
        if trace[: len(begin.prefix)] != begin.prefix:
            raise NotRepeated(f"{written(begin.prefix)} ended as {walk.plan}")
        self.run += 1
        for actor in range(len(self.lengths)):
            if trace.count(actor) > self.lengths[actor]:
                self.lengths[actor], self._whole = trace.count(actor), False
        spare = begin.spare if begin.prefix else self.preemptions
        last, so_far = (begin.prefix[-1] if begin.prefix else None), begin.interruptions
        for place in range(len(begin.prefix), len(trace)):
            decision = walk.decisions[place]
            for other in decision.could:
                if other != decision.chosen:
                    cost = spent(decision.could, last, other)
                    left = None if spare is None else spare - cost
                    self._add(_Unseen((*trace[:place], other), decision.could, left, so_far + cost))
            so_far += spent(decision.could, last, decision.chosen)
            spare, last = decision.spare, decision.chosen

    def _add(self, one: _Unseen) -> None:
        self._unseen.append(one)
        self._weights.append(self._behind(one) if self._whole else 0)

    @property
    def exact(self) -> bool:
        """Has every schedule been run?"""
        return not self._unseen

    @property
    def possible(self) -> int:
        """How many schedules there are: exact once all have run, else reckoned from what was seen."""
        return self.run + sum(self._behind(each) for each in self._unseen)
