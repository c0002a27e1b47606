"""What must hold of every position and every move, and the shortest way to each place where it does not."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from doenda.journeys.checker.game import Board, Position, Result
from doenda.journeys.checker.proof import can, force
from doenda.journeys.checker.worlds import WorldSet
from doenda.journeys.declarations import UNTIL
from doenda.journeys.steps import Ask, Choose, Do, End, Step, Wait

PERSON_WITHIN = 2
"""Answers from any page to the place where a call back is asked for."""

_CALL_BACK = frozenset({"open_ticket", "open_callback"})


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule: where, in what world, and the shortest path that leads there."""

    rule: str
    at: str
    world: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.rule}\n    at    {self.at}\n    world {self.world}\n    path  {' '.join(self.path)}"


@dataclass(frozen=True, slots=True)
class Found:
    """A rule broken at a position in a set of worlds, before it is told as a violation."""

    rule: str
    at: Position
    worlds: WorldSet
    last: tuple[str, ...] = ()


class Edge(NamedTuple):
    """One result of a move of the customer's or the system's: from a step to another, and the position it leaves."""

    before: Position
    step: Step
    outcome: str
    charges: bool
    after: Position
    page: Step


SAFETY: Mapping[str, Callable[[Edge], bool]] = {
    "a second charge is offered while the first may still move money": lambda edge: (
        isinstance(edge.page, Choose) and edge.after.payment == "unknown"
    ),
    "a charge is offered though nothing is due": lambda edge: (
        isinstance(edge.page, Choose) and edge.after.payment == "paid"
    ),
    "a charge is begun though the bill is paid or a charge is in flight": lambda edge: (
        edge.charges and edge.before.payment != "none"
    ),
    "where to pay into is shown though something else pays the bill, or has paid it": lambda edge: (
        edge.page.pays_into and edge.after.payment != "none"
    ),
    "a promise without a stopped clock and a date": lambda edge: (
        _ends_in(edge.page, "promised") and not _promise_holds(edge.after)
    ),
    "a receipt without the money": lambda edge: _ends_in(edge.page, "paid") and edge.after.payment != "paid",
    "a page says that no money was taken while it may have been": lambda edge: (
        edge.page.says_no_money and edge.after.payment != "none"
    ),
}
"""What no move of the customer's or the system's may do. (Moves of others change no page.)"""

DEAD_END = "a dead end: the customer cannot force the end of the journey"
OUT_OF_REACH = "a way to pay works and cannot be reached"
NOT_ALONE = "only a talk with a person leads on from here"
NO_SCRIPT = "a page that needs scripts has no way out for a device without them"
NO_PERSON = f"a person is more than {PERSON_WITHIN} answers away"


def violations(board: Board) -> Iterator[Violation]:
    """Every rule broken, once for each step with the shortest path; what is cheap to find comes first."""
    told: set[tuple[str, str]] = set()
    for look in (_unsafe, _no_way_out, _out_of_reach, _dead_ends, _not_alone, _no_person):
        for each in look(board):
            if (key := (each.rule, str(each.at))) not in told:
                told.add(key)
                yield _tell(board, each)


def answers_needed(board: Board) -> int:
    """The most answers that any customer needs to the end."""
    return force(board, lambda at: _is_goal(board, at))[1]


def _is_goal(board: Board, at: Position) -> bool:
    step = board.game.step(at)
    if _ends_in(step, "promised"):
        return _promise_holds(at)
    return _ends_in(step, "paid") and at.payment == "paid"


def _promise_holds(at: Position) -> bool:
    return at.clock_stopped and UNTIL in at.knows


def _ends_in(step: Step, goal: str) -> bool:
    return isinstance(step, End) and step.goal == goal


def _unsafe(board: Board) -> Iterator[Found]:
    for at, turn in board.turns.items():
        for what, where in turn.lost.items():
            yield Found(what, at, where)
        for move in turn.by("customer", "system", "luck"):
            for result in move.results:
                edge = _edge(board, at, result)
                for rule, broken in SAFETY.items():
                    if broken(edge):
                        yield Found(rule, at, result.worlds, (move.arrow(result.outcome), str(result.to)))


def _edge(board: Board, at: Position, result: Result) -> Edge:
    step = board.game.step(at)
    charges = isinstance(step, Do) and result.outcome in board.game.actions[step.action].charges
    return Edge(at, step, result.outcome, charges, result.to, board.game.step(result.to))


def _dead_ends(board: Board) -> Iterator[Found]:
    won, _ = force(board, lambda at: _is_goal(board, at))
    for at in board.turns:
        if not _is_end(board, at) and (where := board.game.worlds.all & ~won[at]):
            yield Found(DEAD_END, at, where)


def _no_way_out(board: Board) -> Iterator[Found]:
    """Who stands before a page that needs scripts has, beside the frame, a button that certainly leads on without."""
    for at, turn in board.turns.items():
        step = board.game.step(at)
        if not isinstance(step, Wait) or "scripts" not in board.game.actions[step.on].needs:
            continue
        framed, out = board.game.journeys[at.journey].framed, 0
        for move in turn.by("customer"):
            if (step.name, move.name) not in framed and all(result.to.step != step.name for result in move.results):
                out |= move.sure
        if lost := board.game.worlds.failed["scripts"] & ~out:
            yield Found(NO_SCRIPT, at, lost)


def _not_alone(board: Board) -> Iterator[Found]:
    """Nobody who has come as far as the bill is left to a conversation: at night, without a voice, on a bad line."""
    calling = {at for at in board.turns if _calls_back(board.game.step(at))}
    won, _ = force(
        board,
        lambda at: _is_goal(board, at),
        without=lambda move: any(result.to in calling for result in move.results),
    )
    for at in board.turns:
        if at.journey == "pay" and _is_page(board, at) and (lost := board.game.worlds.all & ~won[at]):
            yield Found(NOT_ALONE, at, lost)


def _out_of_reach(board: Board) -> Iterator[Found]:
    payable = board.game.worlds.some_way_works()
    reached = can(board, lambda at: _ends_in(board.game.step(at), "paid"))
    for at in board.turns:
        owes = at.journey == "pay" and at.payment == "none"
        if owes and _is_page(board, at) and (lost := payable & ~reached[at]):
            yield Found(OUT_OF_REACH, at, lost)


def _no_person(board: Board) -> Iterator[Found]:
    near, _ = force(board, lambda at: _asks_when_to_call(board, at), answers=PERSON_WITHIN, interrupted=False)
    for at, turn in board.turns.items():
        shown = board.game.worlds.all & ~turn.must
        if _is_page(board, at) and (far := shown & ~near[at]):
            yield Found(NO_PERSON, at, far)


def _is_end(board: Board, at: Position) -> bool:
    return isinstance(board.game.step(at), End)


def _is_page(board: Board, at: Position) -> bool:
    return board.game.step(at).stops and not _is_end(board, at)


def _calls_back(step: Step) -> bool:
    return isinstance(step, Do) and step.action in _CALL_BACK


def _asks_when_to_call(board: Board, at: Position) -> bool:
    journey = board.game.journeys[at.journey]
    step = journey[at.step]
    return isinstance(step, Ask) and "given" in step.then and _calls_back(journey[step.then["given"]])


def _tell(board: Board, found: Found) -> Violation:
    """The violation with a path walked in its own world if there is one, else with the world as it is found."""
    world, alone = board.game.worlds.plainest(found.worlds)
    steadily = _path(board, found.at, alone)
    path = steadily or (*_first_path(board, found.at), "(and then)")
    return Violation(found.rule, str(found.at), str(world), (*path, *found.last))


def _first_path(board: Board, at: Position) -> tuple[str, ...]:
    """The shortest path if things may fail and come back on the way."""
    told: list[str] = [str(at)]
    while came := board.came[at]:
        at, arrow = came
        told = [str(at), arrow, *told]
    return tuple(told)


def _path(board: Board, goal: Position, world: WorldSet) -> tuple[str, ...]:
    """The shortest path in one world that never changes (other channels may pay); empty if there is none."""
    came: dict[Position, tuple[str, ...]] = {at: (str(at),) for at, first in board.came.items() if first is None}
    todo = deque(came)
    while todo:
        at = todo.popleft()
        if at == goal:
            return came[at]
        for move in board.turns[at].by("customer", "system", "others"):
            for outcome, where, to in move.results:
                if where & world and to not in came:
                    came[to] = (*came[at], move.arrow(outcome), str(to))
                    todo.append(to)
    return ()
