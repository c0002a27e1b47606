"""What a call asks of the house: each function is one short, blocking piece of work, run beside the calls.

Only plain values come back, with everything already in words: nothing of the database reaches the calls.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from doenda.channels import into, speech, whens
from doenda.channels.speech import Subject
from doenda.channels.voice.readings import aloud, digits
from doenda.journeys import actions, catalog, doors, keypad, screens
from doenda.journeys import sessions as walking
from doenda.journeys.catalog import JOURNEYS
from doenda.journeys.engine import NotAnOutcome, State
from doenda.journeys.keypad import Entry, Keys, Menu, Question
from doenda.journeys.models import Session
from doenda.journeys.sessions import NoSession, Standing, Visit
from doenda.journeys.steps import Choose, Do, End, Journey, Step
from doenda.kernel import clock, texts
from doenda.kernel import words as shown
from doenda.kernel.money import Money

CHANNEL = "voice"
SCREEN = "screen"
"""The answer that asks for a text with the way to the caller's screen."""
PAGE = "page"
"""The answer of a caller who has a page open already."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A step as a caller hears it. `lines`: what it says; `prompts`: for each question of `keys`, what asks it.

    `goal`: how it ended, "" while it has not. `busy`: an action runs.
    `screened`: a page walks the session beside the call.
    """

    address: str
    journey: str
    step: str
    version: int
    lang: str
    lines: tuple[str, ...]
    keys: Keys
    prompts: tuple[tuple[str, ...], ...]
    goal: str = ""
    busy: bool = False
    screened: bool = False


def say(message: str, lang: str, **args: str) -> str:
    """One text as it is spoken."""
    return aloud(spoken(message, lang, args), lang)


def words(message: str, lang: str) -> str:
    """One text of the house's own, which needs nothing that is a customer's, nor the clock."""
    return say(message, lang, carrier=settings.DOENDA_CARRIER[lang], call=settings.DOENDA_CALL)


def spoken(message: str, lang: str, args: Mapping[str, str]) -> str:
    """Its `.voice`; where it has none, its title and its text."""
    if texts.has(message, lang, "voice"):
        return texts.say(message, lang, part="voice", **args)
    parts = [texts.say(message, lang, part=part, **args) for part in ("title", None) if texts.has(message, lang, part)]
    return ". ".join(part.rstrip(".") for part in parts) + "."


def opening(lang: str, caller: str) -> tuple[tuple[str, ...], Keys, tuple[tuple[str, ...], ...]]:
    """What everybody hears first: the call's cost, who speaks, and the first menu; who calls from a mobile telephone
    is offered its screen."""
    args = speech.common(lang)
    other = "en" if lang == "ko" else "ko"
    options = [keypad.Option("1", "bill", "voice-bill"), keypad.Option("2", "language", "voice-language")]
    said = [_option(lang, "voice-bill", "1"), _option(other if lang == "ko" else "ko", "voice-language", "2", lang)]
    if screens.can_text(caller):
        options.append(keypad.Option("3", SCREEN, "voice-screen"))
        said.append(_option(lang, "voice-screen", "3"))
    options.append(keypad.Option("4", PAGE, "voice-page"))
    said.append(_option(lang, "voice-page", "4"))
    menu = Menu(tuple(options))
    lines = tuple(say(message, lang, **args) for message in catalog.OPENING)
    return lines, Keys((menu,), person="person"), ((*said, say("voice-keys", lang)),)


def _option(lang: str, message: str, key: str, written: str = "") -> str:
    """`written`: the language whose file holds the text (the offer to change is said in the other language)."""
    what = texts.say(message, written or lang)
    return aloud(texts.say("voice-option", lang, what=what, key=key), lang)


def begin(lang: str, caller: str, call: str = "") -> Heard:
    """A visit of somebody who has shown nothing yet: the door without a link. `call`: the call that walks it."""
    return heard(walking.open_session("enter", channel=CHANNEL, lang=lang, call=call), caller)


def look(address: str, caller: str) -> Heard:
    """Where the visit stands. Raises NoSession."""
    return heard(walking.look(address, channel=CHANNEL), caller)


def page_digits(lang: str) -> tuple[Keys, tuple[tuple[str, ...], ...]]:
    """What asks for the digits that an open page shows."""
    entry = Entry("code", "voice-page-code", screens.CODE_DIGITS, screens.CODE_DIGITS)
    return Keys((entry,), "given", person="person", back="back"), ((say("voice-page-code", lang),),)


def take_up(code: str, caller: str, call: str) -> Heard | None:
    """The visit of the page that shows these digits; None: no page does."""
    address = screens.take_up(code, call=call, caller=caller)
    return look(address, caller) if address else None


def standing(addresses: Iterable[str]) -> Mapping[str, Standing]:
    """Where visits stand: have they moved on a page meanwhile?"""
    return walking.standing(addresses)


def invite(address: str, caller: str, call: str, lang: str) -> str:
    """Have the way to the caller's screen texted to them; what is to be said. Raises NoSession."""
    said = screens.invite(address, call=call, phone=caller)
    return say("voice-texted", lang, number=digits(said, lang))


def answer(here: Heard, outcome: str, values: Mapping[str, str], caller: str, call: str) -> Heard:
    """Take one answer. The caller's number is who is counted when codes are guessed; where it is withheld, the call.

    Raises NoSession.
    """
    journey = JOURNEYS[here.journey]
    try:
        visit = walking.answer(
            here.address,
            step=here.step,
            version=here.version,
            outcome=outcome,
            values=_typed(journey[here.step], values),
            visitor=f"tel:{caller or call}",
            lang=here.lang,
            channel=CHANNEL,
        )
    except NotAnOutcome:
        visit = walking.look(here.address, channel=CHANNEL)
    return heard(visit, caller)


def paid_meanwhile(address: str) -> str:
    """What is said to who waits for a person, once their page has paid; "" while it has not."""
    visit = walking.look(address)
    subject, lang = _subject(visit), visit.session.lang
    if subject is None or subject.bill.remaining or not (last := actions.that_paid(subject.bill.id)):
        return ""
    return say("voice-wait-paid", lang, amount=shown.amount(Money(last.amount, last.currency), lang))


def _typed(step: Step, values: Mapping[str, str]) -> dict[str, str]:
    kinds = {field.name: field.kind for field in getattr(step, "fields", ())}
    return {name: keypad.typed(kinds.get(name, ""), value, _year(value)) for name, value in values.items()}


def _year(month_and_day: str) -> int:
    """The year in which a day keyed without one comes next."""
    today = clock.today()
    return today.year + (month_and_day[:4] < f"{today:%m%d}")


def call_back(caller: str, lang: str) -> str:
    """A person calls who could not use the keys; what is to be said. Strangers hear the same."""
    by = doors.callback(phone=caller, wanted="soonest", channel=CHANNEL, lang=lang, account_id=None, bill_id=None)
    return say("voice-callback", lang, until=whens.until(by, lang))


def heard(visit: Visit, caller: str) -> Heard:
    """The step on which the visit stands, in words."""
    session, state, journey, lang = visit.session, visit.state, visit.journey, visit.session.lang
    step = visit.step
    if visit.busy or isinstance(step, Do):
        return Heard(visit.address, journey.name, state.step, state.version, lang, (), Keys(()), (), busy=True)
    subject = _subject(visit)
    args, messages = speech.said(journey, state, lang, subject, session)
    lines = [aloud(spoken(message, lang, args), lang) for message in messages]
    lines += _number(state, subject, lang)
    offered = _offered(session, lang) if isinstance(step, Choose) else []
    keys = keypad.keys_of(journey, step, offered, caller)
    if isinstance(step, End):
        keys = Keys(())
    by_screen, screened = step.name in keypad.BY_SCREEN, session.screened_at is not None
    if isinstance(step, Choose) and not offered:
        by_screen = True
        ways = ", ".join(dict.fromkeys(speech.method_name(way.method, lang) for way in actions.by_page(session)))
        lines.append(say("voice-elsewhere" if ways else "voice-not-now", lang, ways=ways))
    if by_screen:
        keys = replace(keys, questions=_by_screen(caller, screened=screened), submits="")
        lines += [say("voice-by-screen", lang)] if keys.questions else []
    prompts = tuple(tuple(_prompt(journey, step, question, lang, args)) for question in keys.questions)
    if state.data.get("wrong"):
        wrong = catalog.invalid_id(journey, step, state.data["wrong"])
        lines.insert(0, say(wrong, lang, **args))
    goal = step.goal if isinstance(step, End) else ""
    return Heard(
        visit.address,
        journey.name,
        state.step,
        state.version,
        lang,
        tuple(lines),
        keys,
        prompts,
        goal,
        screened=screened,
    )


def _by_screen(caller: str, *, screened: bool) -> tuple[Question, ...]:
    """What only a screen can take further is texted to a telephone that has one."""
    if screened or not screens.can_text(caller):
        return ()
    return (Menu((keypad.Option("1", SCREEN, "voice-text-me"),)),)


def _subject(visit: Visit) -> Subject | None:
    """Only the journey of a bill that a code has opened speaks of amounts."""
    session = visit.session
    if visit.journey.name == "enter" or session.account is None or session.bill is None:
        return None
    return Subject(session.account, session.bill)


def _offered(session: Session, lang: str) -> list[tuple[str, str]]:
    return [(way.slug, speech.method_name(way.method, lang)) for way in actions.listed("ways_to_pay", session)]


def _prompt(journey: Journey, step: Step, question: Menu | Entry, lang: str, args: Mapping[str, str]) -> Sequence[str]:
    said = [aloud(spoken(question.asks, lang, args), lang)] if question.asks else []
    if isinstance(question, Entry):
        return said if question.exactly else [*said, say("voice-hash", lang)]
    for option in question.options:
        what = option.words or texts.say(option.label, lang, **_known(option.label, args))
        said.append(aloud(texts.say("voice-option", lang, what=what, key=option.key), lang))
    return said


def _known(message: str, args: Mapping[str, str]) -> Mapping[str, str]:
    return {} if message.startswith("voice-") else args


def _number(state: State, subject: Subject | None, lang: str) -> list[str]:
    """The number to pay into, or to show in a store, digit by digit and twice."""
    if subject is None or state.step not in {"account", "promised"}:
        return []
    found = into.of(speech.attempt_of(state), lang)
    if found is None:
        return []
    rows = [f"{label.split('(')[0].strip()}: {value}." for label, value in found.rows[:2]]
    return [aloud(" ".join(rows), lang), number_said(found, lang)]


def number_said(found: into.Into, lang: str) -> str:
    """The number digit by digit, and once more."""
    label = found.label.split("(")[0].strip()
    return texts.say("voice-number", lang, label=label, number=digits(found.number, lang))


__all__ = [
    "Heard",
    "NoSession",
    "answer",
    "begin",
    "call_back",
    "heard",
    "invite",
    "look",
    "number_said",
    "opening",
    "say",
    "standing",
    "words",
]
