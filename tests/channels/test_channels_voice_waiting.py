"""Whoever wants a person stands in line on the telephone: music, honest words, a callback, and no hanging up."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from tests.channels.callers import Caller, Pressed, call
from tests.channels.doors import PHONE, code_of
from tests.channels.many_ways import ManyWays, many_ways
from tests.contact.lines import assignment, at_work
from tests.contact.lines import call as another_call
from tests.worlds import overdue_bill

from doenda.channels.voice import queueing
from doenda.channels.voice.line import PlaceLost
from doenda.contact.models import Estimate, Holding, Ticket
from doenda.contact.queue import entering, serving
from doenda.kernel import clock, sweeps


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[ManyWays]:
    with many_ways() as made:
        yield made


def at_the_bill(*then: Pressed) -> Caller:
    """A caller who has opened their bill, and then."""
    return Caller("1", "1", *code_of(overdue_bill(52_300, phone=PHONE)), *then, number=PHONE)


def person() -> Ticket:
    return Ticket.objects.get(kind="person")


def test_nought_in_opening_hours_stands_in_line_with_music(shop: ManyWays) -> None:
    caller: Caller = at_the_bill("0", None, lambda: "*" if caller.music_on else pytest.fail("no music"), None)
    call(caller)
    ticket = person()
    assert (ticket.channel, ticket.phone, ticket.state) == ("call", PHONE, "away"), "hung up: the place is kept"
    assert ticket.account_id is not None
    assert "얼마나 기다리실지 지금은 말씀드릴 수 없어요" in caller.heard[-1]


def test_who_hangs_up_and_calls_again_is_at_the_same_place(shop: ManyWays, noon: clock.Frozen) -> None:
    call(Caller("0", None, number=PHONE))
    first = person().queued_at
    noon.advance(timedelta(minutes=5))
    another_call(7)
    caller = Caller("0", None, number=PHONE)
    caller.id = "call-2"
    call(caller)
    assert Ticket.objects.get(phone=PHONE).queued_at == first
    assert Holding.objects.filter(ticket__phone=PHONE).count() == 2


def test_what_is_told_is_a_range_from_what_was_measured_and_kept(shop: ManyWays, noon: clock.Frozen) -> None:
    one = at_work()
    for number in range(30):
        another_call(number)
        sweeps.run("line")
        serving.take(assignment(one).pk)
        noon.advance(timedelta(minutes=3))
        serving.finish(assignment(one).pk, by="user:lee", words="helped")
    for number in range(40, 43):
        another_call(number)
    sweeps.run("line")
    caller = Caller("0", None, number=PHONE)
    call(caller)
    said = caller.heard[-1]
    assert "기다리시는 시간은" in said
    assert "앞에 두 명이 계세요" in said
    assert Estimate.objects.filter(ticket__phone=PHONE, high__isnull=False).exists()


def test_every_minute_only_what_is_new_is_said(shop: ManyWays) -> None:
    caller = Caller("0", None, None, None, None, None, number=PHONE)
    call(caller)
    assert len([said for said in caller.heard if "얼마나 기다리실지" in said]) == 1


def test_one_is_called_back_at_the_accounts_own_number_with_the_same_place(shop: ManyWays) -> None:
    caller = at_the_bill("0", "1", None, None)
    call(caller)
    ticket = person()
    assert ticket.state == "callback"
    assert "전화드릴게요" in caller.heard[-1]
    assert caller.closed


def test_a_key_that_meets_the_promise_of_a_callback_has_it_said_again(shop: ManyWays) -> None:
    caller = at_the_bill("0", "1", "1", None, None)
    call(caller)
    assert caller.heard[-2] == caller.heard[-1]
    assert "전화드릴게요" in caller.heard[-1]
    assert caller.closed
    assert person().state == "callback"


def test_who_rather_waits_after_all_is_in_line_again_at_the_same_place(shop: ManyWays, noon: clock.Frozen) -> None:
    before = clock.now()

    def later() -> str:
        noon.advance(timedelta(minutes=1))
        return "0"

    stood: list[tuple[str, datetime]] = []
    caller = at_the_bill("0", "1", later, lambda: stood.append((person().state, person().queued_at)), None)
    call(caller)
    assert stood == [("waiting", before)]
    assert caller.music_on
    assert not caller.closed
    assert person().state == "callback", "who hangs up then is called as was promised"


def test_a_number_that_nobody_has_proven_is_called_by_a_person_and_hears_the_same(shop: ManyWays) -> None:
    stranger = Caller("0", "1", None, number="+821099998888")
    call(stranger)
    customer = Caller("0", "1", None, number=PHONE)
    overdue_bill(52_300, phone=PHONE)
    call(customer)
    assert stranger.heard == customer.heard, "a forged number learns nothing"
    assert {ticket.state for ticket in Ticket.objects.filter(kind="person")} == {"desk"}, "no machine rings it"


@pytest.mark.parametrize("number", ["+8216001234", "+14155550100", ""])
def test_a_callback_is_not_offered_to_a_number_that_is_never_dialled(shop: ManyWays, number: str) -> None:
    caller = Caller("0", "1", None, None, number=number)
    call(caller)
    assert not any("저희 전화를 받으시려면" in said for said in caller.heard)
    assert "그 번호로는 전화드릴 수 없어요" in caller.heard[-1], "and the wait goes on"


def closes(noon: clock.Frozen) -> None:
    noon.set(clock.at(clock.today(), 18, 30))


def test_who_waits_when_everybody_has_gone_home_is_called_and_does_not_wait_all_night(
    shop: ManyWays, noon: clock.Frozen
) -> None:
    caller = at_the_bill("0", None, lambda: closes(noon), None, None)
    call(caller)
    assert "오늘 상담 시간이 끝났어요" in caller.heard[-1]
    assert "전화드릴게요" in caller.heard[-1]
    assert caller.closed
    assert person().state == "callback"


def test_while_agents_stay_the_line_is_served_after_hours(shop: ManyWays, noon: clock.Frozen) -> None:
    one = at_work()
    another_call(1)
    sweeps.run("line")
    serving.take(assignment(one).pk)
    caller = at_the_bill("0", None, lambda: closes(noon), None, None)
    caller.id = "call-2"
    caller.hangs_up = False
    call(caller)
    assert not any("끝났어요" in said for said in caller.heard)
    assert Ticket.objects.get(phone=PHONE).state == "waiting"


def test_whom_nobody_who_stayed_can_serve_does_not_wait_all_night(shop: ManyWays, noon: clock.Frozen) -> None:
    closes(noon)
    at_work(langs="ko")
    english = entering.enter(channel="call", call_id="call-9", lang="en", phone="+821099998888")
    now = queueing.tell("call-9", english.ticket.pk, "en")
    assert now.over
    assert now.promised


def test_who_cannot_be_called_hears_at_closing_when_to_call_again_and_goes_on_by_the_keys(
    shop: ManyWays, noon: clock.Frozen
) -> None:
    caller = Caller("0", None, lambda: closes(noon), None, None, None)
    call(caller)
    [told] = [said for said in caller.heard if "오늘 상담 시간이 끝났어요" in said]
    assert "오전 아홉 시" in told
    assert "요금 듣고 내기" in caller.heard[-1], "the first menu again"
    assert not caller.music_on


def test_the_hash_key_leads_back_to_where_the_call_was(shop: ManyWays) -> None:
    caller = at_the_bill("0", "#", None)
    call(caller)
    assert "오만 이천삼백 원" in caller.heard[-1]
    assert not caller.music_on
    assert person().state == "away"


def test_a_place_that_lapsed_while_we_were_away_is_taken_up_again(shop: ManyWays, noon: clock.Frozen) -> None:
    def lapsed() -> str:
        noon.advance(timedelta(minutes=2))
        sweeps.run("line leases")
        assert person().state == "away"
        raise PlaceLost

    def there() -> None:
        assert person().state == "waiting"

    caller = Caller("0", None, lapsed, there, number=PHONE)
    call(caller)
    assert Ticket.objects.count() == 1


def test_whoever_takes_the_call_over_waits_on(shop: ManyWays) -> None:
    entered = another_call(1, phone=PHONE)
    assert queueing.waits("call-1")
    caller = Caller(None, None, number=PHONE)
    call(caller, waits=True)
    assert "전화가 끊겨도 자리는 남아 있어요" in caller.heard[0]
    assert person().pk == entered.ticket.pk


def test_when_nobody_works_the_journey_promises_a_date(shop: ManyWays, noon: clock.Frozen) -> None:
    caller = at_the_bill("0", "1", "1", None)
    noon.advance(timedelta(hours=9))
    call(caller)
    ticket = person()
    assert (ticket.channel, ticket.phone) == ("voice", PHONE)
    assert "전화드릴게요" in " ".join(caller.heard)


def test_who_cannot_use_the_keys_stands_in_line_and_is_not_hung_up_on(shop: ManyWays) -> None:
    caller = Caller(*[None] * 60, number=PHONE)
    call(caller)
    assert person().channel == "call"
    assert not caller.closed


def test_at_night_who_cannot_use_the_keys_is_called_back_by_a_person(shop: ManyWays, noon: clock.Frozen) -> None:
    noon.advance(timedelta(hours=9))
    caller = Caller(*[None] * 60, number=PHONE)
    call(caller)
    assert "전화드릴게요" in " ".join(caller.heard)


def test_at_night_no_number_and_no_keys_is_asked_for_keys(shop: ManyWays, noon: clock.Frozen) -> None:
    noon.advance(timedelta(hours=9))
    caller = Caller("0", None)
    call(caller)
    assert "여섯 자리" in caller.heard[-1]
