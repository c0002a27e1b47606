"""Posting: payments, fees, credits and their undoing; what the database itself refuses."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doenda.billing import accounts, bills, books, ledger, owed, post
from doenda.billing.models import Account, Bill, BillEvent, ExternalFact, Posting
from doenda.kernel import clock
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import FactRow

DUE = date(2014, 10, 25)


def make_account(currency: str = "KRW", *, probe: bool = False) -> Account:
    account = accounts.open_account(outside(new_id()), currency, lines=["+821012345678"], probe=probe)
    return accounts.lock(account.pk)


def make_bill(account: Account, service: int = 50_000, content: int = 0, due: date = DUE) -> Bill:
    items = [bills.Item("service", service)] + ([bills.Item("content", content)] if content else [])
    return bills.issue(account, outside(new_id()), items, due_date=due, bill_date=due - timedelta(days=20))


def pay(account: Account, bill: Bill, amount: int, fact_id: str = "1") -> post.Posted:
    return post.payment(
        account, [(bill.pk, amount)], provider="sandbox", fact_kind="payment:sandbox", fact_id=fact_id, at=clock.now()
    )


@pytest.fixture
def account(db: None) -> Account:
    return make_account()


def test_a_full_payment_settles_the_bill_and_says_so(account: Account) -> None:
    bill = make_bill(account)
    posted = pay(account, bill, 50_000)
    assert posted == post.Posted(50_000, 0, (bill.pk,))
    bill.refresh_from_db()
    assert (bill.state, bill.remaining) == ("settled", 0)
    assert bill.closed_at is not None
    fact = FactRow.objects.get(kind="billing.payment_posted")
    assert fact.account_id == account.pk
    assert fact.data["settled_bill_ids"] == fact.data["bill_ids"] == [str(bill.pk)]
    assert (fact.data["amount"], fact.data["fact"]) == (50_000, ["payment:sandbox", "1"])


def test_a_part_payment_leaves_the_rest_owed(account: Account) -> None:
    bill = make_bill(account)
    assert pay(account, bill, 20_000).settled == ()
    assert owed.open_bills(account.pk)[0].remaining == 30_000


def test_the_same_fact_again_posts_nothing(account: Account) -> None:
    bill = make_bill(account)
    pay(account, bill, 20_000)
    again = pay(account, bill, 20_000)
    assert (again.again, again.posted, again.credit) == (True, 20_000, 0)
    assert owed.one(bill.pk).remaining == 30_000
    assert FactRow.objects.filter(kind="billing.payment_posted").count() == 1


def test_what_is_overpaid_becomes_credit_and_the_next_bill_uses_it(account: Account) -> None:
    assert pay(account, make_bill(account), 60_000).credit == 10_000
    second = make_bill(account)
    assert post.use_credit(account) == 10_000
    assert owed.one(second.pk).remaining == 40_000
    assert books.credit(account.pk) == 0
    assert books.trial().ok


def test_a_deposit_without_a_bill_pays_the_oldest_first(account: Account) -> None:
    newer, older = make_bill(account), make_bill(account, due=DUE - timedelta(days=31))
    posted = post.deposit(account, 70_000, provider="bank", fact_kind="deposit", fact_id="9", at=clock.now())
    assert posted.settled == (older.pk,)
    assert owed.one(newer.pk).remaining == 30_000


def test_another_accounts_bill_takes_nothing(account: Account) -> None:
    stranger = make_account()
    bill = make_bill(stranger)
    assert pay(account, bill, 5_000) == post.Posted(0, 5_000)
    assert owed.one(bill.pk).remaining == 50_000


def test_an_undone_payment_is_owed_again(account: Account) -> None:
    bill = make_bill(account)
    pay(account, bill, 60_000)
    undone = post.undo_payment("payment:sandbox", "1", ("bounced", "x"))
    assert (undone.amount, undone.reopened, undone.short) == (60_000, (bill.pk,), 0)
    assert owed.one(bill.pk).remaining == 50_000
    assert books.credit(account.pk) == 0
    assert post.undo_payment("payment:sandbox", "1", ("bounced", "x")).again
    with pytest.raises(ValueError, match="undone already"), transaction.atomic():
        post.undo_payment("payment:sandbox", "1", ("bounced", "y"))
    with pytest.raises(ExternalFact.DoesNotExist):
        post.undo_payment("payment:sandbox", "never", ("bounced", "z"))
    assert books.trial().ok


def test_credit_that_was_spent_before_its_payment_bounced_is_named(account: Account) -> None:
    pay(account, make_bill(account), 60_000)
    make_bill(account)
    post.use_credit(account)
    undone = post.undo_payment("payment:sandbox", "1", ("bounced", "x"))
    assert undone.short == 10_000
    assert books.trial().ok


def test_a_refund_sets_the_credit_aside_and_comes_back_if_it_fails(account: Account) -> None:
    pay(account, make_bill(account), 60_000)
    refund: Callable[[int, str], bool] = lambda amount, fact: post.refund(  # noqa: E731
        account, amount, provider="sandbox", fact_kind="refund", fact_id=fact, at=clock.now()
    )
    assert refund(10_000, "r1")
    assert not refund(10_000, "r1")
    assert books.credit(account.pk) == 0
    with pytest.raises(ValueError, match="no credit"):
        refund(1, "r2")
    post.undo_payment("refund", "r1", ("refund_failed", "r1"))
    assert books.credit(account.pk) == 10_000
    assert books.trial().ok


def test_a_late_fee_is_added_once_and_reversed_whole(account: Account) -> None:
    bill = make_bill(account)
    assert post.late_fee(bill, 1_000, "step:1")
    assert not post.late_fee(bill, 1_000, "step:1")
    assert owed.one(bill.pk).remaining_by_class == {"service": 50_000, "late_fee": 1_000}
    pay(account, bill, 51_000)
    assert post.reverse_late_fee(bill, "our fault") == 1_000
    assert post.reverse_late_fee(bill, "our fault") == 0
    assert books.credit(account.pk) == 1_000
    assert not post.late_fee(bill, 1_000, "step:2"), "a settled bill takes no fee"
    assert books.trial().ok


def test_reversing_the_fee_can_settle_the_bill(account: Account) -> None:
    bill = make_bill(account)
    post.late_fee(bill, 1_000, "step:1")
    pay(account, bill, 50_000)
    post.reverse_late_fee(bill, "our fault")
    assert owed.open_bills(account.pk) == []
    assert FactRow.objects.get(kind="billing.bill_settled").data["by"] == "late_fee_back"


def test_payments_cover_first_what_may_bar_a_line(account: Account) -> None:
    bill = make_bill(account, 40_000, 10_000)
    pay(account, bill, 40_000)
    left = owed.one(bill.pk)
    assert (left.may_bar, left.remaining_by_class, left.fee_base) == (False, {"content": 10_000}, 0)


def test_overdue_begins_the_day_after_the_due_date(account: Account) -> None:
    bill = make_bill(account)
    assert owed.overdue(account.pk, DUE) == []
    assert [each.bill_id for each in owed.overdue(account.pk, DUE + timedelta(days=1))] == [bill.pk]
    assert owed.remaining_of([account.pk]) == {account.pk: [(bill.pk, bill.remaining)]}


def test_a_correction_below_what_was_paid_gives_credit(account: Account) -> None:
    bill = make_bill(account)
    pay(account, bill, 50_000)
    assert bills.correct(account, bill, 2, [bills.Item("service", 30_000)], due_date=DUE) == "corrected"
    assert bills.correct(account, bill, 2, [bills.Item("service", 1)], due_date=DUE) == "unchanged"
    assert bills.correct(account, bill, 1, [bills.Item("service", 1)], due_date=DUE) == "older"
    bill.refresh_from_db()
    assert (bill.state, bill.amount, bill.paid) == ("settled", 30_000, 30_000)
    assert books.credit(account.pk) == 20_000
    assert BillEvent.objects.get(kind="corrected").data["items"] == [["service", 50_000]]
    assert books.trial().ok


def test_a_cancelled_bill_gives_back_what_was_paid(account: Account) -> None:
    bill = make_bill(account)
    post.late_fee(bill, 1_000, "step:1")
    pay(account, bill, 20_000)
    assert bills.cancel(account, bill, fact_id="c1", at=clock.now())
    assert not bills.cancel(account, bill, fact_id="c2", at=clock.now())
    bill.refresh_from_db()
    assert (bill.state, bill.remaining, bill.late_fee) == ("cancelled", 0, 0)
    assert books.credit(account.pk) == 20_000
    post.undo_payment("payment:sandbox", "1", ("bounced", "1"))
    assert books.credit(account.pk) == 0
    assert books.trial().ok


def test_a_probes_money_moves_over_books_of_its_own(db: None) -> None:
    probe = make_account(probe=True)
    pay(probe, make_bill(probe), 50_000)
    names = {each.name for each in books.balances() if each.account_id is None}
    assert names == {"probe:billed", "probe:clearing:sandbox"}


def test_money_is_not_moved_without_the_lock(db: None) -> None:
    account = make_account()
    bill = make_bill(account)
    with pytest.raises(accounts.NotLocked):
        pay(Account.objects.get(pk=account.pk), bill, 1)


@pytest.mark.parametrize("table", ["posting", "externalfact", "billevent", "postingack"])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM billing_{}", "TRUNCATE billing_{}", "UPDATE billing_{} SET created_at = now()"]
)
def test_the_processes_role_cannot_change_history(db: None, table: str, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


def test_the_database_refuses_two_currencies_in_one_posting(account: Account) -> None:
    euro = make_account("EUR")
    ledger.note_fact(("x", "1"), at=clock.now(), account_id=account.pk)
    billed = books.of_carrier(books.BILLED, euro)
    with pytest.raises(IntegrityError, match="posting_source_fk"), transaction.atomic():
        ledger.write(("x", "1"), account, [ledger.Move(billed, account.pk, 5)], at=clock.now())


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ({"amount": 0}, "posting_amount"),
        ({"target": None}, "posting_moves"),
        ({"fact": ("never", "noted")}, "posting_fact_fk"),
        ({"bill": True}, "posting_bill_fk"),
    ],
)
def test_the_database_refuses_a_posting_that_cannot_be(
    account: Account, change: dict[str, object], constraint: str
) -> None:
    ledger.note_fact(("x", "1"), at=clock.now(), account_id=account.pk)
    billed = books.of_carrier(books.BILLED, account)
    strangers = make_bill(make_account()).pk if "bill" in change else None
    move = ledger.Move(
        account.pk, account.pk if "target" in change else billed, int(str(change.get("amount", 5))), strangers
    )
    fact: ledger.FactKey = ("never", "noted") if "fact" in change else ("x", "1")
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        ledger.write(fact, account, [move], at=clock.now())


def test_a_leg_is_posted_once(account: Account) -> None:
    ledger.note_fact(("x", "1"), at=clock.now(), account_id=account.pk)
    move = ledger.Move(books.of_carrier(books.BILLED, account), account.pk, 5)
    ledger.write(("x", "1"), account, [move], at=clock.now())
    with pytest.raises(IntegrityError, match="posting_once"), transaction.atomic():
        ledger.write(("x", "1"), account, [move], at=clock.now())


@pytest.mark.parametrize("change", [{"state": "settled"}, {"paid": 60_000}, {"late_fee": -1}, {"currency": "EUR"}])
def test_the_database_refuses_a_bill_at_odds_with_itself(account: Account, change: dict[str, object]) -> None:
    bill = make_bill(account)
    with pytest.raises(IntegrityError), transaction.atomic():
        Bill.objects.filter(pk=bill.pk).update(**change)


def test_fifty_at_once_post_one_payment(committed_db: str) -> None:
    with transaction.atomic():
        account = make_account()
        bill = make_bill(account)
    ready = threading.Barrier(10)

    def one(_: int) -> bool:
        try:
            ready.wait(20)
            found = []
            for _ in range(5):
                with transaction.atomic():
                    found.append(pay(accounts.lock(account.pk), bill, 50_000).again)
            return all(found)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(one, range(10)))
    assert answers.count(False) == 1
    assert Posting.objects.filter(fact_kind="payment:sandbox").count() == 1
    assert owed.one(bill.pk).remaining == 0
    assert books.trial().ok


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["bill", "pay", "deposit", "credit", "undo", "fee", "unfee", "correct", "cancel", "use", "refund"]
        ),
        st.integers(0, 3),
        st.integers(1, 90_000),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTIONS)
def test_whatever_happens_the_books_balance_and_agree_with_the_bills(
    db: None, actions: list[tuple[str, int, int]]
) -> None:
    with transaction.atomic():
        account = make_account()
        known: list[Bill] = [make_bill(account, 30_000, 5_000)]
        paid: list[str] = []
        for n, (action, which, amount) in enumerate(actions):
            bill = known[which % len(known)]
            if action == "bill":
                known.append(make_bill(account, amount))
            elif action in {"pay", "deposit", "undo", "use", "refund"}:
                _move_money(account, bill, action, amount, fact=f"{account.number}/{n}", paid=paid)
            else:
                _change(account, bill, action, amount, f"{account.number}/{n}")
        trial = books.trial()
        assert trial.ok, trial
        for each in known:
            _agrees(each.pk)
        for open_now in owed.open_bills(account.pk):
            assert sum(open_now.remaining_by_class.values()) == open_now.remaining


def _move_money(account: Account, bill: Bill, action: str, amount: int, *, fact: str, paid: list[str]) -> None:
    sandbox = {"provider": "sandbox", "fact_id": fact}
    match action:
        case "pay":
            pay(account, bill, amount, fact)
            paid.append(fact)
        case "deposit":
            post.deposit(account, amount, fact_kind="payment:sandbox", at=clock.now(), **sandbox)
            paid.append(fact)
        case "undo" if paid:
            post.undo_payment("payment:sandbox", paid.pop(amount % len(paid)), ("bounced", fact))
        case "use":
            post.use_credit(account)
        case "refund" if credit := books.credit(account.pk):
            post.refund(account, min(amount, credit), fact_kind="refund", at=clock.now(), **sandbox)


def _change(account: Account, bill: Bill, action: str, amount: int, fact: str) -> None:
    match action:
        case "credit":
            bills.credit(account, amount, fact_id=fact, at=clock.now(), bill=bill)
        case "fee":
            post.late_fee(bill, amount, fact)
        case "unfee":
            post.reverse_late_fee(bill, fact)
        case "cancel":
            bills.cancel(account, bill, fact_id=fact, at=clock.now())
        case "correct" if Bill.objects.get(pk=bill.pk).state != "cancelled":
            revision = Bill.objects.get(pk=bill.pk).revision + 1
            bills.correct(account, bill, revision, [bills.Item("service", amount)], due_date=DUE)


def _agrees(bill_id: UUID) -> None:
    """What a bill says remains is what its own postings left in the receivable."""
    bill = Bill.objects.get(pk=bill_id)
    moves = Posting.objects.filter(bill=bill).values_list("source_book_id", "target_book_id", "amount")
    receivable = bill.account_id
    assert bill.remaining == sum(
        amount * ((target == receivable) - (source == receivable)) for source, target, amount in moves
    )
