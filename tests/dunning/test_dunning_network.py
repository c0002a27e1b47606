"""Commands to the switch: sent until it shows them, looked at once more before a bar leaves, the newest wins."""

from datetime import date, timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from tests.dunning.dunning_house import House

from doenda.dunning import cases, holds
from doenda.dunning.models import CaseStep, LineCommand
from doenda.kernel import clock, net, outbox, sweeps
from doenda.kernel.database import seam
from doenda.kernel.models import FactRow, OutboxRow
from doenda.notices.models import Notice

BEFORE, BAR = date(2014, 10, 22), date(2014, 11, 11)


def fault(house: House, **said: Any) -> None:
    house.world.control(house.world.switch, "PUT", "faults", said)


def decided(house: House) -> Any:
    """A bill on the day of its bar: decided, and not yet sent."""
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 10))
    house.clock.set(clock.at(BAR, 10))
    house.prove()
    assert type(cases.review(bill.account_id)).__name__ == "DoBar"
    return bill


@pytest.mark.parametrize("kind", ["down", "timeout_after", "timeout_before", "error", "async", "lie"])
def test_fs1_a_restore_is_asked_for_until_the_network_itself_shows_it(house: House, kind: str) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR)
    fault(house, fault=kind, seconds=1)
    house.pay(bill)
    house.settle()
    if kind in {"down", "timeout_before", "error", "lie"}:
        assert house.network(bill.account) == "outgoing"
        assert house.line(bill.account).barring == "outgoing"
        assert not Notice.objects.filter(kind="restored").exists()
    fault(house)
    for _ in range(3):
        house.clock.advance(timedelta(minutes=2))
        house.settle()
    assert house.network(bill.account) == "none"
    assert house.line(bill.account).barring == "none"
    assert Notice.objects.filter(kind="restored").count() == 1
    assert FactRow.objects.filter(kind="dunning.line_confirmed").count() == 2


def test_kb4_a_crash_before_the_commit_leaves_no_step_and_no_command(real_house: House) -> None:
    bill = real_house.bill()
    real_house.days(BEFORE, date(2014, 11, 10))
    real_house.clock.set(clock.at(BAR, 10))
    real_house.prove()
    with pytest.raises(seam.Crash), seam.crash("before"):
        cases.review(bill.account_id)
    connection.close()
    assert not LineCommand.objects.exists()
    assert real_house.case(bill).stage == "noticed"
    with pytest.raises(seam.Crash), seam.crash("after"):
        cases.review(bill.account_id)
    connection.close()
    assert real_house.case(bill).stage == "outgoing_barred"
    real_house.settle()
    assert real_house.network(bill.account) == "outgoing"


@pytest.mark.parametrize("crash_at", [1, 2, 3])
def test_fs2_a_crash_while_sending_loses_nothing_and_repeats_harmlessly(real_house: House, crash_at: int) -> None:
    bill = real_house.bill()
    real_house.days(BEFORE, BAR)
    real_house.pay(bill)
    with pytest.raises(seam.Crash), seam.crash("after", at_commit=crash_at):
        outbox.sweep(100)
    connection.close()
    real_house.clock.advance(timedelta(minutes=1))
    real_house.settle()
    assert real_house.network(bill.account) == "none"
    assert LineCommand.objects.filter(state__in=["due", "sent"]).count() == 0
    assert Notice.objects.filter(kind="restored").count() == 1


def test_just_before_it_leaves_a_bar_is_withdrawn_if_a_hold_was_placed(house: House) -> None:
    bill = decided(house)
    holds.place(bill.account_id, "claim", reason="has paid", key="c")
    house.settle()
    assert house.history(bill.account) == []
    assert house.commands(bill.account) == [("outgoing", "superseded")]
    assert house.case(bill).stage == "noticed"
    assert CaseStep.objects.get(step="withdrawn").decision["why"] == "claim"


def test_just_before_it_leaves_a_bar_is_withdrawn_if_no_way_is_proven_any_more(house: House) -> None:
    bill = decided(house)
    house.proving = False
    house.clock.advance(timedelta(minutes=5))
    house.settle()
    assert house.history(bill.account) == []
    assert house.case(bill).stage == "noticed"


def test_a_bar_that_could_not_be_sent_by_day_does_not_leave_at_night(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, date(2014, 11, 10))
    fault(house, fault="down")
    house.day(BAR)
    fault(house)
    house.day(BAR, hour=19)
    assert house.history(bill.account) == []
    house.day(BAR + timedelta(1))
    assert house.network(bill.account) == "outgoing"


def test_a_bar_that_may_have_arrived_is_undone_when_it_is_withdrawn(house: House) -> None:
    bill = decided(house)
    fault(house, fault="timeout_after", seconds=30)
    row = outbox.claim()
    assert row is not None
    outbox.send_claimed(row)
    assert (house.network(bill.account), house.line(bill.account).barring) == ("outgoing", "none")
    fault(house)
    holds.place(bill.account_id, "dispute", reason="not mine", key="d")
    house.settle()
    assert house.history(bill.account) == ["outgoing", "none"]
    assert house.commands(bill.account) == [("outgoing", "superseded"), ("none", "confirmed")]


def test_payment_overtakes_a_bar_that_is_still_on_its_way(house: House) -> None:
    bill = decided(house)
    house.pay(bill)
    house.settle()
    assert house.commands(bill.account) == [("outgoing", "superseded"), ("none", "confirmed")]
    assert "outgoing" not in house.history(bill.account)
    assert not Notice.objects.filter(kind="restored").exists()  # nothing was ever stopped


def test_the_newest_command_waits_for_an_older_one_still_under_way(house: House) -> None:
    bill = decided(house)
    old = outbox.claim()
    assert old is not None
    assert old.kind == "switch"
    house.pay(bill)
    house.settle()
    assert house.history(bill.account) == []  # it would not be known which of the two arrives last
    house.clock.advance(timedelta(minutes=1))
    house.settle()
    assert house.commands(bill.account)[-1] == ("none", "confirmed")


def test_a_network_that_changes_its_mind_is_asked_again(house: House) -> None:
    bill = house.bill()
    house.days(BEFORE, BAR)
    house.pay(bill)
    for _ in range(6):
        outbox.sweep(100)
    assert house.line(bill.account).barring == "none"
    patch = next(call for call in house.world.calls if call.method == "PATCH")
    assert b"keep_emergency_114_pay" in patch.content
    house.world.transport(patch)  # the old bar arrives once more, late
    assert house.network(bill.account) == "outgoing"
    house.clock.advance(timedelta(minutes=2))
    house.settle()
    assert house.network(bill.account) == "none"


def test_an_unknown_service_is_never_given_up(house: House) -> None:
    bill = decided(house)
    with net.using(lambda _: net.Reply(404, {}, b'{"code":"60"}')):
        for _ in range(4):
            outbox.sweep(100)
            house.clock.advance(timedelta(minutes=1))
            house.prove()
    row = OutboxRow.objects.get(kind="switch")
    assert (row.done_at, row.parked_at) == (None, None)
    assert "404" in row.reason
    house.settle()
    assert house.network(bill.account) == "outgoing"


def test_two_workers_at_once_take_one_step(real_house: House) -> None:
    bill = real_house.bill()
    real_house.days(BEFORE, date(2014, 11, 10))
    real_house.clock.set(clock.at(BAR, 10))
    real_house.prove()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            cases.review_due(10)
            cases.review(bill.account_id)
        except BaseException as error:  # noqa: BLE001 - reported below
            failed.append(error)
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert CaseStep.objects.filter(step="bar").count() == 1
    assert LineCommand.objects.count() == 1
    sweeps.run("outbox")
    assert real_house.history(bill.account) == ["outgoing"]
