"""Made-up people and companies, from a seed. Pure. Their numbers begin with 010-0, which nobody in Korea can have."""

from dataclasses import dataclass
from random import Random  # noqa: TID251 - a type; the generator comes from the kernel

_FAMILY = (
    "김김김김김김김김김김김이이이이이이이이박박박박박박박박최최최최최정정정정정"
    "강강조조조윤윤장장임임한한오오서신권황안송류전홍고문손양배백허남심노하곽성차주우구민진"
)
_GIVEN = (
    *("서연", "민준", "지우", "서준", "하윤", "도윤", "지민", "예준", "수빈", "현우", "지훈", "은지", "준호", "미경"),
    *("영숙", "정희", "상철", "경희", "성호", "미숙", "동현", "혜진", "재현", "유진", "승민", "소영", "태영", "보람"),
    *("영호", "순자", "병철", "말순", "광수", "옥순", "기태", "은경", "나연", "우진", "시우", "하은", "채원", "건우"),
    *("다은", "윤서", "주원", "가영", "명수", "춘자", "형준", "선영", "진우", "아름", "슬기", "찬호", "원석", "효진"),
)
_FOREIGN = (
    *("Anna Petrova", "Nguyen Thi Lan", "David Miller", "Maria Santos", "Chen Wei", "Amina Yusuf", "John Okafor"),
    *("Priya Sharma", "Lucas Martin", "Yuki Tanaka", "Olga Kim", "Batbayar Dorj", "Siti Rahayu", "Emma Wilson"),
)
_TRADES = ("물류", "식품", "건설", "디자인", "정밀", "기획", "상사", "전자", "환경", "유통")
_FIRMS = ("한빛", "새봄", "가온", "누리", "다솜", "미래", "온새미", "큰나루", "해오름", "푸른들")


@dataclass(frozen=True, slots=True)
class Person:
    """A holder: `kind` and `language` are the import's words."""

    name: str
    kind: str = "person"
    language: str = "ko"


def phone(number: int) -> str:
    """A number of the range that is never given out: 010-0000-0001, ... Raises ValueError beyond it."""
    if not 0 <= number < 10_000_000:
        raise ValueError("the range has ten million numbers")
    return f"010-0{number // 10_000:03d}-{number % 10_000:04d}"


def person(chance: Random) -> Person:
    """Anyone: mostly Koreans, some foreigners who read English, some companies."""
    kind = chance.random()
    if kind < 0.05:
        return Person(chance.choice(_FOREIGN), language="en")
    if kind < 0.09:
        return Person(f"{chance.choice(_FIRMS)}{chance.choice(_TRADES)} 주식회사", kind="company")
    return Person(chance.choice(_FAMILY) + chance.choice(_GIVEN))
