"""When it works again for whoever was promised that we mend it: told once, when it is true for this customer."""

from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.dunning.dunning_house import House

from doenda.assurance import by_hand, evidence
from doenda.billing.models import Bill
from doenda.dunning import gather, promises
from doenda.dunning.models import Promise
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.notices.models import Notice
from doenda.payments.models import Attempt
from doenda.payments.states import State

CARD, OTHER = "web/card/sandbox", "web/transfer/sandbox"
counter = iter(range(10**9))


def seen(way: str, outcome: str, times: int = 1, *, device: str = "") -> None:
    for _ in range(times):
        source = f"mended-{next(counter)}"
        with atomic():
            evidence.record(way, outcome, source_kind="test", source_id=source, synthetic=False, device=device)


def failed(bill: Bill, *, device: str = "") -> Promise:
    """A try that failed through us, and our promise to mend it within a day."""
    with atomic():
        Attempt.objects.create(
            account_id=bill.account_id,
            provider="sandbox",
            method="card",
            channel="web",
            amount=1000,
            currency="KRW",
            state=State.OUR_FAULT,
            in_flight=False,
            settled_at=clock.now(),
            device=device,
        )
    until = clock.now() + timedelta(days=1)
    return promises.make(bill.account_id, [bill.pk], whose="ours", until=until, reason="fault", key=f"f{bill.pk}")


def told(promise: Promise) -> list[str]:
    kinds = ("fault_mended", "way_back")
    return list(Notice.objects.filter(account_id=promise.account_id, kind__in=kinds).values_list("kind", flat=True))


def test_nobody_hears_that_it_works_again_while_it_fails_on_their_kind_of_device(house: House) -> None:
    house.prove()
    promise = failed(house.bill(), device="in_app")
    seen(CARD, "failed_by_us", times=8, device="in_app")
    house.clock.advance(timedelta(minutes=30))
    seen(CARD, "worked", times=40, device="gecko")
    house.settle()
    assert gather.way_proven(CARD)
    assert told(promise) == []
    house.clock.advance(timedelta(hours=1))
    seen(CARD, "worked", times=40, device="in_app")
    house.settle()
    assert told(promise) == ["fault_mended"]


def test_what_is_not_mended_on_their_device_in_time_ends_with_what_works_and_not_with_a_stop_for_ever(
    house: House,
) -> None:
    house.prove()
    promise = failed(house.bill(), device="in_app")
    seen(CARD, "failed_by_us", times=8, device="in_app")
    for hours in (1, 22, 3):
        house.clock.advance(timedelta(hours=hours))
        seen(CARD, "worked", times=40, device="gecko")
        house.settle()
    promise.refresh_from_db()
    assert promise.kept_at is not None
    assert told(promise) == ["way_back"]


def test_promises_that_wait_for_one_way_are_left_alone_while_it_is_away(house: House) -> None:
    house.prove()
    made = [failed(house.bill(phone=f"+8210000012{n:02}")) for n in range(4)]
    by_hand.withdraw(CARD, who="kim", reason="no answer")
    house.clock.advance(timedelta(minutes=1))
    seen(OTHER, "worked")
    with CaptureQueriesContext(connection) as asked:
        assert promises.look(100) == 0
    assert len(asked) <= 4
    by_hand.vouch(CARD, who="kim", reason="it answers")
    house.clock.advance(timedelta(minutes=10))
    house.settle()
    assert [told(one) for one in made] == [["fault_mended"]] * 4


def test_it_works_again_only_by_a_proof_that_is_newer_than_the_failure(house: House) -> None:
    house.prove()
    promise = failed(house.bill())
    house.clock.advance(timedelta(seconds=40))
    promises.look(100)
    assert told(promise) == []  # its last proof is from before
    house.settle()
    assert told(promise) == ["fault_mended"]


def test_who_says_that_it_does_not_work_hears_of_no_old_fault_and_only_what_was_proven_since(house: House) -> None:
    bill = house.bill()
    failed(bill)
    house.clock.advance(timedelta(days=20))
    Promise.objects.update(kept_at=clock.now())
    house.prove()
    until = clock.now() + timedelta(days=1)
    promise = promises.make(bill.account_id, [bill.pk], whose="ours", until=until, reason="said", key="said")
    house.clock.advance(timedelta(seconds=40))
    promises.look(100)
    assert told(promise) == []
    house.settle()
    assert told(promise) == ["way_back"]
