"""The line with real connections: two agents, two calls, one place each."""

import threading
from collections.abc import Callable
from datetime import date

import pytest
from django.db import IntegrityError, connection
from tests.contact.lines import agent, call

from doenda.contact import callbacks, dialling, numbers
from doenda.contact.models import Agent, Assignment, Dial, Holding, Ticket
from doenda.contact.queue import entering, ringing, serving
from doenda.kernel import clock
from doenda.kernel.db import atomic


def together(*works: Callable[[], object]) -> list[BaseException]:
    """Run all at once, each with a connection of its own. Returns what went wrong."""
    wrong: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(10)
            work()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    return wrong


def ready(name: str) -> Agent:
    made = agent(name)
    with atomic():
        made.put(state="ready")
    return made


@pytest.mark.usefixtures("committed_db")
def test_eight_agents_freed_at_once_take_the_first_eight() -> None:
    made = [call(number).ticket for number in range(13)]
    agents = [ready(f"agent-{number}") for number in range(8)]
    assert together(*(lambda one=one: serving.pull(one.pk) for one in agents)) == []
    offered = list(Assignment.objects.values_list("ticket", "agent"))
    assert {ticket for ticket, _ in offered} == {ticket.pk for ticket in made[:8]}
    assert len({who for _, who in offered}) == len(offered) == 8


@pytest.mark.usefixtures("committed_db")
def test_a_head_whose_row_is_locked_for_a_moment_is_not_passed_over() -> None:
    """Its customer opens the page just while an agent pulls: freeswitch#2511 served the eighth first."""
    first, _second = call(1).ticket, call(2)
    one = ready("lee")
    locked, go = threading.Event(), threading.Event()

    def touch() -> None:
        with atomic():
            Ticket.objects.select_for_update().get(pk=first.pk)
            locked.set()
            go.wait(10)

    def pull() -> None:
        locked.wait(10)
        threading.Timer(0.3, go.set).start()
        serving.pull(one.pk)

    assert together(touch, pull) == []
    assert Assignment.objects.get().ticket_id == first.pk


@pytest.mark.usefixtures("committed_db")
def test_six_calls_of_one_number_at_once_are_one_place() -> None:
    works = [lambda n=n: call(n, phone="+821012345678") for n in range(6)]
    assert together(*works) == []
    assert Ticket.objects.count() == 1
    assert Holding.objects.filter(ended_at=None).count() == 6


@pytest.mark.usefixtures("committed_db")
def test_a_customer_who_hangs_up_while_being_offered_leaves_no_agent_stuck() -> None:
    for number in range(12):
        ticket, one = call(number).ticket, ready(f"agent-{number}")
        gone = together(
            lambda one=one: serving.pull(one.pk),  # type: ignore[misc]
            lambda number=number: entering.let_go("call", f"call-{number}", "gone"),  # type: ignore[misc]
        )
        assert gone == []
        ticket.refresh_from_db()
        one.refresh_from_db()
        assert (ticket.state, one.state) == ("away", "ready")
        assert not Assignment.objects.filter(ended_at=None).exists()
        with atomic():
            one.put(state="out")


@pytest.mark.usefixtures("committed_db")
def test_an_agent_who_answers_just_as_the_customer_hangs_up_is_left_with_a_talk_or_with_nobody() -> None:
    for number in range(10):
        ticket, one = call(number).ticket, ready(f"agent-{number}")
        offer = serving.pull(one.pk)
        assert offer is not None
        wrong = together(
            lambda offer=offer: serving.take(offer.pk),  # type: ignore[misc]
            lambda number=number: entering.let_go("call", f"call-{number}", "gone"),  # type: ignore[misc]
        )
        ticket.refresh_from_db()
        one.refresh_from_db()
        if wrong:
            assert isinstance(wrong[0], serving.NotYours)
            assert (ticket.state, one.state) == ("away", "ready")
        else:
            assert (ticket.state, one.state) == ("wrapping_up", "wrap_up")
        with atomic():
            one.put(state="out")


@pytest.mark.usefixtures("committed_db")
def test_a_number_is_rung_once_though_two_tickets_and_three_workers_want_to() -> None:
    """FreePBX rang one customer two or three times at once."""
    with clock.freeze(clock.at(date(2014, 10, 22), 12)):
        numbers.prove("+821012345678", None, "code")
        first = callbacks.plan(call(1, phone="+821012345678").ticket.pk)
        with atomic():
            other = call(2, phone="+821087654321").ticket
            other.put(phone="+821012345678", state="callback", window_from=first.begins, window_until=first.ends)
        for name in ("one", "two", "three"):
            ready(name)
        before = ringing.dials_while(lambda: True)
        try:
            assert together(*[lambda: dialling.dial_due(100)] * 3) == []
        finally:
            ringing.dials_while(before)
    assert Dial.objects.count() == 1


@pytest.mark.usefixtures("committed_db")
def test_one_ticket_one_agent_by_the_database_itself() -> None:
    ticket = call(1).ticket
    one, two = agent("one"), agent("two")
    with atomic():
        Assignment(ticket=ticket, agent=one, lease_until=clock.now()).insert()
    for other, whose in ((ticket, two), (call(2).ticket, one)):
        with pytest.raises(IntegrityError), atomic():
            Assignment(ticket=other, agent=whose, lease_until=clock.now()).insert()
