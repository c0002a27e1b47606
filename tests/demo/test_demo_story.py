"""What the story is made of: its figures with their sources, its people, judge, call centre, the way of then."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from doenda.demo.story import population, run, scenario, then
from doenda.demo.story.book import Book
from doenda.demo.story.calls import Call, answered
from doenda.demo.story.telephone import Telephone
from doenda.kernel import clock

OF = scenario.load()
TRUTH = run.truth_of(OF)
BEFORE, AFTER = TRUTH.breaks - timedelta(hours=1), TRUTH.breaks + timedelta(hours=1)
PEOPLE = population.make(200, 3, OF)


def _book() -> Book:
    return Book(run.truth_of(OF))


def test_every_input_says_whether_the_article_or_we_say_so() -> None:
    sources = [source for _, source in OF.sources.values()]
    assert all(source.startswith(("article", "invented")) for source in sources)
    assert {source.split(":")[0] for source in sources} >= {"article 1", "article 2", "article 4", "invented"}


def test_an_input_without_a_source_is_refused(tmp_path: Path) -> None:
    text = scenario.SOURCE.read_text(encoding="utf-8")
    bare = tmp_path / "bare.toml"
    bare.write_text(
        text.replace('source = "article 2: every day', 'source = "so they say: every day'), encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"calendar\.days"):
        scenario.load(bare)


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    assert population.make(50, 3, OF) == PEOPLE[:50]
    assert population.make(50, 4, OF) != PEOPLE[:50]


def test_the_first_customer_is_the_articles_and_calls_every_day() -> None:
    first = PEOPLE[0]
    assert first.begins == 0
    assert first.phones_first
    assert first.other_browser
    assert first.prefers[0] == "transfer"
    assert all(day.tries_again and day.calls for day in first.days)


def test_transfer_works_only_in_one_browser_and_nothing_on_the_web_after_the_fault() -> None:
    other, one = replace(PEOPLE[1], other_browser=True), replace(PEOPLE[1], other_browser=False)
    assert not TRUTH.works("transfer", other, BEFORE)
    assert TRUTH.works("transfer", one, BEFORE)
    assert TRUTH.works("card", other, BEFORE)
    assert not any(TRUTH.works(method, one, AFTER) for method in ("card", "transfer"))
    assert all(TRUTH.works(method, other, AFTER) for method in ("deposit", "store"))


def test_a_failed_try_is_a_dead_end_only_where_nothing_that_works_was_named() -> None:
    book = _book()
    book.tried(PEOPLE[1], AFTER, "failed", ["card", "deposit", "store"])
    assert book.figures()["dead_ends"] == 0
    book.tried(PEOPLE[1], AFTER, "failed", ["card", "transfer"])
    assert book.figures()["dead_ends"] == 1
    assert book.figures()["ways_unnamed"] == 2


def test_a_threat_is_wrongful_where_no_named_way_works() -> None:
    book = _book()
    book.text(PEOPLE[1], AFTER, threat=True, named=["card", "transfer"])
    book.text(PEOPLE[1], AFTER, threat=True, named=["card", "store"])
    book.text(PEOPLE[1], AFTER, threat=False, named=["card"])
    assert book.figures()["wrongful_threats"] == 1
    assert book.figures()["threats"] == 2


def test_a_step_is_wrongful_soon_after_our_failure_and_as_long_as_nothing_else_was_named() -> None:
    misled, led, unfailed = PEOPLE[1:4]
    book = _book()
    book.tried(misled, AFTER, "failed", ["card"])
    book.tried(led, AFTER, "failed", ["card"])
    book.tried(led, AFTER + timedelta(hours=1), "number", ["deposit"])
    book.step(led, AFTER + timedelta(days=2), "late_fee")
    assert book.figures()["wrongful_steps"] == 1
    for customer in (misled, led, unfailed):
        book.step(customer, AFTER + timedelta(days=5), "suspension")
    assert book.figures()["wrongful_steps"] == 2


def test_naming_a_broken_way_counts_once_it_could_be_known() -> None:
    book = _book()
    book.text(PEOPLE[1], TRUTH.breaks + timedelta(minutes=1), threat=False, named=["card"])
    assert book.figures()["broken_ways_named"] == 0
    book.text(PEOPLE[1], AFTER, threat=False, named=["card"])
    assert book.figures()["broken_ways_named"] == 1


def test_what_two_houses_wrote_down_is_added_up_and_noticed_by_the_slower() -> None:
    one, other, both = _book(), _book(), _book()
    one.tried(PEOPLE[1], AFTER, "failed", ["card"])
    one.paid(PEOPLE[1], AFTER, 10)
    other.paid(PEOPLE[2], AFTER, 20)
    one.noticed_at, other.noticed_at = TRUTH.breaks + timedelta(seconds=9), TRUTH.breaks + timedelta(seconds=5)
    both.add(one.as_data())
    both.add(other.as_data())
    told = both.figures()
    assert (told["collected"], told["customers_paid"], told["dead_ends"]) == (30, 2, 1)
    assert told["seconds_until_noticed"] == 9


def test_a_quiet_call_centre_answers_everybody_and_an_overloaded_one_few() -> None:
    calls = [Call(9 * 3600 + 180.0 * at, at) for at in range(1, 201)]
    hours = {"opens": 9 * 3600.0, "closes": 21 * 3600.0, "customers": 5000, "seed": "7"}
    quiet = answered(calls, scenario=replace(OF, other_callers=0.01), **hours)  # type: ignore[arg-type]
    full = answered(calls, scenario=replace(OF, other_callers=10), **hours)  # type: ignore[arg-type]
    patient = answered(calls, scenario=replace(OF, other_callers=10, hold_seconds=10**6), **hours)  # type: ignore[arg-type]
    assert len(quiet) == 200
    assert 0 < len(full) < 60
    assert len(patient) == 200


def test_then_the_articles_customer_meets_only_dead_ends_and_pays_nothing() -> None:
    book = _book()
    then.play(PEOPLE, OF, book, 3)
    told = book.figures()
    assert book.met(PEOPLE[0]) >= OF.days
    assert book.of(PEOPLE[0]).paid == 0
    assert told["noticed"] is False
    assert int(told["wrongful_steps"]) > 0
    assert int(told["disconnected_calls"]) < int(told["calls"])
    again = _book()
    then.play(PEOPLE, OF, again, 3)
    assert again.figures() == told


def test_then_without_a_fault_or_a_full_line_is_a_carrier_that_works() -> None:
    well = replace(
        OF,
        lines_a_thousand=100,
        broken=frozenset(),
        only_in_one_browser=frozenset(),
        other_callers=0.01,
        agent_tells=1.0,
        store_takes=1.0,
    )
    book = Book(run.truth_of(well))
    then.play(PEOPLE[1:], well, book, 3)
    told = book.figures()
    assert told["disconnected_calls"] == told["wrongful_threats"] == told["wrongful_steps"] == 0
    begun = sum(one.begins < OF.days for one in PEOPLE[1:])
    assert int(told["customers_paid"]) > 0.9 * begun


def test_noticed_counts_from_the_fault() -> None:
    assert clock.local(TRUTH.breaks).date() == OF.first_day
    assert _book().figures()["days_until_noticed"] == 13.5


def test_on_our_line_everybody_is_connected_in_turn_or_called_back_and_nobody_is_cut_off() -> None:
    line = Telephone(OF, 5000, "7")
    opens = clock.at(OF.first_day, OF.opens)
    for number in range(1, 201):
        line.call(number, opens + timedelta(minutes=3 * number))
    found = [each for day in range(OF.days) for each in line.advance(clock.at(OF.day(day), OF.closes))]
    assert sorted(each.who for each in found) == list(range(1, 201)), "everybody, and once"
    assert line.score.violations == line.score.callbacks_jumped == line.score.callbacks_lost == 0
    assert any(each.called_back for each in found)
    told = [each for each in found if each.said_until and not each.called_back]
    assert len(told) > 20
    assert sum(each.waited <= each.said_until for each in told) >= 0.8 * len(told), "what is told is kept"


def test_who_stands_in_line_at_closing_is_called_on_the_next_day() -> None:
    line = Telephone(replace(OF, takes_callback=0.001, others_in_need=0.01), 1, "8")
    late = clock.at(OF.first_day, OF.closes) - timedelta(seconds=30)
    for number in (1, 2, 3):
        line.call(number, late)
    today = line.advance(clock.at(OF.first_day, OF.closes))
    tomorrow = line.advance(clock.at(OF.day(1), OF.closes))
    assert len(today) <= 2
    assert {each.who for each in [*today, *tomorrow]} == {1, 2, 3}
    assert all(each.called_back for each in tomorrow)


def test_the_same_seed_gives_the_same_line() -> None:
    def played() -> list[object]:
        line = Telephone(OF, 2000, "9")
        line.call(1, clock.at(OF.first_day, 12))
        line.call(2, clock.at(OF.first_day, 13), to_be_called=True)
        return [*line.advance(clock.at(OF.day(1), 12))]

    assert played() == played()


def test_the_book_tells_waits_and_adds_them_up() -> None:
    one, both = _book(), _book()
    for minutes in (1, 2, 3, 10):
        one.waited(60.0 * minutes, said_until=180.0)
    one.waited(3000.0, called_back=True)
    both.add(one.as_data())
    told = both.figures()
    assert (told["wait_minutes_median"], told["wait_minutes_p95"]) == (3, 50)
    assert (told["waits_told"], told["waits_kept"], told["called_back"]) == (4, 3, 1)
