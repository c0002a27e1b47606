"""A SEPA debit from mandate to result, through the same rows and rules."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from tests.payments.debit_tools import CONFIG, DebitWorld, account, attempt_of, by_hand, debit_world, mandate, send
from tests.worlds import overdue_bill

from doenda.billing import accounts, bills, books
from doenda.billing.models import Bill, Party
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.payments import providers
from doenda.payments.debit import answers, files, home, instruct
from doenda.payments.debit.models import DebitAnswer, DebitFile, DebitItem
from doenda.payments.moves import charge_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning"),  # within sepaxml
]
IBANS = ["DE02120300000000202051", "DE02500105170137075030"]


@pytest.fixture
def world(db: None, noon: clock.Frozen, settings: Any) -> Iterator[DebitWorld]:
    with debit_world(settings) as made:
        noon.set(clock.at(date(2014, 10, 27), 9))
        yield made


def customer(index: int) -> Bill:
    with atomic():
        party = Party.objects.create(name="Erika Mustermann", phone=f"+49151{index:07d}", language="en")
        held = accounts.open_account(f"E-{index}", "EUR", holder=party)
        bill = bills.issue(
            accounts.lock(held.pk), f"E-{index}", [bills.Item("service", 4_999)], due_date=date(2014, 10, 20)
        )
    mandate(held.pk, index, scheme="sepa", number=IBANS[index], bank="", check="", holder="Erika Mustermann")
    return bill


def test_a_sepa_cycle_is_right_to_the_cent(world: DebitWorld, noon: clock.Frozen) -> None:
    paid, poor = customer(0), customer(1)
    rows = [account(IBANS[0], 10_000, bank=""), account(IBANS[1], 4_998, bank="")]
    world.control(world.house, "POST", "accounts", {"accounts": rows})
    noon.set(clock.at(date(2014, 10, 27), 10))
    assert instruct.run("EUR").debits == 2
    noon.set(clock.at(date(2014, 10, 27), 11, 31))
    files.sweep(100)
    send()
    file = DebitFile.objects.get()
    assert (file.name, file.state, file.debit_sum) == ("SD-20141028-01", "accepted", 9_998)
    world.clear()
    noon.set(clock.at(date(2014, 10, 29), 9, 1))
    answers.poll(100)
    home.bring(100)
    for bill, state, word in ((paid, "paid", "PAID"), (poor, "refused", "NO_FUNDS")):
        bill.refresh_from_db()
        assert (attempt_of(bill).state, attempt_of(bill).reason) == (state, word)
    assert (paid.paid, poor.paid) == (4_999, 0)
    assert books.trial().ok
    answers.poll(100)
    assert DebitAnswer.objects.get().accepted


def test_a_refund_of_a_sepa_debit_is_a_persons_work(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer(0)
    noon.set(clock.at(date(2014, 10, 27), 10))
    instruct.run("EUR")
    noon.set(clock.at(date(2014, 10, 27), 11, 31))
    files.sweep(100)
    DebitItem.objects.update(state="paid", code="PAID")
    said = providers.get("debit").refund(charge_of(attempt_of(bill)), amount=1, key="k", reason="r")
    assert said.code == "NO_REFUND_RECORD"


def test_without_a_creditors_account_nothing_is_debited_by_sepa(
    world: DebitWorld, noon: clock.Frozen, settings: Any
) -> None:
    bill = customer(0)
    terms = {name: value for name, value in CONFIG.items() if name != "sepa"}
    settings.DOENDA_PROVIDERS = {**settings.DOENDA_PROVIDERS, "debit": terms}
    providers.get.cache_clear()
    noon.set(clock.at(date(2014, 10, 27), 10))
    assert instruct.sweep(100) == 0
    assert by_hand(bill).reason == "NOT_BY_DEBIT"


def test_one_scheme_whose_file_cannot_be_written_holds_up_no_other(
    world: DebitWorld, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer(0)
    won = overdue_bill(number="K-1", phone="+821077777777")
    mandate(won.account_id, 5)
    noon.set(clock.at(date(2014, 10, 27), 11))
    instruct.sweep(100)
    monkeypatch.setattr(files, "build", lambda terms, day: 1 // 0 if terms.scheme == "cms" else built.append(day))
    built: list[date] = []
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    assert files.sweep(100) == 1
    assert built == [date(2014, 10, 28)]
