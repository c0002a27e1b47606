"""One step asked by telephone: what is said, which digits are taken, what they mean (pure; time is told to it).

Prompts taper: the second time less is said, and whoever presses nothing three times is put through to a person, for
the telephone may have no keys. Nobody is ever hung up on for what they press or do not press.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from doenda.journeys.keypad import AGAIN, BACK, PERSON, Entry, Keys, Menu

MOST_SILENCES, MOST_MISSES = 3, 3


@dataclass(frozen=True, slots=True)
class Answer:
    """The step is answered: by this outcome, with these values of its fields."""

    outcome: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """Something is to be said, and keys are awaited again. `what`: "question" (all of it), "short" (its keys only),
    "silence", "no_such_key", "too_long"."""

    what: str


@dataclass(frozen=True, slots=True)
class ToPerson:
    """The caller asked for a person, or cannot use the keys (`unable`)."""

    unable: bool = False


type Next = Answer | Say | ToPerson | None
"""None: more digits may follow; the prompt stops, and nothing is said."""


class Asking:
    """The questions of one step, asked one after the other."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.at = 0
        self.values: dict[str, str] = {}
        self.digits = ""
        self._silences = self._misses = 0

    @property
    def question(self) -> Menu | Entry | None:
        return self.keys.questions[self.at] if self.at < len(self.keys.questions) else None

    def pressed(self, key: str) -> Next:
        """One key. Raises ValueError for what is none."""
        if len(key) != 1 or key not in "0123456789*#":
            raise ValueError(f"no such key: {key!r}")
        self._silences = 0
        if isinstance(self.question, Entry) and (
            self.digits or key not in (PERSON, BACK, AGAIN) or self._begins_with(key)
        ):
            return self._typed(self.question, key)
        if key == PERSON:
            return ToPerson()
        if key == AGAIN:
            return Say("question")
        if key == BACK:
            optional = isinstance(self.question, Entry) and self.question.optional
            return self._answered(self.question.field, "") if optional and self.question else self._back()
        if isinstance(self.question, Menu) and (value := self.question.of(key)) is not None:
            return self._answered(self.question.field, value)
        return self._missed("no_such_key")

    def silent(self) -> Next:
        """Nothing was pressed for a while after the prompt had ended."""
        if isinstance(self.question, Entry) and self.digits == PERSON:
            return ToPerson()
        if isinstance(self.question, Entry) and len(self.digits) > 1 and not self.question.exactly:
            return self._answered(self.question.field, self.digits)  # who forgets the # at the end
        self.digits = ""
        self._silences += 1
        return ToPerson(unable=True) if self._silences >= MOST_SILENCES else Say("silence")

    def _begins_with(self, key: str) -> bool:
        """Numbers begin with a nought; there 0 alone (and nothing for a while), or 0 and #, asks for a person."""
        return key == PERSON and isinstance(self.question, Entry)

    def _typed(self, question: Entry, key: str) -> Next:
        if key == AGAIN:
            self.digits = ""
            return Say("question")
        if key == BACK:
            digits, self.digits = self.digits, ""
            if digits == PERSON:
                return ToPerson()
            return self._answered(question.field, digits)
        self.digits += key
        if question.exactly and len(self.digits) == question.exactly:
            digits, self.digits = self.digits, ""
            return self._answered(question.field, digits)
        if len(self.digits) > question.most:
            self.digits = ""
            return self._missed("too_long")
        return None

    def _answered(self, name: str, value: str) -> Next:
        self.digits, self._misses = "", 0
        if not name:
            return Answer(value)
        self.values[name] = value
        self.at += 1
        while self.question is not None and self.question.field == name and value:
            self.at += 1  # the number that was taken over need not be keyed
        if self.question is None:
            return Answer(self.keys.submits, dict(self.values))
        return Say("question")

    def _back(self) -> Next:
        if self.at:
            self.at = 0
            self.values.clear()
            return Say("question")
        return Answer(self.keys.back) if self.keys.back else Say("question")

    def _missed(self, what: str) -> Next:
        self._misses += 1
        return ToPerson(unable=True) if self._misses >= MOST_MISSES else Say(what)
