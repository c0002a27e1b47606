"""Bugs planted to show that the checker and the linters see: each a sentence, a change, and what must be said of it."""

from dataclasses import dataclass, replace

from doenda.journeys.checker import planted_by_voice
from doenda.journeys.checker.game import MOST_TRIES, Game, Position
from doenda.journeys.checker.planting import Planted, answers, both, lead, means, rework, rewrite
from doenda.journeys.checker.subject import Subject, findings
from doenda.journeys.checker.worlds import Worlds, WorldSet, fewer_worlds
from doenda.journeys.declarations import Effect
from doenda.journeys.steps import JourneyError, Show


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
        rework("pay", method=lead("none_open"), out=("no_way",)),
        "an empty list is shown",
    ),
    Planted(
        "The bill page goes straight to the ways to pay, though an attempt on another channel may still move money.",
        rework("pay", bill=lead(pay="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "While the bank has not answered, the page offers another way to pay.",
        rework("pay", asking=lead(other="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "Who leaves the provider's page may choose another way before the first attempt is closed.",
        rework("pay", away=lead(other="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "Somebody is on a provider's page where money may move, and another page of theirs offers the ways to pay.",
        rework("pay", start=lead(busy="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "Who has an account to pay into may turn to another way though a card is being charged on another channel.",
        rework("pay", account=lead(other="method")),
        "a second charge is offered while the first may still move money",
    ),
    Planted(
        "The account to pay into is shown again after the bill was paid elsewhere.",
        rework("pay", look=lead(paid="account")),
        "where to pay into is shown though something else pays the bill, or has paid it",
    ),
    Planted(
        "The account to pay into is shown again while a card is being charged elsewhere.",
        rework("pay", look=lead(unknown="account")),
        "where to pay into is shown though something else pays the bill, or has paid it",
    ),
    Planted(
        "An account is shown after it was closed, and nothing comes of what is paid into it.",
        means("look_account", "waits", Effect(payment=("unknown",))),
        "where to pay into is shown though something else pays the bill, or has paid it",
    ),
    Planted(
        "A debit is instructed and the customer is let go without a date.",
        means("watch_debit", "done", Effect(stops_clock=True)),
        "a promise without a stopped clock and a date",
    ),
    Planted(
        "An instructed debit is called paid before the bank has answered.",
        rework("pay", start=lead(instructed="paid"), out=("debit",)),
        "a receipt without the money",
    ),
    Planted(
        "A page that runs a provider's script has no button for a device that runs none.",
        rework("pay", script=lead("other", "no_scripts", "cancelled")),
        "a page that needs scripts has no way out",
    ),
    Planted(
        "Bank transfers are offered while the banks are closed.",
        _any_hour,
        "transfer can be chosen while it is closed",
    ),
    Planted(
        "The account number is asked for and cannot be left: whoever has no bank account is stuck.",
        rework("pay", bare=True, mandate=lead("other")),
        "a dead end",
    ),
    Planted(
        "Nothing keeps a second attempt off a bill that has one in flight.",
        answers("start_attempt", "unknown", up="redirect paid refused unknown our_fault certain_failure busy"),
        "a charge is begun though the bill is paid or a charge is in flight",
    ),
    Planted(
        "A bill that is already paid can be charged again.",
        answers("start_attempt", "paid", up="redirect paid nothing_due"),
        "a charge is begun though the bill is paid or a charge is in flight",
    ),
    Planted(
        "An attempt that is found closed because the bill is paid leads to the ways to pay.",
        rework("pay", clear=lead(paid="method")),
        "a charge is offered though nothing is due",
    ),
    Planted(
        "After three refusals no way to pay is offered any more.",
        _three_strikes,
        "a way to pay works and cannot be reached",
    ),
    Planted(
        "The asking page can only ask again: with the inquiry down it goes round for ever.",
        both(
            rework("pay", bare=True, asking=lead("enough", "person_owns"), out=("watch",)),
            answers("attempt_settled", "unknown", up="paid refused", down=""),
        ),
        "a dead end",
    ),
    Planted(
        "Who has seen enough of the asking page is promised something that nobody wrote down.",
        rework("pay", asking=lead(enough="promised")),
        "a promise without a stopped clock and a date",
    ),
    Planted(
        "The action behind a fault of ours tells a date and does not stop the clock.",
        means("stop_clock", "done", Effect(gives=frozenset({"until"}))),
        "a promise without a stopped clock and a date",
    ),
    Planted(
        "The customer's return from the provider's page counts as a payment.",
        rework("pay", away=lead(returned="paid"), script=lead(returned="paid"), out=("charge",)),
        "a receipt without the money",
    ),
    Planted(
        "The provider's word that the customer gave up is believed: the page says that no money was taken.",
        rework("pay", away=lead(cancelled="refused"), script=lead(cancelled="refused"), out=("cancel",)),
        "a page says that no money was taken while it may have been",
    ),
    Planted(
        "An attempt that stays unknown for too long is called refused.",
        rework("pay", asking=lead(person_owns="refused")),
        "a page says that no money was taken while it may have been",
    ),
    Planted(
        "Nobody stands behind the door: who has no code, while the message gateway is down, does not get in.",
        rework(
            "enter",
            bare=True,
            out=("callback", "open_callback", "promised", "report"),
            code=lead("person"),
            expired=lead("person"),
            sent=lead("person"),
            help=lead("person"),
        ),
        "a dead end",
    ),
    Planted(
        "Who has lost the phone is told that a text was sent, and finds no person on that page or near it.",
        rework("enter", bare=True, out=("report",), sent=lead("person", again="number")),
        "a person is more than 2 answers away",
    ),
    Planted(
        "A refusal leads to a telephone call and nowhere else: who cannot speak, or not now, cannot end it.",
        rework("pay", bare=True, refused=lead("other", "more_time"), person=lead("back")),
        "only a talk with a person leads on from here",
    ),
    Planted(
        "A charge that certainly was not received by the provider is an outcome without an edge.",
        rework("pay", start=lead("certain_failure")),
        "certain_failure leads nowhere",
    ),
    Planted(
        "An answer of a provider that was not thought of: no outcome at all while it is down.",
        answers("confirm_attempt", "none", down=""),
        "no outcome at all is declared",
    ),
    Planted(
        "The bank is asked again without saying which attempt is meant: the page that asks breaks.",
        means("close_attempt", "unknown", Effect(payment=("unknown",))),
        "watch_attempt lacks attempt",
    ),
    Planted(
        "A step to which nothing leads.",
        lambda subject: subject.with_journey(subject.journeys["pay"].with_step(Show("advert", then={"on": "bill"}))),
        "advert: nothing leads here",
    ),
    Planted(
        "A text is missing in English.",
        rewrite("en", "pay-asking--check_again = Check again", ""),
        "en: pay-asking--check_again is missing",
    ),
    Planted(
        "The Korean refusal leaves out until when the clock is stopped.",
        rewrite(
            "ko",
            "{ $until }까지는 연체가산금도 정지도 없어요.\n    .title = 알려",
            "연체가산금도 정지도 없어요.\n    .title = 알려",
        ),
        "$until is told in en only",
    ),
    Planted(
        "A text asks for an argument that nobody gives.",
        rewrite("en", "{ $amount } this way", "{ $amuont } this way"),
        "uses $amuont",
    ),
    Planted(
        "A text of a step that was taken out is still there.",
        rewrite("ko", "pay-bill--pay =", "pay-bill--pay_later = 나중에\npay-bill--pay ="),
        "pay-bill--pay_later is used by nothing",
    ),
    *planted_by_voice.PLANTED,
)
