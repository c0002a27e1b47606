"""Kept cards: the billing key is opened for the one request that needs it, and charged through the cards' provider."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.payments.debit_tools import by_hand, debit_world, mandate
from tests.worlds import overdue_bill

from doenda.kernel import clock
from doenda.payments import attempts, charge, outcomes, providers, refunds
from doenda.payments.debit import billing, keys, mandates
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Answer, Charge, Moves, Outcome, Provider

pytestmark = pytest.mark.django_db
KEY = "billing-key-of-toss-000001"


class Cards(Provider):
    """Stands in for Toss: takes a billing key, or says that the card was refused."""

    name = "toss"
    merchant = "toss-merchant"
    methods = {"billing": Moves.AT_CONFIRM}  # noqa: RUF012

    def __init__(self) -> None:
        self.asked: list[Charge] = []
        self.refuses = False

    def start(self, charge: Charge) -> Answer:
        raise AssertionError("a kept card needs no start")

    def inquire(self, charge: Charge) -> Answer:
        return Answer(Outcome.NOT_FOUND)

    void = inquire

    def refund(self, charge: Charge, **_: object) -> Answer:
        raise AssertionError("nothing is refunded here")

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        self.asked.append(charge)
        if self.refuses or KEY not in (charge.mandate, keys.opened(charge).mandate):
            return Answer(Outcome.REFUSED, "REJECT_CARD_COMPANY")
        said = {"amount": charge.amount, "currency": charge.currency, "merchant": self.merchant}
        return Answer(Outcome.PAID, "DONE", charge.order_id, order_id=charge.order_id, **said)  # type: ignore[arg-type]


@pytest.fixture
def cards(db: None, noon: clock.Frozen, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cards]:
    made = Cards()
    real = providers.get

    def get(name: str) -> Provider:
        return made if name == "toss" else real(name)

    with debit_world(settings):
        for module in (providers, attempts, charge, outcomes, refunds):
            for name, value in vars(module).items():
                if value is real:
                    monkeypatch.setattr(module, name, get)
        yield made
        monkeypatch.undo()


def card_customer(index: int = 1) -> Any:
    bill = overdue_bill(number=f"C-{index}", phone=f"+8210{index:08d}")
    mandate(bill.account_id, index, kind="card", scheme="toss", number=KEY, shown="42", bank="", check="")
    return bill


def test_a_kept_card_pays_a_due_bill_by_the_days_of_the_policy(cards: Cards, noon: clock.Frozen) -> None:
    bill = card_customer()
    noon.set(clock.at(date(2014, 10, 22), 8))
    assert billing.sweep(100) == 0  # too early in the day
    noon.set(clock.at(date(2014, 10, 22), 10))
    assert billing.sweep(100) == 1
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert [each.mandate for each in cards.asked] in ([KEY], [str(mandates.active(bill.account_id).pk)])  # type: ignore[union-attr]
    assert billing.sweep(100) == 0


def test_a_refused_card_is_tried_again_by_the_policys_days_only(cards: Cards, noon: clock.Frozen) -> None:
    card_customer()
    cards.refuses = True
    noon.set(clock.at(date(2014, 10, 22), 10))
    charged = []
    for day in range(40):
        if billing.sweep(100):
            charged.append(day)
        noon.advance(timedelta(days=1))
    assert charged == [0, 3, 10]
    assert set(Attempt.objects.values_list("state", flat=True)) == {"refused"}


def test_the_key_stands_in_no_row_and_an_ended_mandate_gives_none(cards: Cards) -> None:
    bill = card_customer()
    held = mandates.active(bill.account_id)
    assert held is not None
    assert held.last_two == "42"
    billing.charge_card(bill.account_id, [(bill.pk, 300)], channel="web")
    attempt = Attempt.objects.get()
    assert KEY not in str(attempt.__dict__)
    asked = charge_of(attempt)
    assert asked.mandate == str(held.pk)
    assert keys.opened(asked).mandate == KEY
    mandates.cancel(held.pk, "by the customer")
    assert keys.opened(asked).mandate == ""
    assert billing.charge_card(bill.account_id, [(bill.pk, 300)], channel="web").reason == "NO_MANDATE"


def test_a_card_mandate_is_not_put_into_a_bank_file(cards: Cards) -> None:
    bill = card_customer()
    assert by_hand(bill).reason == "CARD_MANDATE"
