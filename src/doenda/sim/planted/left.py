"""Mistakes that leave something behind: what was begun, money that stays here, a letter believed, a fee too soon."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from unittest import mock

from doenda.billing import accounts, bills
from doenda.billing.models import Bill
from doenda.dunning import decide
from doenda.dunning.case_facts import Debt, Facts
from doenda.dunning.policy import Policy
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import doorbells, moves, news, outcomes
from doenda.payments.providers.deposit.client import Client, Said
from doenda.sim.planted import scenes
from doenda.sim.planted.hunting import Hunt, Planted

if TYPE_CHECKING:
    from doenda.sim.world import World


@contextmanager
def _nothing_closed() -> Iterator[None]:
    with mock.patch.object(outcomes, "close_waiting"):
        yield


@contextmanager
def _news_of_the_biller_ignored() -> Iterator[None]:
    with mock.patch.object(news, "close_waiting"):
        yield


@contextmanager
def _not_told_there() -> Iterator[None]:
    with mock.patch.object(moves, "close_there"):
        yield


@contextmanager
def _bank_not_asked() -> Iterator[None]:
    def asked(self: Client, ident: str, amount: int, key: str, reason: str, to: Any = None) -> Said:
        return Said()

    with mock.patch.object(Client, "give_back", asked):
        yield


@contextmanager
def _fee_at_once() -> Iterator[None]:
    def the_day_after(debt: Debt, facts: Facts, policy: Policy) -> date:
        return debt.due + timedelta(days=1)

    with mock.patch.object(decide, "fee_day", the_day_after):
        yield


@contextmanager
def _every_letter_believed() -> Iterator[None]:
    with mock.patch.object(doorbells, "ring", return_value=True):
        yield


def _taken_back(world: "World") -> None:
    with atomic():
        account = accounts.lock(world.customers[0].account_id)
        for bill in Bill.objects.filter(pk__in=world.customers[0].bill_ids).order_by("pk"):
            bills.cancel(account, bill, fact_id=outside(bill.pk), at=clock.now())
    world.say("the biller took every bill back")


_ASKS = scenes.named("first_asks", scenes.asks("deposit"))
_ASKS_TOSS = scenes.named("asks_toss", scenes.asks("toss"))
_TAKEN_BACK = scenes.named("bill_taken_back", _taken_back)
_PAYS = scenes.named("first_pays", scenes.pays_all("sandbox"))
_OWES = scenes.named("owes", scenes.owes_enough)
_MORNINGS = scenes.named("three_mornings", scenes.mornings(3))

PLANTED = (
    Planted(
        "begun and left",
        "what was begun for a bill that is paid goes on asking for money",
        _nothing_closed,
        Hunt(("deposit", "sandbox"), ("first_asks", "first_pays"), extra=(_ASKS, _PAYS)),
        frozenset({"I4"}),
    ),
    Planted(
        "cancelled and still asked for",
        "an account goes on waiting for a bill that the biller has taken back",
        _news_of_the_biller_ignored,
        Hunt(("deposit", "sandbox"), ("first_asks", "bill_taken_back"), extra=(_ASKS, _TAKEN_BACK)),
        frozenset({"I4"}),
    ),
    Planted(
        "closed here only",
        "an account that is not needed any more is closed in our rows, and stays open at its provider",
        _not_told_there,
        Hunt(("toss", "sandbox"), ("asks_toss", "first_pays"), extra=(_ASKS_TOSS, _PAYS)),
        frozenset({"I10"}),
    ),
    Planted(
        "sent back in the books only",
        "a stranger's deposit counts as sent back, and the bank was never asked",
        _bank_not_asked,
        Hunt(
            ("deposit", "sandbox"),
            ("deposit_of_a_stranger", "worker_money", "people_catch_up", "worker_outbox"),
        ),
        frozenset({"I3"}),
    ),
    Planted(
        "a fee at once",
        "a late fee is added the day after a bill was due, before anybody was reminded",
        _fee_at_once,
        Hunt(("sandbox", "toss"), ("owes", "three_mornings", "three_mornings"), extra=(_OWES, _MORNINGS)),
        frozenset({"I5"}),
    ),
    Planted(
        "every letter believed",
        "a webhook that its provider did not sign is taken for genuine",
        _every_letter_believed,
        Hunt(("sandbox", "portone"), ("pay", "letter_forged", "pay", "letter_forged"), customers=2),
        frozenset({"SURPRISE"}),
    ),
)
