from datetime import date
from pathlib import Path

import pytest

from doenda.dunning import policy
from doenda.dunning.policy import PolicyBroken, load, parse
from doenda.kernel import clock

TEXT = (Path(policy.__file__).parent / "policies" / "kr.toml").read_text(encoding="utf-8")
KR = load("KR")[-1]


def test_the_korean_policy_is_what_carriers_terms_say() -> None:
    assert (KR.notice_days, KR.threshold_bills, KR.threshold_amount["KRW"], KR.fee_basis_points) == (7, 2, 77_000, 200)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("days_before = 7", "days_before = 0", "notice_days must be a whole number, 1 or more"),
        ("days_before = 7", 'days_before = "7"', "notice_days must be a whole number"),
        ("days_before = 7", "days_befor = 7", "days_before is missing"),
        ("opens = 9 ", "opens = 19", "opens must come before closes"),
        ('bar = "outgoing"', 'bar = "everything"', "everything"),
        ('restore_when = "nothing_barring_overdue"', 'restore_when = "never"', "restore_when is one of"),
        ("longest_days = 14", "longest_days = 14\nshortest_days = 2", "nobody reads shortest_days"),
        ('lifts_bar = ["no_way"]', 'lifts_bar = ["weather"]', "weather"),
        ("amount = { KRW = 77000 }", "amount = { XXQ = 1 }", "XXQ"),
        ('free_until = "end_of_due_month"', 'free_until = "whenever"', "end_of_due_month"),
    ],
)
def test_kb9_a_setting_that_nobody_can_follow_or_nobody_reads_is_refused(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(PolicyBroken, match=said):
        parse(TEXT.replace(old, new, 1))


def test_the_version_in_force_is_the_newest_that_has_begun() -> None:
    later = TEXT.replace('name = "kr-1"', 'name = "kr-2"').replace("2000-01-01", "2015-01-01")
    both = parse(TEXT + "\n" + later)
    assert [one.name for one in both] == ["kr-1", "kr-2"]
    assert policy.in_force("KR", date(2014, 10, 22)).name == "kr-1"


def test_kb5_an_old_decision_finds_its_version_or_says_what_is_wrong() -> None:
    assert policy.named("KR", KR.name) == KR
    with pytest.raises(PolicyBroken, match="never deleted"):
        policy.named("KR", "kr-0")


def test_fs3_adverse_days_are_the_countrys_own_working_days_and_not_the_eve_of_a_holiday() -> None:
    assert KR.adverse_day(date(2014, 11, 11))
    assert not KR.adverse_day(date(2014, 11, 9))  # a Sunday
    assert not KR.adverse_day(date(2014, 11, 8))  # a Saturday
    assert not KR.adverse_day(date(2014, 10, 9))  # Hangul day
    assert not KR.adverse_day(date(2014, 10, 8))  # its eve
    assert KR.first_adverse_day(date(2014, 10, 8)) == date(2014, 10, 13)  # the 10th is a Friday


def test_nothing_adverse_happens_at_night_or_before_the_office_opens() -> None:
    day = date(2014, 11, 11)
    assert [KR.adverse_now(clock.at(day, hour)) for hour in (8, 9, 16, 17, 22)] == [False, True, True, False, False]
    assert KR.next_opening(clock.at(day, 8)) == clock.at(day, 9)
    assert KR.next_opening(clock.at(day, 17)) == clock.at(date(2014, 11, 12), 9)
    assert KR.next_opening(clock.at(date(2014, 11, 7), 18)) == clock.at(date(2014, 11, 10), 9)


def test_a_currency_without_a_threshold_bars_by_the_number_of_bills_only() -> None:
    assert not KR.meets_threshold("EUR", [10_000_000])
    assert KR.meets_threshold("EUR", [1, 1])
    assert KR.meets_threshold("KRW", [77_000])
    assert not KR.meets_threshold("KRW", [76_999])
