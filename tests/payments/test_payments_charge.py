"""Charging through the real sandbox bank, as a class."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from tests.worlds import World, overdue_bill, world

from doenda.assurance.models import Evidence
from doenda.billing import books
from doenda.billing.models import Bill, Posting
from doenda.kernel import clock, net, sweeps
from doenda.kernel.database import seam
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import attempts, charge, doorbells, inquiry, pending
from doenda.payments.models import Attempt, AttemptMove, Doorbell, RefundCase
from doenda.payments.moves import move
from doenda.payments.states import NotAMove, State


@pytest.fixture
def bank(db: None) -> Iterator[World]:
    with world() as made:
        yield made


def begin(bill: Bill, method: str = "card") -> Attempt:
    seen = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider="sandbox",
        return_url="http://shop/return",
        lang="ko",
    )
    assert seen.outcome == "redirect", seen
    assert seen.attempt_id is not None
    return Attempt.objects.get(pk=seen.attempt_id)


def approve(attempt: Attempt) -> None:
    page = net.call("customer", "POST", attempt.redirect_url, content=b"decision=approve")
    assert page.status == 303


def come_back(attempt: Attempt) -> attempts.Result:
    return charge.confirm(
        attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount=str(attempt.amount)
    )


def pay(bill: Bill, method: str = "card") -> attempts.Result:
    attempt = begin(bill, method)
    approve(attempt)
    return come_back(attempt)


def test_a_payment_is_posted_once_and_settles_its_bill(bank: World) -> None:
    bill = overdue_bill()
    assert pay(bill).outcome == "paid"
    bill.refresh_from_db()
    assert (bill.state, bill.remaining) == ("settled", 0)
    assert books.trial().ok
    assert Evidence.objects.filter(way_id="web/card/sandbox", outcome="worked", synthetic=False).count() == 1


def test_coming_back_twice_takes_the_money_once(bank: World) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    approve(attempt)
    assert [come_back(attempt).outcome, come_back(attempt).outcome] == ["paid", "paid"]
    assert bank.books()["net"] == 52300
    assert Posting.objects.filter(bill=bill, fact_kind="payment").count() == 1


def test_a_refusal_takes_nothing_and_the_customer_may_choose_again(bank: World) -> None:
    bill = overdue_bill()
    bank.fault("card", "refuse")
    assert pay(bill).outcome == "refused"
    assert pay(bill, "transfer").outcome == "paid"
    assert bank.books()["net"] == 52300


def test_an_amount_changed_on_the_way_back_charges_nothing(bank: World) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    approve(attempt)
    said = charge.confirm(attempt.pk, order_id=outside(attempt.pk), ref=attempt.provider_ref or "", amount="100")
    assert (said.outcome, said.reason) == ("refused", "RETURN_MISMATCH")
    assert bank.books()["net"] == 0


@pytest.mark.parametrize("fault", ["timeout_after", "error_after"])
def test_a_lost_answer_is_unknown_until_the_inquiry_finds_the_money(bank: World, fault: str, noon: Any) -> None:
    bill = overdue_bill()
    bank.fault("card", fault)
    assert pay(bill).outcome == "unknown"
    assert pending.adverse_blocked(bill.account_id)
    again = attempts.start(
        bill.account_id, [(bill.pk, 52300)], channel="web", method="card", provider="sandbox", return_url="x", lang="ko"
    )
    assert again.outcome == "busy"
    noon.advance(timedelta(seconds=5))
    sweeps.run("inquiries")
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert pending.adverse_blocked(bill.account_id) is None
    assert bank.books()["net"] == 52300


def test_a_charge_that_never_arrived_is_voided_before_it_counts_as_refused(bank: World, noon: Any) -> None:
    bill = overdue_bill()
    bank.fault("card", "timeout_before")
    assert pay(bill).outcome == "unknown"
    bank.heal()
    noon.advance(timedelta(seconds=5))
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.UNKNOWN
    noon.advance(timedelta(seconds=30))
    sweeps.run("inquiries")
    attempt = Attempt.objects.get()
    assert attempt.state == State.REFUSED
    assert bank.books()["net"] == 0
    late = net.call(
        "late",
        "POST",
        settings.DOENDA_PROVIDERS["sandbox"]["url"] + "/v1/payments/confirm",
        json={"payment_key": attempt.provider_ref, "order_id": outside(attempt.pk), "amount": attempt.amount},
        headers={"Authorization": "Bearer sandbox-key", "Idempotency-Key": "late"},
    )
    assert late.status == 400
    assert bank.books()["net"] == 0


def test_not_found_now_but_executed_later_is_not_called_a_failure(bank: World, noon: Any) -> None:
    """Peers conclude at the first "not found"; the prototype of reliability.md lacked this fault."""
    bill = overdue_bill()
    bank.fault("card", "hidden", seconds=120)
    assert pay(bill).outcome == "unknown"
    bank.heal()
    for _ in range(6):
        noon.advance(timedelta(seconds=15))
        sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.UNKNOWN
    noon.advance(timedelta(seconds=700))
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.PAID
    bill.refresh_from_db()
    assert bill.state == "settled"


def test_an_unknown_is_never_closed_by_time_but_gets_a_person(bank: World, noon: Any) -> None:
    """Hyperswitch calls it failed on the last retry; Kill Bill gives up after seven questions."""
    bill = overdue_bill()
    bank.fault("card", "timeout_after")
    pay(bill)
    bank.down.add("bank")
    for _ in range(40):
        noon.advance(timedelta(hours=1))
        sweeps.run("inquiries")
    attempt = Attempt.objects.get()
    assert attempt.state == State.UNKNOWN
    assert attempt.person_owns_at is not None
    assert attempt.ask_at is not None


def test_a_bank_that_is_certainly_down_leaves_nothing_open(bank: World) -> None:
    bill = overdue_bill()
    attempt = begin(bill)
    approve(attempt)
    bank.down.add("bank")
    assert come_back(attempt).outcome == "our_fault"
    assert pending.adverse_blocked(bill.account_id) is None
    assert len(pending.our_faults(bill.account_id)) == 1


def test_a_refused_connection_on_a_second_try_stays_unknown(bank: World, noon: Any) -> None:
    """The first try may have arrived: only the first refused connection is certain."""
    bill = overdue_bill()
    attempt = begin(bill)
    approve(attempt)
    with pytest.raises(seam.Crash), _dying_call():
        come_back(attempt)
    bank.down.add("bank")
    noon.advance(timedelta(seconds=11))
    sweeps.run("outbox")
    attempt.refresh_from_db()
    assert attempt.state == State.UNKNOWN


def _dying_call() -> Any:
    def die(request: net.Request) -> net.Reply:
        raise seam.Crash

    return net.using(die)


def test_genuine_and_forged_doorbells_post_nothing_by_themselves(bank: World, noon: Any) -> None:
    bill = overdue_bill()
    bank.control(bank.bank, "PUT", "merchant", {"webhook_url": f"{settings.DOENDA_BASE_URL}/webhooks/sandbox"})
    bank.fault("card", "timeout_after")
    pay(bill)
    for delivery in bank.bank.tick():
        for _ in range(3):
            assert doorbells.ring("sandbox", _titled(delivery.headers), delivery.body)
        forged = _titled(delivery.headers) | {"Sandbox-Signature": "v1,AAAA"}
        assert not doorbells.ring("sandbox", forged, delivery.body)
        bank.bank.sent(delivery, 204)
    assert Attempt.objects.get().state == State.UNKNOWN
    assert Doorbell.objects.filter(genuine=True).count() == 1
    sweeps.run("inquiries")
    assert Attempt.objects.get().state == State.PAID
    assert Posting.objects.filter(fact_kind="payment").count() == 1


def _titled(headers: Any) -> dict[str, str]:
    return {name.title(): value for name, value in headers.items()}


def test_money_for_an_attempt_that_we_had_closed_becomes_credit_and_goes_back(bank: World) -> None:
    bill = overdue_bill()
    first = begin(bill)
    approve(first)
    pay(bill)
    first.refresh_from_db()
    assert first.state == State.CLOSED
    net.call(
        "late",
        "POST",
        settings.DOENDA_PROVIDERS["sandbox"]["url"] + "/v1/payments/confirm",
        json={"payment_key": first.provider_ref, "order_id": outside(first.pk), "amount": first.amount},
        headers={"Authorization": "Bearer sandbox-key", "Idempotency-Key": "late"},
    )
    with atomic():
        inquiry.ask_now(first.pk)
    sweeps.run("inquiries")
    first.refresh_from_db()
    assert first.state == State.PAID
    assert bank.books()["net"] == 2 * 52300
    case = RefundCase.objects.get()
    assert (case.amount, case.owner, case.closed_at) == (52300, "system", None)
    assert books.credit(bill.account_id) == 0, "set aside: nothing else can spend it"
    sweeps.run("outbox")
    assert bank.books()["net"] == 52300, "the double goes back by itself"
    case.refresh_from_db()
    first.refresh_from_db()
    assert case.outcome == "refunded"
    assert (first.state, first.given_back) == (State.PAID, 52300)


def test_undeclared_moves_are_refused_here_and_by_the_database(bank: World) -> None:
    attempt = begin(overdue_bill())
    with pytest.raises(NotAMove), atomic():
        move(attempt, State.REVERSED, "no")
    with pytest.raises(IntegrityError), atomic():
        AttemptMove.objects.create(attempt=attempt, source="created", target="reversed", cause="no")


def test_fifty_returns_for_one_bill_at_once_take_its_money_once(committed_db: str) -> None:
    with world() as made:
        bill = overdue_bill()
        begun = [begin(bill) for _ in range(8)]
        for attempt in begun:
            approve(attempt)
        said: list[str] = []

        def back(attempt: Attempt) -> None:
            try:
                said.append(come_back(attempt).outcome)
            finally:
                connection.close()

        threads = [threading.Thread(target=back, args=(attempt,)) for attempt in begun for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(said) == 48
        assert made.books()["net"] == 52300
        bill.refresh_from_db()
        assert bill.state == "settled"
        assert Attempt.objects.filter(state=State.PAID).count() == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("commit", [1, 2])
def test_a_death_at_any_commit_of_the_return_leg_loses_no_won(
    committed_db: str, when: Any, commit: int, noon: clock.Frozen
) -> None:
    with world() as made:
        bill = overdue_bill()
        attempt = begin(bill)
        approve(attempt)
        with pytest.raises(seam.Crash), seam.crash(when, at_commit=commit):
            come_back(attempt)
        connection.close()
        for _ in range(6):
            noon.advance(timedelta(seconds=20))
            sweeps.run("outbox")
            sweeps.run("inquiries")
        attempt.refresh_from_db()
        if attempt.state == State.NEEDS_REDIRECT:  # died before the intent was durable: nothing was asked of the bank
            assert made.books()["net"] == 0
            assert come_back(attempt).outcome == "paid"
        bill.refresh_from_db()
        assert bill.state == "settled"
        assert made.books()["net"] == 52300
        assert books.trial().ok
