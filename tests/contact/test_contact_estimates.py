"""What was told stands in the rows with what became of it."""

from datetime import timedelta

import pytest
from tests.contact.lines import assignment, at_work, call, serve

from doenda.contact.models import Agent, Assignment, Estimate, Ticket
from doenda.contact.queue import agents, entering, estimates, serving
from doenda.contact.rules.waits import History
from doenda.kernel import clock

pytestmark = pytest.mark.usefixtures("db")


def served_before(noon: clock.Frozen, one: Agent, count: int, seconds: float) -> None:
    """`count` customers whom this agent served, each for so many seconds, none of them waiting."""
    for number in range(count):
        call(1000 + number)
        agents.ready(one.pk)
        mine = assignment(one)
        serving.take(mine.pk)
        noon.advance(timedelta(seconds=seconds * 0.8))
        serving.talked(mine.pk)
        noon.advance(timedelta(seconds=seconds * 0.2))
        serving.finish(mine.pk, by="user:lee", words="")


def test_live_rates_are_of_talk_and_wrap_up(noon: clock.Frozen) -> None:
    served_before(noon, at_work(), 20, 150.0)
    past = estimates.history(clock.now())
    assert (past.services, past.service_seconds, past.gone, past.waited_seconds) == (20, 3000.0, 0, 0.0)
    assert past.mu == pytest.approx(1 / 150)
    noon.advance(timedelta(hours=3))
    assert estimates.history(clock.now()) == History()


def test_a_talk_that_goes_on_counts_as_far_as_it_got(noon: clock.Frozen) -> None:
    """Else a centre's first hours show only short talks, and every wait is told too short."""
    one = at_work()
    call(1)
    agents.ready(one.pk)
    serving.take(assignment(one).pk)
    noon.advance(timedelta(seconds=100))
    past = estimates.history(clock.now())
    assert (past.services, past.service_seconds) == (0, 100.0)


def test_those_who_lost_more_calls_come_first_and_lengthen_what_others_are_told(noon: clock.Frozen) -> None:
    one = at_work()
    served_before(noon, one, 20, 150.0)
    waiting = call(1).ticket
    before = estimates.history(clock.now(), waiting)
    other = call(2).ticket
    other.put(lost=4, priority=2)
    past = estimates.history(clock.now(), waiting)
    assert (before.overtakers, past.overtakers) == (0, 1)
    assert past.overtaking == pytest.approx(1 / past.span)
    assert estimates.history(clock.now(), other).overtakers == 0


def test_who_gave_up_counts_by_the_time_they_waited(noon: clock.Frozen) -> None:
    call(1)
    call(2)
    noon.advance(timedelta(seconds=60))
    entering.let_go("call", "call-1", "gone")
    noon.advance(timedelta(seconds=60))
    past = estimates.history(clock.now())
    assert (past.gone, past.waited_seconds) == (1, 180.0)


def test_an_estimate_is_stored_and_settled_when_the_customer_is_served(noon: clock.Frozen) -> None:
    one = at_work()
    served_before(noon, one, 20, 150.0)
    call(1)
    agents.ready(one.pk, shift_until=clock.now() + timedelta(hours=8))
    serving.take(assignment(one).pk)
    waiting = call(2).ticket
    telling = estimates.tell(waiting.pk, "call")
    assert telling.told.minutes is not None
    assert telling.told.position == 1
    row = Estimate.objects.get()
    assert (row.rule, row.agents) == ("qlm", 1)
    assert row.mean == pytest.approx(150.0)
    assert (row.low, row.high) == (60, 240)
    noon.advance(timedelta(seconds=100))
    serve_current(one)
    agents.ready(one.pk)
    serving.take(assignment(one).pk)
    row.refresh_from_db()
    assert (row.outcome, row.waited, row.covered) == ("served", 100.0, True)
    assert row.error == pytest.approx(50.0)
    kept = estimates.kept(clock.now() - timedelta(hours=1))
    assert (kept.served, kept.coverage) == (1, 1.0)
    assert kept.rmse == pytest.approx(50.0)


def serve_current(one: Agent) -> None:
    mine = assignment(one)
    serving.finish(mine.pk, by="user:lee", words="")


def test_one_who_is_there_already_is_told_by_the_new_place_after_a_loss_of_line(noon: clock.Frozen) -> None:
    first, second = call(1).ticket, call(2).ticket
    assert estimates.tell(second.pk, "call").told.position == 2
    entering.let_go("call", "call-1", "dropped")
    told = estimates.tell(second.pk, "call").told
    assert (told.position, told.say_position) == (1, True)
    entering.resume(first.pk, channel="page", call_id="p")
    again = estimates.tell(second.pk, "call").told
    assert (again.position, again.say_position) == (2, False)


def test_agents_who_cannot_serve_me_shorten_no_wait(noon: clock.Frozen) -> None:
    at_work("korean", langs="ko")
    at_work("paused", langs="en")
    agents.pause(Agent.objects.get(user__username="paused").pk, "lunch")
    english = call(1, lang="en").ticket
    found = estimates.crowd(english, clock.now())
    assert (found.agents, found.ready) == (0, 0)
    assert estimates.tell(english.pk, "call").advice.callback_first


def test_others_whom_my_agents_never_serve_do_not_stand_before_me(noon: clock.Frozen) -> None:
    busy = [at_work(name, langs=langs) for name, langs in (("a", "ko"), ("b", "en"))]
    for number, lang in enumerate(("ko", "en", "ko", "ko")):
        call(number, lang=lang)
    for one in busy:
        agents.ready(one.pk)
    mine = call(9, lang="en").ticket
    assert estimates.crowd(mine, clock.now()).ahead == 0
    assert estimates.crowd(call(10, lang="ko").ticket, clock.now()).ahead == 2


def test_a_served_customer_is_told_nothing_more(noon: clock.Frozen) -> None:
    one = at_work()
    call(1)
    agents.ready(one.pk)
    ticket = serve(one)
    estimates.tell(ticket.pk, "page")
    assert not Estimate.objects.exists()
    assert Ticket.objects.get(pk=ticket.pk).state == "done"
    assert Assignment.objects.get().end == "served"
