"""The telephone linter: what the regulator's guideline of 2009 asks of every menu, and what we ask beside it.

A person at every step; at most three menus deep to pay and never more than five anywhere; 0, # and * mean the same
everywhere; the call's cost before anything else; no advertising; nothing that only somebody with a screen can do.
"""

import re
from collections import deque
from collections.abc import Iterator, Mapping

from fluent.syntax import ast, parse
from fluent.syntax.visitor import Visitor

from doenda.journeys import catalog, keypad
from doenda.journeys.steps import Ask, Choose, End, Journey, Show, Step

MOST_LEVELS, MOST_LEVELS_TO_PAY = 5, 3
SELF = frozenset({"person", "callback"})
"""Steps that are about a person already."""
PAYS = frozenset({"charge", "account", "start"})
ADVERTISING: Mapping[str, re.Pattern[str]] = {
    "ko": re.compile("이벤트|할인|특가|혜택|가입하|신상품|출시|추천 상품|경품|무료 체험|쿠폰"),
    "en": re.compile(r"\b(offers?|discounts?|deals?|special|sign up|upgrades?|free trial|coupons?|new plan)\b", re.I),
}
SEEN_ONLY: Mapping[str, re.Pattern[str]] = {
    "ko": re.compile("화면|아래|위에|누르시면|창을|적어|적으|적기|링크|페이지|기기에서"),
    "en": re.compile(r"\b(page|below|above|button|screen|window|link|write|device|browser)\b", re.IGNORECASE),
}
_PAGES_OWN = frozenset({"method-elsewhere", "method-closed"})


def flows(journeys: Mapping[str, Journey]) -> Iterator[str]:
    """Each finding on the journeys' steps, as one readable line."""
    if catalog.OPENING[0] != "voice-cost":
        yield "voice: a caller does not hear first what the call costs"
    for journey in journeys.values():
        deep = levels(journey)
        for step in journey.steps:
            if not _heard(step):
                continue
            here = f"{journey.name}.{step.name}"
            keys = keypad.keys_of(journey, step)
            if not keys.person and step.name not in SELF:
                yield f"{here}: 0 leads to no person"
            if deep.get(step.name, 0) > MOST_LEVELS:
                yield f"{here}: {deep[step.name]} menus deep; {MOST_LEVELS} is the most"
            yield from _menus(here, keys)
        to_pay = [deep[name] for name in PAYS if name in deep]
        if to_pay and min(to_pay) > MOST_LEVELS_TO_PAY:
            yield f"{journey.name}: {min(to_pay)} menus deep to pay; {MOST_LEVELS_TO_PAY} is the most"


def _menus(here: str, keys: keypad.Keys) -> Iterator[str]:
    for question in keys.questions:
        if not isinstance(question, keypad.Menu):
            continue
        pressed = [option.key for option in question.options]
        if len(set(pressed)) != len(pressed) or {keypad.PERSON, keypad.BACK, keypad.AGAIN} & set(pressed):
            yield f"{here}: a key with two meanings"


def _heard(step: Step) -> bool:
    return step.stops and not isinstance(step, End) and step.name not in keypad.BY_SCREEN


def levels(journey: Journey) -> dict[str, int]:
    """Step → the fewest menus at which a caller has to choose before coming there."""
    found = dict.fromkeys(journey.starts, 0)
    todo = deque(found)
    while todo:
        step = journey[todo.popleft()]
        cost = int(isinstance(step, Show | Choose))
        if isinstance(step, End):
            continue
        for target in step.then.values():
            if found[step.name] + cost < found.get(target, 1 << 30):
                found[target] = found[step.name] + cost
                (todo.append if cost else todo.appendleft)(target)
    return found


def texts(sources: Mapping[str, str], journeys: Mapping[str, Journey]) -> Iterator[str]:
    """Each finding on what is spoken, as one readable line."""
    ids = {*catalog.VOICE, *(each for each in catalog.OTHERS if each not in _PAGES_OWN)}
    for journey in journeys.values():
        for step in journey.steps:
            if step.stops and not catalog.is_handover(step) and step.name not in keypad.BY_SCREEN:
                ids.update(catalog.step_ids(journey, step))
            if isinstance(step, Ask):
                ids -= {catalog.field_id(journey, step, field) for field in step.fields if not keypad.asked(field)}
    for lang, source in sources.items():
        for message_id, said in spoken(source).items():
            if message_id not in ids:
                continue
            if found := ADVERTISING[lang].search(said):
                yield f"{lang}: {message_id} advertises: {found.group(0)!r}"
            if found := SEEN_ONLY[lang].search(said):
                yield f"{lang}: {message_id} speaks of what a caller cannot see: {found.group(0)!r}"


def spoken(source: str) -> dict[str, str]:
    """Message → what a caller hears of it: its `.voice`, or else its title and its text."""
    found: dict[str, str] = {}
    for entry in parse(source).body:
        if isinstance(entry, ast.Message):
            parts = {each.id.name: each.value for each in entry.attributes}
            heard = [parts["voice"]] if "voice" in parts else [parts.get("title"), entry.value]
            found[entry.id.name] = " ".join(_words(each) for each in heard if each is not None)
    return found


class _Words(Visitor):
    def __init__(self) -> None:
        self.said: list[str] = []

    def visit_TextElement(self, node: ast.TextElement) -> None:  # noqa: N802 - named by fluent.syntax
        self.said.append(node.value)


def _words(pattern: ast.Pattern) -> str:
    reader = _Words()
    reader.visit(pattern)
    return "".join(reader.said)
