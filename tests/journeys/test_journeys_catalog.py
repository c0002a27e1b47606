"""The ids of texts that presenters ask for, and the texts themselves."""

import pytest

from doenda.journeys import catalog
from doenda.journeys.catalog import Button
from doenda.journeys.checker import lint
from doenda.journeys.checker.subject import Subject
from doenda.journeys.engine import State
from doenda.journeys.journey_enter import ENTER
from doenda.journeys.journey_pay import PAY


def test_every_text_is_there_in_every_language_and_none_is_left_over() -> None:
    assert lint.texts(Subject().texts, Subject().journeys) == ([], 0)


def test_journeys_agree_with_the_declarations_of_their_actions() -> None:
    assert lint.journeys(Subject().journeys, Subject().actions) == []


def test_buttons_of_the_frame_come_last_and_have_one_label_everywhere() -> None:
    part = catalog.buttons(PAY, PAY["part"])
    assert part == (
        Button("back", "pay-part--back"),
        Button("does_not_work", "frame-report", framed=True),
        Button("person", "frame-person", framed=True),
    )
    assert Button("person", "pay-bill--person") in catalog.buttons(PAY, PAY["bill"])


def test_forms_have_a_button_of_their_own_and_pages_have_none() -> None:
    assert catalog.submit_id(PAY, PAY["method"]) == "pay-method--submit"
    assert catalog.submit_id(ENTER, ENTER["code"]) == "enter-code--submit"
    assert catalog.submit_id(PAY, PAY["bill"]) is None


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State("bill"), ("pay-bill",)),
        (State("method", {"note": "gone"}), ("pay-method-note-gone", "pay-method")),
        (State("method", {"note": "unheard_of"}), ("pay-method",)),
        (State("refused", {"refusal": "card"}), ("refused-card", "pay-refused")),
        (State("refused"), ("refused-other", "pay-refused")),
        (State("promised", {"promise": "unknown"}), ("pay-promised-unknown",)),
        (State("person", {"note": "not_allowed"}), ("pay-person-note-not_allowed", "pay-person")),
    ],
)
def test_what_a_step_says_follows_from_the_state(state: State, said: tuple[str, ...]) -> None:
    assert catalog.spoken_ids(PAY, state) == said


def test_a_line_that_the_step_does_not_have_is_an_error() -> None:
    assert catalog.line_id(PAY, PAY["bill"], "fee") == "pay-bill-fee"
    with pytest.raises(KeyError):
        catalog.line_id(PAY, PAY["bill"], "weather")


def test_every_promise_is_told_apart() -> None:
    """Whatever leads to `promised` says which of its texts fits, and each of them is used."""
    told = {
        step.sets[outcome]["promise"]
        for step in PAY.steps
        for outcome, target in step.then.items()
        if target == "promised"
    }
    assert told == set(catalog.VARIANTS["pay-promised"][1])


def test_ways_are_shown_at_one_step_and_one_step_leads_there() -> None:
    assert {step.name for step in PAY.steps if "method" in step.then.values()} == {"clear"}
