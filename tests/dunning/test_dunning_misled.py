"""Whoever was told of a way that fails: held from its onset, told once what is true, and told when it works again."""

from datetime import date, timedelta

import pytest
from tests.dunning.dunning_house import House

from doenda.assurance import evidence, no_way, standing
from doenda.assurance.models import Exposure, NoWay, Offer
from doenda.billing.models import Bill
from doenda.dunning import gather, misled
from doenda.dunning.models import Case, HarmUndone, LateFee, Misled
from doenda.dunning.words import Bar, HoldKind, Stage
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.notices.models import Notice

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"
START = date(2014, 10, 22)


def fails(*ways: str, tries: int = 6) -> None:
    for way in ways:
        for _ in range(tries):
            with atomic():
                evidence.record(way, "failed_by_us", source_kind="test", source_id=outside(new_id()), synthetic=False)
    assert all(standing.current()[way].standing == "withdrawn" for way in ways)


def works_again(*ways: str) -> None:
    """Walks pass until the way has come back."""
    for _ in range(200):
        for way in ways:
            with atomic():
                evidence.record(way, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)
        sweeps.run("standing")
        if all(standing.current()[way].standing == "proven" for way in ways):
            return
        clock_of().advance(timedelta(seconds=10))
    raise AssertionError("it never came back")


_frozen: list[clock.Frozen] = []


def clock_of() -> clock.Frozen:
    return _frozen[0]


@pytest.fixture(autouse=True)
def _with_clock(noon: clock.Frozen) -> None:
    _frozen[:] = [noon]


def named(bill: Bill, *ways: str, medium: str = "notice") -> None:
    for way in ways:
        Offer.objects.create(
            way_id=way,
            account_id=bill.account_id,
            at=clock.now(),
            purpose="pay",
            medium=medium,
            subject_id=new_id(),
            lang="ko",
            proven=True,
        )


def tried(bill: Bill, way: str) -> None:
    with atomic():
        evidence.record(
            way,
            "failed_by_us",
            source_kind="attempt",
            source_id=outside(new_id()),
            synthetic=False,
            account_id=bill.account_id,
        )


def told(bill: Bill, kind: str = "misled") -> list[Notice]:
    return list(Notice.objects.filter(account_id=bill.account_id, kind=kind).order_by("created_at"))


def last_text(house: House) -> str:
    """What the newest message that reached the handset network says."""
    return str(list(house.world.handset.messages.values())[-1].text)


def look(house: House) -> None:
    for name in ("standing", "no_way", "misled", "outbox", "receipts"):
        sweeps.run(name)


def test_who_tried_is_told_once_what_does_not_work_and_what_does(house: House) -> None:
    bill = house.bill()
    house.prove()
    named(bill, TRANSFER, CARD)
    tried(bill, TRANSFER)
    fails(TRANSFER)
    look(house)
    look(house)
    (sent,) = told(bill)
    assert sent.params["failed"] == ["transfer"]
    assert sent.state in {Notice.State.SENT, Notice.State.DELIVERED}
    text = last_text(house)
    assert "실시간 계좌이체" in text.split("지금 되는 방법")[0]
    assert "지금 되는 방법: 카드" in text


def test_who_merely_was_told_of_it_is_held_and_not_bothered_until_it_lasts(house: House) -> None:
    bill = house.bill(due=date(2014, 10, 21))
    house.prove()
    named(bill, TRANSFER)
    fails(TRANSFER)
    look(house)
    assert not told(bill)
    assert any(stop.kind == HoldKind.EXPOSURE for stop in gather.stops(bill.account_id)), "silently held"
    clock_of().advance(timedelta(hours=2, minutes=1))
    look(house)
    assert [row.why for row in Misled.objects.filter(account_id=bill.account_id)] == ["lasts"]
    assert len(told(bill)) == 1


def test_who_was_never_told_of_it_or_owes_nothing_hears_nothing(house: House) -> None:
    stranger, paid = house.bill(phone="+821000001111"), house.bill(phone="+821000002222")
    house.prove()
    named(paid, TRANSFER)
    house.pay(paid)
    fails(TRANSFER)
    clock_of().advance(timedelta(hours=3))
    look(house)
    assert not told(stranger)
    assert not told(paid)


def test_two_failures_at_once_are_one_message(house: House) -> None:
    bill = house.bill()
    house.prove()
    named(bill, TRANSFER, CARD)
    tried(bill, CARD)
    tried(bill, TRANSFER)
    fails(TRANSFER, CARD)
    look(house)
    (sent,) = told(bill)
    assert sent.params["failed"] == ["card", "transfer"]
    assert "지금은 되는 방법이 하나도 없어요" in last_text(house)
    assert Misled.objects.count() == 2


def test_when_it_works_again_the_same_people_are_told_once(house: House) -> None:
    bill, other = house.bill(phone="+821000001111"), house.bill(phone="+821000002222")
    house.prove()
    for each in (bill, other):
        named(each, TRANSFER)
    tried(bill, TRANSFER)
    fails(TRANSFER)
    look(house)
    works_again(TRANSFER)
    house.prove()
    look(house)
    look(house)
    assert len(told(bill, "way_back")) == 1
    assert "다시 내실 수 있어요" in last_text(house)
    assert not told(other, "way_back"), "who heard nothing of it needs not hear that it is over"


def test_at_night_it_waits_and_if_it_works_by_the_morning_nobody_is_woken_or_confused(house: House) -> None:
    bill = house.bill()
    clock_of().set(clock.at(START, 22))
    house.prove()
    named(bill, TRANSFER)
    tried(bill, TRANSFER)
    fails(TRANSFER)
    look(house)
    assert told(bill)[0].state == Notice.State.HELD
    works_again(TRANSFER)
    look(house)
    assert told(bill)[0].state == Notice.State.CANCELLED
    assert not told(bill, "way_back")


def test_what_works_by_another_provider_is_not_said_to_fail(house: House, settings: pytest.FixtureRequest) -> None:
    from doenda.assurance import ways

    settings.DOENDA_OFFERED = ["sandbox", "toss"]  # type: ignore[attr-defined]
    ways.ensure_ways()
    bill, near = house.bill(phone="+821000001111"), house.bill(phone="+821000002222")
    house.prove()
    with atomic():
        evidence.record("web/card/toss", "worked", source_kind="test", source_id="t", synthetic=True)
    for each in (bill, near):
        named(each, CARD)
    tried(bill, CARD)
    fails(CARD)
    look(house)
    assert not told(bill)
    assert len(told(bill, "fault_mended")) == 1, "who tried hears that it works"
    clock_of().advance(timedelta(hours=2, minutes=1))
    look(house)
    assert not told(near)
    assert not told(near, "fault_mended")


def test_a_fee_and_a_bar_decided_after_the_onset_are_taken_back(house: House) -> None:
    bill = house.bill(due=date(2014, 9, 25))
    house.days(START, date(2014, 11, 14))
    assert house.case(bill).stage == Stage.OUTGOING_BARRED
    onset = clock.at(house.case(bill).barred_since or START, 9)
    fee = LateFee.objects.get(bill=bill)
    assert fee.reversed_at is None
    Exposure.objects.create(way_id=TRANSFER, onset=onset - timedelta(days=20), committed_at=clock.now())
    named_at = Offer.objects.filter(account_id=bill.account_id, way_id=TRANSFER).order_by("at").first()
    assert named_at is not None
    sweeps.run("misled")
    sweeps.run("cases")
    fee.refresh_from_db()
    bill.refresh_from_db()
    assert fee.reversed_at is not None
    assert bill.late_fee == 0
    assert house.case(bill).stage == Stage.REMINDED
    assert [wanted for wanted, _ in house.commands(bill.account)][-1] == Bar.NONE
    undone = HarmUndone.objects.get()
    assert (undone.fees, undone.bars) == (1, 1)
    misled.sweep()
    assert HarmUndone.objects.count() == 1


def test_while_nothing_works_every_clock_stands_and_what_is_barred_works_again(house: House) -> None:
    barred, young = house.bill(due=date(2014, 9, 25), phone="+821000001111"), house.bill(phone="+821000002222")
    house.days(START, date(2014, 11, 14))
    assert house.case(barred).stage == Stage.OUTGOING_BARRED
    clock_of().advance(timedelta(days=1))
    house.prove()
    fails(TRANSFER, CARD)
    sweeps.run("no_way")
    stretch = no_way.running()
    assert stretch is not None
    assert stretch.failed
    clock_of().advance(timedelta(minutes=6))
    assert any(stop.reason == "nothing worked" for stop in gather.stops(young.account_id))
    assert sweeps.run("nothing_works") == 0
    clock_of().advance(timedelta(hours=2))
    assert sweeps.run("nothing_works") >= 1
    sweeps.run("cases")
    assert Case.objects.get(account_id=barred.account_id, closed_at=None).stage == Stage.REMINDED
    works_again(CARD)
    sweeps.run("no_way")
    assert no_way.running() is None
    ended = NoWay.objects.filter(failed=True).latest("since").until
    assert ended is not None
    assert all(stop.until == ended for stop in gather.stops(young.account_id) if stop.kind == HoldKind.NO_WAY)
