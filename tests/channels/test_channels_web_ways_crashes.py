"""A crash at every commit, and a crowd at every button, of the ways that take their time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import connections
from tests.channels.attackers import fields_of, post
from tests.channels.customers import Customer
from tests.channels.many_ways import ManyWays, many_ways
from tests.worlds import link, overdue_bill

from doenda.billing.models import Bill
from doenda.dunning import outlook
from doenda.dunning.models import Promise
from doenda.journeys.models import Session
from doenda.kernel import clock, sweeps
from doenda.kernel.database import seam
from doenda.payments.debit.models import DebitItem, Mandate
from doenda.payments.models import Attempt
from doenda.payments.states import State

TYPED = {"bank": "088", "number": "110-555-123456", "holder": "김민수", "birth": "800101", "agreed": "debit-1"}


@pytest.fixture
def street(committed_db: str, noon: clock.Frozen) -> Iterator[ManyWays]:
    """With real commits."""
    with many_ways() as made:
        yield made


def to_method(customer: Customer, bill: Bill) -> None:
    customer.open(link(bill))
    customer.goes("pay")


def to_account(customer: Customer, bill: Bill) -> None:
    to_method(customer, bill)
    customer.at_provider("deposit")


def to_mandate(customer: Customer, bill: Bill) -> None:
    to_method(customer, bill)
    customer.at_provider("debit")


type Prepare = Callable[[Customer, Bill], None]
ANSWERS: dict[str, tuple[Prepare, str, dict[str, str]]] = {
    "an account": (to_method, "chosen", {"way": "web/deposit/deposit"}),
    "a slip": (to_method, "chosen", {"way": "web/store/counter"}),
    "enough": (to_account, "enough", {}),
    "arrived": (to_account, "check_again", {}),
    "other": (to_account, "other", {}),
    "signed": (to_mandate, "given", TYPED),
}


def finish(customer: Customer) -> str:
    """Go on from wherever the page stands, to the end."""
    for _ in range(12):
        match customer.page.step:
            case "pay.paid" | "pay.promised" as end:
                return end
            case "pay.bill":
                customer.goes("pay")
            case "pay.method":
                customer.at_provider("deposit")
            case "pay.account":
                customer.goes("enough")
            case "pay.mandate":
                customer.goes("given", **TYPED)
            case "web.working":
                customer.goes("check")
            case other:
                raise AssertionError(other)
    raise AssertionError([page.step for page in customer.pages])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_crash_at_any_commit_leaves_a_visit_that_can_be_finished(
    street: ManyWays, noon: clock.Frozen, answer: str, when: seam.When
) -> None:
    prepare, press, values = ANSWERS[answer]
    for at in range(1, 40):
        bill = overdue_bill(number=f"C-{answer}-{when}-{at}", phone=f"+8210000{at:05d}")
        customer = Customer()
        prepare(customer, bill)
        if answer == "arrived":
            assert customer.page.into is not None
            street.pay_in(*customer.page.into)
        try:
            with seam.crash(when, at_commit=at):
                customer.goes(press, **values)
        except seam.Crash:
            for connection in connections.all():
                connection.close()
        else:
            assert at > 1, "the answer commits something"
            break
        noon.advance(timedelta(seconds=20))
        again = Customer()
        again.open(customer.page.url if "/s/" in customer.page.url else link(bill))
        end = finish(again)
        for name in ("outbox", "inquiries", "deposits", "outbox"):
            sweeps.run(name)
        bill.refresh_from_db()
        if end == "pay.promised" and bill.remaining:
            assert outlook.of(bill.account_id).held
        assert (bill.remaining == 0) == (answer == "arrived"), (at, end)
        mine = Attempt.objects.filter(account_id=bill.account_id)
        assert mine.filter(state=State.INSTRUCTED).count() <= 1
        assert mine.filter(state=State.PAID).count() == (answer == "arrived")
        assert Mandate.objects.filter(account_id=bill.account_id, state="active").count() <= 1
        kept = str(list(Session.objects.values_list("data", flat=True)))
        assert TYPED["number"] not in kept
        assert TYPED["number"].replace("-", "") not in kept
    else:
        raise AssertionError("more commits than anybody thought")


@pytest.mark.parametrize("answer", ["an account", "a slip", "enough", "signed"])
def test_twelve_at_once_are_one(street: ManyWays, answer: str) -> None:
    prepare, press, values = ANSWERS[answer]
    customer = Customer()
    prepare(customer, overdue_bill())
    path = f"/s/{customer.page.url.split('/s/')[1][:26]}"
    body = urlencode(fields_of(customer) | values | {"do": press})

    def one(_: int) -> int:
        try:
            return post(path, body).status
        finally:
            for connection in connections.all():
                connection.close()

    with ThreadPoolExecutor(12) as crowd:
        assert set(crowd.map(one, range(12))) == {303}
    assert Attempt.objects.count() == 1
    assert Promise.objects.count() == (answer in {"enough", "signed"})
    assert Mandate.objects.count() == DebitItem.objects.count() == (answer == "signed")
