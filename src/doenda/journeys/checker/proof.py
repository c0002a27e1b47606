"""Fixpoints over a board: where the customer can force something, and where it can come about at all."""

from collections.abc import Callable, Mapping

from doenda.journeys.checker.game import Board, Move, Position, Turn
from doenda.journeys.checker.worlds import WorldSet

type Won = Mapping[Position, WorldSet]
"""For each position the worlds in which it is won."""


def force(
    board: Board,
    goal: Callable[[Position], bool],
    *,
    answers: int | None = None,
    without: Callable[[Move], bool] = lambda move: False,
    interrupted: bool = True,
) -> tuple[dict[Position, WorldSet], int]:
    """Where the customer reaches the goal whatever happens, by at most `answers` answers (None: as many as it takes).

    The least fixpoint of: a position is won where it is the goal, or where *every* move that the system may make leads
    to a won position and, unless the system certainly moves by itself, the customer has *some* certain move *all* of
    whose results are won. Positions enter in the order of the answers they need, so nothing is won by going round.

    `without` forbids the customer some moves. Not `interrupted`: on a page, the system leaves the first move to the
    customer. Also returns the largest number of answers that a won position needs.
    """
    everywhere = board.game.worlds.all
    turns = [(at, _Turn(turn, without, interrupted)) for at, turn in board.turns.items() if turn.moves]
    won: dict[Position, WorldSet] = {at: everywhere if goal(at) else 0 for at in board.turns}
    _settle(turns, won, dict.fromkeys(won, 0), everywhere)
    rounds = 0
    while answers is None or rounds < answers:
        before = dict(won)
        _settle(turns, won, before, everywhere)
        if won == before:
            break
        rounds += 1
    return won, rounds


class _Turn:
    """A turn as `force` needs it: what the customer may pick and be sure of, and what the system may impose."""

    def __init__(self, turn: Turn, without: Callable[[Move], bool], interrupted: bool) -> None:
        lost: WorldSet = 0
        for where in turn.lost.values():
            lost |= where
        self.kept, self.must = ~lost, turn.must
        self.picks = [(m.sure, [(r.to, ~r.worlds) for r in m.results]) for m in turn.by("customer") if not without(m)]
        imposed = (r for m in turn.by("system") for r in m.results)
        self.imposed = [(r.to, ~(r.worlds if interrupted else r.worlds & turn.must)) for r in imposed]

    def won(self, now: Won, after_one_answer: Won) -> WorldSet:
        winning = self.must
        for sure, results in self.picks:
            here = sure
            for to, elsewhere in results:
                here &= after_one_answer[to] | elsewhere
            winning |= here
        for to, elsewhere in self.imposed:
            winning &= now[to] | elsewhere
        return winning & self.kept


def _settle(
    turns: list[tuple[Position, _Turn]], won: dict[Position, WorldSet], after_one_answer: Won, everywhere: WorldSet
) -> None:
    """Adds what one answer leads to, then whatever the system's own moves lead to, until nothing more is won."""
    changed = True
    while changed:
        changed = False
        undecided = [(at, turn) for at, turn in turns if won[at] != everywhere]
        for at, turn in undecided:
            if more := turn.won(won, after_one_answer) & ~won[at]:
                won[at] |= more
                changed = True


def can(board: Board, goal: Callable[[Position], bool]) -> dict[Position, WorldSet]:
    """Where the goal can come about if the customer, the system and luck all play for it (other channels do not)."""
    everywhere = board.game.worlds.all
    won: dict[Position, WorldSet] = {at: everywhere if goal(at) else 0 for at in board.turns}
    before: dict[Position, list[tuple[Position, WorldSet]]] = {at: [] for at in won}
    for at, turn in board.turns.items():
        for move in turn.by("customer", "system", "luck"):
            for _, where, to in move.results:
                before[to].append((at, where))
    todo = [at for at, where in won.items() if where]
    while todo:
        reached = todo.pop()
        for at, where in before[reached]:
            if more := where & won[reached] & ~won[at]:
                won[at] |= more
                todo.append(at)
    return won
