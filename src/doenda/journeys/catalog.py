"""All journeys, and the ids of the texts that their steps are presented with.

Ids follow from the declarations, so a presenter never spells one out: `pay-bill` with `.title` is a step,
`pay-bill--pay` one of its buttons, `pay-part--submit` the button of its form, `pay-part-invalid` what is said when the
form cannot be read, `pay-part-field-amount` a field, and `pay-dispute-field-why--amount` one answer to it.
Everything that is said only sometimes is listed here as a line, a note or a variant; the linter holds texts to this.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from doenda.journeys.declarations import METHODS
from doenda.journeys.engine import State
from doenda.journeys.journey_enter import ENTER
from doenda.journeys.journey_pay import PAY
from doenda.journeys.steps import Ask, Choose, End, Field, Journey, Step

JOURNEYS: Mapping[str, Journey] = {journey.name: journey for journey in (PAY, ENTER)}
LANGUAGES = ("ko", "en")

HANDOVERS: Mapping[str, tuple[str, str]] = {"opened": ("pay", "bill")}
"""Goals that are another journey's beginning."""

ARGUMENTS = frozenset(
    {"amount", "remaining", "fee", "fee_after", "overdue"}  # money: "52,300원"
    | {"due", "fee_last_day", "bar_from", "bar_last_day", "until"}  # days and moments: "10월 31일(금)"
    | {"period", "billed", "bar_length"}  # "9월", "10월", "60일"
    | {"day_ahead", "day_past"}  # examples of how to write a day: "2025-11-14"
    | {"debit", "debit_day", "opens", "account_until", "undone_until", "hours"}  # ways that take their time
    | {"bill", "method", "reason", "ways", "phone", "carrier", "call"}
    | {"what", "key", "label", "number", "low", "high", "ahead"}  # by telephone
)
"""What every message may use; all are finished strings in the message's language."""

FRAME_LABELS: Mapping[str, str] = {"does_not_work": "frame-report", "person": "frame-person"}
"""Buttons of the frame around every page, where a step does not put the same outcome among its own."""

OPENING = ("voice-cost", "voice-welcome")
"""What a caller hears first, in this order: the call's cost before anything else."""

VOICE = (
    *OPENING,
    *(
        f"voice-{name}"
        for name in (
            *(
                "bill",
                "callback",
                "language",
                "option",
                "keys",
                "hash",
                "this-number",
                "other-number",
                "silence",
                "no-such-key",
            ),
            *(
                "wait-range",
                "wait-place",
                "wait-unknown",
                "wait-longer",
                "wait-callback",
                "wait-kept",
                "wait-no-callback",
                "wait-closed",
                "wait-closed-no-callback",
            ),
            *("talk-on", "talk-over", "we-call", "we-called-late"),
            *(
                f"whisper-{each}"
                for each in ("known", "stranger", "language", "relay", "bill", "lost", "gone", "nobody", "vouched")
            ),
            *("too-long", "working", "moved", "number", "over", "ours"),
            *("by-screen", "elsewhere", "not-now", "text-me", "texted", "not-joined", "joined", "beside", "screen"),
            *("page", "page-code", "page-wrong"),
            *("wait-screen", "wait-paid", "wait-done"),
        )
    ),
)
"""What only the telephone says."""

FRAME = ("frame-carrier", "frame-language", "frame-skip", "frame-help", "frame-error-title", "frame-stale")

LINES: Mapping[str, tuple[str, ...]] = {
    "pay-bill": (
        *("undone", "fee", "bar", "barred", "barred_others", "others", "held", "unknown", "instructed", "account"),
    ),
    "pay-away": ("go", "right", "came"),
    "pay-script": ("works", "without", "instead"),
    "pay-account": ("closed",),
    "pay-mandate": ("consent",),
    "pay-faulted": ("ways", "no_ways"),
    "pay-reported": ("ways", "no_ways"),
    "pay-paid": ("line-pending", "line-back", "others", "credit", "part", "nothing_due"),
}
"""Lines of a step that are shown when they apply: `pay-bill-fee`. A `.title` of theirs replaces the step's."""

VARIANTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pay-promised": (
        "promise",
        ("date", "claim", "dispute", "ticket", "fault", "no_way", "closed", "unknown", "deposit", "debit"),
    ),
    "pay-reported": ("reported", ("held", "held_before")),
    "enter-promised": ("promise", ("ticket",)),
}
"""Steps that say one of several texts, and the key of the state's data that tells which: `pay-promised-date`."""

NOTES: Mapping[str, tuple[str, ...]] = {
    "pay-method": ("gone", "expired", "no_scripts"),
    "pay-account": ("not_yet",),
    "pay-mandate": ("again",),
    "pay-person": ("not_allowed", "looked_at", "account_stays"),
    "enter-code": ("unknown",),
}
"""What `data["note"]` adds above a step, once: `pay-method-note-gone`."""

REFUSALS = ("card", "account", "cancelled", "other")
"""`data["refusal"]`: who said no; `refused-card` stands at the top of `pay.refused`."""

WRONG: Mapping[str, tuple[str, ...]] = {"pay-mandate": ("bank", "number", "holder", "birth", "agreed")}
"""Forms that say of each field what is wrong with it (`pay-mandate-invalid-number`), and not of all together."""

ACCOUNT = ("bank", "number", "holder", "until", "slip", "where")
"""Labels of where to bring money: `account-number`."""

OTHERS = (
    *(f"refused-{reason}" for reason in REFUSALS),
    *(f"method-{method}" for method in METHODS),
    *(f"account-{label}" for label in ACCOUNT),
    "method-unproven",
    "method-closed",
    "method-elsewhere",
)

HINTS = frozenset(
    {
        *(f"method-{method}" for method in METHODS),
        "pay-bill--more_time",
        "pay-bill--already",
        "pay-bill--pay_part",
        "pay-part-field-amount",
        "pay-date-field-date",
        "pay-already-field-when",
        "pay-dispute-field-words",
        "pay-person-field-phone",
        *(f"pay-mandate-field-{name}" for name in ("number", "holder", "birth")),
        "pay-account--enough",
        "enter-code-field-phone",
        "enter-code-field-code",
        "enter-number-field-phone",
        "enter-callback-field-phone",
    }
)
"""Ids that have a `.hint`; no other has one."""


@dataclass(frozen=True, slots=True)
class Button:
    """What a presenter offers: an outcome, the id of its label, and whether it belongs to the frame around the page."""

    outcome: str
    label: str
    framed: bool = False


def step_id(journey: Journey, step: Step) -> str:
    """The id of the step's own text, `pay-bill`; with the attribute `title` its heading."""
    return f"{journey.name}-{step.name}"


def buttons(journey: Journey, step: Step) -> tuple[Button, ...]:
    """The step's buttons in the order in which they are offered, the frame's last; the form's own is `submit_id`."""
    return tuple(
        Button(outcome, FRAME_LABELS[outcome], framed=True)
        if (step.name, outcome) in journey.framed
        else Button(outcome, f"{step_id(journey, step)}--{outcome}")
        for outcome in step.buttons
    )


def submit_id(journey: Journey, step: Step) -> str | None:
    """The id of the label of the form's button, or None where there is no form."""
    return f"{step_id(journey, step)}--submit" if isinstance(step, Ask | Choose) else None


def invalid_id(journey: Journey, step: Step, field: str = "") -> str:
    """What is said when the form could not be read; `field` is the first that was wrong."""
    here = step_id(journey, step)
    return f"{here}-invalid-{field}" if field in WRONG.get(here, ()) else f"{here}-invalid"


def field_id(journey: Journey, step: Step, asked: Field) -> str:
    return f"{step_id(journey, step)}-field-{asked.name}"


def option_id(journey: Journey, step: Step, asked: Field, option: str) -> str:
    return f"{field_id(journey, step, asked)}--{option}"


def line_id(journey: Journey, step: Step, line: str) -> str:
    """A line of the step (`LINES`), KeyError if it has none of that name."""
    if line not in LINES.get(step_id(journey, step), ()):
        raise KeyError(line)
    return f"{step_id(journey, step)}-{line}"


def spoken_ids(journey: Journey, state: State) -> tuple[str, ...]:
    """What the step says in this state, in order: a note, who refused, then its text or the variant that fits.

    Lines that depend on the bill (`LINES`) are the session's to add.
    """
    here = step_id(journey, journey[state.step])
    said = []
    if (note := state.data.get("note")) in NOTES.get(here, ()):
        said.append(f"{here}-note-{note}")
    if here == "pay-refused":
        said.append(f"refused-{_one_of(state.data.get('refusal'), REFUSALS, 'other')}")
    if here in VARIANTS:
        key, variants = VARIANTS[here]
        return (*said, f"{here}-{_one_of(state.data.get(key), variants, variants[0])}")
    return (*said, here)


def expected_ids() -> frozenset[str]:
    """Every message that the journeys can ask for, in each language; there is to be no other."""
    found = {*FRAME, *FRAME_LABELS.values(), *OTHERS, *VOICE}
    for journey in JOURNEYS.values():
        for step in journey.steps:
            if step.stops and not is_handover(step):
                found.update(step_ids(journey, step))
    return frozenset(found)


def step_ids(journey: Journey, step: Step) -> Iterator[str]:
    """Every message that one step can ask for."""
    here = step_id(journey, step)
    if here not in VARIANTS:
        yield here
    yield from (button.label for button in buttons(journey, step))
    yield from (f"{here}-{line}" for line in LINES.get(here, ()))
    yield from (f"{here}-note-{note}" for note in NOTES.get(here, ()))
    yield from (f"{here}-{variant}" for variant in VARIANTS.get(here, ("", ()))[1])
    if submit := submit_id(journey, step):
        yield submit
    if "invalid" in step.then:
        yield from (invalid_id(journey, step, field) for field in WRONG.get(here, ("",)))
    if isinstance(step, Ask):
        for asked in step.fields:
            yield field_id(journey, step, asked)
            if asked.kind == "choice":
                yield from (option_id(journey, step, asked, option) for option in asked.options)


def titled_ids() -> frozenset[str]:
    """Messages that must have a `.title`: each step's, or each of its variants'."""
    titled: set[str] = set()
    for journey in JOURNEYS.values():
        for step in journey.steps:
            here = step_id(journey, step)
            if here in VARIANTS:
                titled.update(f"{here}-{variant}" for variant in VARIANTS[here][1])
            elif step.stops and not is_handover(step):
                titled.add(here)
    return frozenset(titled)


def is_handover(step: Step) -> bool:
    """Is this an end that another journey goes on from, and that is never shown itself?"""
    return isinstance(step, End) and step.goal in HANDOVERS


def _one_of(value: str | None, known: tuple[str, ...], otherwise: str) -> str:
    return value if value in known else otherwise
