"""Mandates: their consent, their sealed numbers, one that is active, and how they end."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from tests.payments.debit_tools import (
    KEYS,
    DebitWorld,
    attempt_of,
    by_hand,
    customer,
    debit_world,
    item_of,
    mandate,
    number_of,
    results,
    to_cut_off,
)
from tests.worlds import overdue_bill

from doenda.kernel import clock
from doenda.kernel.models import FactRow
from doenda.payments.debit import home, instruct, mandates
from doenda.payments.debit.models import Mandate
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Charge

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None, noon: clock.Frozen, settings: Any) -> Iterator[DebitWorld]:
    with debit_world(settings) as made:
        noon.set(clock.at(date(2014, 10, 27), 9))
        yield made


def charge(bill: Any) -> Charge:
    return charge_of(attempt_of(bill))


def test_a_closed_account_ends_its_mandate(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    world.money(number_of(1), 100_000, state="closed")
    to_cut_off(noon)
    results(world, noon)
    assert attempt_of(bill).reason == "CLOSED_ACCOUNT"
    held = Mandate.objects.get(account=bill.account_id)
    assert (held.state, held.reason) == ("cancelled", "CLOSED_ACCOUNT")
    assert FactRow.objects.get(kind="payments.debit_failed").data["next"] == ""
    noon.set(clock.at(date(2014, 11, 3), 12))
    assert instruct.run("KRW").debits == 0


def test_without_a_mandate_a_debit_is_refused_at_once(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    said = by_hand(bill)
    assert (said.outcome, said.reason) == ("refused", "NO_MANDATE")


def test_keys_rotate_without_losing_a_number(world: DebitWorld, settings: Any) -> None:
    bill = customer()
    held = Mandate.objects.get(account=bill.account_id)
    settings.DOENDA_SEALING_KEYS = list(reversed(KEYS))
    assert mandates.number_of(held) == number_of(1)
    assert mandates.rotate() == 1
    assert mandates.rotate() == 0
    settings.DOENDA_SEALING_KEYS = KEYS[1:]
    held.refresh_from_db()
    assert (mandates.number_of(held), mandates.check_of(held)) == (number_of(1), "800101")


def test_a_number_that_no_key_opens_is_our_fault_and_holds_up_nobody_else(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill, other = customer(), customer(2)
    Mandate.objects.filter(account=bill.account_id).update(sealed_number=b"changed")
    assert to_cut_off(noon).debits == 1
    home.bring(100)
    assert (attempt_of(bill).state, attempt_of(other).state) == ("our_fault", "instructed")


def test_one_active_mandate_an_account_and_cancelling_recalls_what_waits(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    first = Mandate.objects.get(account=bill.account_id)
    second = mandate(bill.account_id, 9)
    first.refresh_from_db()
    assert (first.state, first.reason, second.state) == ("cancelled", "replaced", "active")
    by_hand(bill)
    mandates.cancel(second.pk, "by the customer")
    home.bring(100)
    assert (item_of(bill).state, attempt_of(bill).state) == ("recalled", "closed")
    assert mandates.active(bill.account_id) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", "12-34"), ("number", ""), ("bank", ""), ("kind", "card"), ("holder", ""), ("check", "1" * 14)],
)
def test_what_cannot_be_a_mandate_is_refused_by_field(world: DebitWorld, field: str, value: str) -> None:
    bill = overdue_bill()
    with pytest.raises(mandates.NotAMandate) as refused:
        mandate(bill.account_id, 1, **{field: value})
    assert field in str(refused.value)
    assert not value or len(value) < 5 or value not in str(refused.value)


def test_one_number_that_cannot_be_written_holds_up_nobody_else(world: DebitWorld, noon: clock.Frozen) -> None:
    from doenda.kernel.sealing import seal

    bill, other = customer(), customer(2)
    Mandate.objects.filter(account=bill.account_id).update(sealed_number=seal(b"9" * 17))
    assert to_cut_off(noon).debits == 1
    home.bring(100)
    assert (attempt_of(bill).state, attempt_of(bill).reason) == ("our_fault", "FORM")
    assert attempt_of(other).state == "instructed"


@pytest.mark.parametrize("iban", ["DE02120300000000202052", "DE021203", "de02120300000000202051", "X"])
def test_an_iban_whose_check_digits_are_wrong_is_no_mandate(world: DebitWorld, iban: str) -> None:
    bill = overdue_bill()
    with pytest.raises(mandates.NotAMandate, match="number"):
        mandate(bill.account_id, scheme="sepa", number=iban, bank="", check="")
