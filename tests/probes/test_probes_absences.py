"""What breaks where no server sees it shows by who does not come back, and by who does not come at all."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.worlds import overdue_bill

from doenda.assurance import evidence, replay, standing, ways
from doenda.assurance.rule import Name
from doenda.billing.models import Bill
from doenda.journeys.models import Session
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.kernel.models import OutboxRow
from doenda.payments.models import Attempt
from doenda.probes import absences
from doenda.probes.models import Turn

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture(autouse=True)
def _known(db: None, noon: clock.Frozen) -> None:
    ways.ensure_ways()


def proves(*slugs: str) -> None:
    for slug in slugs:
        with atomic():
            evidence.record(slug, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)


def leave(way: str, bill: Bill, *states: str, ago: timedelta = timedelta(minutes=30), device: str = "") -> None:
    """Attempts that were begun so long ago and stand in these states now."""
    channel, method, provider = way.split("/")
    Attempt.objects.bulk_create(
        Attempt(
            account_id=bill.account_id,
            channel=channel,
            method=method,
            provider=provider,
            amount=1000,
            currency="KRW",
            state=state,
            device=device,
            created_at=clock.now() - ago,
        )
        for state in states
    )


def test_many_who_do_not_come_back_from_the_last_step_put_it_in_doubt() -> None:
    bill = overdue_bill(50_000, days=3, number="A-1", phone="+821000001111")
    proves(CARD, TRANSFER)
    leave(TRANSFER, bill, *["expired"] * 9, "paid")
    leave(CARD, bill, *["paid"] * 8, "expired", "expired")
    assert sweeps.run("abandoned") == 1
    assert standing.current()[TRANSFER].standing is Name.SUSPECT
    assert standing.current()[CARD].standing is Name.PROVEN
    assert Turn.objects.filter(way=TRANSFER, confirms=True).count() == 3
    assert OutboxRow.objects.get(kind="page").payload["summary"].startswith(f"{TRANSFER}: 9 of 10")
    assert replay.replay(TRANSFER).same


def test_a_few_who_go_away_are_nothing_and_what_is_usual_is_learned() -> None:
    bill = overdue_bill(50_000, days=3, number="A-1", phone="+821000001111")
    proves(TRANSFER)
    leave(TRANSFER, bill, *["expired"] * 7)
    assert sweeps.run("abandoned") == 0
    leave(TRANSFER, bill, *["expired"] * 150, *["paid"] * 100, ago=timedelta(days=3))
    leave(TRANSFER, bill, *["expired"] * 3, *["paid"] * 2)
    (found,) = absences.left_lately(clock.now())
    assert (found.left, found.gone, found.usual) == (12, 10, 0.6)
    assert sweeps.run("abandoned") == 0


def test_doubt_that_walks_have_answered_is_not_raised_again_by_the_same_absences(noon: clock.Frozen) -> None:
    bill = overdue_bill(50_000, days=3, number="A-1", phone="+821000001111")
    proves(TRANSFER)
    leave(TRANSFER, bill, *["expired"] * 12)
    assert sweeps.run("abandoned") == 1
    proves(TRANSFER, TRANSFER, TRANSFER)
    assert standing.current()[TRANSFER].standing is Name.PROVEN
    noon.advance(timedelta(minutes=1))
    assert sweeps.run("abandoned") == 0


def visits(count: int, *, ago: timedelta) -> None:
    Session.objects.bulk_create(
        Session(
            journey="pay",
            journey_version=1,
            digest=outside(new_id()).encode(),
            channel="web",
            lang="ko",
            step="bill",
            created_at=clock.now() - ago - timedelta(seconds=each),
        )
        for each in range(count)
    )


def test_pages_that_nobody_opens_any_more_put_the_channel_in_doubt(noon: clock.Frozen) -> None:
    for week in range(1, 5):
        visits(300, ago=timedelta(weeks=week))
    proves(CARD, TRANSFER)
    visits(1, ago=timedelta(seconds=20))
    assert sweeps.run("starved") == 0
    noon.advance(timedelta(minutes=4))
    proves(CARD, TRANSFER)
    assert sweeps.run("starved") == 2, "300 an hour: a minute of silence is improbable, three are next to impossible"
    assert {standing.current()[slug].standing for slug in (CARD, TRANSFER)} == {Name.SUSPECT}


def test_where_customers_come_seldom_silence_says_nothing() -> None:
    for week in range(1, 5):
        visits(10, ago=timedelta(weeks=week))
    proves(CARD)
    assert sweeps.run("starved") == 0


@given(st.integers(1, 60), st.integers(0, 60), st.floats(0.02, 0.9))
def test_the_tail_is_a_probability_and_shrinks_with_every_hit(tries: int, hits: int, share: float) -> None:
    if hits > tries:
        return
    assert -1e-12 <= absences.tail(tries, hits, share) <= 1 + 1e-9
    assert absences.tail(tries, hits, share) >= absences.tail(tries, hits + 1, share)
    assert absences.tail(tries, 0, share) == pytest.approx(1)


def test_who_does_not_come_back_on_one_kind_of_device_puts_the_way_in_doubt_there_and_nowhere_else() -> None:
    bill = overdue_bill(50_000, days=3, number="A-1", phone="+821000001111")
    proves(TRANSFER)
    leave(TRANSFER, bill, *["expired"] * 9, "paid", device="webkit")
    leave(TRANSFER, bill, *["paid"] * 20, "expired", device="chromium")
    assert sweeps.run("abandoned") == 1
    cell = standing.one(f"{TRANSFER}@webkit")
    assert cell is not None
    assert cell.standing is Name.SUSPECT
    assert standing.current()[TRANSFER].standing is Name.PROVEN
    assert not Turn.objects.filter(confirms=True).exists(), "nobody here has such a browser to walk in"
    assert sweeps.run("abandoned") == 0, "known already"
