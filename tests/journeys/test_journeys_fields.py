"""What customers fill in for a debit: read kindly, never guessed, and never repeated in an error."""

import traceback

import pytest

from doenda.journeys import fields
from doenda.journeys.fields import Invalid
from doenda.journeys.journey_pay import CONSENT, PAY
from doenda.journeys.steps import Ask

TYPED = {"bank": "088", "number": "110-123-456789", "holder": " 김  민수 ", "birth": "1964.03.15", "agreed": CONSENT}


def read(**typed: str) -> dict[str, str]:
    step = PAY["mandate"]
    assert isinstance(step, Ask)
    return fields.read(step, TYPED | typed, currency="KRW", most=None)


def test_a_form_is_read_as_the_bank_wants_it() -> None:
    found = read()
    assert found == {
        "bank": "088",
        "number": "110123456789",
        "holder": "김 민수",
        "birth": "640315",
        "agreed": CONSENT,
    }


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("110 123 456789", "110123456789"),
        ("110·123·456789", "110123456789"),
        ("123456", "123456"),
        ("de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
    ],
)
def test_an_account_number_may_be_written_in_groups(typed: str, number: str) -> None:
    assert fields.account(typed) == number


@pytest.mark.parametrize("typed", ["12345", "1" * 17, "DE88370400440532013000", "١٢٣٤٥٦٧", "110-12a-456789", "1e9", ""])
def test_what_is_no_account_number_is_not_guessed(typed: str) -> None:
    with pytest.raises(ValueError, match="no account number"):
        fields.account(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("640315", "640315"), ("64-03-15", "640315"), ("19640315", "640315"), ("220-81-62517", "2208162517")],
)
def test_a_day_of_birth_or_a_company(typed: str, kept: str) -> None:
    assert fields.birth(typed) == kept


@pytest.mark.parametrize("typed", ["641315", "6403151234567", "220-81-62518", "29640315", "abc", "20990101", "640230"])
def test_what_is_no_day_and_no_company(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any word of Python's own about the date will do
        fields.birth(typed)


@pytest.mark.parametrize(("name", "typed"), [("number", "12345"), ("birth", "641315")])
def test_an_error_names_the_field_and_never_what_was_typed(name: str, typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        read(**{name: typed})
    assert str(wrong.value) == name
    assert typed not in "".join(traceback.format_exception(wrong.value))


@pytest.mark.parametrize("agreed", ["", "on", "debit-0", "yes"])
def test_only_the_text_that_was_shown_is_agreed_to(agreed: str) -> None:
    with pytest.raises(Invalid, match="agreed"):
        read(agreed=agreed)
