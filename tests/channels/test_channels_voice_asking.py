"""Twelve keys: 0 a person, # back, * once more, at every step; who presses nothing or nonsense is never hung up on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.channels.voice.asking import Answer, Asking, Say, ToPerson
from doenda.journeys import keypad
from doenda.journeys.catalog import JOURNEYS
from doenda.journeys.keypad import Menu, keys_of
from doenda.journeys.steps import End

PAY, ENTER = JOURNEYS["pay"], JOURNEYS["enter"]
HEARD = [
    (journey, step)
    for journey in JOURNEYS.values()
    for step in journey.steps
    if step.stops and not isinstance(step, End) and step.name not in keypad.BY_SCREEN
]


def asking(journey: str, step: str, offered: list[tuple[str, str]] | None = None, caller: str = "") -> Asking:
    of = JOURNEYS[journey]
    return Asking(keys_of(of, of[step], offered or [], caller))


def press(asked: Asking, keys: str) -> object:
    said: object = None
    for key in keys:
        said = asked.pressed(key)
    return said


@pytest.mark.parametrize(("journey", "step"), HEARD, ids=lambda each: each.name)
def test_at_every_step_nought_is_a_person_and_star_says_it_again(journey, step) -> None:  # type: ignore[no-untyped-def]
    offered = [("voice/deposit/deposit", "가상계좌 입금")]
    asked = Asking(keys_of(journey, step, offered))
    assert press(asked, "0" if isinstance(asked.question, Menu) else "0#") == ToPerson()
    asked = Asking(keys_of(journey, step, offered))
    assert press(asked, "*") == Say("question")


def test_the_bills_menu_has_its_outcomes_in_order() -> None:
    assert press(asking("pay", "bill"), "1") == Answer("pay")
    assert press(asking("pay", "bill"), "3") == Answer("more_time")
    assert press(asking("pay", "bill"), "9") == Say("no_such_key")
    assert press(asking("pay", "bill"), "0") == ToPerson()


def test_hash_goes_back_where_there_is_a_back() -> None:
    assert press(asking("pay", "method", [("voice/store/counter", "매장")]), "#") == Answer("back")
    assert press(asking("pay", "bill"), "#") == Say("question"), "the first step has nothing behind it"
    assert press(asking("pay", "part"), "#") == Answer("back")
    part = asking("pay", "part")
    press(part, "20")
    assert press(part, "#") == Answer("given", {"amount": "20"}), "after digits it ends them"


def test_a_form_of_two_questions_is_sent_when_both_are_answered() -> None:
    asked = asking("enter", "code")
    assert press(asked, "01012345678") is None
    assert press(asked, "#") == Say("question")
    assert press(asked, "48219") is None
    assert press(asked, "3") == Answer("given", {"phone": "01012345678", "code": "482193"})


def test_back_in_the_middle_of_a_form_begins_it_again() -> None:
    asked = asking("enter", "code")
    press(asked, "01012345678#")
    assert press(asked, "#") == Say("question")
    assert asked.at == 0
    assert asked.values == {}


def test_star_while_keying_in_begins_the_number_again() -> None:
    asked = asking("enter", "code")
    assert press(asked, "0109*") == Say("question")
    assert press(asked, "01012345678#") == Say("question")
    assert asked.values["phone"] == "01012345678"


def test_the_calling_number_is_offered_and_never_taken_unasked() -> None:
    asked = asking("enter", "code", caller="+821012345678")
    assert press(asked, "1") == Say("question")
    assert asked.values == {"phone": "+821012345678"}
    other = asking("enter", "code", caller="+821012345678")
    press(other, "2")
    press(other, "01099998888#")
    assert other.values == {"phone": "01099998888"}
    assert asking("enter", "code").values == {}


def test_a_choice_and_an_optional_field() -> None:
    asked = asking("pay", "already")
    assert press(asked, "#") == Say("question"), "not known: left empty"
    assert press(asked, "3") == Answer("given", {"when": "", "how": "deposit"})


def test_what_is_written_in_letters_is_not_asked_for() -> None:
    asked = asking("pay", "dispute")
    assert press(asked, "1") == Answer("given", {"why": "amount"})


def test_who_forgets_the_hash_is_understood_and_a_lone_nought_is_a_person() -> None:
    asked = asking("pay", "part")
    press(asked, "20000")
    assert asked.silent() == Answer("given", {"amount": "20000"})
    lone = asking("pay", "part")
    press(lone, "0")
    assert lone.silent() == ToPerson()


def test_three_silences_or_three_wrong_keys_lead_to_a_person_and_a_key_begins_anew() -> None:
    asked = asking("pay", "bill")
    assert [asked.silent() for _ in range(3)] == [Say("silence"), Say("silence"), ToPerson(unable=True)]
    asked = asking("pay", "bill")
    assert [press(asked, "9") for _ in range(3)] == [Say("no_such_key"), Say("no_such_key"), ToPerson(unable=True)]
    asked = asking("pay", "bill")
    asked.silent(), asked.silent()
    press(asked, "*")
    assert asked.silent() == Say("silence")


def test_too_many_digits_are_not_cut_off_but_asked_for_again() -> None:
    asked = asking("pay", "part")
    assert press(asked, "1234567890") == Say("too_long")
    assert press(asked, "500#") == Answer("given", {"amount": "500"})


@pytest.mark.parametrize("key", ["", "A", "10", " ", "٣"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="no such key"):
        asking("pay", "bill").pressed(key)


@given(st.lists(st.one_of(st.sampled_from("0123456789*#"), st.none()), max_size=40), st.sampled_from(HEARD))
def test_whatever_is_pressed_answers_are_the_steps_own_and_nobody_is_left_without_a_prompt(keys, where) -> None:  # type: ignore[no-untyped-def]
    journey, step = where
    asked = Asking(keys_of(journey, step, [("voice/deposit/deposit", "가상계좌 입금")], "+821012345678"))
    for key in keys:
        said = asked.silent() if key is None else asked.pressed(key)
        if isinstance(said, Answer):
            found_out = (
                getattr(step, "reads", ()) and said.outcome == asked.keys.submits
            )  # what it reads says which outcome it is
            assert said.outcome in step.then or found_out
            return
        if isinstance(said, ToPerson):
            assert "person" in step.then or step.name in {"person", "callback"}
            return
        assert said is None or isinstance(said, Say)
        assert asked.question is not None


def test_days_are_keyed_with_or_without_their_year() -> None:
    assert keypad.typed("date", "1031", 2014) == "20141031"
    assert keypad.typed("date", "20141031", 2015) == "20141031"
    assert keypad.typed("money", "1031", 2014) == "1031"
