"""Answers of the clearing house: taken whole or refused whole, each record in its place or parked."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.payments.debit_tools import (
    DebitWorld,
    attempt_of,
    customer,
    debit_world,
    item_of,
    number_of,
    results,
    to_cut_off,
)

from doenda.billing import books
from doenda.kernel import clock, sweeps
from doenda.kernel.models import FactRow, OutboxRow
from doenda.payments.debit import home
from doenda.payments.debit.models import DebitAnswer, DebitFile, DebitItem, DebitParked, Mandate
from doenda.payments.models import Attempt
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


def test_a_missing_record_stays_instructed_and_gets_a_person(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    other = customer(2)
    for index in (1, 2):
        world.money(number_of(index), 60_000)
    to_cut_off(noon)
    world.fault_house(missing_record={"remaining": 1})
    results(world, noon)
    missing = bill if item_of(bill).state == "filed" else other
    assert home.own_overdue(100) == 0
    noon.advance(timedelta(hours=7))
    assert home.own_overdue(100) == 1
    attempt = attempt_of(missing)
    assert (attempt.state, attempt.reason) == ("instructed", "RESULT_MISSING")
    assert attempt.person_owns_at is not None
    noon.advance(timedelta(days=30))
    sweeps.run_all()
    assert attempt_of(missing).state == "instructed"


def test_a_file_without_an_answer_gets_one_person_and_nothing_is_concluded(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    file = to_cut_off(noon)
    noon.set(clock.at(date(2014, 10, 29), 10))
    home.own_overdue(100)
    file.refresh_from_db()
    assert file.person_owns_at is not None
    assert FactRow.objects.get(kind="payments.debit_file_late").data == {"file": file.name, "debits": 1}
    assert attempt_of(bill).state == "instructed"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("amount_changed", "OTHER_AMOUNT"),
        ("unlisted_code", "UNKNOWN_CODE"),
        ("other_payer", "OTHER_PAYER"),
        ("unknown_record", "UNKNOWN_RECORD"),
    ],
)
def test_what_does_not_fit_is_parked_with_its_reason(
    world: DebitWorld, noon: clock.Frozen, fault: str, reason: str
) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    world.fault_house(**{fault: {"remaining": 1}})
    results(world, noon)
    parked = DebitParked.objects.get()
    assert (parked.reason, parked.owner, parked.closed_at) == (reason, "desk", None)
    paid = fault == "unknown_record"
    assert attempt_of(bill).state == ("paid" if paid else "instructed")
    assert books.trial().ok


def test_the_same_answer_twice_is_ignored_whole_and_says_so(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    world.fault_house(duplicate_file=None)
    results(world, noon)
    [taken] = DebitAnswer.objects.all()
    assert taken.again == 1
    bill.refresh_from_db()
    assert bill.paid == 52_300


@pytest.mark.parametrize(
    ("fault", "line", "column"),
    [
        ("wrong_sum", 3, "debit_sum"),
        ("wrong_count", 3, "records"),
        ("short_record", 3, "record"),
        ("not_cp949", 2, "passbook"),
        ("wrong_day", 1, "day"),
        ("forged", 3, "mac"),
    ],
)
def test_an_answer_that_is_wrong_is_refused_whole_naming_the_place(
    world: DebitWorld, noon: clock.Frozen, fault: str, line: int, column: str
) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    world.fault_house(**{fault: None})
    results(world, noon)
    refused = DebitAnswer.objects.get()
    assert (refused.accepted, refused.report["line"], refused.report["column"]) == (False, line, column)
    assert attempt_of(bill).state == "instructed"
    assert number_of(1) not in str(refused.report)


def test_no_account_number_stands_in_any_row_in_the_clear(world: DebitWorld, noon: clock.Frozen) -> None:
    customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    world.fault_house(forged={"remaining": 1})
    results(world, noon)
    for model in (Mandate, DebitFile, DebitItem, DebitAnswer, DebitParked, Attempt, FactRow, OutboxRow):
        for row in model.objects.all().values():
            shown = " ".join(
                bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)
                for value in row.values()
            )
            assert number_of(1) not in shown, model
            assert "800101" not in shown, model
    assert Mandate.objects.get().last_two == number_of(1)[-2:]


@pytest.mark.parametrize(("word", "state"), [("PAID", "paid"), ("NO_FUNDS", "refused")])
def test_a_person_who_found_out_what_became_of_a_missing_record_says_so(
    world: DebitWorld, noon: clock.Frozen, word: str, state: str
) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    world.fault_house(missing_record={"remaining": 1})
    results(world, noon)
    item = item_of(bill)
    for wrong in ("", "UNLISTED", "RECALLED"):
        with pytest.raises(ValueError, match="not a result"):
            home.decide(item.pk, word=wrong, by="collections:choi")
    home.decide(item.pk, word=word, by="collections:choi")
    assert attempt_of(bill).state == state
    assert FactRow.objects.get(kind="payments.debit_decided").data["by"] == "collections:choi"
    with pytest.raises(ValueError, match="this debit is"):
        home.decide(item.pk, word=word, by="collections:choi")
    assert books.trial().ok
