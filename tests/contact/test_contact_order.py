"""The pure order: by priority and `queued_at`, whatever holds the place; nobody passed over, nobody forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from doenda.contact.rules.order import Desk, Line, Place, Rises, overtaken, priority

LANGS, SKILLS = ("ko", "en"), ("", "debt")
places = st.lists(
    st.builds(
        Place,
        id=st.integers(0, 10_000),
        queued_at=st.integers(0, 50).map(float),
        priority=st.integers(0, 3),
        lang=st.sampled_from(LANGS),
        skill=st.sampled_from(SKILLS),
        standing=st.sampled_from(["waiting", "waiting", "away", "callback", "dialling"]),
    ),
    max_size=25,
    unique_by=lambda place: place.id,
)
desks = st.builds(Desk, skills=st.sets(st.sampled_from(SKILLS[1:])), langs=st.sets(st.sampled_from(LANGS), min_size=1))
RISES = Rises(lost_a_step=3, after=1200.0, most=3)


@given(places, desks, st.integers(1, 10))
def test_a_freed_agent_passes_over_nobody_who_is_there(found: list[Place], desk: Desk, ready: int) -> None:
    line = Line(found)
    taken = line.next_for(desk, [desk] * ready)
    there = [one for one in sorted(found, key=lambda one: one.key) if one.standing == "waiting" and desk.serves(one)]
    if taken is None:
        kept = sum(one.standing in ("callback", "dialling") and desk.serves(one) for one in found)
        assert not there or kept >= ready
    else:
        assert taken == there[0]
        assert not overtaken(line, taken, desk, available=lambda one: one.standing == "waiting")


@given(places, desks, st.integers(1, 10))
def test_an_agent_is_kept_for_each_callback_further_ahead(found: list[Place], desk: Desk, ready: int) -> None:
    line = Line(found)
    taken = line.next_for(desk, [desk] * ready)
    if taken is not None:
        ahead = [one for one in line if one.key < taken.key and one.standing != "away" and desk.serves(one)]
        assert len(ahead) < ready


@given(places, desks)
def test_callbacks_hold_up_nobody_while_nothing_rings(found: list[Place], desk: Desk) -> None:
    there = [one for one in found if one.standing in ("waiting", "callback")]
    taken = Line(there).next_for(desk, [desk], rings=False)
    waiting = [one for one in there if one.standing == "waiting" and desk.serves(one)]
    assert taken == min(waiting, key=lambda one: one.key, default=None)


@given(places, st.data())
def test_the_line_is_its_places_in_order_through_any_coming_and_going(found: list[Place], data: st.DataObject) -> None:
    line, here = Line(), dict[int, Place]()
    for place in found:
        line.put(place)
        here[place.id] = place
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(here)))
            line.drop(gone)
            here.pop(gone, None)
    assert list(line) == sorted(here.values(), key=lambda one: one.key)
    assert [line.ahead(one) for one in line] == list(range(len(line)))


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 10_000)), min_size=2, max_size=2), st.floats(0, 10_000))
def test_growing_older_never_turns_two_who_lost_as_many_calls(pair: list[tuple[int, float]], later: float) -> None:
    (lost, first), (_, second) = pair
    older, younger = min(first, second), max(first, second)

    def key(queued: float, number: int) -> tuple[int, float, int]:
        return Place(number, queued, priority(lost, 10_000 + later - queued, RISES)).key

    assert older == younger or key(older, 1) < key(younger, 2)


@given(st.integers(0, 100), st.integers(0, 100), st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_lost_calls_and_more_waiting_never_count_for_less(a: int, b: int, s: float, t: float) -> None:
    assert priority(min(a, b), min(s, t), RISES) <= priority(max(a, b), max(s, t), RISES) <= RISES.most


def test_an_agent_who_cannot_serve_a_callback_is_not_kept_for_it() -> None:
    both, english = Desk((), ("ko", "en")), Desk((), ("en",))
    back, there = Place(1, 0.0, lang="ko", standing="callback"), Place(2, 1.0, lang="ko")
    assert Line([back, there]).next_for(both, [both, english]) is None
    assert Line([back, there]).next_for(both, [both, both]) == there


def test_two_weeks_of_lost_calls_are_soon_served() -> None:
    assert priority(10, 0, RISES) == 3
    assert priority(0, 0, RISES) == 0
    assert priority(1, 0, RISES) == 1
