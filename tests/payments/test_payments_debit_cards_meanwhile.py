"""A kept card is about to be charged, and meanwhile something else happens to its bill."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.payments.test_payments_debit_cards import Cards, card_customer, cards

from doenda.billing import accounts, bills, post
from doenda.kernel import clock
from doenda.kernel.database import seam
from doenda.kernel.db import atomic
from doenda.payments import inquiry
from doenda.payments.debit import billing
from doenda.payments.models import Attempt

assert cards


@pytest.fixture
def db(committed_db: str) -> None:
    """In place of pytest-django's: others act where no transaction is open, so commits are real here."""


def meanwhile(act: Callable[[], object]) -> Any:
    """Somebody acts between the row of the attempt and its charge: before the second transaction from here."""
    begun = 0

    def watch(when: seam.When, _: object) -> None:
        nonlocal begun
        begun += when == "begin"
        if begun == 2 and when == "begin":
            begun += 1
            act()

    return seam.watching(watch)


def pay(bill: Any, amount: int) -> None:
    with atomic():
        account = accounts.lock(bill.account_id)
        post.payment(account, [(bill.pk, amount)], provider="elsewhere", fact_kind="x", fact_id="1", at=clock.now())


def give_credit(bill: Any, amount: int) -> None:
    with atomic():
        bills.credit(accounts.lock(bill.account_id), amount, fact_id="c", at=clock.now(), bill=bill)


def charged(bill: Any) -> str:
    return billing.charge_card(bill.account_id, [(bill.pk, bill.amount)], channel="web").outcome


def test_the_bill_is_paid_in_another_way(cards: Cards) -> None:
    bill = card_customer()
    with meanwhile(lambda: pay(bill, bill.amount)):
        assert charged(bill) == "expired"
    assert cards.asked == []


def test_the_bill_becomes_less(cards: Cards) -> None:
    bill = card_customer()
    with meanwhile(lambda: give_credit(bill, 100)):
        assert charged(bill) == "expired"
    assert cards.asked == []


def test_the_process_sleeps_until_the_attempt_is_over(cards: Cards, noon: clock.Frozen) -> None:
    bill = card_customer()

    def sleep() -> None:
        noon.advance(timedelta(hours=1))
        inquiry.ask(Attempt.objects.get())

    with meanwhile(sleep):
        assert charged(bill) == "expired"
    assert cards.asked == []
