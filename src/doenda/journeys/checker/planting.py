"""How a bug is planted: changes to journeys, declarations and texts, each returning the subject with the bug in it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from doenda.journeys.checker.subject import Subject
from doenda.journeys.declarations import Action, Effect, Payment
from doenda.journeys.steps import Step, Wait

type Change = Callable[[Subject], Subject]


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, and the words that the finding must contain: found for another reason does not count."""

    bug: str
    change: Change
    says: str


type Edit = Callable[[Step], Step]


def lead(*drop: str, **then: str) -> Edit:
    """A step with some outcomes dropped and others leading elsewhere."""

    def edit(old: Step) -> Step:
        led = {outcome: target for outcome, target in old.then.items() if outcome not in drop} | then
        sets = {outcome: values for outcome, values in old.sets.items() if outcome in led}
        if isinstance(old, Wait):
            presses = (*(o for o in old.presses if o in led), *(o for o in then if o not in old.then))
            return replace(old, then=led, sets=sets, presses=presses)
        return replace(old, then=led, sets=sets)

    return edit


def rework(journey: str, *, bare: bool = False, out: tuple[str, ...] = (), **edits: Edit) -> Change:
    """The journey with steps edited or taken out; `bare`: with no frame around its pages."""

    def change(subject: Subject) -> Subject:
        old = subject.journeys[journey]
        steps = []
        for step in (step for step in old.steps if step.name not in out):
            framed = tuple(outcome for name, outcome in old.framed if name == step.name)
            own = lead(*framed)(step)
            steps.append(edits[step.name](own) if step.name in edits else own)
        frame = {} if bare else old.frame
        return subject.with_journey(replace(old, steps=tuple(steps), frame=frame, framed=frozenset()))

    return change


def both(*changes: Change) -> Change:
    def change(subject: Subject) -> Subject:
        for each in changes:
            subject = each(subject)
        return subject

    return change


def answers(action: str, when: Payment, *, up: str | None = None, down: str | None = None) -> Change:
    """The action declared to have other outcomes in one state of the money."""

    def change(subject: Subject) -> Subject:
        old: Action = subject.actions[action]
        new_up = old.up if up is None else {**old.up, when: frozenset(up.split())}
        new_down = old.down if down is None else {**old.down, when: frozenset(down.split())}
        return subject.with_action(replace(old, up=new_up, down=new_down))

    return change


def means(action: str, outcome: str, effect: Effect) -> Change:
    def change(subject: Subject) -> Subject:
        old = subject.actions[action]
        return subject.with_action(replace(old, effects={**old.effects, outcome: effect}))

    return change


def rewrite(lang: str, old: str, new: str) -> Change:
    def change(subject: Subject) -> Subject:
        assert old in subject.texts[lang], old
        return replace(subject, texts={**subject.texts, lang: subject.texts[lang].replace(old, new)})

    return change
