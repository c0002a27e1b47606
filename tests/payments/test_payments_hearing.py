"""Money may have been paid in that we have not heard of: collections are told so, and it is asked about."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings
from tests.payments.test_payments_deposit import DepositWorld, begin, deposit_world, number_of, run
from tests.payments.test_payments_toss import Wired
from tests.payments.test_payments_toss_house import begin as begin_at_toss
from tests.payments.test_payments_toss_house import state, wired
from tests.worlds import overdue_bill

from doenda.billing import accounts, bills
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.payments import hearing
from doenda.payments.states import State

LONG = timedelta(hours=3)
__all__ = ["wired"]


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def test_who_has_no_account_to_pay_into_is_heard(bank: DepositWorld, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    noon.advance(LONG)
    assert not hearing.unheard(bill.account_id)


def test_a_banks_list_that_was_not_read_lately_may_hold_a_deposit(bank: DepositWorld, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    begin(bill)
    assert hearing.unheard(bill.account_id), "it was never read"
    run()
    assert not hearing.unheard(bill.account_id)
    noon.advance(LONG)
    assert hearing.unheard(bill.account_id)
    bank.down.add("pool")
    run()
    assert hearing.unheard(bill.account_id), "a bank that is not reached tells nothing"
    bank.down.clear()
    run()
    assert not hearing.unheard(bill.account_id)


def test_a_bank_that_serves_us_no_more_holds_nobody_up(bank: DepositWorld, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    begin(bill)
    noon.advance(LONG)
    without = {name: entry for name, entry in settings.DOENDA_PROVIDERS.items() if name != "deposit"}
    with override_settings(DOENDA_PROVIDERS=without):
        assert not hearing.unheard(bill.account_id)


def test_a_number_at_rest_is_still_paid_into(bank: DepositWorld, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    bank.deposit(number_of(attempt), 52300)
    run()
    with atomic():
        account = accounts.lock(bill.account_id)
        items = [bills.Item("service", 70_000)]
        bills.issue(account, "B-2", items, due_date=clock.today() - timedelta(1), bill_date=clock.today(), period=None)
    noon.advance(LONG)
    assert hearing.unheard(bill.account_id)
    noon.advance(timedelta(days=60))
    assert not hearing.unheard(bill.account_id), "what comes now is nobody's, and waits for a person"


@pytest.mark.parametrize("answers", [True, False])
def test_an_account_at_a_provider_that_did_not_ring_is_asked_about(
    wired: Wired,
    noon: clock.Frozen,
    answers: bool,
) -> None:
    bill = overdue_bill()
    attempt = begin_at_toss(bill, "deposit")
    assert not hearing.unheard(bill.account_id), "it was opened just now"
    noon.advance(LONG)
    assert hearing.unheard(bill.account_id)
    hearing.ask(bill.account_id)
    wired.says = None if answers else net.NoAnswer("silence")
    sweeps.run("inquiries")
    assert hearing.unheard(bill.account_id) is not answers
    assert state(attempt) == State.NEEDS_DEPOSIT
