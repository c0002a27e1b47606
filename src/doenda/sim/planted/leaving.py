"""Mistakes about the moment of leaving: money asked for before it is written down, or by a bill of yesterday; a bar on
a notice that nothing is owed of any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest import mock
from uuid import UUID

from doenda.billing import accounts, bills
from doenda.billing.models import Bill
from doenda.dunning import decide
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.payments import charge, providers
from doenda.payments.attempts import Result
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of
from doenda.payments.states import State
from doenda.sim.acts import customers
from doenda.sim.planted import scenes
from doenda.sim.planted.fairness import NOTICED, OWES
from doenda.sim.planted.hunting import Hunt, Planted

if TYPE_CHECKING:
    from doenda.sim.world import World


@contextmanager
def _asked_before_written() -> Iterator[None]:
    real = charge.confirm

    def confirm(
        attempt_id: UUID, *, order_id: str, ref: str, amount: str, token: str = "", account_id: UUID | None = None
    ) -> Result:
        attempt = Attempt.objects.get(pk=attempt_id)
        if attempt.state == State.NEEDS_REDIRECT:
            providers.get(attempt.provider).confirm(replace(charge_of(attempt), token=token), first_try=True)
        return real(attempt_id, order_id=order_id, ref=ref, amount=amount, token=token, account_id=account_id)

    with mock.patch.object(charge, "confirm", confirm):
        yield


@contextmanager
def _bill_of_yesterday() -> Iterator[None]:
    with mock.patch.object(charge, "_out_of_date", return_value=None):
        yield


@contextmanager
def _any_debt_will_do() -> Iterator[None]:
    with mock.patch.object(decide, "_still_owed", return_value=True):
        yield


def _corrected(world: "World") -> None:
    """The first bill turns out to have been far too high."""
    with atomic():
        account = accounts.lock(world.customers[0].account_id)
        bill = Bill.objects.filter(pk__in=world.customers[0].bill_ids, amount__gt=0).order_by("pk")[0]
        bills.correct(account, bill, bill.revision + 1, [bills.Item("service", 100)], due_date=bill.due_date)
    world.say("the biller corrected the bill to 100 won")


def _comes_back(world: "World") -> None:
    attempt = customers.waiting(world)[0]
    customers.come_back(world, attempt, customers.at_page(world, attempt, "approve"))


def _owes_something_else(world: "World") -> None:
    """What the notice was about is paid, and another bill comes to light that is as old."""
    customer = world.customers[0]
    with atomic():
        account = accounts.lock(customer.account_id)
        due, number = clock.today() - timedelta(days=20), f"B-{world.seed}-{customer.label}-8"
        made = bills.issue(account, number, [bills.Item("service", 95_000)], due_date=due)
    world.say(f"{customer.label} has owed 95,000 won of another bill for 20 days")
    scenes.pays_all("toss")(world)
    customer.bill_ids.append(made.pk)
    customer.secrets = (*customer.secrets, number)


_ASKS = scenes.named("first_asks", scenes.asks("sandbox", "card"))
_PAYS = scenes.named("pays", scenes.pays_one("sandbox"))
_CORRECTED = scenes.named("bill_corrected", _corrected)
_BACK = scenes.named("comes_back", _comes_back)
_OTHERWISE = scenes.named("owes_something_else", _owes_something_else)
_DAYS = scenes.named("four_mornings", scenes.mornings(4))

PLANTED = (
    Planted(
        "asked before it is written",
        "the provider is asked for the money first, and what was asked is written down when it has answered",
        _asked_before_written,
        Hunt(("sandbox",), ("pays",), extra=(_PAYS,)),
        frozenset({"I4"}),
    ),
    Planted(
        "a bill of yesterday",
        "what the bill owed when the page was opened is charged, whatever it owes now",
        _bill_of_yesterday,
        Hunt(("sandbox",), ("first_asks", "bill_corrected", "comes_back"), extra=(_ASKS, _CORRECTED, _BACK)),
        frozenset({"I4"}),
    ),
    Planted(
        "a notice of another debt",
        "a line is barred on a notice of what is paid, since something else is owed",
        _any_debt_will_do,
        Hunt(
            ("sandbox", "toss"),
            ("owes", "noticed", "owes_something_else", "four_mornings"),
            extra=(OWES, NOTICED, _OTHERWISE, _DAYS),
        ),
        frozenset({"I5"}),
    ),
)
