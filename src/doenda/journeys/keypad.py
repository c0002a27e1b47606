"""What a step asks of somebody who has twelve keys: menus and entries, one after the other (pure).

The same keys mean the same everywhere and are never reused: 0 a person, # back, * once more. What needs letters, a
signature or a provider's page is not asked for by telephone (`BY_SCREEN`): it goes on where it can be seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from doenda.journeys import catalog
from doenda.journeys.steps import Ask, Choose, Field, Journey, Show, Step, Wait

PERSON, BACK, AGAIN = "0", "#", "*"
MOST_OPTIONS = 9
BY_SCREEN = frozenset({"away", "script", "mandate", "expired"})
"""Steps that only a page can take further."""
_LONGEST: Mapping[str, int] = {"money": 9, "date": 8, "phone": 15, "code": 6, "birth": 10}
_EXACTLY: Mapping[str, int] = {"code": 6}
_BACK = ("back", "other", "again")
"""Outcomes that lead one step back, the best first."""


@dataclass(frozen=True, slots=True)
class Option:
    """One key of a menu. `label` is a text's id, or finished words where `words` is set."""

    key: str
    value: str
    label: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """One key answers. `field`: the field that it fills in; "": the key is the step's own outcome.

    `asks`: the text that asks, where it is not the step's own.
    """

    options: tuple[Option, ...]
    field: str = ""
    asks: str = ""

    def of(self, key: str) -> str | None:
        return next((option.value for option in self.options if option.key == key), None)


@dataclass(frozen=True, slots=True)
class Entry:
    """Digits, ended by # or by their number (`exactly`). `optional`: # alone leaves it empty."""

    field: str
    asks: str
    most: int
    exactly: int = 0
    optional: bool = False


type Question = Menu | Entry


@dataclass(frozen=True, slots=True)
class Keys:
    """All that a step asks, in order; with the answers of all questions the form is sent (`submits`).

    `person` and `back`: the outcomes of 0 and #; "" where the step has none.
    """

    questions: tuple[Question, ...]
    submits: str = ""
    person: str = ""
    back: str = ""


def keys_of(journey: Journey, step: Step, offered: Sequence[tuple[str, str]] = (), caller: str = "") -> Keys:
    """What the step asks. `offered`: value and finished words of what a `Choose` chooses from, best first. `caller`:
    the number from which somebody calls, a hint and no proof: it may be taken over as the number to be called."""
    buttons = catalog.buttons(journey, step)
    person = next((each.outcome for each in buttons if each.outcome == "person"), "")
    back = next((name for name in _BACK if any(each.outcome == name for each in buttons)), "")
    plain = [each for each in buttons if each.outcome not in (person, "back")]
    if isinstance(step, Choose):
        ways = [(value, "", words) for value, words in offered]
        return Keys((Menu(_numbered(ways), field="way"),), "chosen", person, back)
    if isinstance(step, Ask):
        return Keys(tuple(_asked(journey, step, caller)), "given", person, back)
    if isinstance(step, Show | Wait):
        return Keys((Menu(_numbered([(each.outcome, each.label, "") for each in plain])),), "", person, back)
    return Keys((), "", person, back)


def _numbered(options: Sequence[tuple[str, str, str]]) -> tuple[Option, ...]:
    return tuple(
        Option(str(number), value, label, words)
        for number, (value, label, words) in enumerate(options[:MOST_OPTIONS], 1)
    )


def _asked(journey: Journey, step: Ask, caller: str) -> Iterator[Question]:
    for field in step.fields:
        here = catalog.field_id(journey, step, field)
        if not asked(field):
            continue
        if field.kind == "choice":
            options = [(each, catalog.option_id(journey, step, field, each), "") for each in field.options]
            yield Menu(_numbered(options), field.name, here)
        else:
            if field.kind == "phone" and caller:
                yield Menu(
                    _numbered([(caller, "voice-this-number", ""), ("", "voice-other-number", "")]), field.name, here
                )
            yield _entry(field, here)


def _entry(field: Field, asks: str) -> Entry:
    return Entry(field.name, asks, _LONGEST[field.kind], _EXACTLY.get(field.kind, 0), field.optional)


def asked(field: Field) -> bool:
    """Is the field asked for by telephone? What is not can be left empty, or its step is for a screen."""
    return field.kind in _LONGEST or field.kind == "choice"


def typed(kind: str, digits: str, year: int) -> str:
    """What was keyed as the field's reader takes it: a day may be keyed with or without its year (1031, 20141031)."""
    if kind == "date" and len(digits) == 4:
        return f"{year:04}{digits}"
    return digits
