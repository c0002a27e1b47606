from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from doenda.dunning.clock import Stop, counted, due_day, last_free_day, reached
from doenda.dunning.words import HoldKind
from doenda.kernel import clock

DUE = date(2014, 10, 25)


def stop(first: date, last: date | None, kind: HoldKind = HoldKind.OUR_FAULT) -> Stop:
    return Stop(kind, clock.at(first, 10), None if last is None else clock.at(last, 11))


days = st.dates(date(2014, 9, 1), date(2015, 3, 31))
some_stops = st.lists(
    st.tuples(days, st.integers(0, 20)).map(lambda one: stop(one[0], one[0] + timedelta(one[1]))), max_size=5
)


@given(days, st.integers(0, 60), some_stops)
def test_the_quick_count_agrees_with_counting_day_by_day(after: date, length: int, stops: list[Stop]) -> None:
    upto = after + timedelta(length)
    by_hand = sum(not any(each.covers(after + timedelta(ahead)) for each in stops) for ahead in range(1, length + 1))
    assert counted(after, upto, stops) == by_hand


@given(days, st.integers(1, 60), some_stops)
def test_a_number_of_days_is_reached_on_the_first_day_on_which_they_count(
    after: date, need: int, stops: list[Stop]
) -> None:
    day = reached(after, need, stops)
    assert day is not None
    assert counted(after, day, stops) == need
    assert counted(after, day - timedelta(1), stops) == need - 1


@given(days, st.integers(0, 60), some_stops, some_stops)
def test_one_more_stop_never_makes_a_date_earlier(after: date, need: int, stops: list[Stop], more: list[Stop]) -> None:
    first, later = reached(after, need, stops), reached(after, need, stops + more)
    assert first is not None
    assert later is not None
    assert later >= first
    free, free_later = last_free_day(after, stops), last_free_day(after, stops + more)
    assert free is not None
    assert free_later is not None
    assert free_later >= free


def test_an_open_stop_stops_the_clock_for_good() -> None:
    assert reached(DUE, 5, [stop(DUE + timedelta(2), None)]) is None
    assert reached(DUE, 1, [stop(DUE + timedelta(2), None)]) == DUE + timedelta(1)


def test_kb8_days_count_from_the_due_date_never_from_the_bill_date() -> None:
    assert due_day(DUE, []) == DUE
    assert last_free_day(DUE, []) == date(2014, 10, 31)


def test_our_outage_on_the_due_date_moves_the_due_date_and_the_free_days_with_it() -> None:
    outage = [stop(date(2014, 10, 25), date(2014, 10, 27))]
    assert due_day(DUE, outage) == date(2014, 10, 28)
    assert last_free_day(DUE, outage) == date(2014, 11, 3)


def test_a_hold_that_ends_at_midnight_does_not_touch_the_next_day() -> None:
    held = Stop(HoldKind.PROMISE, clock.at(DUE), clock.day_start(DUE + timedelta(2)))
    assert held.last_day == DUE + timedelta(1)
    assert not held.running(clock.day_start(DUE + timedelta(2)))
