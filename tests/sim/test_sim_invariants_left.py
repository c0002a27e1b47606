"""What is left behind, and what leaves: each fires on what it is for, and is silent otherwise (I3, I4, I5, I9, I10)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from tests.sim.sim_made import begin, bill_of, confirm, ground_laid, made, pay, said

from doenda import notices
from doenda.billing import accounts, bills
from doenda.billing.models import Bill
from doenda.dunning.models import Case, CaseStep, LateFee
from doenda.kernel import clock, net, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments import news
from doenda.payments.models import Attempt, DepositLine
from doenda.payments.providers.contract import PayInto
from doenda.sim import invariants
from doenda.sim.acts import post
from doenda.sim.invariants import leaving
from doenda.sim.world import World
from peers.handset.truth import Message
from peers.http import to_json

__all__ = ["ground_laid", "made"]
CHARGED = ("sandbox", "toss", "portone")


def put(statement: str, *parameters: Any) -> None:
    with atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def arrived(world: World, number: str, *, state: str, **more: Any) -> DepositLine:
    """Somebody brings money that is listed at once, and stands in our rows like this."""
    world.drivers["deposit"].deposit(PayInto("088", number), 700)
    entry = world.hall.truths["deposits"].state.entries[-1]
    with atomic():
        return DepositLine.objects.create(
            **{"bank": entry.bank, "ident": entry.ident, "kind": "deposit", "number": number, "amount": 700},
            **{"currency": "KRW", "at": clock.now(), "source": "list", "state": state, **more},
        )


def free_number(world: World, at: int = 0) -> str:
    return world.numbers()[at]


PARKED = {"state": "parked", "reason": "never_leased", "owner": "desk"}


def test_what_counts_as_sent_back_and_never_was(made: World) -> None:
    line = arrived(made, free_number(made), **PARKED, due_at=clock.now())
    assert said(made) == []
    put("UPDATE payments_depositline SET state = 'sending_back' WHERE id = %s", line.pk)
    assert said(made) == []
    put("UPDATE payments_depositline SET state = 'sent_back' WHERE id = %s", line.pk)
    assert any("is sent_back, and 0 of it was sent back" in each for each in said(made))


def test_a_line_that_waits_and_was_sent_back_already(made: World) -> None:
    line = arrived(made, free_number(made), **PARKED, due_at=clock.now())
    made.peer("deposit").control("POST", "undo", {"id": line.ident})
    assert not any("of it was sent back" in each for each in said(made)), "the bank did that, not we"
    from doenda.payments.deposits import arrivals

    bank = arrivals.provider()
    assert bank is not None
    other = arrived(made, free_number(made), **PARKED, due_at=clock.now())
    bank.bank.give_back(other.ident, 700, "a key", "not ours")
    assert any("is parked, and 700 of it was sent back" in each for each in said(made))


def test_a_line_is_parked_for_a_reason_that_is_true(made: World) -> None:
    attempt = begin(bill_of(made), "deposit", "deposit", bank="088")
    made.now.advance(timedelta(days=1))
    number = attempt.details["pay_into"]["number"]
    line = arrived(made, number, **PARKED, due_at=clock.now())
    assert any("is parked (never_leased), and" in each for each in said(made))
    put("UPDATE payments_depositline SET reason = 'changed_hands' WHERE id = %s", line.pk)
    assert any("nobody else had the number near then" in each for each in said(made))
    put("UPDATE payments_depositline SET order_id = %s WHERE id = %s", outside(attempt.pk), line.pk)
    assert any("and the bank named" in each for each in said(made))
    put("UPDATE payments_depositline SET reason = 'not_sent_back CASH', order_id = '' WHERE id = %s", line.pk)
    assert said(made) == []


def charge_of(world: World, attempt: Attempt, amount: int | None = None) -> list[str]:
    """A request for its money leaves now: what is wrong with it."""
    sent, asked = attempt.amount if amount is None else amount, outside(attempt.pk)
    url, body = {
        "sandbox": ("/v1/payments/confirm", {"payment_key": "x", "order_id": asked, "amount": sent}),
        "toss": ("/v1/payments/confirm", {"paymentKey": "x", "orderId": asked, "amount": sent}),
        "portone": (f"/payments/{asked}/confirm", {"totalAmount": sent}),
    }[attempt.provider]
    request = net.Request(attempt.provider, "POST", f"http://bank.inside{url}", {}, to_json(body))
    invariants.as_it_leaves(world, attempt.provider, request)
    return [each for each in said(world) if "was asked for" in each]


@pytest.mark.parametrize("provider", CHARGED)
def test_a_charge_that_nobody_wrote_down(made: World, provider: str) -> None:
    attempt = begin(bill_of(made), provider, "card")
    assert any("nobody wrote down" in each for each in charge_of(made, attempt))
    assert confirm(made, attempt).state == "paid"
    assert charge_of(made, attempt) == [], "a charge that is carried out may be sent again"


def test_a_charge_of_more_than_is_owed(made: World) -> None:
    attempt = begin(bill_of(made), "sandbox", "card")
    put(
        "UPDATE payments_attempt SET state = 'sent', in_flight = true, sent_at = %s WHERE id = %s",
        clock.now(),
        attempt.pk,
    )
    assert charge_of(made, attempt) == []
    assert any("whose bills owed" in each for each in charge_of(made, attempt, attempt.amount + 1))
    made.now.advance(timedelta(minutes=2))
    assert charge_of(made, attempt, attempt.amount + 1) == [], "it may have arrived before"


def test_only_what_takes_money_is_a_charge() -> None:
    def asks(provider: str, method: str, path: str, body: object) -> leaving.Asked | None:
        return leaving.asked(provider, net.Request(provider, method, f"http://x{path}", {}, to_json(body)))

    assert asks("toss", "POST", "/v1/billing/KEY", {"orderId": "A", "amount": 5}) == leaving.Asked("A", 5)
    assert asks("toss", "POST", "/v1/billing/authorizations/issue", {"customerKey": "A"}) is None
    assert asks("toss", "GET", "/v1/payments/confirm", {}) is None
    assert asks("toss", "POST", "/v1/payments/KEY/cancel", {}) is None
    assert asks("deposit", "POST", "/confirm", {}) is None


def test_what_was_begun_for_bills_that_are_settled(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "close_waiting", lambda attempts, cause: None)
    bill = bill_of(made)
    attempt = begin(bill, "toss", "card")
    assert said(made) == []
    with atomic():
        bills.cancel(accounts.lock(bill.account_id), bill, fact_id="c", at=clock.now())
    assert any(f"at rest attempt {outside(attempt.pk)}" in each for each in said(made, rest=True))


def test_an_account_that_is_over_here_and_open_there(made: World) -> None:
    opened = [begin(bill_of(made, at), name, "deposit", bank="088") for at, name in enumerate(("toss", "deposit"))]
    over = "which is over here"
    assert not any(over in each for each in said(made, rest=True))
    for attempt in opened:
        put("UPDATE payments_attempt SET state = 'closed' WHERE id = %s", attempt.pk)
    assert sum(over in each for each in said(made, rest=True)) == 2
    made.now.advance(timedelta(days=400))
    assert not any("toss takes money" in each for each in said(made, rest=True))


def test_an_account_that_is_closed_everywhere(made: World) -> None:
    begin(bill_of(made), "toss", "deposit", bank="088")
    begin(bill_of(made), "deposit", "deposit", bank="088")
    for bill in Bill.objects.filter(pk__in=made.customers[0].bill_ids).order_by("pk"):
        confirm(made, begin(bill, "sandbox", "card"))
    sweeps.run("outbox")
    assert not any("which is over here" in each for each in said(made, rest=True))


def test_a_fee_too_soon_too_high_and_twice(made: World) -> None:
    customer, bill = made.customers[0], bill_of(made)
    put("UPDATE billing_bill SET due_date = %s WHERE id = %s", clock.today() - timedelta(days=40), bill.pk)
    with atomic():
        case = Case.objects.create(account_id=customer.account_id, stage_since=clock.today())
        step = CaseStep.objects.create(case=case, account_id=customer.account_id, step="fee", policy="x", key="k")
        fee = LateFee.objects.create(
            bill=bill, account_id=customer.account_id, step=step, amount=1, last_free=clock.today()
        )
        reminder = notices.send("reminder", customer.account_id, bill_id=bill.pk, params={}, key="r")
    assert any("has lain at the handset since None" in each for each in said(made, rest=True))
    put("UPDATE notices_notice SET state = 'sent' WHERE id = %s", reminder.pk)
    ident, at = outside(reminder.pk), (clock.now() - timedelta(days=9)).timestamp()
    made.hall.truths["handset"].messages[ident] = Message(ident, customer.phone, "114", "x", "SMS", "", 1, at)
    assert not any("a late fee of" in each for each in said(made, rest=True))
    put("UPDATE dunning_latefee SET amount = %s WHERE id = %s", bill.amount, fee.pk)
    assert any("more than the tariff allows" in each for each in said(made, rest=True))
    put("UPDATE billing_bill SET due_date = %s WHERE id = %s", clock.today() - timedelta(days=1), bill.pk)
    assert any("in the month in which it was due" in each for each in said(made, rest=True))
    for _ in range(2):
        put(
            "INSERT INTO billing_billevent (id, created_at, bill_id, kind, amount, fact_kind, fact_id, data)"
            " VALUES (%s, %s, %s, 'late_fee', 5, 'late_fee', 'x/step:' || %s, '{}')",
            *(new_id(), clock.now(), bill.pk, str(new_id())),
        )
    assert any("was given 2 late fees" in each for each in said(made, rest=True))
    put("UPDATE dunning_latefee SET reversed_at = %s WHERE id = %s", clock.now(), fee.pk)
    assert not any("a late fee of" in each for each in said(made, rest=True))


def test_a_bill_that_is_not_what_the_biller_said_last(made: World) -> None:
    bill = bill_of(made)
    with atomic():
        bills.cancel(accounts.lock(bill.account_id), bill, fact_id="c", at=clock.now())
    assert said(made) == []
    put("UPDATE billing_bill SET state = 'settled' WHERE id = %s", bill.pk)
    assert any("is settled, and cancelled is the last" in each for each in said(made))


def test_a_letter_that_nobody_signed_and_that_is_believed(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pay(made)
    monkeypatch.setattr(made.chance, "choice", lambda found: found[0])
    post.letter_forged(made)
    assert made.surprises == []
    monkeypatch.setattr(made.post, "deliver", lambda letter: 204)
    post.letter_forged(made)
    assert any("that it did not sign was answered 204" in each for each in made.surprises)


def test_what_came_undone_here_and_never_did_there(made: World) -> None:
    attempt = pay(made)
    put("UPDATE payments_attempt SET undone_at = %s WHERE id = %s", clock.now(), attempt.pk)
    assert any("counts as taken back by the payer's bank" in each for each in said(made))
