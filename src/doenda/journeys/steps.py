"""The kinds of step a journey is made of, and the journey that holds them together.

A step has a finite set of outcomes and says for each where it leads. Who decides an outcome differs by kind:

===========  ==============================================================  ==================================
kind         the customer decides                                            the system decides
===========  ==============================================================  ==================================
`Show`       every outcome is a button                                       nothing
`Choose`     which of the offered things (`chosen`; `gone` if it was just     `none_open`: there is nothing to
             withdrawn), and the buttons                                     choose from
`Ask`        what to fill in (`given`, `invalid`), and the buttons           `reads`: what a filled-in form means
`Do`         nothing                                                         every outcome of the action
`Wait`       the outcomes named in `presses`                                 the others, perhaps never
`End`        nothing: it is over                                             nothing
===========  ==============================================================  ==================================
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

type Outcome = str
type FieldKind = Literal["money", "date", "phone", "code", "choice", "text", "bank", "account", "birth", "consent"]
SECRET: frozenset[FieldKind] = frozenset({"code", "account", "birth"})
"""Kinds of fields whose words are never kept, not even to spare somebody from typing them again."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class JourneyError(ValueError):
    """A journey that cannot be walked to an end; the message names the step."""

    def __init__(self, journey: str, step: str, problem: str) -> None:
        super().__init__(f"{journey}.{step}: {problem}")
        self.journey, self.step, self.problem = journey, step, problem


@dataclass(frozen=True, slots=True)
class Field:
    """One thing asked for. `options` are the answers of a `choice`; an optional field may be left empty.

    A `consent` is given to its one option: the version of the text that stands beside it.
    """

    name: str
    kind: FieldKind
    optional: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What all kinds share.

    `then` leads from each outcome to a step. `sets` are constants that an outcome writes into the session's data (an
    empty string removes the key). `says_no_money` marks a page that tells the customer that no money was taken: the
    checker proves that it is only shown when that is so. `pays_into` marks one that shows where to bring money: never
    while something else pays the same bill, or has paid it.
    """

    name: str
    then: Mapping[Outcome, str] = field(kw_only=True, default_factory=dict)
    sets: Mapping[Outcome, Mapping[str, str]] = field(kw_only=True, default_factory=dict)
    says_no_money: bool = field(kw_only=True, default=False)
    pays_into: bool = field(kw_only=True, default=False)
    stops: ClassVar[bool] = True
    """Does the session stop here and show something to the customer?"""

    @property
    def submits(self) -> tuple[Outcome, ...]:
        """Outcomes that sending the step's form can have."""
        return ()

    @property
    def system(self) -> tuple[Outcome, ...]:
        """Outcomes that come without the customer."""
        return ()

    @property
    def buttons(self) -> tuple[Outcome, ...]:
        """Outcomes that the customer has by pressing a button of that name, in the order in which they are shown."""
        return tuple(o for o in self.then if o not in self.submits and o not in self.system)


@dataclass(frozen=True, slots=True)
class Show(Step):
    """A page, a prompt or a text that tells something; each outcome is a button, a key or a word."""


@dataclass(frozen=True, slots=True)
class Choose(Step):
    """One of several things that are worked out when the step is shown; `among` names the list.

    An empty list is never shown: the session answers `none_open` by itself.
    """

    among: str = field(kw_only=True)

    @property
    def submits(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.then if o in {"chosen", "gone"})

    @property
    def system(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.then if o == "none_open")


@dataclass(frozen=True, slots=True)
class Ask(Step):
    """Fields to fill in. Who fills them in properly has `given`; `invalid` asks again and says what is wrong.

    `reads` are outcomes that only the system can tell (is this code known?): no customer can be sure of them.
    `handed_over`: what was filled in goes straight to the action that follows, and is kept nowhere on the way.
    """

    fields: tuple[Field, ...] = field(kw_only=True)
    reads: frozenset[Outcome] = field(kw_only=True, default=frozenset())
    handed_over: bool = field(kw_only=True, default=False)

    @property
    def submits(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.then if o in {"given", "invalid"} or o in self.reads)


@dataclass(frozen=True, slots=True)
class Do(Step):
    """An action of ours, run at once and never shown; every outcome that it declares must lead somewhere."""

    action: str = field(kw_only=True)
    stops: ClassVar[bool] = False

    @property
    def system(self) -> tuple[Outcome, ...]:
        return tuple(self.then)


@dataclass(frozen=True, slots=True)
class Wait(Step):
    """Something that happens elsewhere, `on` which the step waits; it may never come, so `presses` lead out as well."""

    on: str = field(kw_only=True)
    presses: tuple[Outcome, ...] = field(kw_only=True)

    @property
    def system(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.then if o not in self.presses)


@dataclass(frozen=True, slots=True)
class End(Step):
    """The journey is over. `holds` names the data without which it may not be reached (a promise has its date)."""

    goal: str = field(kw_only=True)
    holds: frozenset[str] = field(kw_only=True, default=frozenset())


@dataclass(frozen=True, slots=True)
class Journey:
    """A named, versioned set of steps, whole by construction.

    `entries` are further steps at which a walk may start. `frame` holds the outcomes that every step shown to the
    customer has beside its own ("it does not work", "a person"); it does not lead from a step to itself.
    Raises `JourneyError` for an unknown target, a step that nothing leads to, or one that reaches no goal.
    """

    name: str
    version: int
    start: str
    steps: tuple[Step, ...]
    goals: frozenset[str] = frozenset({"paid", "promised"})
    entries: tuple[str, ...] = ()
    frame: Mapping[Outcome, str] = field(default_factory=dict)
    framed: frozenset[tuple[str, Outcome]] = field(default=frozenset(), compare=False)
    """Filled in by the journey itself: the (step, outcome) pairs that come from the frame."""
    _by_name: Mapping[str, Step] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        steps = tuple(self._framed(step) for step in self.steps)
        own = {(step.name, outcome) for step in self.steps for outcome in step.then}
        added = {(step.name, outcome) for step in steps for outcome in step.then} - own
        object.__setattr__(self, "framed", (self.framed & own) | added)
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "_by_name", {step.name: step for step in steps})
        self._check_each()
        self._check_graph()

    def __getitem__(self, step: str) -> Step:
        """The step of that name; KeyError if there is none."""
        return self._by_name[step]

    def __contains__(self, step: object) -> bool:
        return step in self._by_name

    @property
    def starts(self) -> tuple[str, ...]:
        return (self.start, *self.entries)

    def with_step(self, step: Step) -> "Journey":
        """The same journey with one step replaced (by name) or added."""
        kept = tuple(step if old.name == step.name else old for old in self.steps)
        return replace(self, steps=kept if step.name in self else (*kept, step))

    def _framed(self, step: Step) -> Step:
        if not step.stops or isinstance(step, End):
            return step
        more = {o: target for o, target in self.frame.items() if o not in step.then and target != step.name}
        then = {**step.then, **more}
        if isinstance(step, Wait):
            return replace(step, then=then, presses=(*step.presses, *more))
        return replace(step, then=then)

    def _wrong(self, step: str, problem: str) -> JourneyError:
        return JourneyError(self.name, step, problem)

    def _check_each(self) -> None:
        if len(self._by_name) != len(self.steps):
            twice = next(s.name for s in self.steps if sum(o.name == s.name for o in self.steps) > 1)
            raise self._wrong(twice, "declared twice")
        for start in self.starts:
            if start not in self._by_name:
                raise self._wrong(start, "a start that is no step")
        for step in self.steps:
            self._check_step(step)

    def _check_step(self, step: Step) -> None:
        for word in (step.name, *step.then):
            if not _NAME.fullmatch(word):
                raise self._wrong(step.name, f"{word!r} is not in lower_snake_case")
        for outcome, target in step.then.items():
            if target not in self._by_name:
                raise self._wrong(step.name, f"{outcome} leads to {target!r}, which is no step")
        named = {*step.sets, *(step.presses if isinstance(step, Wait) else ())}
        named |= step.reads if isinstance(step, Ask) else set()
        if strange := sorted(named - set(step.then)):
            raise self._wrong(step.name, f"speaks of {', '.join(strange)}, which are no outcomes of it")
        if isinstance(step, End):
            if step.then:
                raise self._wrong(step.name, "an end that leads on")
            if step.goal not in self.goals:
                raise self._wrong(step.name, f"ends in {step.goal!r}, which is no goal of this journey")
        elif not step.then:
            raise self._wrong(step.name, "leads nowhere")

    def _check_graph(self) -> None:
        forward = {step.name: set(step.then.values()) for step in self.steps}
        backward: dict[str, set[str]] = {name: set() for name in forward}
        for name, targets in forward.items():
            for target in targets:
                backward[target].add(name)
        reached = _closure(forward, self.starts)
        ending = _closure(backward, [step.name for step in self.steps if isinstance(step, End)])
        for name in forward:
            if name not in reached:
                raise self._wrong(name, "nothing leads here")
            if name not in ending:
                raise self._wrong(name, "no goal can be reached from here")


def _closure(graph: Mapping[str, set[str]], starts: list[str] | tuple[str, ...]) -> set[str]:
    seen, todo = set(starts), list(starts)
    while todo:
        for target in graph[todo.pop()] - seen:
            seen.add(target)
            todo.append(target)
    return seen
