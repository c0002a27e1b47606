"""Bugs planted to show that the checker and the linters see: each a sentence, a change, and what must be said of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from doenda.journeys.checker.game import MOST_TRIES, Game, Position
from doenda.journeys.checker.subject import Subject, findings
from doenda.journeys.checker.worlds import Worlds, WorldSet, fewer_worlds
from doenda.journeys.declarations import Action, Effect, Payment
from doenda.journeys.steps import JourneyError, Show, Step, Wait

type Change = Callable[[Subject], Subject]


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, and the words that the finding must contain: found for another reason does not count."""

    bug: str
    change: Change
    says: str


@dataclass(frozen=True, slots=True)
class Hunted:
    """A planted bug and the finding that gave it away, if any did."""

    bug: str
    found: str | None


def hunt() -> list[Hunted]:
    """Plants each bug alone and looks for what must be said of it."""
    worlds = fewer_worlds()
    return [Hunted(planted.bug, find(planted, worlds)) for planted in PLANTED]


def find(planted: Planted, worlds: Worlds) -> str | None:
    """The finding that gives the bug away, or None. The worlds need only be those that a journey can tell apart."""
    try:
        return next((each for each in findings(planted.change(Subject()), worlds) if planted.says in each), None)
    except JourneyError as error:
        return str(error) if planted.says in str(error) else None


type Edit = Callable[[Step], Step]


def _lead(*drop: str, **then: str) -> Edit:
    """A step with some outcomes dropped and others leading elsewhere."""

    def edit(old: Step) -> Step:
        led = {outcome: target for outcome, target in old.then.items() if outcome not in drop} | then
        sets = {outcome: values for outcome, values in old.sets.items() if outcome in led}
        if isinstance(old, Wait):
            presses = (*(o for o in old.presses if o in led), *(o for o in then if o not in old.then))
            return replace(old, then=led, sets=sets, presses=presses)
        return replace(old, then=led, sets=sets)

    return edit


def _rework(journey: str, *, bare: bool = False, out: tuple[str, ...] = (), **edits: Edit) -> Change:
    """The journey with steps edited or taken out; `bare`: with no frame around its pages."""

    def change(subject: Subject) -> Subject:
        old = subject.journeys[journey]
        steps = []
        for step in (step for step in old.steps if step.name not in out):
            framed = tuple(outcome for name, outcome in old.framed if name == step.name)
            own = _lead(*framed)(step)
            steps.append(edits[step.name](own) if step.name in edits else own)
        frame = {} if bare else old.frame
        return subject.with_journey(replace(old, steps=tuple(steps), frame=frame, framed=frozenset()))

    return change


def _both(*changes: Change) -> Change:
    def change(subject: Subject) -> Subject:
        for each in changes:
            subject = each(subject)
        return subject

    return change


def _answers(action: str, when: Payment, *, up: str | None = None, down: str | None = None) -> Change:
    """The action declared to have other outcomes in one state of the money."""

    def change(subject: Subject) -> Subject:
        old: Action = subject.actions[action]
        new_up = old.up if up is None else {**old.up, when: frozenset(up.split())}
        new_down = old.down if down is None else {**old.down, when: frozenset(down.split())}
        return subject.with_action(replace(old, up=new_up, down=new_down))

    return change


def _means(action: str, outcome: str, effect: Effect) -> Change:
    def change(subject: Subject) -> Subject:
        old = subject.actions[action]
        return subject.with_action(replace(old, effects={**old.effects, outcome: effect}))

    return change


def _text(lang: str, old: str, new: str) -> Change:
    def change(subject: Subject) -> Subject:
        assert old in subject.texts[lang], old
        return replace(subject, texts={**subject.texts, lang: subject.texts[lang].replace(old, new)})

    return change


class _ThreeStrikes(Game):
    """Offers no way to pay to whom a provider has refused three times."""

    def may_be_offered(self, way: str, at: Position) -> WorldSet:
        return 0 if at.tries == MOST_TRIES else super().may_be_offered(way, at)


class _AnyHour(Game):
    """Offers what works, whatever the hour."""

    def may_be_offered(self, way: str, at: Position) -> WorldSet:
        return self.worlds.all & ~self.worlds.failed[way]


def _any_hour(subject: Subject) -> Subject:
    return replace(subject, game=_AnyHour)


def _three_strikes(subject: Subject) -> Subject:
    return replace(subject, game=_ThreeStrikes)


PLANTED: tuple[Planted, ...] = (
    Planted(
        "When no way to pay is open (the card provider down, transfers closed for the night) an empty list is shown.",
        _rework("pay", method=_lead("none_open"), out=("no_way",)),
        "an empty list is shown",
    ),
    Planted(
        "The bill page goes straight to the ways to pay, though an attempt on another channel may still move money.",
        _rework("pay", bill=_lead(pay="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "While the bank has not answered, the page offers another way to pay.",
        _rework("pay", asking=_lead(other="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "Who leaves the provider's page may choose another way before the first attempt is closed.",
        _rework("pay", away=_lead(other="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "Somebody is on a provider's page where money may move, and another page of theirs offers the ways to pay.",
        _rework("pay", start=_lead(busy="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "Who has an account to pay into may turn to another way though a card is being charged on another channel.",
        _rework("pay", account=_lead(other="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "The account to pay into is shown again after the bill was paid elsewhere.",
        _rework("pay", look=_lead(paid="account")),
        "where to pay into is shown though something else pays the bill, or has paid it",
    ),
    Planted(
        "The account to pay into is shown again while a card is being charged elsewhere.",
        _rework("pay", look=_lead(unknown="account")),
        "where to pay into is shown though something else pays the bill, or has paid it",
    ),
    Planted(
        "An account is shown after it was closed, and nothing comes of what is paid into it.",
        _means("look_account", "waits", Effect(payment=("unknown",))),
        "where to pay into is shown though something else pays the bill, or has paid it",
    ),
    Planted(
        "A debit is instructed and the customer is let go without a date.",
        _means("watch_debit", "done", Effect(stops_clock=True)),
        "a promise without a stopped clock and a date",
    ),
    Planted(
        "An instructed debit is called paid before the bank has answered.",
        _rework("pay", start=_lead(instructed="paid"), out=("debit",)),
        "a receipt without the money",
    ),
    Planted(
        "A page that runs a provider's script has no button for a device that runs none.",
        _rework("pay", script=_lead("other", "no_scripts", "cancelled")),
        "a page that needs scripts has no way out",
    ),
    Planted(
        "Bank transfers are offered while the banks are closed.",
        _any_hour,
        "transfer can be chosen while it is closed",
    ),
    Planted(
        "The account number is asked for and cannot be left: whoever has no bank account is stuck.",
        _rework("pay", bare=True, mandate=_lead("other")),
        "a dead end",
    ),
    Planted(
        "Nothing keeps a second attempt off a bill that has one in flight.",
        _answers("start_attempt", "unknown", up="redirect paid refused unknown our_fault certain_failure busy"),
        "a charge is begun though the bill is paid or a charge is in flight",
    ),
    Planted(
        "A bill that is already paid can be charged again.",
        _answers("start_attempt", "paid", up="redirect paid nothing_due"),
        "a charge is begun though the bill is paid or a charge is in flight",
    ),
    Planted(
        "An attempt that is found closed because the bill is paid leads to the ways to pay.",
        _rework("pay", clear=_lead(paid="method")),
        "a charge is offered though nothing is due",
    ),
    Planted(
        "After three refusals no way to pay is offered any more.",
        _three_strikes,
        "a way to pay works and cannot be reached",
    ),
    Planted(
        "The asking page can only ask again: with the inquiry down it goes round for ever.",
        _both(
            _rework("pay", bare=True, asking=_lead("enough", "person_owns"), out=("watch",)),
            _answers("attempt_settled", "unknown", up="paid refused", down=""),
        ),
        "a dead end",
    ),
    Planted(
        "Who has seen enough of the asking page is promised something that nobody wrote down.",
        _rework("pay", asking=_lead(enough="promised")),
        "a promise without a stopped clock and a date",
    ),
    Planted(
        "The action behind a fault of ours tells a date and does not stop the clock.",
        _means("stop_clock", "done", Effect(gives=frozenset({"until"}))),
        "a promise without a stopped clock and a date",
    ),
    Planted(
        "The customer's return from the provider's page counts as a payment.",
        _rework("pay", away=_lead(returned="paid"), script=_lead(returned="paid"), out=("charge",)),
        "a receipt without the money",
    ),
    Planted(
        "The provider's word that the customer gave up is believed: the page says that no money was taken.",
        _rework("pay", away=_lead(cancelled="refused"), script=_lead(cancelled="refused"), out=("cancel",)),
        "a page says that no money was taken while it may have been",
    ),
    Planted(
        "An attempt that stays unknown for too long is called refused.",
        _rework("pay", asking=_lead(person_owns="refused")),
        "a page says that no money was taken while it may have been",
    ),
    Planted(
        "Nobody stands behind the door: who has no code, while the message gateway is down, does not get in.",
        _rework(
            "enter",
            bare=True,
            out=("callback", "open_callback", "promised", "report"),
            code=_lead("person"),
            expired=_lead("person"),
            sent=_lead("person"),
            help=_lead("person"),
        ),
        "a dead end",
    ),
    Planted(
        "Who has lost the phone is told that a text was sent, and finds no person on that page or near it.",
        _rework("enter", bare=True, out=("report",), sent=_lead("person", again="number")),
        "a person is more than 2 answers away",
    ),
    Planted(
        "A refusal leads to a telephone call and nowhere else: who cannot speak, or not now, cannot end it.",
        _rework("pay", bare=True, refused=_lead("other", "more_time"), person=_lead("back")),
        "only a talk with a person leads on from here",
    ),
    Planted(
        "A charge that certainly was not received by the provider is an outcome without an edge.",
        _rework("pay", start=_lead("certain_failure")),
        "certain_failure leads nowhere",
    ),
    Planted(
        "An answer of a provider that was not thought of: no outcome at all while it is down.",
        _answers("confirm_attempt", "none", down=""),
        "no outcome at all is declared",
    ),
    Planted(
        "The bank is asked again without saying which attempt is meant: the page that asks breaks.",
        _means("close_attempt", "unknown", Effect(payment=("unknown",))),
        "watch_attempt lacks attempt",
    ),
    Planted(
        "A step to which nothing leads.",
        lambda subject: subject.with_journey(subject.journeys["pay"].with_step(Show("advert", then={"on": "bill"}))),
        "advert: nothing leads here",
    ),
    Planted(
        "A text is missing in English.",
        _text("en", "pay-asking--check_again = Check again", ""),
        "en: pay-asking--check_again is missing",
    ),
    Planted(
        "The Korean refusal leaves out until when the clock is stopped.",
        _text(
            "ko",
            "{ $until }까지는 연체가산금도 정지도 없어요.\n    .title = 알려",
            "연체가산금도 정지도 없어요.\n    .title = 알려",
        ),
        "$until is told in en only",
    ),
    Planted(
        "A text asks for an argument that nobody gives.",
        _text("en", "{ $amount } this way", "{ $amuont } this way"),
        "uses $amuont",
    ),
    Planted(
        "A text of a step that was taken out is still there.",
        _text("ko", "pay-bill--pay =", "pay-bill--pay_later = 나중에\npay-bill--pay ="),
        "pay-bill--pay_later is used by nothing",
    ),
)
