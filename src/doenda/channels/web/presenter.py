"""From a step and its state to what a page shows: plain data, which the one template of all steps renders."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from doenda.assurance import guidance
from doenda.channels import into, speech, whens
from doenda.channels.into import Into
from doenda.channels.speech import Subject
from doenda.channels.web import forms
from doenda.channels.web.launching import Launch
from doenda.channels.web.together import ToCall, Together
from doenda.journeys import actions, catalog, consent
from doenda.journeys.engine import State
from doenda.journeys.models import Session
from doenda.journeys.reading import TYPED
from doenda.journeys.steps import Ask, Choose, Field, Journey, Step
from doenda.kernel import clock, texts, words
from doenda.kernel.money import ascii_words
from doenda.payments import banks


@dataclass(frozen=True)
class Button:
    value: str
    label: str
    hint: str = ""


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    hint: str = ""
    note: str = ""


@dataclass(frozen=True)
class Input:
    """One field of a form. `kind` is the step's; `value` is what was typed before; `wrong` marks it. `text`: what is
    agreed to.

    `earliest` and `latest` are the days (ISO 8601) that a date may have.
    """

    name: str
    kind: str
    label: str
    hint: str
    options: tuple[Option, ...]
    value: str = ""
    wrong: bool = False
    optional: bool = False
    earliest: str = ""
    latest: str = ""
    text: str = ""


@dataclass
class Page:
    """Everything that the template needs, in the order in which it is read aloud.

    `figure` is the amount in question, the largest thing on the page; `figure_ascii` the same for every screen.
    `switch` leads to the same page in the other language. `into`: where to bring the money. `closed`: ways that open
    again later. `script`: what the page needs to run a provider's script. `together`: what stands beside it while
    a call goes on; `to_call`: how a call could join it.
    """

    lang: str
    name: str
    title: str
    action: str
    signed: str
    tone: str = ""
    error: str = ""
    notes: list[str] = field(default_factory=list)
    figure: str = ""
    figure_ascii: str = ""
    paragraphs: list[str] = field(default_factory=list)
    table: list[tuple[str, str]] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    inputs: list[Input] = field(default_factory=list)
    submit: Button | None = None
    buttons: list[Button] = field(default_factory=list)
    framed: list[Button] = field(default_factory=list)
    link: tuple[str, str] | None = None
    into: Into | None = None
    closed: list[str] = field(default_factory=list)
    script: Launch | None = None
    together: Together | None = None
    to_call: ToCall | None = None
    hidden: dict[str, str] = field(default_factory=dict)
    frame: dict[str, str] = field(default_factory=dict)
    switch: str = ""


def frame(lang: str) -> dict[str, str]:
    args = speech.common(lang)
    return {name: texts.say(f"frame-{name}", lang, **args) for name in ("carrier", "language", "skip", "help")} | {
        "error_title": texts.say("frame-error-title", lang, **args),
        "other": "en" if lang == "ko" else "ko",
    }


_TONES = {"paid": "done", "promised": "done", "refused": "loss", "faulted": "loss", "asking": "attention"}
_NOT_DONE = {"no_way", "unknown", "fault"}
"""Promises that are no success: something of ours is still to be mended."""


def present(
    journey: Journey,
    state: State,
    *,
    lang: str,
    action: str,
    subject_key: str,
    subject: Subject | None = None,
    session: Session | None = None,
) -> Page:
    """The page of this state. `action` is where its forms post, `subject_key` what their signature is bound to."""
    step = journey[state.step]
    args, messages = speech.said(journey, state, lang, subject, session)
    nothing_due = "pay-paid-nothing_due" in messages
    titles = [t for m in messages if (t := speech.spoken(m, lang, args, "title"))]
    said = [text for message in messages if (text := speech.spoken(message, lang, args))]
    page = Page(
        lang=lang,
        name=f"{journey.name}.{state.step}",
        title=titles[-1] if titles else said[0],
        action=action,
        signed=forms.sign(subject_key, state.step, state.version),
        tone="attention" if state.data.get("promise") in _NOT_DONE else _TONES.get(state.step, ""),
        notes=[said.pop(0)] if "note" in state.data and "-note-" in messages[0] else [],
        paragraphs=said,
        table=speech.table(subject, state, lang) if subject and state.step in {"bill", "paid", "away"} else [],
        frame=frame(lang),
    )
    if subject and not nothing_due and (money := speech.in_question(subject, state)):
        page.figure, page.figure_ascii = words.amount(money, lang), ascii_words(money)
    _controls(page, journey, step, state, args)
    if isinstance(step, Choose) and session is not None:
        page.options = _ways(session, lang, args)
        page.closed = _closed(session, lang)
    if subject is not None:
        page.into = _into(state, subject, lang)
    return page


def _into(state: State, subject: Subject, lang: str) -> Into | None:
    if state.step == "bill":
        return into.of(subject.waits, lang)
    if state.step == "account" or (state.step, state.data.get("promise")) == ("promised", "deposit"):
        return into.of(speech.attempt_of(state), lang)
    return None


def _controls(page: Page, journey: Journey, step: Step, state: State, args: dict[str, str]) -> None:
    for button in catalog.buttons(journey, step):
        shown = button_of(journey, step, button.outcome, page.lang, args)
        (page.framed if button.framed else page.buttons).append(shown)
    if submit := catalog.submit_id(journey, step):
        outcome = "chosen" if isinstance(step, Choose) else "given"
        page.submit = Button(outcome, texts.say(submit, page.lang, **args))
    if isinstance(step, Ask):
        page.inputs = [_input(journey, step, asked, page.lang, args, state) for asked in step.fields]
        if wrong := next((each.name for each in page.inputs if each.wrong), None):
            page.error = texts.say(catalog.invalid_id(journey, step, wrong), page.lang, **args)


def button_of(journey: Journey, step: Step, outcome: str, lang: str, args: dict[str, str]) -> Button:
    """The button that gives this outcome of the step."""
    label = next(button.label for button in catalog.buttons(journey, step) if button.outcome == outcome)
    return Button(outcome, texts.say(label, lang, **args), speech.spoken(label, lang, args, "hint") or "")


def _input(journey: Journey, step: Ask, asked: Field, lang: str, args: dict[str, str], state: State) -> Input:
    here, today = catalog.field_id(journey, step, asked), clock.today().isoformat()
    return Input(
        asked.name,
        asked.kind,
        texts.say(here, lang, **args),
        speech.spoken(here, lang, args, "hint") or "",
        tuple(_options(journey, step, asked, lang, args)),
        value=state.data.get(TYPED + asked.name, ""),
        wrong=asked.name == state.data.get("wrong"),
        optional=asked.optional,
        earliest="" if asked.optional or asked.kind != "date" else today,
        latest=today if asked.optional and asked.kind == "date" else "",
        text=consent.shown(lang) if asked.kind == "consent" else "",
    )


def _options(journey: Journey, step: Ask, asked: Field, lang: str, args: dict[str, str]) -> Iterator[Option]:
    if asked.kind == "bank":
        yield from (Option(bank.code, bank.name(lang)) for bank in banks.banks().values())
    elif asked.kind == "consent":
        yield from (Option(version, "") for version in asked.options)
    else:
        for option in asked.options:
            yield Option(option, texts.say(catalog.option_id(journey, step, asked, option), lang, **args))


def _ways(session: Session, lang: str, args: dict[str, str]) -> list[Option]:
    return [
        Option(
            way.slug,
            texts.say(f"method-{way.method}", lang, **args),
            speech.spoken(f"method-{way.method}", lang, args, "hint") or "",
            "" if way.proven else texts.say("method-unproven", lang, **args),
        )
        for way in actions.listed("ways_to_pay", session)
    ]


def _closed(session: Session, lang: str) -> list[str]:
    """Ways that nobody can choose at this hour, or not on this kind of device: said, and not offered."""
    return [
        texts.say("method-elsewhere", lang, method=speech.method_name(way.method, lang))
        for way in actions.elsewhere(session)
    ] + [
        texts.say(
            "method-closed",
            lang,
            method=speech.method_name(way.method, lang),
            opens=whens.from_when(way.until, lang),
        )
        for way in guidance.closed_now(session.channel)
    ]
