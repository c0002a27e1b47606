"""Deposits into leased numbers, from the lease to the books: part, exact, too much, late, taken back, sent back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import override_settings
from tests.worlds import World, overdue_bill

from doenda.billing import accounts, bills, books
from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.notices.models import Notice
from doenda.payments import attempts, doorbells, providers
from doenda.payments.deposits import arrivals, desk, leasing, tending
from doenda.payments.deposits.models import DepositLease, DepositLine, DepositNumber
from doenda.payments.models import Attempt, AttemptMove, Refund, RefundCase
from doenda.payments.states import State
from peers.deposits import Deposits
from peers.http import NoAnswer, Request

URL = "http://127.0.0.1:8120"
ENTRY = {"url": URL, "keys": ["deposit-key"], "webhook_secrets": ["deposit-webhook-secret", "the-older-one"]}


class DepositWorld(World):
    """`pool` is the deposit bank."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = Deposits(clock=lambda: clock.now().timestamp())
        self.control(self.pool, "PUT", "merchant", {"webhook_url": f"{settings.DOENDA_BASE_URL}/webhooks/deposit"})

    def transport(self, request: net.Request) -> net.Reply:
        address = urlsplit(request.url)
        if f"{address.scheme}://{address.netloc}" != URL:
            return super().transport(request)
        self.calls.append(request)
        if "pool" in self.down:
            raise net.NotSent("pool is down")
        path = address.path + (f"?{address.query}" if address.query else "")
        try:
            said = self.pool.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as silence:
            raise net.NoAnswer(str(silence)) from silence
        if said.delay_seconds > request.timeout:
            raise net.NoAnswer("too slow")
        return net.Reply(said.status, {k.lower(): v for k, v in said.headers.items()}, said.body)

    def ill(self, fault: str, **more: Any) -> None:
        self.control(self.pool, "PUT", "faults", {"*": {"fault": fault, **more}})

    def well(self) -> None:
        self.control(self.pool, "PUT", "faults", {})

    def deposit(self, number: str, amount: int, **more: Any) -> Any:
        asked = {"number": number, "amount": amount, "remitter": "김민수", **more}
        return self.control(self.pool, "POST", "deposits", asked)

    def at_pool(self) -> int:
        return int(self.control(self.pool, "GET", "books")["net"])

    def number(self, number: str) -> Any:
        return self.pool.state.numbers[number].public(clock.now().timestamp())


@contextmanager
def deposit_world() -> Iterator[DepositWorld]:
    both = {**settings.DOENDA_PROVIDERS, "deposit": ENTRY}
    with override_settings(DOENDA_PROVIDERS=both, DOENDA_OFFERED=["sandbox", "deposit"]):
        providers.get.cache_clear()
        made = DepositWorld()
        with net.using(made.transport):
            tending.refill(100)
            yield made
    providers.get.cache_clear()


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def begin(bill: Bill, **more: Any) -> Attempt:
    """The payer chose to deposit, and is shown a number."""
    said = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        **{"channel": "web", "method": "deposit", "provider": "deposit", "return_url": "", "lang": "ko"} | more,
    )
    assert said.outcome == "deposit", said
    assert said.attempt_id is not None
    return Attempt.objects.get(pk=said.attempt_id)


def number_of(attempt: Attempt) -> str:
    return str(attempt.details["pay_into"]["number"])


def agree(bank: DepositWorld) -> None:
    """The bank's books, the ledger, and what nobody owns yet, to the won."""
    stands = {each.name: each.amount for each in books.balances()}
    unposted = desk.counts()
    waiting = sum(unposted.get(state, 0) for state in ("stored", "parked", "sending_back"))
    waiting += sum(Refund.objects.filter(of_credit=True, done_at=None, failed_at=None).values_list("amount", flat=True))
    assert stands.get("clearing:deposit", 0) + stands.get("probe:clearing:deposit", 0) + waiting == bank.at_pool()
    assert books.trial().ok


def run() -> None:
    for _ in range(3):
        sweeps.run("deposits")
        sweeps.run("deposit numbers")
        sweeps.run("outbox")


def test_the_payer_is_given_a_number_that_is_open_at_the_bank_for_this_attempt(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    assert attempt.state == State.NEEDS_DEPOSIT
    into = attempt.details["pay_into"]
    assert (into["bank"], into["holder"]) == ("088", "된다통신")
    at_bank = bank.number(into["number"])
    assert (at_bank["status"], at_bank["order_id"]) == ("OPEN", outside(attempt.id))
    lease = DepositLease.objects.get()
    assert (lease.attempt_id, lease.opened_at) == (attempt.id, clock.now())
    assert lease.until == attempt.expires_at


def test_a_wanted_banks_number_is_given_and_an_unknown_bank_has_none(bank: DepositWorld) -> None:
    bill = overdue_bill()
    assert begin(bill, bank="004").details["pay_into"]["bank"] == "004"
    assert leasing.banks() == ["004", "020", "088"]
    said = attempts.start(
        bill.account_id, [(bill.pk, 100)], channel="web", method="deposit", provider="deposit", return_url="",
        lang="ko", bank="999",
    )  # fmt: skip
    assert (said.outcome, said.reason) == ("our_fault", "NO_NUMBER")


def test_an_exact_deposit_pays_the_bill_once_and_the_number_closes_and_rests(bank: DepositWorld) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    bank.deposit(number_of(attempt), 52300)
    run()
    attempt.refresh_from_db()
    bill.refresh_from_db()
    assert (attempt.state, attempt.taken, bill.state) == (State.PAID, 52300, "settled")
    line = DepositLine.objects.get()
    assert (line.state, line.attempt_id, line.ref) == ("posted", attempt.id, attempt.provider_ref)
    assert bank.number(number_of(attempt))["status"] == "CLOSED"
    lease = DepositLease.objects.get()
    assert lease.rests_until is not None
    assert lease.rests_until - clock.now() >= timedelta(days=30)
    assert DepositNumber.objects.get(pk=lease.number_id).free_at == lease.rests_until
    assert Notice.objects.filter(kind="receipt").count() == 1
    run()
    agree(bank)


def test_part_payments_add_up_each_an_attempt_of_its_own(bank: DepositWorld) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    for amount in (20000, 30000, 2300):
        bank.deposit(number_of(attempt), amount)
        run()
    bill.refresh_from_db()
    assert bill.state == "settled"
    paid = Attempt.objects.filter(state=State.PAID)
    assert sorted(paid.values_list("taken", flat=True)) == [2300, 20000, 30000]
    assert books.credit(bill.account_id) == 0
    assert bank.number(number_of(attempt))["status"] == "CLOSED"
    agree(bank)


def test_what_is_too_much_is_credit_with_a_case_and_goes_back_to_its_sender(bank: DepositWorld) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    bank.deposit(number_of(attempt), 60000)
    run()
    case = RefundCase.objects.get()
    assert (case.amount, case.attempt_id, books.credit(bill.account_id)) == (7700, attempt.id, 0)
    run()
    case.refresh_from_db()
    assert (case.outcome, bank.at_pool()) == ("refunded", 52300)
    assert DepositLine.objects.get(kind="returned").state == "posted"
    attempt.refresh_from_db()
    assert (attempt.given_back, attempt.person_owns_at) == (7700, None)
    agree(bank)


def test_a_deposit_after_the_bill_was_paid_otherwise_is_the_payers_credit(bank: DepositWorld) -> None:
    """The number is closed when something else pays; what was under way comes all the same."""
    bill = overdue_bill()
    first, second = begin(bill), begin(bill)
    bank.deposit(number_of(second), 52300)
    run()
    first.refresh_from_db()
    assert first.state == State.CLOSED
    assert bank.number(number_of(first))["status"] == "CLOSED"
    bank.deposit(number_of(first), 52300, late=True)
    run()
    first.refresh_from_db()
    assert first.state == State.PAID
    case = RefundCase.objects.get()
    assert (case.amount, case.attempt_id) == (52300, first.id)
    agree(bank)


def test_two_deposits_for_one_bill_in_one_look_each_move_from_where_the_other_left_things(bank: DepositWorld) -> None:
    """The first one settles the bill and closes what else was begun for it: the second was read before that."""
    bill = overdue_bill()
    first, second = begin(bill), begin(bill)
    for each in (first, second):
        bank.deposit(number_of(each), 52300)
    run()
    moves = AttemptMove.objects.filter(attempt=second).order_by("pk").values_list("source", "target")
    assert list(moves) == [("created", "needs_deposit"), ("needs_deposit", "closed"), ("closed", "paid")]
    assert RefundCase.objects.get().attempt_id == second.id
    run()
    assert bank.at_pool() == 52300
    agree(bank)


def test_a_number_at_rest_is_nobody_elses_and_what_comes_late_is_its_last_holders(
    bank: DepositWorld, noon: clock.Frozen
) -> None:
    mine, other = overdue_bill(number="B-1"), overdue_bill(number="B-2", phone="+821000005678")
    DepositNumber.objects.exclude(number="08890000" + "0000").update(retired=True)
    attempt = begin(mine)
    number = number_of(attempt)
    noon.advance(timedelta(days=8))
    sweeps.run("inquiries")
    run()
    attempt.refresh_from_db()
    assert attempt.state == State.EXPIRED
    said = attempts.start(
        other.account_id, [(other.pk, 52300)], channel="web", method="deposit", provider="deposit", return_url="",
        lang="ko",
    )  # fmt: skip
    assert (said.outcome, said.reason) == ("our_fault", "NO_NUMBER"), "the only number rests"
    noon.advance(timedelta(days=29))
    bank.deposit(number, 1000, late=True)
    noon.advance(timedelta(days=2))
    assert number_of(begin(other)) == number, "rested"
    run()  # the late line is read only now
    line = DepositLine.objects.get()
    assert line.lease is not None
    assert (line.state, line.lease.account_id) == ("posted", mine.account_id)
    mine.refresh_from_db()
    assert mine.remaining == 51300
    agree(bank)


def test_an_accounts_own_number_pays_the_oldest_bill_first_or_as_the_payer_wished(bank: DepositWorld) -> None:
    old = overdue_bill(10000)
    with atomic():
        account = accounts.lock(old.account_id)
        new = bills.issue(account, "B-new", [bills.Item("service", 20000)], due_date=clock.today())
    lease = leasing.own(account)
    assert lease is not None
    assert leasing.own(account) == lease
    sweeps.run("deposit numbers")
    assert bank.number(lease.number.number)["status"] == "OPEN"
    bank.deposit(lease.number.number, 12000)
    run()
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.state, new.remaining) == ("settled", 18000)
    DepositLease.objects.update(wishes=[str(new.pk)])
    with atomic():
        older = bills.issue(
            accounts.lock(account.pk), "B-older", [bills.Item("service", 5000)], due_date=clock.today() - timedelta(9)
        )
    bank.deposit(lease.number.number, 18500)
    run()
    older.refresh_from_db()
    new.refresh_from_db()
    assert (new.state, older.remaining) == ("settled", 4500)
    assert bank.number(lease.number.number)["status"] == "OPEN", "it is theirs for good"
    agree(bank)


def test_a_line_that_the_bank_takes_back_reopens_the_bill_and_tells_the_customer(bank: DepositWorld) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    came = bank.deposit(number_of(attempt), 52300)
    run()
    bank.control(bank.pool, "POST", "undo", {"id": came["id"]})
    run()
    attempt.refresh_from_db()
    bill.refresh_from_db()
    assert (attempt.state, bill.state, bill.remaining) == (State.UNDONE, "open", 52300)
    assert Notice.objects.filter(kind="payment_undone").count() == 1
    agree(bank)
    again = begin(bill)
    bank.deposit(number_of(again), 52300)
    run()
    bill.refresh_from_db()
    assert bill.state == "settled"
    agree(bank)


def test_a_deposit_into_a_number_that_was_never_leased_is_parked_and_a_person_decides(bank: DepositWorld) -> None:
    bill = overdue_bill()
    for amount in (52300, 700):
        bank.deposit("088900000099", amount, late=True)
    run()
    assert Attempt.objects.count() == 0, "never posted silently"
    listed = desk.parked()
    assert [(one.amount, one.reason, one.owner) for one in listed] == [
        (52300, "never_leased", "desk"),
        (700, "never_leased", "desk"),
    ]
    assert listed[0].due_at == clock.now() + timedelta(days=1)
    assert listed[0].number == "…0099"
    agree(bank)
    desk.assign(listed[0].line_id, bill.account_id, by="agent:kim")
    assert desk.send_back(listed[1].line_id, by="agent:kim")
    run()
    bill.refresh_from_db()
    assert (bill.state, bank.at_pool()) == ("settled", 52300)
    assert desk.parked() == []
    with pytest.raises(desk.NotAllowed):
        desk.assign(listed[0].line_id, bill.account_id, by="agent:kim")
    agree(bank)


def test_a_large_parked_sum_needs_a_second_person_to_be_sent_back(bank: DepositWorld) -> None:
    bank.deposit("088900000099", 300001, late=True)
    run()
    [line] = desk.parked()
    assert not desk.send_back(line.line_id, by="agent:kim")
    assert not desk.send_back(line.line_id, by="agent:kim")
    assert desk.send_back(line.line_id, by="collections:lee")
    run()
    assert bank.at_pool() == 0
    agree(bank)


def test_a_probes_payment_goes_back_whole_and_its_number_rests_only_shortly(bank: DepositWorld) -> None:
    bill = overdue_bill()
    with atomic():
        type(bill.account).objects.filter(pk=bill.account_id).update(probe=True)
    attempt = begin(bill)
    bank.deposit(number_of(attempt), 52300)
    run()
    attempt.refresh_from_db()
    assert (attempt.state, bank.at_pool()) == (State.REVERSED, 0)
    lease = DepositLease.objects.get()
    assert lease.rests_until is not None
    assert lease.rests_until - clock.now() < timedelta(hours=2)
    agree(bank)


def test_a_doorbell_wakes_the_sweep_and_posts_nothing_itself(bank: DepositWorld) -> None:
    attempt = begin(overdue_bill())
    woken: list[str] = []
    bank.deposit(number_of(attempt), 52300)
    [delivery] = bank.pool.tick()
    sweeps.nudge_with(woken.append)
    try:
        assert doorbells.ring("deposit", delivery.headers, delivery.body)
    finally:
        sweeps.nudge_with(None)
    assert DepositLine.objects.count() == 0
    assert arrivals.sweep(100) == 1
