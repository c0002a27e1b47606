"""With an agent: met, parted, put back, called back; whoever is there is never left without a word."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.channels.callers import Caller, Here, Pressed, call, drive
from tests.channels.doors import PHONE, code_of
from tests.channels.many_ways import ManyWays, many_ways
from tests.contact.lines import assignment, at_work
from tests.contact.lines import call as another_call
from tests.worlds import overdue_bill

from doenda.channels.voice import exchange, waiting
from doenda.channels.voice.calls import Call
from doenda.channels.voice.line import Met, Parted
from doenda.contact import callbacks, numbers
from doenda.contact.models import Agent, Dial, DialDay, Ticket
from doenda.contact.queue import ringing, sweeping
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[ManyWays]:
    with many_ways() as made:
        yield made


def taken() -> UUID:
    """An agent comes to work and takes the first caller."""
    found = assignment(at_work())
    assert exchange.take(found.pk, "call-1") is not None
    return found.pk


def meets() -> str:
    raise Met("talk-1", taken())


def parts(*, again: bool = False) -> Pressed:
    def over() -> str:
        raise Parted(again=again)

    return over


def hangs_up_as_agent() -> str:
    exchange.talked(assignment_now())
    raise Parted


def assignment_now() -> UUID:
    found = exchange.work().offers
    assert [each.talking for each in found] == [True]
    return found[0].assignment


def test_an_agent_takes_the_call_in_the_middle_of_a_sentence(shop: ManyWays) -> None:
    caller = Caller("0", meets, None, hangs_up_as_agent, None, None, number=PHONE)
    call(caller)
    assert caller.joined == ["talk-1"]
    assert "상담이 끝났어요" in caller.heard[-1]
    assert caller.closed, "all is said"
    assert Ticket.objects.get().state == "wrapping_up"


def test_a_talk_that_broke_off_is_put_back_at_the_same_place(shop: ManyWays, noon: clock.Frozen) -> None:
    caller = Caller("0", meets, hangs_up_as_agent, "1", None, number=PHONE)
    call(caller)
    ticket = Ticket.objects.get()
    assert ticket.state == "away", "put back in line; then the caller hung up"
    assert Ticket.objects.count() == 1


def test_a_person_is_there_after_a_talk_as_everywhere(shop: ManyWays) -> None:
    caller = Caller("0", meets, hangs_up_as_agent, "0", None, number=PHONE)
    call(caller)
    assert caller.music_on
    assert not caller.closed


def test_a_key_that_means_nothing_after_a_talk_ends_nothing(shop: ManyWays) -> None:
    caller = Caller("0", meets, hangs_up_as_agent, "7", "1", None, number=PHONE)
    call(caller)
    assert caller.heard[-3] == caller.heard[-2], "what can be pressed is said again"
    assert caller.music_on
    assert not caller.closed


def test_after_the_talk_the_caller_may_go_on_with_the_bill(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    caller = Caller("1", "1", *code_of(bill), "0", meets, hangs_up_as_agent, "#", None, number=PHONE)
    call(caller)
    assert "오만 이천삼백 원" in caller.heard[-1]


def test_who_is_transferred_stands_in_line_again_with_the_same_place(shop: ManyWays) -> None:
    specialist = at_work("park", skills="specialist")
    assert specialist.state == "ready"

    def transferred() -> str:
        assert exchange.transfer(assignment_now(), "2")
        raise Parted(again=True)

    caller = Caller("0", None, meets_one, transferred, None, None, number=PHONE)
    before = clock.now()
    call(caller)
    ticket = Ticket.objects.get()
    assert ticket.skill == "specialist"
    assert ticket.queued_at == before
    assert any("다른 상담원에게" in said for said in caller.heard)


def meets_one() -> str:
    at_work("lee")
    found = exchange.work().offers or [pull_one()]
    assert exchange.take(found[0].assignment, found[0].call_id) is not None
    raise Met("talk-1", found[0].assignment)


def pull_one() -> exchange.Offer:
    sweeps.run("line")
    return exchange.work().offers[0]


def test_nobody_is_transferred_to_where_nobody_works(shop: ManyWays) -> None:
    another_call(1)
    found = taken()
    assert not exchange.transfer(found, "2")
    assert not exchange.transfer(found, "9"), "no such key"
    assert Ticket.objects.get().state == "talking"


def test_nobody_is_transferred_to_who_transfers_or_does_not_speak_the_language_or_pauses(shop: ManyWays) -> None:
    another_call(1)
    one = at_work("lee", skills="specialist")
    found = assignment(Agent.objects.get(pk=one.pk))
    exchange.take(found.pk, "call-1")
    assert not exchange.transfer(found.pk, "2"), "to themselves"
    other = at_work("park", skills="specialist", langs="en")
    assert not exchange.transfer(found.pk, "2"), "in English only"
    Agent.objects.filter(pk=other.pk).update(langs=["ko"], state="paused")
    assert not exchange.transfer(found.pk, "2"), "who pauses"
    Agent.objects.filter(pk=other.pk).update(state="ready")
    assert exchange.transfer(found.pk, "2")


def test_a_talk_of_an_hour_is_a_talk_for_an_hour(shop: ManyWays, noon: clock.Frozen) -> None:
    """Its place was once renewed only in line: after 30 s the agent was taken to write it up, and free after 150."""

    def talks_on() -> None:
        for _ in range(360):
            noon.advance(timedelta(seconds=10))
            drive(waiting.renew(Here(), [caller]))
            sweeping.lapse(100)
        assert Ticket.objects.get().state == "talking"
        assert Agent.objects.get().state == "talking"

    caller = Caller("0", meets, talks_on, hangs_up_as_agent, "1", None, number=PHONE)
    call(caller)
    assert Ticket.objects.get().state == "away", "put back in line; then the caller hung up"


def test_the_next_agent_may_take_the_call_while_the_last_words_of_a_talk_are_said(shop: ManyWays) -> None:
    def again() -> str:
        raise Met("talk-2", assignment_now())

    caller = Caller("0", meets, parts(again=True), again, None, number=PHONE)
    call(caller)
    assert caller.joined == ["talk-1", "talk-2"]


def test_a_caller_who_hangs_up_in_the_talk_leaves_the_agent_to_write_it_up(shop: ManyWays) -> None:
    call(Caller("0", meets, None, number=PHONE))
    assert Ticket.objects.get().state == "wrapping_up"


def test_the_agent_alone_hears_who_it_is(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    heard: list[str] = []

    def whispered() -> str:
        found = assignment(at_work())
        heard.extend(exchange.take(found.pk, "call-1") or ())
        raise Met("talk-1", found.pk)

    caller = Caller("1", "1", *code_of(bill), "0", whispered, None, number=PHONE)
    call(caller)
    assert heard[0].startswith("본인 확인된 고객")
    assert "미납 오만 이천삼백 원." in heard
    assert not any("본인 확인된" in said for said in caller.heard)


def test_an_agent_who_does_not_answer_loses_the_offer_and_the_caller_nothing(shop: ManyWays) -> None:
    first = another_call(1)
    lee = at_work()
    exchange.not_taken(assignment(lee).pk, refused=False)
    lee.refresh_from_db()
    assert lee.state == "paused"
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.queued_at) == ("waiting", first.ticket.queued_at)


def test_relay_calls_for_the_deaf_are_known_as_such(shop: ManyWays) -> None:
    another_call(1, phone="107")
    assert "손말이음 중계 전화예요." in (exchange.take(assignment(at_work()).pk, "call-1") or ())


# --- calling back


@pytest.fixture
def trunk(settings: object) -> Iterator[None]:
    before = ringing.dials_while(lambda: True)
    yield
    ringing.dials_while(before)


def dialled(phone: str = "+821030000001") -> exchange.Ring:
    """A caller who asked for a callback whose turn has come."""
    entered = another_call(1, phone=phone)
    with atomic():
        numbers.prove(phone, None, "test")

    callbacks.plan(entered.ticket.pk)
    at_work()
    sweeps.run("callbacks")
    [ring] = exchange.work().rings
    return ring


class WeCall(Caller):
    """A customer's telephone that we ring."""

    def __init__(self, ring: exchange.Ring, *script: Pressed) -> None:
        super().__init__(*script, number=ring.number)
        self.id, self.ring = f"dial-{ring.dial}", ring

    def answers(self) -> bool:
        """Whether somebody wanted it."""
        found: list[bool] = []

        async def wanted() -> object:
            return exchange.answered(self.ring.dial, self.id)

        async def called() -> None:
            found.append(await Call(self, Here(), lang="ko").called(wanted))

        drive(called())
        return found[0]


def test_who_is_called_back_presses_one_and_is_at_the_same_place(shop: ManyWays, trunk: None) -> None:
    ring = dialled()
    queued = Ticket.objects.get().queued_at
    customer = WeCall(ring, "1", None, None)
    assert customer.answers()
    assert "된다통신이에요" in customer.heard[0]
    assert "요금" not in customer.heard[0], "who answers a telephone may be anybody"
    assert Dial.objects.get().end == "answered"
    assert Ticket.objects.get().queued_at == queued


def test_an_answering_machine_is_nobody_and_is_rung_again_later(shop: ManyWays, trunk: None) -> None:
    ring = dialled()
    machine = WeCall(ring, None, None, None, None, None)
    assert not machine.answers()
    assert machine.closed
    exchange.not_reached(ring.dial, "silent")
    assert Ticket.objects.get().state == "callback"
    assert exchange.work().rings == ()


def test_who_called_meanwhile_is_told_so(shop: ManyWays, trunk: None) -> None:
    ring = dialled()
    another_call(9, phone=ring.number)
    customer = WeCall(ring, "1", None)
    assert customer.answers()
    assert "필요 없다고" in customer.heard[-1]


def test_a_call_costs_its_begun_minutes(shop: ManyWays, trunk: None) -> None:
    ring = dialled()
    exchange.not_wanted(ring.dial)
    exchange.costed(ring.dial, 61.0)
    assert Dial.objects.get().cost == 2 * 87
    assert DialDay.objects.get().spent == 2 * 87


def test_a_call_that_nobody_answers_costs_nothing_of_the_days_money(shop: ManyWays, trunk: None) -> None:
    ring = dialled()
    assert DialDay.objects.get().spent > 0, "set aside"
    exchange.not_reached(ring.dial, "busy")
    assert DialDay.objects.get().spent == 0


def test_a_call_that_was_taken_over_costs_from_its_first_ring(shop: ManyWays, trunk: None, noon: clock.Frozen) -> None:
    ring = dialled()
    noon.advance(timedelta(seconds=130))
    exchange.costed(ring.dial, None)
    assert DialDay.objects.get().spent == 3 * 87


def test_nobody_is_rung_without_a_trunk_or_while_nobody_serves_the_telephone(
    db: None, settings: Any, noon: clock.Frozen
) -> None:
    settings.DOENDA_TRUNK_DIAL = ""
    assert exchange.mine("one", connected=True)
    assert not exchange.can_ring(), "no trunk"
    settings.DOENDA_TRUNK_DIAL = "PJSIP/{number}@trunk"
    assert exchange.mine("one")
    assert not exchange.can_ring(), "Asterisk is away"
    assert exchange.mine("one", connected=True)
    assert exchange.can_ring()
    assert not exchange.mine("other", connected=True), "one at a time"
    noon.advance(exchange.HELD_FOR)
    assert not exchange.can_ring()
    assert exchange.mine("other")
    exchange.give_back("other")
    assert exchange.mine("one")
