"""Steps, journeys and the engine: what can be declared, and what one outcome leads to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.journeys import catalog
from doenda.journeys.engine import NOTE, NotAnOutcome, NotHeld, State, advance, begin, possible
from doenda.journeys.journey_enter import ENTER
from doenda.journeys.journey_pay import PAY
from doenda.journeys.steps import Ask, Choose, Do, End, Field, Journey, JourneyError, Show, Wait

EDGES = [
    (journey, step.name, outcome)
    for journey in catalog.JOURNEYS.values()
    for step in journey.steps
    for outcome in step.then
]


@pytest.mark.parametrize(("journey", "step", "outcome"), EDGES, ids=[f"{j.name}.{s}.{o}" for j, s, o in EDGES])
def test_every_edge_leads_where_it_is_declared_to_lead(journey: Journey, step: str, outcome: str) -> None:
    state = advance(journey, State(step, {"until": "2025-11-14"}, 3), outcome)
    assert state.step == journey[step].then[outcome]
    assert state.version == 4


def test_a_walk_begins_at_the_start_or_at_a_declared_entry() -> None:
    assert begin(PAY).step == "bill"
    assert begin(ENTER, "expired", {"phone": "x"}) == State("expired", {"phone": "x"}, 0)
    with pytest.raises(ValueError, match="cannot be entered at 'promised'; entries: code, expired"):
        begin(ENTER, "promised")


def test_an_outcome_that_the_step_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(NotAnOutcome, match="has no outcome 'fly'; possible: pay, pay_part") as refused:
        advance(PAY, State("bill"), "fly")
    assert refused.value.possible == possible(PAY, State("bill"))
    with pytest.raises(NotAnOutcome, match="it is an end"):
        advance(PAY, State("paid"), "pay")


def test_a_promise_without_its_date_cannot_be_shown() -> None:
    with pytest.raises(NotHeld, match="lacks until"):
        advance(PAY, State("no_way"), "done")
    ended = advance(PAY, State("no_way"), "done", {"until": "2025-11-14"})
    assert ended == State("promised", {"until": "2025-11-14", "promise": "no_way"}, 1)


def test_values_and_constants_are_kept_and_empty_ones_removed() -> None:
    part = advance(PAY, State("part", {"kept": "1"}), "given", {"amount": "20000"})
    assert part.data == {"kept": "1", "amount": "20000"}
    assert advance(PAY, State("bill", part.data), "pay").data == {"kept": "1"}


def test_a_note_is_said_on_one_page_and_then_forgotten() -> None:
    gone = advance(PAY, State("method"), "gone")
    assert gone == State("clear", {NOTE: "gone"}, 1)
    shown = advance(PAY, gone, "free")
    assert shown.data == {NOTE: "gone"}
    assert advance(PAY, shown, "back").data == {}


@given(st.data())
def test_no_walk_of_answers_leaves_the_journey_or_changes_what_was_there(data: st.DataObject) -> None:
    state = begin(PAY)
    for _ in range(30):
        if not (outcomes := possible(PAY, state)):
            break
        before = dict(state.data)
        after = advance(PAY, state, data.draw(st.sampled_from(outcomes)), {"until": "2025-11-14"})
        assert state.data == before
        assert after.step in PAY
        state = after


def test_who_decides_an_outcome_follows_from_the_kind_of_step() -> None:
    assert PAY["bill"].buttons[0] == "pay"
    assert PAY["bill"].system == PAY["bill"].submits == ()
    assert PAY["method"].submits == ("chosen", "gone")
    assert PAY["method"].system == ("none_open",)
    assert PAY["part"].submits == ("given", "invalid")
    assert PAY["clear"].buttons == ()
    assert set(PAY["away"].buttons) == {"returned", "cancelled", "other", "does_not_work", "person"}
    assert PAY["away"].system == ("expired",)
    assert set(ENTER["code"].submits) == {"known", "unknown", "locked", "invalid"}


def test_the_frame_stands_on_every_page_but_leads_from_no_step_to_itself() -> None:
    for journey in (PAY, ENTER):
        for step in journey.steps:
            if step.stops and not isinstance(step, End):
                for outcome, target in journey.frame.items():
                    assert outcome in step.then or target == step.name
    assert "person" not in PAY["person"].then
    assert ("part", "person") in PAY.framed
    assert ("bill", "person") not in PAY.framed


def _journey(*steps: Show | Ask | Do | End | Choose | Wait, start: str = "a") -> Journey:
    return Journey("toy", version=1, start=start, steps=steps)


END = End("z", goal="paid")


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((Show("a", then={"go": "b"}), END), "toy.a: go leads to 'b', which is no step"),
        ((Show("a", then={"go": "z"}), Show("b", then={"go": "z"}), END), "toy.b: nothing leads here"),
        (
            (Show("a", then={"go": "z", "off": "b"}), Show("b", then={"on": "b"}), END),
            "toy.b: no goal can be reached from here",
        ),
        ((Show("a", then={"go": "z"}), Show("a", then={"go": "z"}), END), "toy.a: declared twice"),
        ((Show("a"), END), "toy.a: leads nowhere"),
        ((Show("a", then={"go": "z"}), End("z", goal="rich")), "toy.z: ends in 'rich'"),
        ((Show("a", then={"go": "z"}), End("z", goal="paid", then={"on": "a"})), "toy.z: an end that leads on"),
        ((Show("a", then={"Go on": "z"}), END), "toy.a: 'Go on' is not in lower_snake_case"),
        ((Wait("a", on="x", presses=("out",), then={"in": "z"}), END), "toy.a: speaks of out"),
        ((Show("a", then={"go": "z"}, sets={"stay": {}}), END), "toy.a: speaks of stay"),
        (
            (Ask("a", fields=(Field("f", "text"),), reads=frozenset({"known"}), then={"given": "z"}), END),
            "toy.a: speaks of known",
        ),
        ((Show("b", then={"go": "z"}), END), "toy.a: a start that is no step"),
    ],
)
def test_a_journey_with_a_hole_in_it_names_the_step(steps: tuple[Show, ...], problem: str) -> None:
    with pytest.raises(JourneyError) as error:
        _journey(*steps)
    assert str(error.value).startswith(problem)


def test_a_step_can_be_replaced_and_the_journey_is_checked_again() -> None:
    changed = PAY.with_step(Show("refused", says_no_money=True, then={"other": "clear"}))
    assert changed["refused"].then["person"] == "person"
    with pytest.raises(JourneyError, match="watch: nothing leads here"):
        PAY.with_step(Wait("asking", on="attempt_settled", presses=(), then={"paid": "paid"}))
