"""Calling back: the same place without a channel, dialled in turn, once at a time, to numbers that are theirs."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contact.lines import assignment, at_work, call, offered_to
from tests.contact.test_contact_order import places
from tests.worlds import overdue_bill, world

from doenda.billing.models import Bill, Line
from doenda.contact import callbacks, dialling, hours, numbers, policy, tickets, windows
from doenda.contact.models import Dial, DialDay, ProvenNumber, Ticket
from doenda.contact.queue import agents, entering, ringing, serving, sweeping
from doenda.contact.rules import callback
from doenda.contact.rules.callback import Refused
from doenda.contact.rules.order import Line as PureLine
from doenda.contact.rules.order import Place
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.models import FactRow

MINE = "+821030000001"


@pytest.fixture
def bill(db: None, noon: clock.Frozen) -> Bill:
    with world():
        return overdue_bill()


@pytest.fixture(autouse=True)
def telephone() -> Iterator[None]:
    """A fake that can always ring: what it should do it learns from the facts, like the real one."""
    before = ringing.dials_while(lambda: True)
    yield
    ringing.dials_while(before)


def planned(number: int, *, wanted: str = "soonest") -> Ticket:
    """A caller who chose to be called back, at a number that proved itself."""
    ticket = call(number).ticket
    numbers.prove(ticket.phone, None, "code")
    return callbacks.plan(ticket.pk, wanted=wanted).ticket


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def free_agent(name: str = "lee") -> None:
    agents.ready(at_work(name).pk)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+12125550100", "foreign"),
        ("+88216123456", "foreign"),  # satellite
        ("+870773111632", "foreign"),  # satellite
        ("+82114", "short"),
        ("114", "short"),
        ("+8260700123", "invalid"),  # premium
        ("+82215771577000", "invalid"),
        ("+8215771577", "costly"),
        ("+827012345678", "costly"),
        ("+825012345678", "costly"),
        ("+82601234567", "invalid"),
    ],
)
def test_numbers_that_a_machine_never_rings(number: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        callback.range_of(number, "KR")
    assert str(refused.value) == reason


def test_home_mobiles_and_landlines_are_rung() -> None:
    assert callback.range_of("+821012345678", "KR") == "mobile"
    assert callback.range_of("+82212345678", "KR") == "landline"


def test_only_the_accounts_own_number_or_one_that_proved_itself_is_rung(bill: Bill) -> None:
    own = Line.objects.filter(account=bill.account_id).values_list("number", flat=True)[0]
    assert numbers.may_dial(own, bill.account_id)
    with pytest.raises(Refused, match="unproven"):
        numbers.may_dial(own, None)
    with pytest.raises(Refused, match="unproven"):
        numbers.may_dial("+821055556666", bill.account_id)
    numbers.prove("+821055556666", bill.account_id, "code")
    numbers.prove("+821055556666", bill.account_id, "code")
    assert ProvenNumber.objects.count() == 1
    assert numbers.may_dial("+821055556666", bill.account_id) == "mobile"
    Line.objects.filter(number=own).update(lost=True)
    with pytest.raises(Refused, match="unproven"):
        numbers.may_dial(own, bill.account_id)


def test_a_refused_number_leaves_the_caller_where_they_stood(bill: Bill) -> None:
    waiting = call(1).ticket
    with pytest.raises(Refused):
        callbacks.plan(waiting.pk, phone="+821077778888")
    assert (again(waiting).state, again(waiting).phone) == ("waiting", MINE)


def test_asking_on_the_page_with_ones_own_number_is_a_place_in_line_and_with_another_the_desks(bill: Bill) -> None:
    own = Line.objects.filter(account=bill.account_id).values_list("number", flat=True)[0]
    mine, _ = tickets.open_ticket(
        "person", key="a", channel="web", lang="ko", account_id=bill.account_id, phone=own, wanted="afternoon"
    )
    other, _ = tickets.open_ticket("person", key="b", channel="web", lang="ko", phone="+821055556666")
    assert (again(mine).state, again(other).state) == ("callback", "desk")
    assert again(mine).window_from == clock.at(date(2014, 10, 22), 13)


@pytest.mark.usefixtures("db")
def test_a_callback_keeps_its_place_neither_jumping_nor_losing_it(noon: clock.Frozen) -> None:
    """VQPlus and Twilio's plugin put callbacks first; ours is served exactly where it stood."""
    before = call(2).ticket
    noon.advance(timedelta(seconds=1))
    mine = planned(1)
    noon.advance(timedelta(seconds=1))
    after = call(3).ticket
    one, two = at_work("one"), at_work("two")
    assert offered_to(one) == before
    assert dialling.dial_due(100) == 1
    assert offered_to(two) is None  # kept for whom it rings
    sweeping.pull_for_the_free(100)
    assert again(after).state == "waiting"
    entered = dialling.answered(Dial.objects.get().pk, channel="call", call_id="ours")
    assert entered is not None
    assert entered.ticket.queued_at == mine.queued_at
    sweeping.pull_for_the_free(100)
    assert offered_to(two) == mine


@pytest.mark.usefixtures("db")
def test_a_callback_whose_turn_it_is_is_not_passed_over_before_it_rings(noon: clock.Frozen) -> None:
    planned(1)
    noon.advance(timedelta(seconds=1))
    call(2)
    one = at_work()
    assert offered_to(one) is None
    assert dialling.dial_due(100) == 1


@pytest.mark.usefixtures("db")
def test_while_nothing_can_ring_a_callback_holds_up_nobody(noon: clock.Frozen) -> None:
    planned(1)
    noon.advance(timedelta(seconds=1))
    second = call(2).ticket
    ringing.dials_while(lambda: False)
    assert dialling.dial_due(100) == 0
    assert offered_to(at_work()) == second


@pytest.mark.usefixtures("db")
def test_never_more_calls_ring_than_agents_are_free(noon: clock.Frozen) -> None:
    for number in range(6):
        planned(number)
    assert dialling.dial_due(100) == 0
    for count in range(1, 4):
        free_agent(f"agent-{count}")
        assert dialling.dial_due(100) == 1
        assert dialling.dial_due(100) == 0
        assert Dial.objects.filter(ended_at=None).count() == count


@given(places, st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_the_rule_of_dialling(found: list[Place], free: int, coming: int, in_flight: int) -> None:
    line = PureLine(found)
    due = callback.due(line, free=free, coming=coming, in_flight=in_flight)
    assert len(due) + in_flight <= max(free, in_flight)
    assert all(line.ahead(place) + 1 <= free + coming for place in due)
    assert all(place.standing == "callback" for place in due)
    assert due == sorted(due, key=lambda one: one.key)


@pytest.mark.usefixtures("db")
def test_an_unanswered_call_is_tried_again_after_its_pauses_and_then_a_person_has_it(noon: clock.Frozen) -> None:
    ticket = planned(1, wanted="soonest")
    free_agent()
    rules = policy.current().callback
    for pause in rules.pauses:
        assert dialling.dial_due(100) == 1
        dialling.ended(Dial.objects.get(ended_at=None).pk, "silent")
        assert again(ticket).queued_at == ticket.queued_at
        noon.advance(timedelta(seconds=pause - 1))
        agents.ready(at_work().pk)
        assert dialling.dial_due(100) == 0
        noon.advance(timedelta(seconds=2))
    agents.ready(at_work().pk)
    assert dialling.dial_due(100) == 1
    dialling.ended(Dial.objects.get(ended_at=None).pk, "busy")
    assert again(ticket).state == "desk"
    assert "not reached in 4 calls" in again(ticket).words
    assert again(ticket).answer_by > clock.now()


@pytest.mark.usefixtures("db")
def test_a_customer_who_calls_while_we_ring_is_there_and_our_call_is_withdrawn(noon: clock.Frozen) -> None:
    ticket = planned(1)
    free_agent()
    dialling.dial_due(100)
    dial = Dial.objects.get()
    entered = entering.enter(channel="call", call_id="theirs", lang="ko", phone=MINE)
    assert entered.ticket == ticket
    dial.refresh_from_db()
    assert dial.end == "came"
    assert FactRow.objects.filter(kind="contact.dial_ended").exists()
    assert dialling.answered(dial.pk, channel="call", call_id="ours") is None


@pytest.mark.usefixtures("db")
def test_who_asked_to_be_called_back_and_calls_and_hangs_up_is_still_called_back(noon: clock.Frozen) -> None:
    ticket = planned(1)
    entering.enter(channel="call", call_id="theirs", lang="ko", phone=MINE)
    entering.let_go("call", "theirs", "gone")
    assert again(ticket).state == "callback"
    free_agent()
    assert dialling.dial_due(100) == 1


@pytest.mark.usefixtures("db")
def test_a_call_that_we_hear_no_more_of_ends_by_itself(noon: clock.Frozen) -> None:
    planned(1)
    free_agent()
    dialling.dial_due(100)
    noon.advance(policy.current().callback.lease + timedelta(seconds=1))
    dialling.dial_due(100)
    assert Dial.objects.get().end == "failed"


@pytest.mark.usefixtures("db")
def test_the_days_money_stops_the_calls_and_they_hold_up_nobody(noon: clock.Frozen) -> None:
    money = policy.current().callback.money
    planned(1)
    DialDay.objects.create(day=clock.today(), spent=money.most_a_day - money.reserved("mobile"), most=money.most_a_day)
    free_agent()
    assert dialling.dial_due(100) == 1
    dial = Dial.objects.get()
    planned(2)
    free_agent("two")
    assert dialling.dial_due(100) == 0
    dialling.ended(dial.pk, "busy", cost=0)
    dialling.costed(dial.pk, 500)
    assert DialDay.objects.get().spent == money.most_a_day - money.reserved("mobile")
    assert dialling.dial_due(100) == 1


@pytest.mark.usefixtures("db")
def test_nobody_is_rung_outside_their_window_the_hours_or_in_quiet_ones(noon: clock.Frozen) -> None:
    ticket = planned(1, wanted="evening")
    free_agent()
    assert dialling.dial_due(100) == 0
    assert again(ticket).window_from == clock.at(date(2014, 10, 22), 17)
    noon.set(clock.at(date(2014, 10, 22), 17, 1))
    agents.ready(at_work().pk)
    assert dialling.dial_due(100) == 1
    dialling.ended(Dial.objects.get().pk, "silent")
    noon.set(clock.at(date(2014, 10, 22), 18, 1))
    agents.ready(at_work().pk)
    assert dialling.dial_due(100) == 0
    callbacks.roll(100)
    assert again(ticket).window_from == clock.at(date(2014, 10, 23), 17)
    assert again(ticket).queued_at == ticket.queued_at


def test_windows_fall_in_opening_hours_of_working_days(noon: clock.Frozen) -> None:
    centre, rules = hours.hours(), policy.current().callback
    friday = clock.at(date(2014, 10, 24), 17, 30)
    assert windows.window("soonest", friday, centre, rules) == (friday, clock.at(date(2014, 10, 24), 18))
    closed = clock.at(date(2014, 10, 24), 22)
    monday = clock.at(date(2014, 10, 27), 9)
    assert windows.window("soonest", closed, centre, rules)[0] == monday
    assert windows.window("morning", friday, centre, rules) == (monday, clock.at(date(2014, 10, 27), 12))
    running = clock.at(date(2014, 10, 24), 14)
    assert windows.window("afternoon", running, centre, rules) == (running, clock.at(date(2014, 10, 24), 16))


@given(st.datetimes(), st.sampled_from(["soonest", "morning", "afternoon", "evening"]))
def test_every_window_is_open_awake_and_to_come(naive: object, wanted: str) -> None:
    from datetime import UTC, datetime

    assert isinstance(naive, datetime)
    now = naive.replace(year=2014, tzinfo=UTC) if (naive.month, naive.day) != (2, 29) else clock.now()
    centre, rules = hours.hours(), policy.current().callback
    begins, ends = windows.window(wanted, now, centre, rules)
    assert now <= begins < ends <= begins + rules.window
    assert centre.is_open(begins)
    assert not windows.quiet(begins, rules)
    assert begins < now + timedelta(days=12)


def test_a_date_that_was_told_is_kept_though_they_called_and_hung_up(bill: Bill, noon: clock.Frozen) -> None:
    ticket, _ = tickets.open_ticket(
        "person", key="w", channel="web", lang="ko", account_id=bill.account_id, phone="+821055556666"
    )
    entering.enter(channel="call", call_id="c", lang="ko", account_id=bill.account_id)
    entering.let_go("call", "c", "gone")
    noon.advance(timedelta(minutes=20))
    sweeping.lapse(100)
    assert (again(ticket).state, again(ticket).lost, again(ticket).closed_at) == ("desk", 1, None)


@pytest.mark.usefixtures("db")
def test_a_called_back_customer_who_is_served_is_called_no_more(noon: clock.Frozen) -> None:
    planned(1)
    one = at_work()
    dialling.dial_due(100)
    dialling.answered(Dial.objects.get().pk, channel="call", call_id="ours")
    agents.ready(one.pk)
    mine = assignment(one)
    serving.take(mine.pk)
    serving.finish(mine.pk, by="user:lee", words="helped")
    agents.ready(one.pk)
    assert dialling.dial_due(100) == 0
    with pytest.raises(callbacks.NotWaiting), atomic():
        callbacks.plan(Ticket.objects.get().pk)


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        ("01012345678", "+821012345678"),
        ("+821012345678", "+821012345678"),
        ("0220141023", "+82220141023"),
        ("107", "107"),
        ("", ""),
        ("anonymous", ""),
        ("Anonymous <sip:x>", ""),
        ("٠١٠١٢٣٤٥٦٧٨", ""),
        ("9" * 40, ""),
    ],
)
def test_a_number_as_the_network_shows_it_is_kept_in_one_form(shown: str, kept: str) -> None:
    assert numbers.shown(shown) == kept
