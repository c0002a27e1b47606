"""Days, hours and tries by the policy; what a record means; the code table. Pure."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from doenda.kernel import clock
from doenda.payments.debit import policy, rules
from doenda.payments.debit.formats.words import Head, Result
from doenda.payments.debit.policy import POLICIES, PolicyBroken
from doenda.payments.debit.rules import Known, Tried
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.debit.codes import OURS, RESULTS, RETURNS, WORDS

KR = policy.in_force("KRW", date(2014, 10, 22))
KR_TEXT = (POLICIES / "kr.toml").read_text(encoding="utf-8")
HEAD = Head("X", date(2014, 10, 28), 1)


def test_from_the_houses_cut_off_to_the_results_are_34_hours() -> None:
    wednesday = date(2014, 10, 29)
    assert KR.results_due(wednesday) - KR.house_until_at(wednesday) == timedelta(hours=34)
    assert KR.cut_off_at(wednesday) == clock.at(date(2014, 10, 28), 16, 30)


def test_no_debit_day_of_twenty_years_is_bound_for_longer_than_the_policy_says() -> None:
    day = date(2014, 1, 1)
    while day < date(2034, 1, 1):
        if KR.bank_day(day):
            assert KR.bound_hours(day) <= KR.longest_hours, day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    "day", [date(2014, 10, 25), date(2014, 10, 26), date(2014, 10, 3), date(2014, 9, 8), date(2014, 5, 1)]
)
def test_weekends_holidays_and_the_banks_own_holiday_are_no_bank_days(day: date) -> None:
    assert not KR.bank_day(day)
    assert KR.bank_day(KR.bank_day_from(day))


def test_a_debit_after_a_holiday_is_cut_off_before_it() -> None:
    assert KR.cut_off_at(date(2014, 9, 11)) == clock.at(date(2014, 9, 5), 16, 30)  # Chuseok, by the calendar of 2014


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (clock.at(date(2014, 10, 27), 16, 29), date(2014, 10, 28)),
        (clock.at(date(2014, 10, 27), 16, 30), date(2014, 10, 29)),
        (clock.at(date(2014, 10, 31), 12), date(2014, 11, 3)),
        (clock.at(date(2014, 10, 31), 17), date(2014, 11, 4)),
        (clock.at(date(2014, 11, 1), 12), date(2014, 11, 4)),
    ],
)
def test_the_open_day_is_the_first_whose_cut_off_is_ahead(now: object, day: date) -> None:
    from datetime import datetime

    assert isinstance(now, datetime)
    assert KR.open_day(now) == day


def test_the_window_opens_hours_before_the_cut_off() -> None:
    assert rules.window(KR, clock.at(date(2014, 10, 27), 10, 29)) is None
    assert rules.window(KR, clock.at(date(2014, 10, 27), 10, 30)) == date(2014, 10, 28)


def test_a_bill_is_debited_on_its_due_date_or_the_months_last_debit_day_before_it() -> None:
    set_days = replace(KR, debit_days=(5, 15, 25))
    assert rules.nominal_day(KR, date(2014, 10, 31)) == date(2014, 10, 31)
    assert rules.nominal_day(set_days, date(2014, 10, 31)) == date(2014, 10, 25)
    assert rules.nominal_day(set_days, date(2014, 10, 15)) == date(2014, 10, 15)
    assert rules.nominal_day(set_days, date(2014, 10, 4)) == date(2014, 10, 4)


def test_the_next_try_comes_by_the_policys_days_and_never_more_often_than_it_says() -> None:
    now, due = clock.at(date(2014, 10, 27), 9), date(2014, 10, 20)
    tried = Tried(1, date(2014, 10, 24), again=True)
    assert rules.plan(KR, due, Tried(), now) == date(2014, 10, 28)
    assert rules.plan(KR, due, tried, now) == date(2014, 10, 28)  # the 27th: its cut-off is over
    assert rules.plan(KR, due, replace(tried, count=2), now) == date(2014, 10, 31)
    assert rules.plan(KR, due, replace(tried, count=3), now) is None
    assert rules.plan(KR, due, replace(tried, again=False), now) is None


def result(code: str = "0000", **more: object) -> Result:
    given: dict[str, object] = {
        "line": 2,
        "serial": 1,
        "kind": "debit",
        "bank": "088",
        "account": "1",
        "amount": 900,
        "done": code == "0000",
        "code": code,
        "payer": "P",
        "origin": HEAD,
    }
    return Result(**(given | more))  # type: ignore[arg-type]


FILED = Known("filed", "debit", 900, "088", "P")


@pytest.mark.parametrize("code", sorted(RESULTS))
def test_every_listed_result_is_paid_or_refused(code: str) -> None:
    verdict, reason, meaning = rules.judge(result(code), FILED, "results")
    assert (verdict, reason) == ("paid" if code == "0000" else "refused", "")
    assert meaning is RESULTS[code]
    assert meaning.outcome in {Outcome.PAID, Outcome.REFUSED, Outcome.OUR_FAULT}


@pytest.mark.parametrize("code", sorted(RETURNS))
def test_every_listed_return_undoes_what_was_paid(code: str) -> None:
    said = result(code)
    assert rules.judge(said, replace(FILED, state="paid"), "returns")[0] == "returned"
    for state in ("filed", "refused", "returned"):
        assert rules.judge(said, replace(FILED, state=state), "returns")[:2] == ("parked", "NOT_PAID")


@pytest.mark.parametrize(
    ("said", "known", "reason"),
    [
        (result(), None, "UNKNOWN_RECORD"),
        (result(amount=901), FILED, "OTHER_AMOUNT"),
        (result(payer="Q"), FILED, "OTHER_PAYER"),
        (result(bank="004"), FILED, "OTHER_BANK"),
        (result(kind="refund"), FILED, "OTHER_KIND"),
        (result("8888"), FILED, "UNKNOWN_CODE"),
        (result("0061"), FILED, "UNKNOWN_CODE"),
        (result("0021"), replace(FILED, state="paid"), "HAS_A_RESULT"),
        (result(), replace(FILED, state="refused"), "HAS_A_RESULT"),
        (result("0021", done=True), FILED, "UNKNOWN_CODE"),
    ],
)
def test_a_doubt_is_parked_and_never_guessed(said: Result, known: Known | None, reason: str) -> None:
    assert rules.judge(said, known, "results") == ("parked", reason, None)


def test_the_code_table_names_each_word_once_and_fits_its_column() -> None:
    every = [*RESULTS.values(), *RETURNS.values(), *OURS.values()]
    assert {each.word: each for each in every} == WORDS
    assert len({(each.word, each.outcome, each.again, each.ends) for each in every}) == len(WORDS)
    assert all(len(word) <= 24 for word in WORDS)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("most_tries = 3", "most_tries = 9"), "most_tries"),
        (('scheme = "cms"', 'scheme = "fax"'), "scheme"),
        (("house_until = 17:00:00", "house_until = 16:00:00"), "house_until"),
        (("longest_hours = 35", "longest_hours = 20"), "longest_hours"),
        (("debit_days = []", "debit_days = [31]"), "debit_days"),
        (("largest =", "biggest ="), "biggest"),
        (("retry_after_days = [3, 7]", "retry_after_days = [0, 7]"), "retry_after_days"),
        (("cut_off = 16:30:00", 'cut_off = "16:30"'), "cut_off"),
    ],
)
def test_a_broken_policy_names_the_place(change: tuple[str, str], place: str) -> None:
    with pytest.raises((PolicyBroken, TypeError)) as broken:
        policy.parse("kr.toml", KR_TEXT.replace(*change))
    assert place in str(broken.value) or broken.type is TypeError


def test_the_house_has_a_policy_for_won_and_euro_and_for_nothing_else() -> None:
    assert policy.currencies() == {"KRW", "EUR"}
    assert policy.of_scheme("sepa", date(2014, 10, 22)).currency == "EUR"
    for wrong in ("USD", ""):
        with pytest.raises(PolicyBroken):
            policy.in_force(wrong, date(2014, 10, 22))
    with pytest.raises(PolicyBroken):
        policy.of_scheme("fax", date(2014, 10, 22))
