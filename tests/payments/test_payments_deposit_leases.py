"""A number is one holder's at a time: the rule, the database's own proof, many takers at once, and crashes between."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.payments.test_payments_deposit import DepositWorld, agree, begin, deposit_world, number_of, run
from tests.worlds import overdue_bill

from doenda.billing.models import Account
from doenda.kernel import clock, sweeps
from doenda.kernel.database import seam
from doenda.kernel.db import atomic
from doenda.payments import attempts, providers
from doenda.payments.deposits import leasing, tending
from doenda.payments.deposits.models import DepositLease, DepositLine, DepositNumber
from doenda.payments.deposits.rules import MOST_NUMBERS, STRETCH, Held, holder, span
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Outcome
from doenda.payments.states import State

SKEW = timedelta(minutes=5)
T = datetime(2014, 10, 22, 3, tzinfo=UTC)


@pytest.fixture
def bank(db: None, noon: clock.Frozen) -> Iterator[DepositWorld]:
    with deposit_world() as made:
        yield made


def attempt_for(number: str = "B-1") -> Attempt:
    bill = overdue_bill(number=number, phone=f"+8210{abs(hash(number)) % 10**8:08}")
    made = attempts.create(bill.account_id, [(bill.pk, 1000)], channel="web", method="deposit", provider="deposit")
    assert isinstance(made, Attempt)
    return made


# --- the rules


def held(order: str, since: datetime) -> Held:
    return Held(UUID(int=hash(order) & (2**64 - 1)), order, since)


def test_a_deposit_is_theirs_who_had_the_number_last_also_while_it_rests() -> None:
    first, second = held("A", T), held("B", T + timedelta(days=40))
    assert holder([second, first], T + timedelta(days=39), skew=SKEW) == first
    assert holder([second, first], T + timedelta(days=40, hours=1), skew=SKEW) == second
    assert holder([first], T - timedelta(days=1), skew=SKEW) == "never_leased"
    assert holder([], T, skew=SKEW) == "never_leased"


def test_where_two_clocks_or_a_bare_day_leave_a_doubt_a_person_decides_but_the_banks_own_word_counts() -> None:
    first, second = held("A", T), held("B", T + timedelta(days=40))
    change = T + timedelta(days=40)
    for at in (change - timedelta(minutes=4), change, change + timedelta(minutes=4)):
        assert holder([first, second], at, skew=SKEW) == "changed_hands"
        assert holder([first, second], at, order_id="B", skew=SKEW) == second
    assert holder([first, second], change - timedelta(hours=3), day_only=True, skew=SKEW) == "changed_hands"
    assert holder([first], T - timedelta(minutes=1), skew=SKEW) == first, "the bank's clock is a little behind"
    assert holder([first], T - timedelta(hours=3), day_only=True, skew=SKEW) == first


@given(
    st.integers(0, MOST_NUMBERS - 1),
    st.integers(0, MOST_NUMBERS - 1),
    st.integers(0, 10**10),
    st.integers(1, 10**8),
)
def test_spans_of_two_numbers_never_meet_and_each_fits_in_64_bits(one: int, two: int, since: int, seconds: int) -> None:
    at = datetime.fromtimestamp(since, UTC)
    a, b = span(one, at, at + timedelta(seconds=seconds)), span(two, at, None)
    assert a.lower < a.upper < 2**63
    assert b.upper < (two + 1) * STRETCH
    assert (a.lower < b.upper and b.lower < a.upper) == (one == two)


# --- the database's own proof


def lease_row(number: DepositNumber, account: Account, since: datetime, until: datetime | None) -> DepositLease:
    return DepositLease(
        number=number,
        account=account,
        attempt=None,
        channel="web",
        since=since,
        closed_at=until and since,
        rests_until=until,
        span=span(number.pk, since, until),
    )


def test_the_database_refuses_two_leases_of_a_number_at_a_time_and_a_span_that_says_something_else(
    bank: DepositWorld,
) -> None:
    accounts = [overdue_bill(number=f"B-{n}", phone=f"+82100000{n:04}").account for n in range(3)]
    number, other = DepositNumber.objects.order_by("pk")[:2]
    later = T + timedelta(days=10)
    with atomic():
        lease_row(number, accounts[0], T, later).save(force_insert=True)
        lease_row(number, accounts[0], later, None).save(force_insert=True)  # after the rest
        lease_row(other, accounts[1], T, None).save(force_insert=True)
    for since in (T - timedelta(days=1), T, T + timedelta(days=9), later, later + timedelta(days=900)):
        with pytest.raises(IntegrityError, match="deposit_lease_alone"), transaction.atomic():
            lease_row(number, accounts[2], since, None).save(force_insert=True)
    lying = lease_row(other, accounts[2], T, later)
    lying.span = span(number.pk + 7, T, later)
    with pytest.raises(IntegrityError, match="deposit_lease_span"), transaction.atomic():
        lying.save(force_insert=True)
    free = DepositNumber.objects.order_by("pk")[5]
    with pytest.raises(IntegrityError, match="deposit_lease_own"), transaction.atomic():
        lease_row(free, accounts[1], T, None).save(force_insert=True)


def all_at_once(attempt_ids: list[UUID]) -> list[DepositLease | None]:
    got: list[DepositLease | None] = []
    ready = threading.Barrier(len(attempt_ids))

    def taker(attempt_id: UUID) -> None:
        ready.wait()
        try:
            got.append(leasing.take(attempt_id))
        finally:
            connection.close()

    threads = [threading.Thread(target=taker, args=(attempt_id,)) for attempt_id in attempt_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_many_takers_at_once_get_numbers_of_their_own_and_the_rest_none(committed_db: str) -> None:
    with deposit_world():
        with atomic():
            few = list(DepositNumber.objects.order_by("pk").values_list("pk", flat=True)[:25])
            DepositNumber.objects.exclude(pk__in=few).update(retired=True)
        twice = all_at_once([attempt_for(f"P-{n}").id for n in range(10)] * 2)
        assert len(twice) == 20, "nobody failed"
        assert len({lease.number_id for lease in twice if lease}) == 10, "the same attempt twice has the same number"
        more = all_at_once([attempt_for(f"Q-{n}").id for n in range(20)])
        assert sum(lease is not None for lease in more) == 15, "25 numbers, 10 were taken"
        assert DepositLease.objects.values("number").distinct().count() == DepositLease.objects.count() == 25


# --- two steps, and every point between them


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2])
def test_a_crash_between_lease_and_bank_loses_no_number_and_the_order_again_is_the_same_number(
    committed_db: str, noon: clock.Frozen, when: seam.When, commit: int
) -> None:
    with deposit_world() as bank:
        attempt = attempt_for()
        with pytest.raises(seam.Crash), seam.crash(when, at_commit=commit):
            providers.get("deposit").start(charge_of(attempt))
        assert providers.get("deposit").start(charge_of(attempt)).outcome is Outcome.NEEDS_DEPOSIT
        lease = DepositLease.objects.select_related("number").get()
        at_bank = bank.number(lease.number.number)
        assert (at_bank["order_id"], at_bank["status"]) == (lease.order_id, "OPEN")
        assert lease.opened_at is not None


@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_what_a_crash_left_behind_is_closed_again_and_goes_back_to_the_pool(
    committed_db: str, noon: clock.Frozen, commit: int
) -> None:
    with deposit_world() as bank:
        bill = overdue_bill()
        with pytest.raises(seam.Crash), seam.crash("after", at_commit=commit):
            begin(bill)
        if commit < 4:
            noon.advance(timedelta(days=8))
            sweeps.run("inquiries")
            run()
            assert Attempt.objects.get().state == State.EXPIRED
            assert not DepositLease.objects.filter(closed_at=None).exists()
            assert not any(one.open for one in bank.pool.state.numbers.values())
        else:
            bank.deposit(DepositNumber.objects.get(free_at=None).number, 52300)
            run()
            agree(bank)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_a_crash_at_any_commit_between_the_banks_list_and_the_books_posts_each_line_once(
    committed_db: str, noon: clock.Frozen, when: seam.When, commit: int
) -> None:
    with deposit_world() as bank:
        first, second = overdue_bill(number="B-1"), overdue_bill(number="B-2", phone="+821000005678")
        numbers = [number_of(begin(first)), number_of(begin(second))]
        came = bank.deposit(numbers[0], 52300)
        bank.deposit(numbers[1], 60000)
        bank.deposit(numbers[1], 500)
        bank.control(bank.pool, "POST", "undo", {"id": came["id"]})
        try:
            with seam.crash(when, at_commit=commit):
                run()
        except seam.Crash:
            run()
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.remaining, second.remaining) == (52300, 0)
        assert DepositLine.objects.exclude(state="posted").count() == 0
        agree(bank)


# --- the bank in trouble


@pytest.mark.parametrize("fault", ["dead", "timeout_before", "timeout_after", "error_before", "error_after"])
def test_a_number_whose_opening_was_not_confirmed_is_not_told_and_is_closed_again(
    bank: DepositWorld, fault: str
) -> None:
    bill = overdue_bill()
    bank.ill(fault, remaining=1)
    said = attempts.start(
        bill.account_id, [(bill.pk, 52300)], channel="web", method="deposit", provider="deposit", return_url="",
        lang="ko",
    )  # fmt: skip
    assert said.outcome == "our_fault"
    run()
    assert not any(one.open for one in bank.pool.state.numbers.values())
    assert DepositLease.objects.get().closed_at is not None
    assert begin(bill).state == State.NEEDS_DEPOSIT


def test_a_number_stays_out_of_the_pool_until_the_bank_has_confirmed_that_it_is_closed(
    bank: DepositWorld, noon: clock.Frozen
) -> None:
    begin(overdue_bill())
    noon.advance(timedelta(days=8))
    bank.down.add("pool")
    sweeps.run("inquiries")
    run()
    noon.advance(timedelta(days=400))
    run()
    assert DepositLease.objects.get().rests_until is None
    assert DepositNumber.objects.filter(free_at=None).count() == 1
    bank.down.clear()
    noon.advance(timedelta(days=1))
    run()
    assert DepositLease.objects.get().closed_at == clock.now()


def test_at_night_no_number_is_opened_and_that_is_neither_our_fault_nor_an_incident(
    bank: DepositWorld, noon: clock.Frozen
) -> None:
    bank.control(bank.pool, "PUT", "hours", {"closed": "23:30-00:30"})
    noon.advance(timedelta(hours=11, minutes=45))
    bill = overdue_bill()
    said = attempts.start(
        bill.account_id, [(bill.pk, 52300)], channel="web", method="deposit", provider="deposit", return_url="",
        lang="ko",
    )  # fmt: skip
    assert (said.outcome, said.reason) == ("expired", "")
    noon.advance(timedelta(hours=1))
    assert begin(bill).state == State.NEEDS_DEPOSIT


def test_the_pool_learns_of_new_numbers_and_a_retired_one_is_not_given_out(
    bank: DepositWorld, noon: clock.Frozen
) -> None:
    assert DepositNumber.objects.count() == 2500
    bank.control(bank.pool, "POST", "numbers", {"bank": "011", "numbers": ["0117770001"]})
    tending.refill(100)
    assert DepositNumber.objects.count() == 2500, "hourly"
    noon.advance(timedelta(hours=2))
    tending.refill(100)
    assert leasing.banks() == ["004", "011", "020", "088"]
    DepositNumber.objects.filter(bank="011").update(retired=True)
    assert leasing.take(attempt_for().id, bank="011") is None
