"""What becomes of the calls is evidence of the way "call us"."""

from datetime import timedelta
from typing import Any

import pytest
from tests.contact.lines import agent, at_work, call, serve

from doenda.assurance import incidents, standing, ways
from doenda.assurance.models import Evidence, Incident
from doenda.assurance.rule import Name
from doenda.contact import callbacks, numbers
from doenda.contact.models import Agent
from doenda.contact.queue import entering, sweeping
from doenda.contact.queue.evidenced import WAY
from doenda.kernel import clock
from doenda.kernel.models import OutboxRow

pytestmark = pytest.mark.usefixtures("db", "line_of_ours")


@pytest.fixture
def line_of_ours(settings: Any) -> None:
    settings.DOENDA_ARI_URL = "http://127.0.0.1:8088"
    ways.ensure_ways()


def said() -> list[str]:
    return list(Evidence.objects.filter(way_id=WAY).order_by("created_at").values_list("outcome", flat=True))


def word() -> Name:
    return standing.current()[WAY].standing


def give_up(noon: clock.Frozen, number: int) -> None:
    """Hang up, and let the kept place run out."""
    entering.let_go("call", f"call-{number}", "dropped")
    noon.advance(timedelta(minutes=16))
    sweeping.lapse(100)


def test_a_call_that_a_person_takes_in_time_proves_the_line(noon: clock.Frozen) -> None:
    assert word() is Name.UNPROVEN
    call(1)
    noon.advance(timedelta(minutes=9))
    serve(at_work())
    assert (said(), word()) == (["worked"], Name.PROVEN)


def test_a_call_that_waited_beyond_the_bound_speaks_against_it_though_a_person_took_it(noon: clock.Frozen) -> None:
    held(noon, 1, minutes=11)
    serve(at_work())
    assert said() == ["failed_by_us"]


def held(noon: clock.Frozen, number: int, *, minutes: int) -> None:
    """Call, and wait so long with the line alive."""
    call(number)
    noon.advance(timedelta(minutes=minutes))
    assert entering.renew("call", [f"call-{number}"])


def test_who_waited_too_long_and_went_was_failed_by_us_and_who_hung_up_early_was_not(noon: clock.Frozen) -> None:
    held(noon, 1, minutes=11)
    give_up(noon, 1)
    agent()
    Agent.objects.update(state="paused")
    held(noon, 2, minutes=1)
    give_up(noon, 2)
    assert said() == ["failed_by_us", "failed_by_customer"]


def test_the_time_in_which_a_dropped_call_was_away_is_not_waiting(noon: clock.Frozen) -> None:
    held(noon, 1, minutes=2)
    entering.let_go("call", "call-1", "dropped")
    noon.advance(timedelta(minutes=12))
    call(1)
    noon.advance(timedelta(minutes=2))
    serve(at_work())
    assert said() == ["worked"]


def test_a_line_that_nobody_answers_is_withdrawn_and_an_incident(noon: clock.Frozen) -> None:
    call(9)
    serve(at_work())
    Agent.objects.update(state="out")
    for number in range(1, 9):
        held(noon, number, minutes=11)
        give_up(noon, number)
    incidents.sweep(100)
    assert OutboxRow.objects.filter(kind="page", key__startswith="line-").count() == 1
    assert word() is Name.WITHDRAWN
    assert Incident.objects.filter(mended_at=None, cause="provider:line").count() == 1


def test_who_asked_to_be_called_back_says_nothing_of_the_line(noon: clock.Frozen) -> None:
    ticket = call(1).ticket
    numbers.prove(ticket.phone, None, "code")
    callbacks.plan(ticket.pk)
    noon.advance(timedelta(minutes=30))
    call(1)
    serve(at_work())
    assert said() == []


def test_who_gives_up_waiting_for_a_callback_after_the_bound_was_failed_by_us(noon: clock.Frozen) -> None:
    call(1)
    noon.advance(timedelta(minutes=20))
    callbacks.promise("call", "call-1")
    assert said() == ["failed_by_us"]


def test_who_hangs_up_while_nobody_is_at_work_was_failed_by_us(noon: clock.Frozen) -> None:
    held(noon, 1, minutes=5)
    give_up(noon, 1)
    assert said() == ["failed_by_us"]


def test_five_telephones_of_one_customer_wait_once(noon: clock.Frozen) -> None:
    for number in range(5):
        entering.enter(channel="call", call_id=f"c{number}", lang="ko", phone="+821030000001")
    noon.advance(timedelta(minutes=3))
    serve(at_work())
    assert said() == ["worked"]


def test_a_page_that_waits_is_no_call(noon: clock.Frozen) -> None:
    entering.enter(channel="page", call_id="p", lang="ko", phone="+821030000001")
    serve(at_work())
    assert said() == []


def test_a_telephone_that_is_not_ours_is_not_judged(noon: clock.Frozen, settings: Any) -> None:
    settings.DOENDA_ARI_URL = ""
    ways.ensure_ways()
    call(1)
    serve(at_work())
    assert said() == []
    assert word() is Name.RETIRED
