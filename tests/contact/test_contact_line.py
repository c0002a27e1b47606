"""The line in the rows: one place a customer on every channel, kept when a call drops, served in strict order."""

from datetime import timedelta

import pytest
from tests.contact.lines import assignment, at_work, call, offered_to, serve
from tests.worlds import overdue_bill, world

from doenda.billing.models import Bill
from doenda.contact import policy, tickets
from doenda.contact.models import Agent, Assignment, Holding, Ticket
from doenda.contact.queue import agents, entering, rows, serving, sweeping
from doenda.dunning import holds
from doenda.kernel import clock


@pytest.fixture
def bill(db: None, noon: clock.Frozen) -> Bill:
    with world():
        return overdue_bill()


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def drop(number: int) -> None:
    entering.let_go("call", f"call-{number}", "dropped")


@pytest.mark.usefixtures("db")
def test_a_dropped_call_that_calls_again_has_its_place(noon: clock.Frozen) -> None:
    first = call(1).ticket
    noon.advance(timedelta(minutes=1))
    call(2)
    drop(1)
    assert again(first).state == "away"
    noon.advance(timedelta(minutes=14))
    resumed = entering.enter(channel="call", call_id="another", lang="ko", phone=first.phone)
    assert resumed.resumed
    assert (resumed.ticket.pk, resumed.ticket.queued_at) == (first.pk, first.queued_at)
    assert offered_to(at_work()) == first


def test_a_web_callback_a_call_and_a_page_are_one_place(bill: Bill, noon: clock.Frozen) -> None:
    on_web, _ = tickets.open_ticket(
        "person", key="w", channel="web", lang="ko", account_id=bill.account_id, bill_id=bill.id, phone="+821011112222"
    )
    noon.advance(timedelta(minutes=5))
    called = entering.enter(channel="call", call_id="c", lang="ko", account_id=bill.account_id, phone="+821011112222")
    paged = entering.resume(on_web.pk, channel="page", call_id="p")
    assert {called.ticket.pk, paged.ticket.pk} == {on_web.pk}
    assert again(on_web).queued_at == on_web.queued_at
    entering.let_go("call", "c", "dropped")
    assert again(on_web).state == "waiting"  # the page still holds it
    assert Holding.objects.get(call_id="c").end == "moved"  # and nobody gave up
    entering.let_go("page", "p", "dropped")
    assert again(on_web).state == "away"


@pytest.mark.usefixtures("db")
def test_a_call_reported_twice_stands_once(noon: clock.Frozen) -> None:
    assert call(1).ticket == call(1).ticket
    assert Holding.objects.count() == 1


@pytest.mark.usefixtures("db")
def test_two_weeks_of_lost_calls_are_one_customer_who_goes_first(noon: clock.Frozen) -> None:
    start = clock.now()
    for day in range(10):
        noon.set(start + timedelta(days=day))
        entering.enter(channel="call", call_id=f"day-{day}", lang="ko", phone="+821099998888")
        entering.let_go("call", f"day-{day}", "gone")
        noon.advance(timedelta(minutes=20))
        sweeping.lapse(100)
    noon.set(start + timedelta(days=10))
    others = call(1).ticket
    noon.advance(timedelta(minutes=1))
    entered = entering.enter(channel="call", call_id="at last", lang="ko", phone="+821099998888")
    assert entered.ticket.lost == 10
    assert Ticket.objects.filter(phone="+821099998888", state="gone", joined_into=None).count() == 0
    assert entered.ticket.priority == 3
    one = at_work()
    assert offered_to(one) == entered.ticket
    serve(one)
    assert offered_to(at_work()) == others


@pytest.mark.usefixtures("db")
def test_a_place_not_taken_up_again_is_a_lost_contact(noon: clock.Frozen) -> None:
    ticket = call(1).ticket
    drop(1)
    noon.advance(policy.current().place_kept + timedelta(seconds=1))
    sweeping.lapse(100)
    assert (again(ticket).state, again(ticket).lost) == ("gone", 1)
    fresh = call(2, phone=ticket.phone).ticket
    assert fresh.pk != ticket.pk
    assert again(ticket).joined_into_id == fresh.pk


@pytest.mark.usefixtures("db")
def test_a_call_nobody_speaks_of_any_more_is_no_ghost(noon: clock.Frozen) -> None:
    ticket = call(1).ticket
    noon.advance(timedelta(seconds=20))
    assert entering.renew("call", ["call-1"])
    noon.advance(timedelta(seconds=20))
    sweeping.lapse(100)
    assert again(ticket).state == "waiting"
    noon.advance(timedelta(seconds=31))
    sweeping.lapse(100)
    assert again(ticket).state == "away"
    assert not entering.renew("call", ["call-1"])
    assert offered_to(at_work()) is None


@pytest.mark.usefixtures("db")
def test_service_is_in_strict_order_of_those_the_agent_can_serve(noon: clock.Frozen) -> None:
    for number in range(13):
        noon.advance(timedelta(seconds=1))
        call(number, lang="en" if number % 3 == 0 else "ko", skill="debt" if number == 4 else "")
    one = at_work(langs="ko")
    served = []
    while offered_to(one) is not None:
        served.append(serve(one).phone[-2:])
        agents.ready(one.pk)
    assert served == [f"{number:02d}" for number in range(13) if number % 3 and number != 4]


@pytest.mark.usefixtures("db")
def test_a_silent_agent_loses_the_offer_and_is_paused_and_the_customer_loses_nothing(noon: clock.Frozen) -> None:
    ticket = call(1).ticket
    silent = at_work("silent")
    lost = assignment(silent)
    noon.advance(policy.current().offer + timedelta(seconds=1))
    entering.renew("call", ["call-1"])
    sweeping.lapse(100)
    silent.refresh_from_db()
    assert (silent.state, silent.reason) == ("paused", "did not answer")
    call(2)
    awake = at_work("awake")
    assert offered_to(awake) == ticket
    with pytest.raises(serving.NotYours):
        serving.take(lost.pk)


@pytest.mark.usefixtures("db")
def test_wrap_up_is_honoured_and_a_freed_agent_pulls_at_once(noon: clock.Frozen) -> None:
    call(1)
    one = at_work()
    mine = assignment(one)
    serving.take(mine.pk)
    serving.talked(mine.pk)
    second = call(2).ticket
    sweeping.pull_for_the_free(100)
    one.refresh_from_db()
    assert one.state == "wrap_up"
    assert again(second).state == "waiting"
    serving.finish(mine.pk, by="user:lee", words="helped")
    agents.ready(one.pk)
    assert offered_to(one) == second


@pytest.mark.usefixtures("db")
def test_a_pause_asked_for_during_a_talk_comes_after_the_wrap_up(noon: clock.Frozen) -> None:
    call(1)
    call(2)
    one = at_work()
    agents.pause(one.pk, "lunch")
    serve(one)
    one.refresh_from_db()
    assert (one.state, one.reason) == ("paused", "lunch")
    assert sweeping.pull_for_the_free(100) == 0


@pytest.mark.usefixtures("db")
def test_an_agent_whose_desk_or_shift_is_over_is_offered_nobody(noon: clock.Frozen) -> None:
    one = at_work()
    noon.advance(policy.current().desk_lease + timedelta(seconds=1))
    sweeping.lapse(100)
    one.refresh_from_db()
    assert (one.state, one.reason) == ("out", "the desk is not there")


@pytest.mark.usefixtures("db")
def test_no_agent_is_stuck_and_no_customer_forgotten_after_a_crash(noon: clock.Frozen) -> None:
    """Everything stops while one is offered, one talks, one is wrapped up; nobody renews anything any more."""
    for number in range(3):
        call(number)
    offered, talking, wrapping = (at_work(name) for name in ("offered", "talking", "wrapping"))
    serving.take(assignment(talking).pk)
    serving.take(assignment(wrapping).pk)
    serving.talked(assignment(wrapping).pk)
    for _ in range(4):
        noon.advance(timedelta(minutes=10))
        sweeping.lapse(100)
    assert not Assignment.objects.filter(ended_at=None).exists()
    assert not Holding.objects.filter(ended_at=None).exists()
    assert set(Agent.objects.values_list("state", flat=True)) <= {"out", "paused"}
    assert sorted(Ticket.objects.values_list("state", flat=True)) == ["done", "done", "gone"]
    assert offered_to(offered) is None


def test_answering_at_the_desk_frees_whoever_had_the_ticket(bill: Bill) -> None:
    ticket = entering.enter(channel="call", call_id="c", lang="ko", account_id=bill.account_id).ticket
    assert holds.running(bill.account_id)
    one = at_work()
    tickets.answer(ticket.pk, by="user:kim", words="helped in the shop")
    one.refresh_from_db()
    assert one.state == "ready"
    assert not holds.running(bill.account_id)
    assert not Holding.objects.filter(ended_at=None).exists()


@pytest.mark.usefixtures("db")
def test_a_talk_that_broke_goes_back_to_the_same_place(noon: clock.Frozen) -> None:
    ticket = call(1).ticket
    noon.advance(timedelta(minutes=1))
    one = at_work()
    call(2)
    mine = assignment(one)
    serving.take(mine.pk)
    entering.let_go("call", "call-1", "dropped")
    serving.put_back(mine.pk)
    assert again(ticket).state == "away"
    call(3, phone=ticket.phone)
    agents.ready(one.pk)
    assert offered_to(one) == ticket


@pytest.mark.usefixtures("db")
def test_long_waiting_rises_set_wise_as_the_rule_says(noon: clock.Frozen) -> None:
    from doenda.contact.rules.order import priority

    made = [call(number).ticket for number in range(8)]
    for number, ticket in enumerate(made):
        Ticket.objects.filter(pk=ticket.pk).update(
            lost=number, queued_at=clock.now() - timedelta(seconds=599.5 * number)
        )
    sweeping.pull_for_the_free(100)
    for number, ticket in enumerate(made):
        assert again(ticket).priority == priority(number, 599.5 * number, policy.current().rises)


@pytest.mark.usefixtures("db")
def test_rows_and_rule_name_the_same_next_customer(noon: clock.Frozen) -> None:
    from doenda.contact.rules.order import Line

    for number in range(12):
        made = call(number, lang=("ko", "en")[number % 2], skill=("", "debt", "roaming")[number % 3])
        Ticket.objects.filter(pk=made.ticket.pk).update(priority=number * 7 % 4)
    one = at_work(langs="en", skills="debt")
    offer = offered_to(one)
    assert offer is not None
    Ticket.objects.filter(pk=offer.pk).update(state="waiting")
    chosen = Line(rows.places(clock.now())).next_for(rows.desk(one), [rows.desk(one)])
    assert chosen is not None
    assert chosen.id == offer.id.int


def test_whoever_shows_an_account_of_their_own_holds_no_place_of_somebody_elses_number(
    bill: Bill, noon: clock.Frozen
) -> None:
    """A forged number stood at its owner's place; then the forger's own account made it "known for sure"."""
    with world():
        own = overdue_bill(52_300, number="B-forger", phone="+821077770000")
    victims = entering.enter(channel="page", call_id="v", lang="ko", account_id=bill.account_id, phone="+821011112222")
    forged = entering.enter(channel="call", call_id="f", lang="ko", phone="+821011112222")
    assert forged.ticket.pk != victims.ticket.pk, "by a number alone nobody comes to an account's place"
    shown = entering.enter(channel="call", call_id="f", lang="ko", phone="+821011112222", account_id=own.account_id)
    assert shown.ticket.account_id == own.account_id
    assert shown.holding.proven
    assert list(Holding.objects.filter(ticket=victims.ticket, ended_at=None).values_list("channel", "proven")) == [
        ("page", True)
    ]
    assert again(victims.ticket).state == "waiting"
