"""The journeys as a game: positions, and who may move from each to where, in which worlds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from doenda.journeys.catalog import HANDOVERS
from doenda.journeys.checker.worlds import WAYS, Worlds, WorldSet
from doenda.journeys.declarations import PAYMENTS, PROVIDER, Action, Effect, Payment
from doenda.journeys.steps import Ask, Choose, Do, End, Journey, Step, Wait

type Who = Literal["customer", "system", "luck", "others"]
"""`luck` may help but is never counted on (a text that arrives); `others` are other channels, and time."""

MOST_TRIES = 3

_ELSEWHERE: Mapping[Payment, tuple[Payment, ...]] = {
    "none": ("unknown", "paid"),
    "unknown": ("none", "paid"),
    "paid": (),
}
"""What another channel may do to the same bill's money."""


class Position(NamedTuple):
    """All that moves change.

    `knows`: keys that the session's data holds (a date, which attempt). `way`: the chosen way to pay, while its
    provider may still be needed. `tries`: refusals and wrong codes so far; no rule of ours looks at it, and the proof
    says so.
    """

    journey: str
    step: str
    channel: str
    payment: Payment
    held: bool
    knows: frozenset[str]
    tries: int
    way: str

    @property
    def clock_stopped(self) -> bool:
        """An attempt whose result is unknown holds the clock by itself (nothing adverse happens meanwhile)."""
        return self.held or self.payment == "unknown"

    def __str__(self) -> str:
        return f"{self.journey}.{self.step}"


class Result(NamedTuple):
    """One thing that may come of a move, and the worlds in which it may."""

    outcome: str
    worlds: WorldSet
    to: Position


@dataclass(frozen=True, slots=True)
class Move:
    """Something that `who` may do. The customer picks the move, but never among its results.

    `worlds`: where it may be possible; `sure`: where it certainly is.
    """

    who: Who
    name: str
    worlds: WorldSet
    results: tuple[Result, ...]
    sure: WorldSet = 0

    def arrow(self, outcome: str) -> str:
        """The move as it is drawn in a path; what others do stands in brackets."""
        return f"--({outcome})-->" if self.who == "others" else f"--{outcome}-->"


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything that may happen in a position. `must`: worlds in which the system certainly moves by itself."""

    moves: tuple[Move, ...]
    must: WorldSet = 0
    lost: Mapping[str, WorldSet] = field(default_factory=dict)
    """What must not come up (an outcome without an edge, a list without entries), and where it does."""

    def by(self, *who: Who) -> Iterator[Move]:
        return (move for move in self.moves if move.who in who)


class Game:
    """The rules of play for a set of journeys, with their actions as declared, in a family of worlds."""

    def __init__(self, journeys: Mapping[str, Journey], actions: Mapping[str, Action], worlds: Worlds) -> None:
        self.journeys, self.actions, self.worlds = journeys, actions, worlds
        self._uses_way = {(j.name, step) for j in journeys.values() for step in self._before_provider(j)}

    def beginnings(self) -> Iterator[Position]:
        """Every entry of every journey, with the bill and the clock in every state."""
        for journey in self.journeys.values():
            channel = "web_link" if journey.name == "pay" else "web_code"
            for step in journey.starts:
                for payment in PAYMENTS:
                    for held in (False, True):
                        yield Position(journey.name, step, channel, payment, held, frozenset(), 0, "")

    def _before_provider(self, journey: Journey) -> set[str]:
        """Steps from which an action needs the chosen way's provider before another way can be chosen."""
        needing = {s.name for s in journey.steps if isinstance(s, Do) and PROVIDER in self.actions[s.action].needs}
        while more := {
            step.name
            for step in journey.steps
            if not isinstance(step, Choose) and step.name not in needing and needing & set(step.then.values())
        }:
            needing |= more
        return needing

    def step(self, at: Position) -> Step:
        return self.journeys[at.journey][at.step]

    def turn(self, at: Position) -> Turn:
        """Who may move in this position, and to where."""
        step = self.step(at)
        if isinstance(step, End):
            return Turn(())
        if isinstance(step, Do):
            return self._do(at, step)
        moves = [*self._customer(at, step), *self._others(at)]
        if isinstance(step, Wait):
            moves += self._happenings(at, step)
        if step.name == "sent":
            moves.append(self._link_arrives(at))
        if isinstance(step, Choose):
            return self._choose(at, step, moves)
        lost = self._lacking(at, self.actions[step.on]) if isinstance(step, Wait) else {}
        return Turn(tuple(moves), lost=lost)

    def _do(self, at: Position, step: Do) -> Turn:
        action = self.actions[step.action]
        possible = self._possible(at, action)
        moves = [self._system(at, step, action, o, where) for o, where in possible.items() if o in step.then]
        lost = {f"{o} leads nowhere": where for o, where in possible.items() if o not in step.then}
        lost |= self._lacking(at, action)
        answered = 0
        for where in possible.values():
            answered |= where
        if silent := self.worlds.all & ~answered:
            lost["no outcome at all is declared"] = silent
        return Turn(tuple(moves), must=self.worlds.all, lost=lost)

    def _lacking(self, at: Position, action: Action) -> dict[str, WorldSet]:
        return {f"{action.name} lacks {key}": self.worlds.all for key in sorted(action.takes - at.knows)}

    def _happenings(self, at: Position, step: Wait) -> Iterator[Move]:
        """What a `Wait` waits for: it may come, and it may not."""
        action = self.actions[step.on]
        possible = self._possible(at, action)
        for outcome in step.system:
            if where := possible.get(outcome, self.worlds.all if outcome not in action.outcomes else 0):
                yield self._system(at, step, action, outcome, where)

    def _customer(self, at: Position, step: Step) -> Iterator[Move]:
        """Buttons, and forms: who fills one in well has `given`; nobody can be sure of what only we can tell."""
        reads = step.reads if isinstance(step, Ask) else frozenset()
        needed = self._possible(at, self.actions[step.on]) if isinstance(step, Wait) else {}
        declared = self.actions[step.on].outcomes if isinstance(step, Wait) else frozenset()
        for outcome in (*step.buttons, *(o for o in step.submits if isinstance(step, Ask) and o not in reads)):
            where = needed.get(outcome, 0) if outcome in declared else self.worlds.all
            if where:
                results = tuple(self._results(at, step, outcome, where))
                yield Move("customer", outcome, where, results, sure=where)
        if reads:
            everywhere = self.worlds.all
            results = tuple(r for o in step.then if o in reads for r in self._results(at, step, o, everywhere))
            yield Move("customer", "submits", everywhere, results, sure=everywhere)

    def _choose(self, at: Position, step: Choose, moves: list[Move]) -> Turn:
        worlds = self.worlds
        offered = {way: self.may_be_offered(way, at) for way in WAYS}
        any_sure = any_offered = 0
        lost = {f"{way} can be chosen while it is closed": offered[way] & ~worlds.open[way] for way in WAYS}
        sure = {way: offered[way] & worlds.works(way) for way in WAYS}
        for way in WAYS:
            if where := offered[way]:
                results = [*self._results(at._replace(way=way), step, "chosen", where)]
                results += self._results(at, step, "gone", where) if "gone" in step.then else ()
                moves.append(Move("customer", f"chosen {way}", where, tuple(results), sure=sure[way]))
            any_sure, any_offered = any_sure | sure[way], any_offered | offered[way]
        may_be_empty = worlds.all & ~any_sure
        if "none_open" not in step.then:
            lost["an empty list is shown"] = may_be_empty
        elif may_be_empty:
            results = list(self._results(at, step, "none_open", may_be_empty))
            moves.append(Move("system", "none_open", may_be_empty, tuple(results)))
        must = worlds.all & ~any_offered if "none_open" in step.then else 0
        return Turn(tuple(moves), must=must, lost={what: where for what, where in lost.items() if where})

    def may_be_offered(self, way: str, at: Position) -> WorldSet:
        """Where guidance may put the way on the list; a planted bug overrides this."""
        del at
        return self.worlds.may_be_offered(way)

    def _others(self, at: Position) -> Iterator[Move]:
        """Another channel starts, finishes or fails to pay the same bill; a hold runs out."""
        changed = [at._replace(payment=payment) for payment in _ELSEWHERE[at.payment]]
        if at.held:
            changed.append(at._replace(held=False))
        for to in changed:
            name = "the hold runs out" if to.held != at.held else f"elsewhere: money {to.payment}"
            yield Move("others", name, self.worlds.all, (Result(name, self.worlds.all, to),))

    def _link_arrives(self, at: Position) -> Move:
        where = self.worlds.texts_arrive
        to = Position("pay", "bill", "web_link", at.payment, at.held, frozenset(), 0, "")
        return Move("luck", "opens the link in the text", where, (Result("the text arrives", where, to),))

    def _system(self, at: Position, step: Step, action: Action, outcome: str, where: WorldSet) -> Move:
        results = tuple(self._results(at, step, outcome, where, action.effect(outcome)))
        return Move("system", outcome, where, results)

    def _possible(self, at: Position, action: Action) -> dict[str, WorldSet]:
        """The outcomes that the action may have here, each with the worlds in which it may."""
        broken = 0
        for need in action.needs:
            if dependency := at.way if need == PROVIDER else need:
                broken |= self.worlds.failed[dependency]
        up = action.possible(at.payment, way=at.way)
        down = action.down.get(at.payment, frozenset()) if action.needs else up
        down = frozenset(outcome for outcome in down if action.has(outcome, at.way))
        return {
            outcome: where
            for outcome in sorted(up | down)
            if (where := (broken if outcome in down else 0) | (self.worlds.all & ~broken if outcome in up else 0))
        }

    def _results(
        self, at: Position, step: Step, outcome: str, where: WorldSet, effect: Effect | None = None
    ) -> Iterator[Result]:
        effect = effect or Effect(counts=outcome == "unknown")  # of the customer's own: a code that is not known
        for payment in effect.payment or (at.payment,):
            to = at._replace(
                step=step.then[outcome],
                payment=payment,
                held=at.held or effect.stops_clock,
                knows=at.knows | effect.gives,
                tries=min(at.tries + effect.counts, MOST_TRIES),
            )
            if (to.journey, to.step) not in self._uses_way:
                to = to._replace(way="")
            yield Result(outcome, where, self._handed_over(to))

    def _handed_over(self, to: Position) -> Position:
        """The end of one journey that is the beginning of another is that beginning, with nothing learnt kept."""
        step = self.step(to)
        if isinstance(step, End) and step.goal in HANDOVERS:
            journey, name = HANDOVERS[step.goal]
            return to._replace(journey=journey, step=name, knows=frozenset(), tries=0, way="")
        return to


class Board:
    """Every position that can come up, in breadth-first order, with its turn and the move that first led there."""

    def __init__(self, game: Game, begin: Iterable[Position]) -> None:
        self.game = game
        self.turns: dict[Position, Turn] = {}
        self.came: dict[Position, tuple[Position, str] | None] = dict.fromkeys(begin)
        todo = list(self.came)
        for at in todo:
            self.turns[at] = turn = game.turn(at)
            for move in turn.moves:
                for outcome, _, to in move.results:
                    if to not in self.came:
                        self.came[to] = (at, move.arrow(outcome))
                        todo.append(to)
