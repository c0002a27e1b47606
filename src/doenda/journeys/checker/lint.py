"""The linters: journeys against declarations and play, texts against journeys. Each finding is one readable line."""

from collections.abc import Iterator, Mapping
from functools import cache

from fluent.syntax import ast, parse
from fluent.syntax.visitor import Visitor

from doenda.journeys.catalog import (
    ARGUMENTS,
    HINTS,
    LANGUAGES,
    LINES,
    NOTES,
    VARIANTS,
    expected_ids,
    step_id,
    step_ids,
    titled_ids,
)
from doenda.journeys.checker.game import Board
from doenda.journeys.declarations import Action
from doenda.journeys.steps import Choose, Do, End, Journey, Step, Wait

UNSAID: Mapping[str, tuple[str, ...]] = {
    "ko": ("연체료", "고객님", "십시오", "하였습니다", "다시 시도", "나중에", "잠시 후", "내기:"),
    "en": ("try again later", "please try", "oops", "invalid", "error"),
}
"""Words that no customer is to read: they blame, put off or belong to an office."""


def journeys(all_journeys: Mapping[str, Journey], actions: Mapping[str, Action]) -> list[str]:
    """Steps against the declarations of their actions, and against what their texts tell apart."""
    return [
        f"{journey.name}.{step.name}: {problem}"
        for journey in all_journeys.values()
        for step in journey.steps
        for problem in (*_step(step, actions), *_said_apart(journey, step))
    ]


def _step(step: Step, actions: Mapping[str, Action]) -> Iterator[str]:
    name = step.action if isinstance(step, Do) else step.on if isinstance(step, Wait) else None
    if name is not None and name not in actions:
        yield f"nobody declares {name}"
    elif isinstance(step, Do) and name:
        for outcome in sorted(actions[name].outcomes - set(step.then)):
            yield f"{outcome} of {name} has no edge"
        for outcome in sorted(set(step.then) - actions[name].outcomes):
            yield f"{name} never has the outcome {outcome}"
    elif isinstance(step, Wait) and name:
        for outcome in sorted(actions[name].outcomes - set(step.then)):
            yield f"{outcome} of {name} has no edge"
        for outcome in sorted(set(step.system) - actions[name].outcomes):
            yield f"{name} never brings {outcome}"
    if isinstance(step, Choose) and "none_open" not in step.then:
        yield "an empty list would be shown: no edge for none_open"


def _said_apart(journey: Journey, step: Step) -> Iterator[str]:
    """A step that says one of several texts must be told which, by whatever leads there, and that one must exist."""
    for outcome, target in step.then.items():
        wanted = VARIANTS.get(step_id(journey, journey[target]))
        if wanted and (said := step.sets.get(outcome, {}).get(wanted[0])) not in wanted[1]:
            yield f"{outcome} leads to {target} without saying which text fits ({wanted[0]} is {said!r})"
    known = {note for notes in NOTES.values() for note in notes}
    for outcome, values in step.sets.items():
        if (note := values.get("note")) and note not in known:
            yield f"{outcome} leaves the note {note!r}, which no step says"


def play(board: Board) -> list[str]:
    """Steps and edges of the journeys that never come up, in any world, by any answers."""
    seen: set[tuple[str, str, str]] = set()
    for at, turn in board.turns.items():
        for move in turn.by("customer", "system"):
            seen.update((at.journey, at.step, outcome) for outcome, _, _ in move.results)
    return [
        f"{journey.name}.{step.name}: {outcome} never happens"
        for journey in board.game.journeys.values()
        for step in journey.steps
        for outcome in step.then
        if (journey.name, step.name, outcome) not in seen
    ]


def texts(sources: Mapping[str, str], journeys_: Mapping[str, Journey]) -> tuple[list[str], int]:
    """The Fluent texts of each language against what the journeys can ask for; also how many are missing."""
    parsed = {lang: _messages(lang, sources[lang]) for lang in LANGUAGES}
    wanted = expected_ids() | {i for j in journeys_.values() for s in j.steps if _shown(s) for i in step_ids(j, s)}
    problems = [problem for _, found in parsed.values() for problem in found]
    missing = [problem for lang, (messages, _) in parsed.items() for problem in _missing(lang, messages, wanted)]
    for lang, (messages, _) in parsed.items():
        problems += _unused(lang, messages, wanted)
        problems += [p for message in messages.values() for p in _words(lang, message)]
    problems += _told_to_all({lang: messages for lang, (messages, _) in parsed.items()})
    return [*missing, *problems], len(missing)


def _shown(step: Step) -> bool:
    return step.stops and not (isinstance(step, End) and step.goal == "opened")


@cache
def _messages(lang: str, source: str) -> tuple[dict[str, ast.Message], list[str]]:
    messages: dict[str, ast.Message] = {}
    problems = []
    for entry in parse(source).body:
        if isinstance(entry, ast.Junk):
            problems.append(f"{lang}: not Fluent: {(entry.content or '').strip()[:60]!r}")
        elif isinstance(entry, ast.Message):
            if entry.id.name in messages:
                problems.append(f"{lang}: {entry.id.name} is written twice")
            messages[entry.id.name] = entry
    return messages, problems


def _missing(lang: str, messages: Mapping[str, ast.Message], wanted: frozenset[str]) -> Iterator[str]:
    for message_id in sorted(wanted):
        message = messages.get(message_id)
        if message is None or message.value is None:
            yield f"{lang}: {message_id} is missing"
            continue
        parts = {attribute.id.name for attribute in message.attributes}
        if message_id in titled_ids() and "title" not in parts:
            yield f"{lang}: {message_id}.title is missing"
        if message_id in HINTS and "hint" not in parts:
            yield f"{lang}: {message_id}.hint is missing"


def _unused(lang: str, messages: Mapping[str, ast.Message], wanted: frozenset[str]) -> Iterator[str]:
    lines = {f"{here}-{line}" for here, each in LINES.items() for line in each}
    for message_id, message in messages.items():
        if message_id not in wanted:
            yield f"{lang}: {message_id} is used by nothing"
            continue
        used = {"title"} if message_id in titled_ids() | lines else set()
        used |= {"hint"} if message_id in HINTS else set()
        used |= {"voice"}
        for part in (attribute.id.name for attribute in message.attributes):
            if part not in used:
                yield f"{lang}: {message_id}.{part} is used by nothing"


def _words(lang: str, message: ast.Message) -> Iterator[str]:
    for name in sorted(_read(message).variables - ARGUMENTS):
        yield f"{lang}: {message.id.name} uses ${name}, which no presenter gives"
    text = " ".join(_read(message).said).lower()
    for word in UNSAID[lang]:
        if word in text:
            yield f"{lang}: {message.id.name} says {word!r}"


def _told_to_all(by_language: Mapping[str, Mapping[str, ast.Message]]) -> Iterator[str]:
    """What is told in one language (an amount, a date) is told in the other."""
    first, *others = by_language
    for other in others:
        for message_id in sorted(by_language[first].keys() & by_language[other].keys()):
            ours, theirs = (_read(by_language[lang][message_id]).variables for lang in (first, other))
            if odd := sorted(ours ^ theirs):
                only = first if odd[0] in ours else other
                yield f"{message_id}: ${', $'.join(odd)} is told in {only} only"


class _Reader(Visitor):
    """Collects what a message says and the variables that it asks for."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.variables: set[str] = set()

    def visit_TextElement(self, node: ast.TextElement) -> None:  # noqa: N802 - named by fluent.syntax
        self.said.append(node.value)

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - named by fluent.syntax
        self.variables.add(node.id.name)


def _read(message: ast.Message) -> _Reader:
    reader = _Reader()
    reader.visit(message)
    return reader
