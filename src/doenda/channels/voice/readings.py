"""How finished text sounds: amounts, days, hours and numbers as Korean and English are spoken (pure).

Korean counts with Chinese numerals (오만 이천삼백 원), but for the hours of the clock, which are Korean (세 시); June
and October are 유월 and 시월; digits that are no quantity are said one by one, zero as 공. Spaces stand at every ten
thousand (한글 맞춤법, 2017, article 44); the rest is how people speak.
"""

import re
from collections.abc import Callable

_KO_DIGITS = "공일이삼사오육칠팔구"
_KO_UNITS = ("", "십", "백", "천")
_KO_MYRIADS = ("", "만", "억", "조", "경")
_KO_HOURS = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두")
_KO_COUNTED = {**{at: word for at, word in enumerate(_KO_HOURS) if at}, 20: "스무"}
"""Before counters of people and hours Korean counts with its own numerals; beyond what people say, Chinese ones."""
_KO_MONTHS = {6: "유월", 10: "시월"}
_KO_WEEKDAYS = {day: f"{day}요일" for day in "월화수목금토일"}
_EN_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_EN_TEENS = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_EN_ORDINALS = {
    **{1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"},
    **{20: "twentieth", 30: "thirtieth"},
}
_EN_DAYS = {
    **{"Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday"},
    **{"Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday"},
}


def number(value: int, lang: str) -> str:
    """A quantity: 오만 이천삼백, fifty-two thousand three hundred. Raises ValueError below zero and from 10^16 on."""
    if not 0 <= value < 10**16:
        raise ValueError(f"{value} is not said as a number")
    return _ko(value) if lang == "ko" else _en(value)


def digits(text: str, lang: str) -> str:
    """One by one, a pause between groups: "02-2014" is 공이, 이공일사."""
    groups = [group for group in re.split(r"[^0-9]+", text) if group]
    if lang == "ko":
        return ", ".join("".join(_KO_DIGITS[int(digit)] for digit in group) for group in groups)
    return ", ".join(" ".join(_EN_DIGITS[int(digit)] for digit in group) for group in groups)


def aloud(text: str, lang: str) -> str:
    """The text as it is to be spoken: nothing in figures is left in it."""
    for pattern, said in _RULES[lang]:
        text = pattern.sub(said, text)
    return re.sub(r"\s+", " ", text).strip()


def _ko(value: int) -> str:
    if value == 0:
        return "영"
    groups: list[str] = []
    for myriad in _KO_MYRIADS:
        value, group = divmod(value, 10_000)
        if group:
            said = _ko_group(group)
            groups.append("만" if myriad == "만" and said == "일" else said + myriad)
        if not value:
            break
    return " ".join(reversed(groups))


def _ko_group(value: int) -> str:
    said = ""
    for place in (3, 2, 1, 0):
        digit = value // 10**place % 10
        if digit:
            said += ("" if digit == 1 and place else _KO_DIGITS[digit]) + _KO_UNITS[place]
    return said


def _en(value: int) -> str:
    if value < 10:
        return _EN_DIGITS[value]
    if value < 20:
        return _EN_TEENS[value - 10]
    if value < 100:
        tens, ones = divmod(value, 10)
        return _EN_TENS[tens] + (f"-{_EN_DIGITS[ones]}" if ones else "")
    for scale, name in _EN_SCALES:
        if value >= scale:
            many, rest = divmod(value, scale)
            return f"{_en(many)} {name}" + (f" {_en(rest)}" if rest else "")
    raise AssertionError(value)


def _en_ordinal(value: int) -> str:
    if value in _EN_ORDINALS:
        return _EN_ORDINALS[value]
    if value < 20:
        return f"{_en(value)}th"
    tens, ones = divmod(value, 10)
    return f"{_EN_TENS[tens]}-{_EN_ORDINALS.get(ones, _EN_DIGITS[ones] + 'th')}"


def _plain(text: str) -> int:
    return int(text.replace(",", ""))


def _counted(lang: str) -> Callable[[re.Match[str]], str]:
    def say(found: re.Match[str]) -> str:
        text = found.group(0)
        if text.replace(",", "").startswith("0") and len(text) > 1:
            return digits(text, lang)
        value = _plain(text)
        return number(value, lang) if value < 10**16 else digits(text, lang)

    return say


def _ko_month(found: re.Match[str]) -> str:
    month = int(found.group(1))
    return _KO_MONTHS.get(month) or f"{_ko(month)}월"


def _ko_hour(found: re.Match[str]) -> str:
    hour = int(found.group(1))
    return f"{_KO_HOURS[hour] if 1 <= hour <= 12 else _ko(hour)} 시"


def _ko_time(found: re.Match[str]) -> str:
    """24:00 is midnight at the end of the day."""
    hour, minute = int(found[1]), int(found[2])
    half = "밤" if hour == 24 else "오전" if hour < 12 else "오후"
    return f"{half} {_KO_HOURS[(hour - 1) % 12 + 1]} 시" + (f" {_ko(minute)} 분" if minute else "")


def _en_time(found: re.Match[str]) -> str:
    hour, minute, half = int(found.group(1)), int(found.group(2)), found.group(3)
    if not half and (hour > 12 or hour == 0):
        hour, half = (hour - 1) % 12 + 1, "am" if hour in (0, 24) else "pm"
    minutes = "" if not minute else f" oh {_en(minute)}" if minute < 10 else f" {_en(minute)}"
    letters = {"am": " a m", "pm": " p m"}.get((half or "").strip().lower(), "")
    return f"{_en(hour)}{minutes}{letters}" if minute or letters else f"{_en(hour)} o'clock"


_NUMBER = r"\d{1,3}(?:,\d{3})+|\d+"
_LONG = re.compile(r"\+?\d+(?:[-. ]\d{2,}){1,}|(?<![\d,])\d{7,}(?![\d,]*원)|(?<!\d)(?:1\d\d)(?=나|로|,| from|$)")
"""Telephone and account numbers, and the carrier's own three digits: no quantities."""
_RULES: dict[str, list[tuple[re.Pattern[str], Callable[[re.Match[str]], str] | str]]] = {
    "ko": [
        (re.compile(rf"({_NUMBER})원"), lambda found: f"{_ko(_plain(found.group(1)))} 원"),
        (re.compile(r"(\d{1,2})월"), _ko_month),
        (re.compile(r"(\d{1,2})일\(([월화수목금토일])\)"), lambda m: f"{_ko(int(m[1]))} 일 {_KO_WEEKDAYS[m[2]]}"),
        (re.compile(r"([월화수목금토일])–([월화수목금토일])(?= )"), r"\1요일부터 \2요일까지"),
        (re.compile(r"(?<![가-힣])([월화수목금토일])(?= \d)"), r"\1요일"),
        (re.compile(r"(\d{1,2}:\d{2})–(\d{1,2}:\d{2})"), r"\1부터 \2까지"),
        (re.compile(r"(\d{1,2}):(\d{2})"), _ko_time),
        (re.compile(r"(\d{1,2})시"), _ko_hour),
        (_LONG, lambda found: digits(found.group(0), "ko")),
        (re.compile(r"(\d+)명"), lambda found: f"{_KO_COUNTED.get(int(found[1])) or _ko(int(found[1]))} 명"),
        (re.compile(r"(\d+)(일|분|번|초|개|건)"), lambda found: f"{_ko(int(found[1]))} {found[2]}"),
        (re.compile(_NUMBER), _counted("ko")),
        (re.compile(r"[()·*/→]"), " "),
    ],
    "en": [
        (re.compile(rf"[₩￦]({_NUMBER})"), lambda found: f"{_en(_plain(found.group(1)))} won"),
        (
            re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun) (\d{1,2}) ([A-Z][a-z]+)"),
            lambda found: f"{_EN_DAYS[found[1]]} the {_en_ordinal(int(found[2]))} of {found[3]}",
        ),
        (re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b"), lambda found: _EN_DAYS[found[1]]),
        (re.compile(r"(?<=[a-z0-9])–(?=[A-Z0-9])"), " to "),
        (re.compile(r"\b(\d{1,2}):(\d{2})( ?[ap]m)?", re.IGNORECASE), _en_time),
        (_LONG, lambda found: digits(found.group(0), "en")),
        (re.compile(_NUMBER), _counted("en")),
        (re.compile(r"[()·*/→]"), " "),
    ],
}
