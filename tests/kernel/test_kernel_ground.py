"""Clock, ids, money and words: what every other room stands on."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.kernel import clock, ids, money, offset, randomness, words
from doenda.kernel.money import Money

NOON = clock.at(date(2014, 10, 22), 12)


def test_an_instant_is_in_utc_and_a_day_is_the_carriers() -> None:
    with clock.freeze(datetime(2014, 10, 31, 15, 30, tzinfo=UTC)):
        assert clock.now().tzinfo is UTC
        assert clock.today() == date(2014, 11, 1)
        assert clock.day_start(date(2014, 11, 1)) == datetime(2014, 10, 31, 15, tzinfo=UTC)


def test_the_clock_does_not_move_where_it_may_not(db: None) -> None:
    with pytest.raises(RuntimeError, match="cannot be moved"):
        offset.advance(timedelta(days=1))


def test_a_movable_clock_only_moves_forward(committed_db: str, settings: object) -> None:
    settings.DOENDA_MOVABLE_CLOCK = True  # type: ignore[attr-defined]
    before = clock.now()
    assert offset.advance(timedelta(days=2)) - before >= timedelta(days=2)
    with pytest.raises(ValueError, match="forward"):
        offset.advance(timedelta(seconds=-1))
    offset.forget()


@given(st.uuids())
def test_an_id_outside_is_26_letters_and_comes_back(value: UUID) -> None:
    text = ids.outside(value)
    assert len(text) == 26
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert ids.inside(text) == value


@pytest.mark.parametrize("text", ["", "A", "a" * 26, "1" * 26, "A" * 27, "A" * 25 + "B", "한" * 26, "A" * 25 + "="])
def test_a_second_spelling_of_an_id_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="not an id"):
        ids.inside(text)


def test_ids_are_version_7_unique_and_in_time_order() -> None:
    made = [ids.new_id() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == 5000
    assert {one.version for one in made} == {7}


def test_ids_follow_from_a_seed() -> None:
    def some() -> list[UUID]:
        with clock.freeze(NOON + timedelta(days=36500)), randomness.seeded(7):
            return [ids.new_id() for _ in range(3)]

    first = some()
    assert [one.int & ((1 << 62) - 1) for one in first] == [one.int & ((1 << 62) - 1) for one in some()]


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("52,300", "KRW", 52300), ("52300원", "KRW", 52300), (" 50.00 ", "EUR", 5000), ("-1", "KRW", -1)],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize("text", ["", "5e3", "0.5", "NaN", "Infinity", "1_000", "٣", "9" * 30, "5 2", "1,2.3"])
def test_what_is_no_amount_of_won_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals|large"):
        Money.parse(text, "KRW")


def test_currencies_do_not_mix_and_must_exist() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "KRW") + Money(1, "EUR")
    with pytest.raises(ValueError, match="4217"):
        money.exponent("WON")


@given(st.integers(-(10**14), 10**14), st.sampled_from(["KRW", "EUR", "JPY", "KWD"]))
def test_money_survives_its_decimal(minor: int, currency: str) -> None:
    assert Money.of_decimal(Money(minor, currency).decimal, currency) == Money(minor, currency)


def test_a_fraction_of_the_smallest_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="decimals"):
        Money.of_decimal(Decimal("10.001"), "EUR")


def test_words_are_those_of_the_language() -> None:
    with clock.freeze(NOON):
        assert words.amount(Money(52300, "KRW"), "ko") == "52,300원"
        assert words.amount(Money(52300, "KRW"), "en") == "₩52,300"
        assert money.ascii_words(Money(52300, "KRW")) == "KRW 52,300"
        assert words.day(date(2014, 10, 31), "ko") == "10월 31일(금)"
        assert words.day(date(2014, 10, 31), "en") == "Fri 31 October"
        assert words.day_short(date(2014, 11, 11), "ko") == "11/11(화)"
        assert words.moment(clock.at(date(2014, 10, 31), 15, 20), "ko") == "10월 31일(금) 오후 3시 20분"
        assert words.moment(clock.at(date(2014, 10, 31), 9), "ko") == "10월 31일(금) 오전 9시"
        assert words.moment(clock.at(date(2014, 10, 31), 15, 20), "en") == "Fri 31 October, 3:20 pm"


def test_names_and_numbers_are_masked() -> None:
    assert words.masked_phone("+821012345678") == "010-****-5678"
    assert words.masked_phone("12") == "****"
    assert words.masked_name("김민수") == "김*수"
    assert "Petrova" not in words.masked_name("Anna Petrova")
