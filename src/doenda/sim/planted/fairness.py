"""Mistakes about customers: barred while money moves, while the clock stands or without a way; told another's debt."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING
from unittest import mock

from doenda.billing.models import Account, Line
from doenda.dunning import gather, holds
from doenda.dunning.models import CaseStep
from doenda.kernel import clock
from doenda.notices import wording
from doenda.notices.models import Notice
from doenda.payments import pending
from doenda.sim import acts, building
from doenda.sim.planted import scenes
from doenda.sim.planted.hunting import Hunt, Planted

if TYPE_CHECKING:
    from doenda.sim.world import World


@contextmanager
def _unknowns_ignored() -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(pending, "adverse_blocked", return_value=None))
        for name in ("unknowns", "our_faults"):
            stack.enter_context(mock.patch.object(pending, name, return_value=[]))
        yield


@contextmanager
def _debits_ignored() -> Iterator[None]:
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(pending, "adverse_blocked", return_value=None))
        stack.enter_context(mock.patch.object(pending, "instructed", return_value=[]))
        yield


@contextmanager
def _holds_ignored() -> Iterator[None]:
    with mock.patch.object(gather, "stops", lambda account_id: tuple(gather.faults(account_id))):
        yield


@contextmanager
def _no_way_ignored() -> Iterator[None]:
    with mock.patch.object(gather, "way_proven", return_value=True):
        yield


@contextmanager
def _debt_of_another() -> Iterator[None]:
    """What is owed is looked up once for each kind of notice."""
    real, known = wording.debt, dict[str, wording.Debt]()

    def debt(notice: Notice, account: Account) -> wording.Debt:
        found = real(notice, account)
        first = known.setdefault(notice.kind, found)
        return wording.Debt(found.bill, first.due, found.bills)

    with mock.patch.object(wording, "debt", debt):
        yield


def _bar_is_near(world: "World") -> bool:
    """The day that a notice of a bar told has come: from tomorrow on the line may be barred."""
    steps = CaseStep.objects.filter(step="notice")
    days = [date.fromisoformat(step.decision["effective"]) for step in steps]
    return any(day <= clock.today() for day in days)


def _is_barred(world: "World") -> bool:
    return Line.objects.exclude(barring="none").exists()


def _held(world: "World") -> None:
    customer = world.customers[0]
    holds.place(customer.account_id, "dispute", reason="the bill is not mine", key=f"dispute-{world.seed}")
    world.say(f"{customer.label} disputed the bill: the clock stands")


def _debited(world: "World") -> None:
    """The customer has the account debited, and the debit waits for its file."""
    acts.named("mandate_given")(world)
    _ASKS_DEBIT(world)


def _mornings_without_walks(world: "World") -> None:
    """Days on which no walk reaches its last step: nothing is proven any more."""
    with mock.patch.object(building, "prove"):
        scenes.mornings(4)(world)


OWES = scenes.named("owes", scenes.owes_enough)
NOTICED = scenes.named("noticed", scenes.until(_bar_is_near, scenes.mornings(1), most=30))
BARRED = scenes.named("barred", scenes.until(_is_barred, scenes.mornings(1), most=40))
_ASKS_DEBIT = scenes.asks("debit", "debit")
_DARK = scenes.named(
    "no_answer_and_silence",
    scenes.ill("toss", {"fault": "timeout_after", "on": ["confirm"], "remaining": 9}, {"fault": "inquiry_down"}),
)
_PAYS = scenes.named("pays_all", scenes.pays_all("toss"))
_DAYS = scenes.named("four_mornings", scenes.mornings(4))
_THREE = scenes.named("three_mornings", scenes.mornings(3))
_HELD = scenes.named("disputes", _held)
_DEBITED = scenes.named("debit_on_its_way", _debited)
_UNPROVEN = scenes.named("four_mornings_without_walks", _mornings_without_walks)


def _hunt(*story: str, providers: tuple[str, ...] = ("sandbox", "toss")) -> Hunt:
    extra = (OWES, NOTICED, _DARK, _PAYS, _DAYS, _HELD, _DEBITED, _UNPROVEN)
    return Hunt(providers, ("owes", "noticed", *story), extra=extra)


PLANTED = (
    Planted(
        "unknowns ignored",
        "a line is barred while nobody knows whether its customer has paid",
        _unknowns_ignored,
        _hunt("no_answer_and_silence", "pays_all", "four_mornings"),
        frozenset({"I5"}),
    ),
    Planted(
        "debits on their way ignored",
        "a line is barred while a debit of the bill is instructed",
        _debits_ignored,
        _hunt("debit_on_its_way", "four_mornings", providers=("sandbox", "debit")),
        frozenset({"I5"}),
    ),
    Planted(
        "holds ignored",
        "a line is barred although the clock was stopped",
        _holds_ignored,
        _hunt("disputes", "four_mornings"),
        frozenset({"I5"}),
    ),
    Planted(
        "no way ignored",
        "a line is barred while nothing works by which its customer could pay",
        _no_way_ignored,
        _hunt("four_mornings_without_walks"),
        frozenset({"I5"}),
    ),
    Planted(
        "debt of another",
        "a text names what another customer owes (a cache by the kind of notice)",
        _debt_of_another,
        Hunt(
            ("sandbox", "toss"),
            ("owes", "three_mornings"),
            first=2,
            customers=2,
            extra=(OWES, _THREE),
        ),
        frozenset({"I6"}),
    ),
)
