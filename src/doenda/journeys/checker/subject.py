"""What is checked, and what one check of it found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from doenda.journeys.catalog import JOURNEYS, LANGUAGES
from doenda.journeys.checker import by_both, by_voice, lint
from doenda.journeys.checker.game import Board, Game
from doenda.journeys.checker.rules import Violation, answers_needed, violations
from doenda.journeys.checker.worlds import Worlds
from doenda.journeys.declarations import ACTIONS, METHODS, PROVIDER, Action
from doenda.journeys.steps import Journey


def _sources() -> dict[str, str]:
    folder = Path(__file__).parent.parent / "texts"
    return {lang: (folder / f"{lang}.ftl").read_text(encoding="utf-8") for lang in LANGUAGES}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked: journeys, declarations, texts, and the rules of play (which only a planted bug changes)."""

    journeys: Mapping[str, Journey] = field(default_factory=lambda: JOURNEYS)
    actions: Mapping[str, Action] = field(default_factory=lambda: ACTIONS)
    texts: Mapping[str, str] = field(default_factory=_sources)
    game: type[Game] = Game

    def with_journey(self, journey: Journey) -> "Subject":
        return replace(self, journeys={**self.journeys, journey.name: journey})

    def with_action(self, action: Action) -> "Subject":
        return replace(self, actions={**self.actions, action.name: action})


@dataclass(frozen=True, slots=True)
class Report:
    """What the check of one subject found. `states`: positions × worlds; `edges`: results of moves × worlds."""

    violations: tuple[Violation, ...]
    problems: tuple[str, ...]
    texts_missing: int
    positions: int = 0
    worlds: int = 0
    edges: int = 0
    answers: int = 0

    @property
    def states(self) -> int:
        return self.positions * self.worlds


def check(subject: Subject, worlds: Worlds) -> Report:
    """Plays every position of the subject in every world, and runs the linters."""
    problems, missing = lint.texts(subject.texts, subject.journeys)
    problems += lint.journeys(subject.journeys, subject.actions)
    problems += [*by_voice.flows(subject.journeys), *by_voice.texts(subject.texts, subject.journeys)]
    problems += by_both.flows(subject.journeys)
    board = _board(subject, worlds)
    problems += lint.play(board)
    found = tuple(violations(board))
    edges = sum(worlds.count(r.worlds) for turn in board.turns.values() for m in turn.moves for r in m.results)
    count = worlds.count(worlds.all)
    return Report(found, tuple(problems), missing, len(board.turns), count, edges, answers_needed(board))


def findings(subject: Subject, worlds: Worlds) -> Iterator[str]:
    """The same findings one after the other, as they are found: whoever has seen enough stops asking."""
    yield from lint.texts(subject.texts, subject.journeys)[0]
    yield from lint.journeys(subject.journeys, subject.actions)
    yield from by_voice.flows(subject.journeys)
    yield from by_voice.texts(subject.texts, subject.journeys)
    yield from by_both.flows(subject.journeys)
    board = _board(subject, worlds)
    yield from map(str, violations(board))
    yield from lint.play(board)


def _board(subject: Subject, worlds: Worlds) -> Board:
    game = subject.game(subject.journeys, subject.actions, worlds)
    return Board(game, game.beginnings())


def noticed(subject: Subject) -> frozenset[str]:
    """The dependencies that a journey can notice: what an action needs, what is offered, what arrives."""
    needs = frozenset[str]().union(*(action.needs for action in subject.actions.values()))
    return (needs - {PROVIDER}) | set(METHODS) | {"prober", "message_gateway"}
