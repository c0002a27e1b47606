"""Amounts, days, hours and numbers are spoken as people say them; nothing in figures is left to a machine's guess."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.channels.voice.readings import aloud, digits, number

EN_LONG = "one million two hundred thirty-four thousand five hundred sixty-seven"


@pytest.mark.parametrize(
    ("value", "ko", "en"),
    [
        (0, "영", "zero"),
        (1, "일", "one"),
        (10, "십", "ten"),
        (11, "십일", "eleven"),
        (21, "이십일", "twenty-one"),
        (100, "백", "one hundred"),
        (1000, "천", "one thousand"),
        (1046, "천사십육", "one thousand forty-six"),
        (10_000, "만", "ten thousand"),
        (52_300, "오만 이천삼백", "fifty-two thousand three hundred"),
        (110_000, "십일만", "one hundred ten thousand"),
        (
            1_234_567,
            "백이십삼만 사천오백육십칠",
            "one million two hundred thirty-four thousand five hundred sixty-seven",
        ),
        (100_000_000, "일억", "one hundred million"),
        (100_010_000, "일억 만", "one hundred million ten thousand"),
    ],
)
def test_numbers(value: int, ko: str, en: str) -> None:
    assert number(value, "ko") == ko
    assert number(value, "en") == en


@pytest.mark.parametrize(
    ("lang", "written", "said"),
    [
        ("ko", "52,300원이 납부됐어요.", "오만 이천삼백 원이 납부됐어요."),
        ("ko", "납부 기한: 10월 31일(금)", "납부 기한: 시월 삼십일 일 금요일"),
        ("ko", "6월 이용요금", "유월 이용요금"),
        ("ko", "10월 31일(금) 오후 3시 20분까지", "시월 삼십일 일 금요일 오후 세 시 이십 분까지"),
        ("ko", "최대 60일", "최대 육십 일"),
        ("ko", "110-123-456789", "일일공, 일이삼, 사오육칠팔구"),
        ("ko", "휴대전화에서 114, 아니면 02-2014-1023", "휴대전화에서 일일사, 아니면 공이, 이공일사, 일공이삼"),
        ("ko", "1분 안에", "일 분 안에"),
        (
            "ko",
            "월–금 10:00–20:00, 토 0:30–24:00",
            "월요일부터 금요일까지 오전 열 시부터 오후 여덟 시까지, 토요일 오전 열두 시 삼십 분부터 밤 열두 시까지",
        ),
        ("ko", "앞에 3명이 계세요. 20명, 21명", "앞에 세 명이 계세요. 스무 명, 이십일 명"),
        (
            "en",
            "Mon–Fri 10:00–20:00, Sat 10:00–17:30",
            "Monday to Friday ten o'clock to eight p m, Saturday ten o'clock to five thirty p m",
        ),
        ("en", "We received ₩52,300.", "We received fifty-two thousand three hundred won."),
        ("en", "Due date: Fri 31 October", "Due date: Friday the thirty-first of October"),
        ("en", "Sat 1 November, 3:20 pm", "Saturday the first of November, three twenty p m"),
        ("en", "from 12:30 am", "from twelve thirty a m"),
        ("en", "up to 60 days", "up to sixty days"),
        ("en", "114 from a mobile, 02-2014", "one one four from a mobile, zero two, two zero one four"),
    ],
)
def test_finished_text_is_said_as_people_say_it(lang: str, written: str, said: str) -> None:
    assert aloud(written, lang) == said


@given(st.integers(0, 10**16 - 1), st.sampled_from(["ko", "en"]))
def test_every_number_has_a_reading_of_its_own_without_figures(value: int, lang: str) -> None:
    said = number(value, lang)
    assert said
    assert not re.search(r"\d", said)
    assert said != number(value + 1 if value < 10**16 - 1 else 0, lang)


@given(st.text(alphabet="0123456789,-월일시분원 ()₩:apm가나다", max_size=60), st.sampled_from(["ko", "en"]))
def test_whatever_is_written_no_figure_is_left_and_nothing_is_raised(text: str, lang: str) -> None:
    assert not re.search(r"[0-9]", aloud(text, lang))


def test_digits_are_said_one_by_one() -> None:
    assert digits("482 193", "ko") == "사팔이, 일구삼"
    assert digits("482193", "en") == "four eight two one nine three"
