"""The visual ARS: a call and a page that walk one session, every state of both, whoever stays and whoever goes.

A caller begins alone; a text brings a page to the call, where one can arrive; either may go at any step, and the other
is left with what it alone can do. From every such state an end must be reachable by those who are there, or a person.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from doenda.journeys import catalog, keypad
from doenda.journeys.checker.by_voice import SELF
from doenda.journeys.steps import Choose, Do, End, Journey, Step

CALLER = "010"
"""Any number: that a caller's number is known adds keys, and takes none away."""


@dataclass(frozen=True, slots=True)
class At:
    """Where both are. `texts`: would a text reach the caller? `ways`: can anything be paid by telephone just now?"""

    journey: str
    step: str
    call: bool
    page: bool
    texts: bool
    ways: bool


@dataclass(frozen=True, slots=True)
class Found:
    """Every state that comes up, and those from which whoever is there reaches neither an end nor a person."""

    states: frozenset[At]
    lost: tuple[At, ...]


def check(journeys: Mapping[str, Journey]) -> Found:
    """All states from every beginning."""
    todo = [
        At(journey.name, start, call=True, page=page, texts=texts, ways=ways)
        for journey in journeys.values()
        for start in journey.starts
        for page in (False, True)
        for texts in (False, True)
        for ways in (False, True)
    ]
    after: dict[At, set[At]] = {}
    ends: set[At] = set()
    while todo:
        at = todo.pop()
        if at in after:
            continue
        step = journeys[at.journey][at.step]
        after[at] = set() if isinstance(step, End) and not catalog.is_handover(step) else set(_next(journeys, at, step))
        if isinstance(step, End) or (at.call and step.stops and _person(journeys[at.journey], step)):
            ends.add(at)
        todo += [each for each in (*after[at], *_gone(at, step)) if each not in after]
    safe = _leading_to(ends, after)
    return Found(frozenset(after), tuple(sorted(after.keys() - safe, key=repr)))


def flows(journeys: Mapping[str, Journey]) -> Iterator[str]:
    """Each state in which somebody is lost, as one readable line."""
    for at in check(journeys).lost:
        who = "a call and a page" if at.call and at.page else "a caller" if at.call else "a page whose call has ended"
        more = "" if at.texts or at.page else " whom no text reaches"
        yield f"{at.journey}.{at.step}: {who}{more} can go nowhere"


def _next(journeys: Mapping[str, Journey], at: At, step: Step) -> Iterator[At]:
    """Where those who are there, and we, lead it. What only happens elsewhere is not counted on."""
    if catalog.is_handover(step) and isinstance(step, End):
        name, entry = catalog.HANDOVERS[step.goal]
        yield replace(at, journey=name, step=entry)
        return
    outcomes = set(step.then) if isinstance(step, Do) else set()
    if at.page and not isinstance(step, Do):
        outcomes |= {*step.buttons, *step.submits}
    if at.call and not isinstance(step, Do):
        outcomes |= _keyed(journeys[at.journey], step, at)
        if at.texts and not at.page:
            yield replace(at, page=True)
    if isinstance(step, Choose) and not at.ways and not at.page:
        outcomes |= set(step.system)
    yield from (replace(at, step=step.then[outcome]) for outcome in outcomes if outcome in step.then)


def _keyed(journey: Journey, step: Step, at: At) -> set[str]:
    """Outcomes that keys give, but for the person behind 0."""
    offered = [("way", "words")] if at.ways else []
    keys = keypad.keys_of(journey, step, offered, CALLER)
    found = {keys.back} - {""}
    if step.name in keypad.BY_SCREEN or (isinstance(step, Choose) and not offered):
        return found
    if keys.submits:
        return found | set(step.submits)
    menus = [question for question in keys.questions if isinstance(question, keypad.Menu)]
    return found | {option.value for menu in menus for option in menu.options}


def _person(journey: Journey, step: Step) -> bool:
    return step.name in SELF or bool(keypad.keys_of(journey, step, (), CALLER).person)


def _gone(at: At, step: Step) -> Iterator[At]:
    """One of both goes; who is left goes on from here."""
    if at.call and at.page and not isinstance(step, Do):
        yield replace(at, page=False)
        yield replace(at, call=False)


def _leading_to(ends: set[At], after: Mapping[At, set[At]]) -> set[At]:
    before: dict[At, set[At]] = {}
    for at, nexts in after.items():
        for each in nexts:
            before.setdefault(each, set()).add(at)
    found, todo = set(ends), list(ends)
    while todo:
        for at in before.get(todo.pop(), ()):
            if at not in found:
                found.add(at)
                todo.append(at)
    return found
