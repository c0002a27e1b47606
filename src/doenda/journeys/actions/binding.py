"""What an action is given, and how the name in a declaration finds the function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from doenda.billing.models import Account, Bill
from doenda.journeys.declarations import ACTIONS
from doenda.journeys.models import Session
from doenda.kernel import clock, once

if TYPE_CHECKING:
    from django.db.models import QuerySet

type Answered = tuple[str, Mapping[str, str]]
type Run = Callable[["Context"], Answered]


@dataclass(frozen=True)
class Context:
    """What an action may know: the session, its data, its address (for a return link), and who is visiting.

    `handed_over`: what was typed into the form before it and may be kept nowhere; empty when an action runs again.
    """

    session: Session
    data: Mapping[str, str]
    address: str
    visitor: str = ""
    handed_over: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def account(self) -> Account:
        assert self.session.account is not None
        return self.session.account

    @property
    def bill(self) -> Bill:
        assert self.session.bill_id is not None
        return _bill.one(bill_id=self.session.bill_id)

    @property
    def key(self) -> str:
        """The same for each run of the same step of the same session."""
        return f"{self.session.id}-{self.session.version}"

    def once_a_day(self, reason: str) -> str:
        """A key that is the same all day for a bill and a reason, whoever asks how often."""
        return f"{self.session.bill_id}-{reason}-{clock.today()}"


@once.query
def _bill(bill_id: once.Open) -> "QuerySet[Bill]":
    return Bill.objects.filter(pk=bill_id)


_actions: dict[str, Run] = {}


def action(run: Run) -> Run:
    """Bind a function to the declaration of its name."""
    _actions[run.__name__] = run
    return run


def bound() -> frozenset[str]:
    """The names that have a function."""
    return frozenset(_actions)


def run(name: str, context: Context) -> Answered:
    outcome, values = _actions[name](context)
    if outcome not in ACTIONS[name].outcomes:
        raise AssertionError(f"{name} answered {outcome!r}, which it does not declare")
    if lacking := ACTIONS[name].effect(outcome).gives - values.keys():
        raise AssertionError(f"{name} answered {outcome!r} without {', '.join(sorted(lacking))}")
    return outcome, values
