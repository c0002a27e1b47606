"""What is checked, and what one check of it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from doenda.journeys.catalog import JOURNEYS, LANGUAGES
from doenda.journeys.checker import lint
from doenda.journeys.checker.game import Board, Game
from doenda.journeys.checker.rules import Violation, violations
from doenda.journeys.checker.worlds import Worlds
from doenda.journeys.declarations import ACTIONS, Action
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

    def says(self, words: str) -> str | None:
        """The first finding that contains these words."""
        found = (*map(str, self.violations), *self.problems)
        return next((each for each in found if words in each), None)


def check(subject: Subject, worlds: Worlds) -> Report:
    """Plays every position of the subject in every world, and runs the linters."""
    problems, missing = lint.texts(subject.texts, subject.journeys)
    problems += lint.journeys(subject.journeys, subject.actions)
    game = subject.game(subject.journeys, subject.actions, worlds)
    board = Board(game, game.beginnings())
    problems += lint.play(board)
    found, answers = violations(board)
    edges = sum(r.worlds.bit_count() for turn in board.turns.values() for m in turn.moves for r in m.results)
    return Report(tuple(found), tuple(problems), missing, len(board.turns), len(worlds.each), edges, answers)
