"""I7, I9, I10, I12 and I8: each fires on the wrong row or the lying peer that it is for."""

from typing import Any

import pytest
from django.db import connection
from tests.sim.sim_made import begin, bill_of, ground_laid, made, pay, said

from doenda.billing.models import Line
from doenda.dunning.models import Case
from doenda.kernel import clock, facts, outbox, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.notices.models import Notice
from doenda.payments.models import Attempt, DebitAnswer, DebitParked, DepositLine
from doenda.sim.invariants import attempts
from doenda.sim.world import World

__all__ = ["ground_laid", "made"]


def put(statement: str, *parameters: Any) -> None:
    with atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def line(state: str, **more: Any) -> DepositLine:
    with atomic():
        return DepositLine.objects.create(
            bank="088",
            ident=f"D{DepositLine.objects.count() + 1:09}",
            kind="deposit",
            number="0",
            amount=5,
            currency="KRW",
            at=clock.now(),
            source="list",
            state=state,
            **more,
        )


def test_an_attempt_that_stays_unknown_is_seen_and_one_that_a_silent_provider_owes_is_not(made: World) -> None:
    attempt = begin(bill_of(made), "sandbox", "card")
    put("UPDATE payments_attempt SET state = 'unknown', in_flight = true WHERE id = %s", attempt.pk)
    assert any(each.startswith("I7") and "nobody owns it" in each for each in said(made, rest=True))
    put("UPDATE payments_attempt SET person_owns_at = %s WHERE id = %s", clock.now(), attempt.pk)
    assert any(each.startswith("I7") and "though its provider answers" in each for each in said(made, rest=True))
    made.down.add("sandbox")
    assert not any(each.startswith("I7") for each in said(made, rest=True))


def test_a_state_without_its_move_is_seen(made: World) -> None:
    attempt = begin(bill_of(made), "sandbox", "card")
    assert said(made) == []
    put("UPDATE payments_attempt SET state = 'expired' WHERE id = %s", attempt.pk)
    assert any("is expired, and its moves end at needs_redirect" in each for each in said(made))


def test_moves_that_do_not_follow_each_other_are_seen(made: World) -> None:
    attempt = begin(bill_of(made), "sandbox", "card")
    put(
        "INSERT INTO payments_attemptmove (id, created_at, attempt_id, source, target, cause)"
        " VALUES (%s, %s, %s, 'sent', 'paid', 'x')",
        new_id(),
        clock.now(),
        attempt.pk,
    )
    assert any("left sent, where it was not" in each for each in said(made))


def test_a_move_that_nobody_declared_is_seen(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(bill_of(made), "sandbox", "card")
    monkeypatch.setattr(attempts, "_DECLARED", set())
    assert any("went from created to needs_redirect, which is not declared" in each for each in said(made))


def test_a_row_that_went_back_is_seen(made: World) -> None:
    parked = line("parked", reason="unknown_number", owner="desk", due_at=clock.now())
    said(made)
    put("UPDATE payments_depositline SET state = 'posted' WHERE id = %s", parked.pk)
    assert not any(each.startswith("I9") for each in said(made))
    put("UPDATE payments_depositline SET state = 'stored' WHERE id = %s", parked.pk)
    assert any("went from posted to stored" in each for each in said(made))


def test_what_is_declared_is_reached_over_several_moves() -> None:
    assert attempts.reach("debit", "waiting") == {"filed", "paid", "returned", "refused", "recalled", "waiting"}
    assert attempts.reach("debit", "recalled") == frozenset()
    assert attempts.reach("notice", "delivered") == frozenset()


def test_a_deposit_that_nobody_booked_is_seen_at_rest(made: World) -> None:
    line("stored")
    assert any("I10: at rest the deposit 088-D000000001 of 5 is stored" in each for each in said(made, rest=True))


def test_a_deposit_that_the_bank_tells_of_and_we_do_not_know_is_seen_at_rest(made: World) -> None:
    numbers = made.hall.truths["deposits"].state.numbers
    asked = {"number": next(iter(numbers)), "amount": 700, "remitter": "x", "late": True}
    made.peer("deposit").control("POST", "deposits", asked)
    assert any("we know nothing of the bank's deposit" in each for each in said(made, rest=True))


def test_an_answer_that_was_not_worked_off_is_seen_at_rest(made: World) -> None:
    with atomic():
        answer = DebitAnswer.objects.create(name="RS-1", sha256="a" * 64, kind="results", accepted=True)
        DebitParked.objects.create(
            answer=answer, line=1, serial=1, amount=5, code="0000", done=True, reason="X", owner=""
        )
    found = said(made, rest=True)
    assert any("answer RS-1 (results) is not worked off" in each for each in found)
    assert any("has no owner" in each for each in found)


def test_news_that_a_room_has_not_taken_in_is_seen_at_rest(made: World) -> None:
    with atomic():
        facts.record("odd.fact", None, {})
    put("UPDATE kernel_factrow SET pending = '{dunning.paid}' WHERE kind = 'odd.fact'")
    assert any("dunning.paid" in each and "odd.fact" in each for each in said(made, rest=True))


def test_what_was_to_be_asked_about_and_was_not_is_seen_at_rest(made: World) -> None:
    attempt = begin(bill_of(made), "sandbox", "card")
    put("UPDATE payments_attempt SET ask_at = %s - interval '1 minute' WHERE id = %s", clock.now(), attempt.pk)
    assert any("was to be asked about" in each for each in said(made, rest=True))


def test_an_effect_that_is_not_confirmed_is_seen_at_rest(made: World) -> None:
    with atomic():
        row = outbox.put("close", "nothing", {})
    assert any("I12: at rest close nothing is not confirmed" in each for each in said(made, rest=True))
    put("UPDATE kernel_outboxrow SET parked_at = %s WHERE id = %s", clock.now(), row.pk)
    assert not any("close nothing" in each for each in said(made, rest=True))
    put("UPDATE kernel_outboxrow SET kind = 'switch' WHERE id = %s", row.pk)
    assert any("no list of the desk shows it" in each for each in said(made, rest=True))


def test_a_switch_that_does_otherwise_than_we_believe_is_seen_at_rest(made: World) -> None:
    mine = Line.objects.get(account_id=made.customers[0].account_id)
    body = {"serviceCharacteristic": [{"name": "barring", "value": "outgoing"}]}
    path = f"/tmf-api/ServiceActivationAndConfiguration/v4/service/{outside(mine.pk)}"
    from peers.http import Request, to_json

    made.hall.truths["switch"].handle(Request("PATCH", path, {}, to_json(body)))
    found = said(made, rest=True)
    assert any("I12: at rest the line of A-1 is outgoing there, none here" in each for each in found)
    pay(made)
    put("UPDATE billing_bill SET due_date = '2099-01-01' WHERE account_id = %s", mine.account_id)
    found = said(made, rest=True)
    assert any("I8: at rest A-1 owes nothing overdue, and the line is barred" in each for each in found)
    with atomic():
        Case.objects.create(account_id=mine.account_id, stage_since=clock.today())
    assert any("is collected from" in each for each in said(made, rest=True))


def test_texts_at_the_handset_are_our_notices_and_the_reverse(made: World) -> None:
    pay(made)
    sweeps.run("outbox")
    sweeps.run("receipts")
    assert not any("I12" in each for each in said(made, rest=True))
    messages = made.hall.truths["handset"].messages
    ident, message = next(iter(messages.items()))
    del messages[ident]
    messages["other"] = message
    found = said(made, rest=True)
    assert any("counts as" in each and "no handset has it" in each for each in found)
    assert any("the handset has a text other that is none of our notices" in each for each in found)
    assert Notice.objects.filter(state__in=["sent", "delivered"]).exists()
    assert Attempt.objects.count() == 1
