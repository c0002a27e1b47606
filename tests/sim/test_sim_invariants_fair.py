"""I5 and I6: bars and threats judged as they leave the house, and what one customer sees of another."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from tests.sim.sim_made import begin, bill_of, confirm, ground_laid, made, pay, said

from doenda import notices
from doenda.billing.models import Line
from doenda.dunning.models import Case, CaseStep, Hold, LineCommand
from doenda.kernel import clock, net
from doenda.kernel.db import atomic
from doenda.kernel.ids import outside
from doenda.payments.providers.contract import PayInto
from doenda.sim import building, invariants
from doenda.sim.world import World
from peers.handset.truth import Message
from peers.http import to_json

__all__ = ["ground_laid", "made"]


def put(statement: str, *parameters: Any) -> None:
    with atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def owing(made: World) -> World:
    """A customer who was told in time that the line will be barred, has a way to pay, and owes."""
    customer = made.customers[0]
    put("UPDATE billing_bill SET due_date = due_date - 60 WHERE account_id = %s", customer.account_id)
    building.prove(made)
    line = Line.objects.get(account_id=customer.account_id)
    with atomic():
        case = Case.objects.create(account_id=customer.account_id, stage_since=clock.today())
        LineCommand.objects.create(line=line, account_id=line.account_id, case=case, wanted="outgoing", reason="x")
        told(made, case, bills=customer.bill_ids, effective=clock.today())
    return made


def told(world: World, case: Case, *, bills: list[UUID], effective: date) -> None:
    """A notice told of that day and these bills, and lies at the handset; the bar rests on it."""
    customer, key = world.customers[0], f"the notice of {effective}"
    notice = notices.send("suspension_notice", customer.account_id, params={"effective": effective}, key=key)
    CaseStep.objects.create(
        case=case,
        account_id=customer.account_id,
        step="notice",
        policy="x",
        decision={"bills": [str(each) for each in bills], "effective": str(effective)},
        notice_id=notice.pk,
        key=key,
    )
    LineCommand.objects.update(notice_id=notice.pk)
    arrives(world, notice.pk, customer.phone, days=8)


def arrives(world: World, notice_id: UUID, phone: str, *, days: int, text: str = "warning") -> None:
    at = (clock.now() - timedelta(days=days)).timestamp()
    message = Message(outside(notice_id), phone, "114", text, "SMS", "", 1, at, at, state="delivered", delivered=at)
    world.hall.truths["handset"].messages[message.ident] = message


def bar(world: World, wanted: str = "outgoing") -> list[str]:
    """A bar of the customer's line leaves the house now: what is wrong with it."""
    line = Line.objects.get(account_id=world.customers[0].account_id)
    body = to_json({"serviceCharacteristic": [{"name": "barring", "value": wanted}]})
    url = f"http://switch.inside/tmf-api/ServiceActivationAndConfiguration/v4/service/{outside(line.pk)}"
    invariants.as_it_leaves(world, "switch", net.Request("switch", "PATCH", url, {}, body))
    return [each for each in said(world) if each.startswith("I5")]


def threatens(world: World, kind: str = "suspension_notice") -> list[str]:
    """A notice leaves the house now: what is wrong with it."""
    with atomic():
        params = {"effective": clock.today(), "amount": 5}
        notice = notices.send(kind, world.customers[0].account_id, params=params, key=f"another {kind}")
    url = "http://handset.inside/v1/messages"
    request = net.Request("handset", "POST", url, {}, to_json({"id": outside(notice.pk)}))
    invariants.as_it_leaves(world, "handset", request)
    return [each for each in said(world) if each.startswith("I5")]


def test_a_bar_that_is_right_is_silent_and_so_is_a_restore(owing: World) -> None:
    assert bar(owing) == []
    pay(owing)
    assert bar(owing, "none") == []


def test_a_bar_for_one_who_paid_everything(owing: World) -> None:
    put("UPDATE billing_bill SET due_date = %s WHERE account_id = %s", clock.today(), owing.customers[0].account_id)
    assert any("who paid everything" in each for each in bar(owing))


def test_a_bar_for_one_whose_money_the_bank_holds_and_we_do_not_know_of(owing: World) -> None:
    bill = bill_of(owing)
    others = [each for each in owing.customers[0].bill_ids if each != bill.pk]
    put("UPDATE billing_bill SET due_date = '2099-01-01' WHERE id = ANY(%s)", others)
    attempt = begin(bill, "sandbox", "card")
    owing.peer("sandbox").control("PUT", "faults", {"*": {"fault": "timeout_after", "remaining": 1}})
    attempt = confirm(owing, attempt)
    found = bar(owing)
    assert any("has arrived that they do not hold" in each for each in found)
    assert any(f"whose attempt {outside(attempt.pk)} (sandbox/card) is unknown" in each for each in found)
    assert threatens(owing) != []


def test_a_bar_while_the_provider_is_still_carrying_out_a_charge(owing: World) -> None:
    owing.peer("sandbox").control("PUT", "faults", {"*": {"fault": "hidden", "seconds": 900, "remaining": 1}})
    attempt = confirm(owing, begin(bill_of(owing), "sandbox", "card"))
    assert any("its provider is still carrying out" in each for each in bar(owing))
    assert attempt.state == "unknown"


def test_a_bar_for_one_whose_deposit_lies_at_the_bank_for_days(owing: World) -> None:
    bill = bill_of(owing)
    others = [each for each in owing.customers[0].bill_ids if each != bill.pk]
    put("UPDATE billing_bill SET due_date = '2099-01-01' WHERE id = ANY(%s)", others)
    attempt = begin(bill, "deposit", "deposit", bank="088")
    into = attempt.details["pay_into"]
    owing.drivers["deposit"].deposit(PayInto(into["bank"], into["number"]), attempt.amount)
    building.prove(owing)
    assert not any("who paid everything" in each for each in bar(owing)), "nobody can know it yet"
    owing.now.advance(timedelta(days=2))
    building.prove(owing)
    assert any("who paid everything" in each for each in bar(owing))


def test_a_bar_inside_a_hold(owing: World) -> None:
    account_id = owing.customers[0].account_id
    with atomic():
        Hold.objects.create(account_id=account_id, kind="dispute", start=clock.now(), reason="not mine", key="h")
    assert any("inside a hold (dispute: not mine)" in each for each in bar(owing))
    put("UPDATE dunning_hold SET lifted_at = %s", clock.now())
    assert bar(owing) == []


def test_a_bar_within_days_of_our_own_fault(owing: World) -> None:
    attempt = begin(bill_of(owing), "sandbox", "card")
    put("UPDATE payments_attempt SET state = 'our_fault', settled_at = %s WHERE id = %s", clock.now(), attempt.pk)
    assert any("which failed through our fault" in each for each in bar(owing))


def test_a_bar_while_no_way_to_pay_works(owing: World) -> None:
    owing.now.advance(timedelta(days=40))
    assert any("no way to pay has worked" in each for each in bar(owing))


def test_a_bar_without_a_notice_that_arrived_in_time(owing: World) -> None:
    messages = owing.hall.truths["handset"].messages
    ((ident, message),) = messages.items()
    del messages[ident]
    assert any("no notice of it ever arrived" in each for each in bar(owing))
    notice = LineCommand.objects.get().notice_id
    assert notice is not None
    arrives(owing, notice, message.to, days=3)
    assert any("its notice arrived on" in each for each in bar(owing))


def test_a_bar_on_a_notice_that_was_withdrawn(owing: World) -> None:
    step = CaseStep.objects.get()
    put("UPDATE notices_notice SET state = 'cancelled' WHERE id = %s", step.notice_id)
    assert any("its notice was withdrawn (cancelled)" in each for each in bar(owing))
    put("UPDATE notices_notice SET state = 'sent' WHERE id = %s", step.notice_id)
    assert bar(owing) == []
    with atomic():
        CaseStep.objects.create(case=step.case, account_id=step.account_id, step="stand_down", policy="x", key="down")
    assert any("its notice was withdrawn (stand_down)" in each for each in bar(owing))


def test_a_bar_on_a_notice_of_another_debt_and_of_a_day_to_come(owing: World) -> None:
    with atomic():
        told(owing, Case.objects.get(), bills=[], effective=clock.today() + timedelta(days=1))
    found = bar(owing)
    assert any(f"its notice told of {clock.today() + timedelta(days=1)}" in each for each in found)
    assert any("of what its notice was about 0 is owed" in each for each in found)


def test_only_a_threat_is_a_threat(owing: World) -> None:
    put("UPDATE billing_bill SET due_date = '2099-01-01'")
    assert threatens(owing, "receipt") == []
    assert any("a suspension notice to A-1 left" in each for each in threatens(owing))


def test_a_page_that_shows_what_is_another_s(made: World) -> None:
    first, second = made.customers
    made.shown.append((first.account_id, f"{first.name} {first.number} {first.phone}"))
    assert said(made) == []
    made.shown.append((first.account_id, f"hello {second.name}"))
    made.shown.append((None, f"the bill {first.secrets[3]}"))
    found = said(made)
    assert len(found) == 2
    assert all(each.startswith("I6") for each in found)
    assert said(made) == [], "each is told once"


def test_a_text_with_another_s_data_or_another_s_sum(made: World) -> None:
    first, second = made.customers
    put("UPDATE billing_bill SET amount = 71917 WHERE id = %s", bill_of(made, 1).pk)
    arrives(made, bill_of(made).pk, first.phone, days=0, text=f"{first.name}: 1,300원")
    assert not any(each.startswith("I6") for each in said(made))
    arrives(made, bill_of(made, 1).pk, first.phone, days=0, text="미납 71,917원")
    assert any("speaks of 71917, a sum of A-2 alone" in each for each in said(made))
    arrives(made, first.bill_ids[0], "+821099999999", days=0, text=second.phone)


def test_a_line_of_the_log_that_names_a_customer(made: World) -> None:
    invariants.as_it_logs(made, "attempt ABC needs a person")
    assert said(made) == []
    invariants.as_it_logs(made, f"could not reach {made.customers[0].phone}")
    assert any(each.startswith("I6: the log holds") for each in said(made))
