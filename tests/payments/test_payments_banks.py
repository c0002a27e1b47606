"""Banks as data: their names and their nights."""

from datetime import date
from pathlib import Path

import pytest

from doenda.kernel import clock, texts
from doenda.payments import banks


def test_every_bank_has_a_code_of_three_digits_two_names_and_hours() -> None:
    found = banks.banks()
    assert len(found) > 30
    assert {"004", "020", "088", "081", "011", "003", "090"} <= set(found)
    for lang in texts.LANGUAGES:
        assert len({bank.name(lang) for bank in found.values()}) == len(found)


def test_by_day_all_banks_are_open_and_around_midnight_those_whose_night_it_is_not(noon: clock.Frozen) -> None:
    assert len(banks.open_now()) == len(banks.banks())
    noon.set(clock.at(date(2014, 10, 22), 23, 45))
    assert {bank.code for bank in banks.open_now()} == {"004", "088", "020", "081", "011", "003", "012"}
    noon.set(clock.at(date(2014, 10, 23), 0, 5))
    assert [bank.code for bank in banks.open_now()] == ["004"]
    assert banks.closed_until("088") == clock.at(date(2014, 10, 23), 0, 10)
    noon.set(clock.at(date(2014, 10, 23), 0, 30))
    assert len(banks.open_now()) == len(banks.banks())


def test_a_bank_has_its_name_in_both_languages_and_an_unknown_one_its_code() -> None:
    assert (banks.name("088", "ko"), banks.name("088", "en")) == ("신한은행", "Shinhan Bank")
    assert banks.name("999", "ko") == "999"
    assert banks.closed_until("999") is None


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('[04]\nko = "a"\nen = "b"', "three digits"),
        ('[004]\nko = "a"\nen = " "', "both languages"),
        ('[004]\nko = "a"', "en"),
        ('[004]\nko = "a"\nen = "b"\ncalendar = "moon"', "no calendar"),
    ],
)
def test_a_wrong_bank_is_named_with_what_is_wrong(tmp_path: Path, entry: str, said: str) -> None:
    source = tmp_path / "banks.toml"
    source.write_text(entry + "\n")
    with pytest.raises(ValueError, match=rf"banks.toml, 0.*{said}"):
        banks.banks(source)
