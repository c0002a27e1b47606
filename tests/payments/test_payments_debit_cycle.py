"""A debit from the mandate to its result, and everything that may happen on the way; one customer at a time."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from tests.payments.debit_tools import (
    TUESDAY,
    DebitWorld,
    account,
    attempt_of,
    by_hand,
    customer,
    debit_world,
    item_of,
    mandate,
    more_bill,
    number_of,
    results,
    send,
    to_cut_off,
)
from tests.worlds import overdue_bill

from doenda.billing import accounts, bills, books, post
from doenda.billing.models import Account, Bill
from doenda.kernel import clock, outbox
from doenda.kernel.db import atomic
from doenda.kernel.models import FactRow, OutboxRow
from doenda.payments import pending, providers, refunds
from doenda.payments.debit import answers, files, home, instruct
from doenda.payments.debit.models import DebitFile, DebitItem, DebitParked, Mandate
from doenda.payments.models import Attempt, Refund, RefundCase
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Charge, Outcome

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None, noon: clock.Frozen, settings: Any) -> Iterator[DebitWorld]:
    with debit_world(settings) as made:
        noon.set(clock.at(date(2014, 10, 27), 9))
        yield made


def charge(bill: Any) -> Charge:
    return charge_of(attempt_of(bill))


def test_a_debit_is_paid_and_the_bill_is_settled(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    file = to_cut_off(noon)
    assert (file.state, file.records, file.debit_sum) == ("accepted", 1, 52_300)
    assert attempt_of(bill).state == "instructed"
    assert attempt_of(bill).due_at == clock.at(TUESDAY + timedelta(days=1), 3)
    results(world, noon)
    bill.refresh_from_db()
    assert (bill.state, bill.paid, attempt_of(bill).state) == ("settled", 52_300, "paid")
    assert list(attempt_of(bill).moves.order_by("created_at").values_list("source", "target")) == [
        ("created", "instructed"),
        ("instructed", "paid"),
    ]
    assert books.trial().ok
    assert world.control(world.house, "GET", "books")["carrier"] == 52_300


def test_nothing_adverse_may_happen_between_instruction_and_result(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    assert pending.adverse_blocked(bill.account_id) is None
    to_cut_off(noon)
    assert pending.adverse_blocked(bill.account_id) is not None
    results(world, noon)
    assert pending.adverse_blocked(bill.account_id) is None


def test_bills_are_instructed_only_while_the_window_before_their_cut_off_is_open(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    assert instruct.run("KRW").debits == 0  # nine in the morning
    noon.set(clock.at(date(2014, 10, 27), 10, 31))
    assert instruct.run("KRW").debits == 1
    assert instruct.run("KRW").debits == 0
    assert item_of(bill).day == TUESDAY


def test_all_due_bills_of_an_account_go_as_one_debit(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    other = more_bill(bill, "B-1b", 700)
    world.money(number_of(1), 60_000)
    assert to_cut_off(noon).debit_sum == 53_000
    results(world, noon)
    for each in (bill, other):
        each.refresh_from_db()
        assert each.state == "settled"


def test_a_debit_without_funds_is_refused_and_tried_again_on_the_policys_day(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    world.money(number_of(1), 100)
    to_cut_off(noon)
    results(world, noon)
    attempt = attempt_of(bill)
    assert (attempt.state, attempt.reason) == ("refused", "NO_FUNDS")
    [failed] = FactRow.objects.filter(kind="payments.debit_failed")
    assert failed.data == {
        "attempt": str(attempt.pk),
        "code": "NO_FUNDS",
        "next": "2014-10-31",
        "amount": 52_300,
        "currency": "KRW",
    }
    noon.set(clock.at(date(2014, 10, 29), 12))
    assert instruct.run("KRW").debits == 0  # for the 30th: too early
    noon.set(clock.at(date(2014, 10, 30), 12))
    assert instruct.run("KRW").day == date(2014, 10, 31)
    assert attempt_of(bill).pk != attempt.pk


def test_never_more_than_the_policys_tries(world: DebitWorld, noon: clock.Frozen) -> None:
    customer()
    world.money(number_of(1), 100)
    for day in range(60):
        noon.set(clock.at(date(2014, 10, 27) + timedelta(days=day), 12))
        instruct.sweep(100)
        noon.advance(timedelta(hours=4, minutes=31))
        files.sweep(100)
        send()
        world.clear()
        noon.advance(timedelta(hours=34))
        answers.poll(100)
        noon.set(clock.at(date(2014, 10, 27) + timedelta(days=day), 12))
    tried = DebitItem.objects.order_by("day").values_list("day", "code")
    assert list(tried) == [
        (date(2014, 10, 28), "NO_FUNDS"),
        (date(2014, 10, 31), "NO_FUNDS"),
        (date(2014, 11, 7), "NO_FUNDS"),
    ]


def test_the_customer_may_choose_a_debit_on_a_page(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    said = by_hand(bill)
    assert said.outcome == "instructed"
    assert attempt_of(bill).mandate_id == Mandate.objects.get(account=bill.account_id).pk
    assert by_hand(bill).reason == "ALREADY_INSTRUCTED"
    assert instruct.run("KRW").debits == 0


def test_before_the_cut_off_a_debit_is_recalled_when_something_else_pays(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    answer = providers.get("debit").void(charge(bill))
    assert answer.outcome is Outcome.GIVEN_BACK
    assert providers.get("debit").void(charge(bill)).outcome is Outcome.GIVEN_BACK
    home.bring(100)
    assert attempt_of(bill).state == "closed"
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    files.sweep(100)
    assert not DebitFile.objects.exists()


def test_after_the_cut_off_it_is_too_late_and_the_result_decides(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    to_cut_off(noon)
    answer = providers.get("debit").void(charge(bill))
    assert (answer.outcome, answer.code) == (Outcome.PENDING, "TOO_LATE")
    assert item_of(bill).state == "filed"


def test_a_bill_paid_otherwise_before_the_cut_off_is_not_debited_even_if_nobody_recalled_it(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    other = customer(2)
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    with atomic():
        held = accounts.lock(bill.account_id)
        post.deposit(held, 52_300, provider="elsewhere", fact_kind="deposit", fact_id="x", at=clock.now())
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    files.sweep(100)
    assert DebitFile.objects.get().debits == 1
    assert (item_of(bill).state, item_of(other).state) == ("recalled", "filed")
    home.bring(100)
    assert attempt_of(bill).state == "closed"


def test_a_bill_that_was_corrected_down_is_not_debited_for_the_old_amount(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    with atomic():
        bills.credit(accounts.lock(bill.account_id), 300, fact_id="c", at=clock.now(), bill=bill)
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    files.sweep(100)
    assert not DebitFile.objects.exists()


def test_a_double_after_the_cut_off_becomes_credit_and_goes_back_by_a_refund_record(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    with atomic():
        held = accounts.lock(bill.account_id)
        post.deposit(held, 52_300, provider="elsewhere", fact_kind="deposit", fact_id="x", at=clock.now())
    results(world, noon)
    assert attempt_of(bill).state == "paid"
    case = RefundCase.objects.get(account=bill.account_id)
    assert (case.amount, case.owner) == (52_300, "system")
    send()
    back = DebitItem.objects.get(kind="refund")
    assert (back.state, back.amount, back.day) == ("waiting", 52_300, date(2014, 10, 30))
    noon.set(clock.at(date(2014, 10, 29), 16, 31))
    files.sweep(100)
    noon.advance(timedelta(seconds=61))
    send()
    file = DebitFile.objects.get(day=date(2014, 10, 30))
    assert (file.debits, file.refunds, file.refund_sum, file.state) == (0, 1, 52_300, "accepted")
    results(world, noon, date(2014, 10, 30))
    noon.advance(timedelta(seconds=61))
    send()
    case.refresh_from_db()
    assert case.outcome == "refunded"
    assert world.control(world.house, "GET", "books")["accounts"] == [["088", number_of(1), 60_000]]
    assert books.trial().ok


def test_a_refund_is_one_record_a_key_and_never_more_than_was_taken(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    to_cut_off(noon)
    terms = providers.get("debit")
    assert terms.refund(charge(bill), amount=10, key="early", reason="r").outcome is Outcome.REFUSED
    results(world, noon)
    assert terms.refund(charge(bill), amount=50_000, key="one", reason="r").outcome is Outcome.PENDING
    assert terms.refund(charge(bill), amount=50_000, key="one", reason="r").outcome is Outcome.PENDING
    assert terms.refund(charge(bill), amount=2_301, key="two", reason="r").code == "MORE_THAN_TAKEN"
    assert DebitItem.objects.filter(kind="refund").count() == 1


def test_a_debit_returned_days_later_reopens_the_bill(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    file = to_cut_off(noon)
    results(world, noon)
    noon.set(clock.at(date(2014, 11, 10), 12))
    asked = {"day": "2014-11-10", "returns": [{"file": file.name, "serial": 1, "code": "0061"}]}
    world.control(world.house, "POST", "returns", asked)
    answers.poll(100)
    bill.refresh_from_db()
    assert (attempt_of(bill).state, bill.state, bill.paid) == ("undone", "open", 0)
    assert item_of(bill).state == "returned"
    assert FactRow.objects.filter(kind="payments.undone").exists()
    assert books.trial().ok
    noon.set(clock.at(date(2014, 11, 24), 12))
    assert instruct.run("KRW").debits == 0  # the payer objected: nobody debits again


def take_back(world: DebitWorld, file: DebitFile, day: str, code: str = "0061") -> None:
    asked = {"day": day, "returns": [{"file": file.name, "serial": 1, "code": code}]}
    world.control(world.house, "POST", "returns", asked)
    answers.poll(100)
    home.bring(100)


def give_back(bill: Bill) -> None:
    attempt = attempt_of(bill)
    with atomic():
        accounts.lock(attempt.account_id)
        refunds.ask(attempt, "by the customer", by="agent:han")
    send()


def clearing() -> int:
    return sum(each.amount for each in books.balances() if each.name == "clearing:debit")


def test_a_refund_that_waits_is_recalled_when_the_payer_takes_the_debit_back(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    """Found by the simulator: both went back, and the books knew of one."""
    bill = customer()
    world.money(number_of(1), 60_000)
    file = to_cut_off(noon)
    results(world, noon)
    give_back(bill)
    take_back(world, file, "2014-10-29")
    noon.set(clock.at(date(2014, 10, 29), 16, 31))
    files.sweep(100)
    send()
    assert DebitItem.objects.get(kind="refund").state == "recalled"
    assert Refund.objects.get().failed_at is not None
    assert world.control(world.house, "GET", "books")["accounts"] == [["088", number_of(1), 60_000]]
    assert clearing() == 0


def test_a_refund_that_left_before_the_payer_took_the_debit_back_is_a_loss_that_the_books_show(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    world.money(number_of(1), 60_000)
    file = to_cut_off(noon)
    results(world, noon)
    give_back(bill)
    noon.set(clock.at(date(2014, 10, 29), 16, 31))
    files.sweep(100)
    send()
    take_back(world, file, "2014-10-29")
    noon.advance(timedelta(minutes=11))
    send()
    assert Refund.objects.get().failed_at is None, "it is bound: its result tells"
    results(world, noon, date(2014, 10, 30))
    noon.advance(timedelta(minutes=11))
    send()
    assert Refund.objects.get().done_at is not None
    attempt = attempt_of(bill)
    assert (attempt.state, attempt.person_owns_at is not None) == ("undone", True)
    assert world.control(world.house, "GET", "books")["accounts"] == [["088", number_of(1), 60_000 + 52_300]]
    lost = [each.amount for each in books.balances() if each.name == "doubly_returned"]
    assert (clearing(), lost) == (-52_300, [52_300])
    assert books.trial().ok


def test_a_person_who_found_out_that_a_debit_was_taken_back_says_so(world: DebitWorld, noon: clock.Frozen) -> None:
    """Found by the simulator: a return under a code that nobody listed was parked, and could only be closed."""
    bill = customer()
    world.money(number_of(1), 60_000)
    file = to_cut_off(noon)
    with pytest.raises(ValueError, match="this debit is filed"):
        home.decide(item_of(bill).pk, word="RETURNED_HOLDER_DIED", by="collections:choi")
    results(world, noon)
    world.fault_house(unlisted_code={"remaining": 1})
    take_back(world, file, "2014-10-29")
    assert (DebitParked.objects.get().reason, attempt_of(bill).state) == ("UNKNOWN_CODE", "paid")
    home.decide(item_of(bill).pk, word="RETURNED_HOLDER_DIED", by="collections:choi")
    bill.refresh_from_db()
    assert (attempt_of(bill).state, bill.state, bill.paid) == ("undone", "open", 0)
    assert Mandate.objects.get().state == "cancelled"


def test_a_file_that_meets_a_dead_house_is_sent_again_with_the_same_bytes(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    customer()
    world.fault_house(timeout_after={"remaining": 1, "seconds": 60})
    file = to_cut_off(noon)
    assert file.state == "built"
    noon.advance(timedelta(seconds=90))
    send()
    file.refresh_from_db()
    assert file.state == "accepted"
    sent = [call.content for call in world.calls if call.method == "PUT"]
    assert len(sent) == 2
    assert sent[0] == sent[1]


@pytest.mark.parametrize("fault", ["timeout_before", "error_before", "error_after", "garbage", "dead"])
def test_no_unclear_answer_ends_a_file(world: DebitWorld, noon: clock.Frozen, fault: str) -> None:
    bill = customer()
    world.fault_house(**{fault: {"seconds": 60}})
    assert to_cut_off(noon).state == "built"
    assert attempt_of(bill).state == "instructed"
    world.fault_house()
    noon.advance(timedelta(seconds=90))
    send()
    assert DebitFile.objects.get().state == "accepted"


def test_a_file_that_the_house_refuses_took_nothing_and_is_our_fault(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    world.fault_house(refuse_file=None)
    assert to_cut_off(noon).state == "refused"
    home.bring(100)
    assert (attempt_of(bill).state, attempt_of(bill).reason) == ("our_fault", "FILE_REFUSED")
    world.fault_house()
    noon.set(clock.at(date(2014, 10, 28), 12))
    assert instruct.run("KRW").debits == 1  # it used up none of the payer's tries


def test_a_cut_off_that_we_missed_is_our_fault_and_nothing_is_sent(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    noon.set(clock.at(date(2014, 10, 27), 12))
    instruct.run("KRW")
    noon.set(clock.at(date(2014, 10, 27), 17, 1))
    files.sweep(100)
    home.bring(100)
    assert not DebitFile.objects.exists()
    assert (attempt_of(bill).state, attempt_of(bill).reason) == ("our_fault", "CUT_OFF_MISSED")


def test_probes_and_other_currencies_are_not_instructed(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    Account.objects.filter(pk=bill.account_id).update(probe=True)
    noon.set(clock.at(date(2014, 10, 27), 12))
    assert instruct.run("KRW").debits == 0
    assert instruct.run("EUR").debits == 0


def test_a_customer_is_told_of_the_debit_when_its_file_is_bound(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    to_cut_off(noon)
    told = FactRow.objects.get(kind="payments.debit_due")
    assert told.data == {
        "attempt": str(attempt_of(bill).pk),
        "amount": 52_300,
        "currency": "KRW",
        "day": "2014-10-28",
    }
    assert FactRow.objects.filter(kind="payments.instructed").count() == 1


def test_a_crash_between_instruction_and_start_leaves_nothing_that_is_debited(
    world: DebitWorld, noon: clock.Frozen
) -> None:
    bill = customer()
    by_hand(bill)
    Attempt.objects.filter(pk=attempt_of(bill).pk).update(state="created")
    noon.set(clock.at(date(2014, 10, 27), 16, 31))
    files.sweep(100)
    assert not DebitFile.objects.exists()
    assert item_of(bill).state == "recalled"


def test_the_outbox_row_of_a_file_that_differs_at_the_house_is_parked(world: DebitWorld, noon: clock.Frozen) -> None:
    customer()
    to_cut_off(noon)
    file = DebitFile.objects.get()
    from doenda.kernel.sealing import open_sealed, seal

    changed = seal(open_sealed(file.sealed) + b" " * 150)
    DebitFile.objects.update(state="built", sealed=changed)
    assert isinstance(files.send(OutboxRow.objects.get(kind="debit_file")), outbox.Parked)


def test_money_of_one_account_is_not_spent_twice_by_the_house(world: DebitWorld, noon: clock.Frozen) -> None:
    bill = customer()
    other = overdue_bill(52_300, number="B-2", phone="+821099999999")
    mandate(other.account_id, 1)
    world.control(world.house, "POST", "accounts", {"accounts": [account(number_of(1), 60_000)]})
    to_cut_off(noon)
    results(world, noon)
    assert sorted(attempt_of(each).state for each in (bill, other)) == ["paid", "refused"]
