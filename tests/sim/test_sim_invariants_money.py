"""I1 to I4: each fires on the wrong row or the lying peer that it is for, and is silent otherwise."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.models import F
from tests.sim.sim_made import begin, bill_of, confirm, ground_laid, made, pay, said

from doenda.billing import accounts, books, ledger, post
from doenda.billing.models import Bill
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments.deposits.rules import span
from doenda.payments.models import Attempt, AttemptBill, RefundCase
from doenda.payments.providers.contract import PayInto
from doenda.payments.states import State
from doenda.sim.world import World
from peers.bank.state import Transaction

__all__ = ["ground_laid", "made"]
CHARGED = ("sandbox", "toss", "portone")


def bank(world: World) -> Any:
    return world.hall.truths["bank"]


def captured(world: World, attempt: Attempt, amount: int, kind: str = "capture") -> None:
    """The bank's books say this now, whatever it told us."""
    rows = bank(world).state.transactions
    rows.append(
        Transaction(
            len(rows) + 1,
            attempt.provider_ref or "",
            outside(attempt.pk),
            "doenda",
            "card",
            kind,
            amount,
            clock.now().timestamp(),
        )
    )


def test_a_world_in_which_all_is_well_is_well(made: World) -> None:
    assert said(made) == []
    for at, provider in enumerate(("sandbox", "toss")):
        pay(made, at, provider)
    assert said(made) == []


@pytest.mark.parametrize("provider", CHARGED)
def test_every_provider_s_payment_is_in_both_books(made: World, provider: str) -> None:
    attempt = pay(made, 0, provider)
    assert said(made) == []
    with atomic():
        Attempt.objects.filter(pk=attempt.pk).update(given_back=300)
    assert any("I3" in each and provider in each for each in said(made))


def test_a_bill_that_says_more_than_its_postings_is_seen(made: World) -> None:
    bill = bill_of(made)
    with atomic():
        Bill.objects.filter(pk=bill.pk).update(paid=F("amount"), state="settled", closed_at=clock.now())
    found = said(made)
    assert any(each.startswith("I1: of bill") for each in found)
    assert any("says that" in each and bill.number in each for each in found)


def test_money_over_the_receivable_for_no_bill_is_seen(made: World) -> None:
    with atomic():
        account = accounts.lock(bill_of(made).account_id)
        ledger.note_fact(("odd", "1"), at=clock.now(), account_id=account.pk)
        clearing = books.of_carrier(books.clearing("sandbox"), account)
        ledger.write(("odd", "1"), account, [ledger.Move(account.pk, clearing, 5)], at=clock.now())
    assert any("for no bill" in each for each in said(made))


def test_a_posting_to_another_account_than_its_fact_s_is_seen(made: World) -> None:
    mine, other = bill_of(made), bill_of(made, 1)
    with atomic():
        account = accounts.lock(other.account_id)
        ledger.note_fact(("odd", "2"), at=clock.now(), account_id=mine.account_id)
        clearing = books.of_carrier(books.clearing("sandbox"), account)
        ledger.write(("odd", "2"), account, [ledger.Move(clearing, account.pk, 5, other.pk)], at=clock.now())
    assert any("another account" in each for each in said(made))


def test_what_was_paid_too_much_needs_a_case(made: World) -> None:
    bill = bill_of(made)
    with atomic():
        account = accounts.lock(bill.account_id)
        at = clock.now()
        parts = [(bill.pk, bill.remaining)]
        post.payment(account, parts, beyond=300, provider="sandbox", fact_kind="payment", fact_id="sandbox:x", at=at)
    assert any(each.startswith("I2") and "left 300 over" in each for each in said(made))


def test_a_case_that_is_closed_without_money_back_is_seen(made: World) -> None:
    attempt = pay(made)
    with atomic():
        RefundCase.objects.create(
            account_id=attempt.account_id,
            attempt=attempt,
            fact_id="some:fact",
            amount=5,
            currency="KRW",
            owner="desk",
            due_at=clock.now(),
            closed_at=clock.now(),
            outcome="refunded",
        )
    assert any("no money went back" in each for each in said(made))


def test_two_charges_of_one_bill_are_seen_in_the_banks_books(made: World) -> None:
    bill = bill_of(made)
    first, second = begin(bill, "sandbox", "card"), begin(bill, "sandbox", "card")
    confirm(made, first)
    captured(made, second, second.amount)
    found = said(made)
    assert any(each.startswith("I2") and "charged twice" in each for each in found)
    assert any(each.startswith("I3") and "is closed here, but sandbox took" in each for each in found)


def test_more_than_was_asked_for_is_seen(made: World) -> None:
    attempt = pay(made)
    captured(made, attempt, 1000)
    assert any("holds" in each and each.startswith("I2") for each in said(made))


def test_more_given_back_than_taken_is_seen(made: World) -> None:
    attempt = pay(made)
    captured(made, attempt, attempt.amount + 7, "cancel")
    assert any("gave back" in each for each in said(made))


def test_a_payment_that_the_bank_never_took_is_seen(made: World) -> None:
    pay(made)
    bank(made).state.transactions.clear()
    assert any("never took anything" in each for each in said(made))


def test_an_order_that_is_none_of_ours_is_seen(made: World) -> None:
    attempt = pay(made)
    rows = bank(made).state.transactions
    rows.append(Transaction(9, "k", "SOMEBODYELSESORDERANDNOTOURS", "doenda", "card", "capture", 1, 0.0))
    assert any("none of ours" in each for each in said(made))
    assert attempt.state == "paid"


def test_a_charge_that_is_still_to_be_carried_out_is_not_over(made: World) -> None:
    attempt = begin(bill_of(made), "sandbox", "card")
    made.peer("sandbox").control("PUT", "faults", {"*": {"fault": "hidden", "seconds": 400, "remaining": 1}})
    attempt = confirm(made, attempt)
    assert attempt.state == State.UNKNOWN
    assert said(made) == []
    with atomic():
        Attempt.objects.filter(pk=attempt.pk).update(state="refused", in_flight=False)
    assert any("still taking its money" in each for each in said(made))


def test_at_rest_both_sides_hold_the_same(made: World) -> None:
    attempt = pay(made)
    sweeps.run_all()
    assert said(made, rest=True) == []
    with atomic():
        Attempt.objects.filter(pk=attempt.pk).update(taken=attempt.taken - 1)
    assert any("at rest" in each and each.startswith("I3") for each in said(made, rest=True))


def test_at_rest_the_ledger_is_held_against_the_peers_by_account(made: World) -> None:
    pay(made)
    bill = bill_of(made, 1)
    with atomic():
        account = accounts.lock(bill.account_id)
        at = clock.now()
        post.payment(account, [(bill.pk, 300)], provider="toss", fact_kind="payment", fact_id="toss:none", at=at)
    assert any("toss holds 0 of A-2's money, and our ledger says 300" in each for each in said(made, rest=True))


def test_a_deposit_is_followed_line_by_line(made: World) -> None:
    attempt = begin(bill_of(made), "deposit", "deposit", bank="088")
    into = attempt.details["pay_into"]
    made.drivers["deposit"].deposit(PayInto(into["bank"], into["number"]), attempt.amount)
    assert said(made) == []
    sweeps.run("deposits")
    assert Attempt.objects.get(pk=attempt.pk).state == "paid"
    assert said(made) == []
    entries = made.hall.truths["deposits"].state.entries
    entries[0] = type(entries[0])(**{n: getattr(entries[0], n) for n in entries[0].__slots__} | {"amount": 5})
    assert any("the bank knows no deposit" in each for each in said(made))


def test_a_deposit_that_was_posted_twice_or_never_is_seen(made: World) -> None:
    attempt = begin(bill_of(made), "deposit", "deposit", bank="088")
    into = attempt.details["pay_into"]
    made.drivers["deposit"].deposit(PayInto(into["bank"], into["number"]), attempt.amount)
    sweeps.run("deposits")
    ref = Attempt.objects.get(pk=attempt.pk).provider_ref
    with atomic():
        account = accounts.lock(attempt.account_id)
        fact = f"deposit:{ref}#2"
        post.deposit(account, 700, provider="deposit", fact_kind="payment", fact_id=fact, at=clock.now())
    assert any("was posted for it" in each for each in said(made))
    with atomic():
        account = accounts.lock(attempt.account_id)
        post.deposit(account, 9, provider="deposit", fact_kind="payment", fact_id="deposit:088-D9", at=clock.now())
    assert any("has never told of" in each for each in said(made))


def test_a_deposit_to_an_old_number_that_went_to_the_next_holder_is_seen(made: World) -> None:
    attempt = begin(bill_of(made), "deposit", "deposit", bank="088")
    into = attempt.details["pay_into"]
    made.drivers["deposit"].deposit(PayInto(into["bank"], into["number"]), attempt.amount)
    sweeps.run("deposits")
    assert said(made) == []
    lease = Attempt.objects.get(pk=attempt.pk).deposit_lease
    with atomic():
        later = clock.now() + timedelta(hours=1)
        type(lease).objects.filter(pk=lease.pk).update(since=later, span=span(lease.number_id, later, None))
        made_line = lease.lines.get()
        type(made_line).objects.filter(pk=made_line.pk).update(order_id="")
    assert any("was the holder before's by its time" in each for each in said(made))


def test_a_debit_is_followed_record_by_record(made: World) -> None:
    driver = made.drivers["debit"]
    bill = bill_of(made)
    mandate = driver.mandate(bill.account_id)
    attempt = begin(bill, "debit", "debit", mandate=mandate)
    assert said(made) == []
    driver.settle_debit(outside(attempt.pk))
    sweeps.run("debits home")
    assert Attempt.objects.get(pk=attempt.pk).state == "paid"
    assert said(made) == []
    house = made.hall.truths["clearing"]
    ((ident, codes),) = house.state.done.items()
    codes[1] = "0021"
    assert any("counts as paid, the clearing house did None" in each for each in said(made))
    codes[1] = "0000"
    item = attempt.debit_items.get()
    with atomic():
        type(item).objects.filter(pk=item.pk).update(state="refused")
    found = said(made)
    assert any("is refused here, and the clearing house carried it out" in each for each in found)
    house.state.done[ident][2] = "0000"
    house.state.orders[ident][2] = [2, "R", "088", "1", 77, ""]
    assert any("no debit of ours is that record" in each for each in said(made))


def test_two_attempts_in_flight_for_one_bill_are_seen(made: World) -> None:
    """The index that forbids it is taken away: the check stands by itself."""
    bill = bill_of(made)
    first, second = begin(bill, "sandbox", "card"), begin(bill, "toss", "card")
    with connections["owner"].cursor() as cursor:
        cursor.execute("DROP INDEX bill_one_attempt_in_flight")
    try:
        with atomic():
            for each in (first, second):
                Attempt.objects.filter(pk=each.pk).update(state="sent", in_flight=True)
        assert any(each.startswith("I4") and bill.number in each for each in said(made))
    finally:
        with atomic():
            Attempt.objects.filter(pk__in=[first.pk, second.pk]).update(state="closed", in_flight=False)
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                f"CREATE UNIQUE INDEX bill_one_attempt_in_flight ON {AttemptBill._meta.db_table} (bill_id)"
                " WHERE in_flight"
            )
