"""PortOne through the whole house: the page, the charge, the questions, deposits that come undone, money back."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings
from tests.payments.test_payments_portone import CONFIG, Wired
from tests.worlds import overdue_bill

from doenda.billing.models import Bill
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments import attempts, charge, inquiry, providers, refunds
from doenda.payments.models import Attempt
from doenda.payments.states import State


@pytest.fixture
def wired(db: None, noon: clock.Frozen) -> Iterator[Wired]:
    made = Wired(lambda: clock.now().timestamp())
    with override_settings(DOENDA_PROVIDERS=settings.DOENDA_PROVIDERS | {"portone": CONFIG}), net.using(made):
        providers.get.cache_clear()
        yield made
    providers.get.cache_clear()


def begin(bill: Bill, method: str, outcome: str) -> Attempt:
    begun = attempts.start(
        bill.account_id,
        [(bill.pk, bill.remaining)],
        channel="web",
        method=method,
        provider="portone",
        return_url="http://shop.test/return",
        lang="ko",
        bank="088",
    )
    assert (begun.outcome, begun.redirect_url) == (outcome, ""), begun
    assert begun.attempt_id is not None
    return Attempt.objects.get(pk=begun.attempt_id)


def come_back(wired: Wired, attempt: Attempt) -> str:
    came = providers.get("portone").returned(wired.browse(attempt.details["client"], "approve"))
    said = charge.confirm(attempt.pk, order_id=came.order_id, ref=came.ref, amount=came.amount, token=came.token)
    return said.outcome


def later(wired: Wired, noon: clock.Frozen, times: int = 4, minutes: float = 4) -> None:
    for _ in range(times):
        noon.advance(timedelta(minutes=minutes))
        wired.peer.tick()
        sweeps.run_all()


def asked(attempt: Attempt) -> str:
    """Somebody rang; we ask."""
    with atomic():
        inquiry.ask_now(attempt.pk)
    fresh = Attempt.objects.get(pk=attempt.pk)
    inquiry.ask(fresh)
    return Attempt.objects.get(pk=attempt.pk).state


@pytest.mark.parametrize("method", ["card", "transfer"])
def test_a_bill_is_paid_over_portones_page(wired: Wired, method: str) -> None:
    bill = overdue_bill()
    assert come_back(wired, begin(bill, method, "redirect")) == "paid"
    bill.refresh_from_db()
    assert (bill.remaining, wired.net()) == (0, 52_300)


@pytest.mark.parametrize(
    ("fault", "end"),
    [("timeout_before", State.REFUSED), ("error_before", State.REFUSED), ("last_step_down", State.REFUSED),
     ("refuse", State.REFUSED), ("timeout_after", State.PAID), ("error_after", State.PAID), ("hidden", State.PAID)],
)  # fmt: skip
def test_no_unknown_stays_one_and_the_books_agree(wired: Wired, noon: clock.Frozen, fault: str, end: State) -> None:
    bill = overdue_bill()
    attempt = begin(bill, "card", "redirect")
    wired.faults(card={"fault": fault, "seconds": 90, "remaining": 1})
    assert come_back(wired, attempt) == "unknown"
    later(wired, noon)
    attempt.refresh_from_db()
    bill.refresh_from_db()
    assert attempt.state == end, attempt.reason
    assert wired.net() == 52_300 - bill.remaining == (52_300 if end is State.PAID else 0)


def test_a_deposit_that_comes_undone_opens_the_bill_again(wired: Wired) -> None:
    bill = overdue_bill()
    attempt = begin(bill, "deposit", "deposit")
    for act, state, remaining in (
        ("deposits", State.PAID, 0),
        ("undo", State.NEEDS_DEPOSIT, 52_300),
        ("deposits", State.PAID, 0),
    ):
        wired.control("POST", act, {"payment_id": outside(attempt.pk)})
        assert asked(attempt) == state
        bill.refresh_from_db()
        assert bill.remaining == remaining


def test_the_account_is_closed_when_something_else_pays(wired: Wired, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    waiting = begin(bill, "deposit", "deposit")
    assert come_back(wired, begin(bill, "card", "redirect")) == "paid"
    later(wired, noon, times=1, minutes=1)
    waiting.refresh_from_db()
    assert waiting.state == State.CLOSED
    documents = {one["id"]: one["status"] for one in wired.control("GET", "books")["payments"]}
    assert documents[outside(waiting.pk)] == "CANCELLED"


def test_a_payment_that_goes_back_goes_back_once(wired: Wired, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    attempt = begin(bill, "card", "redirect")
    assert come_back(wired, attempt) == "paid"
    attempt.refresh_from_db()
    wired.faults(card={"fault": "timeout_after", "on": ["cancel"], "remaining": 1})
    with atomic():
        refunds.ask(attempt, "probe")
    later(wired, noon)
    attempt.refresh_from_db()
    assert (attempt.state, wired.net()) == (State.REVERSED, 0)
