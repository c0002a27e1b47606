"""Quiet hours and caps as pure rules."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.kernel import clock
from doenda.notices import policy

KR = policy.load(policy.FOLDER / "kr.toml")
DAY = date(2014, 10, 22)


@pytest.mark.parametrize(
    ("hour", "minute", "leaves"),
    [
        (8, 0, clock.at(DAY, 8)),
        (20, 59, clock.at(DAY, 20, 59)),
        (21, 0, clock.at(date(2014, 10, 23), 8)),
        (23, 30, clock.at(date(2014, 10, 23), 8)),
        (0, 10, clock.at(DAY, 8)),
        (7, 59, clock.at(DAY, 8)),
    ],
)
def test_a_reminder_leaves_by_day_only(hour: int, minute: int, leaves: datetime) -> None:
    assert policy.awake_at(KR, "reminder", clock.at(DAY, hour, minute), urgent=False) == leaves


def test_an_answer_to_the_customers_own_act_leaves_at_night() -> None:
    midnight = clock.at(DAY, 0, 10)
    for kind in ("receipt", "unknown_outcome", "new_link", "ticket", "restored", "promise_made"):
        assert policy.awake_at(KR, kind, midnight, urgent=False) == midnight


def test_urgency_wakes_nobody_for_a_debt() -> None:
    midnight = clock.at(DAY, 0, 10)
    assert policy.awake_at(KR, "way_back", midnight, urgent=True) == midnight
    for kind in KR.never_urgent:
        assert policy.awake_at(KR, kind, midnight, urgent=True) > midnight


def test_the_eighth_contact_waits_until_the_first_is_a_week_old() -> None:
    now = clock.at(DAY, 12)
    contacts = [now - timedelta(hours=20 * n + 1) for n in range(7)]
    assert policy.uncapped_at(KR, "reminder", contacts[:6], now) == now
    assert policy.uncapped_at(KR, "reminder", contacts, now) == contacts[-1] + timedelta(days=7)
    assert policy.uncapped_at(KR, "suspension_notice", contacts, now) == now


@given(st.lists(st.integers(1, 20_000), max_size=40))
def test_no_seven_days_ever_hold_more_contacts_than_the_cap(wishes: list[int]) -> None:
    made: list[datetime] = []
    now = clock.at(DAY, 12)
    for minutes in wishes:
        now += timedelta(minutes=minutes)
        leaves = policy.uncapped_at(KR, "reminder", made, now)
        if leaves == now:
            made.append(now)
        for end in made:
            assert sum(end - KR.window < at <= end for at in made) <= KR.contacts


@given(st.datetimes(datetime(2014, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - made aware below
def test_what_may_leave_leaves_between_eight_and_nine_at_night(moment: datetime) -> None:
    leaves = policy.awake_at(KR, "reminder", moment.replace(tzinfo=UTC), urgent=False)
    assert 8 <= clock.local(leaves).hour < 21
    assert timedelta(0) <= leaves - moment.replace(tzinfo=UTC) <= timedelta(hours=11)


@pytest.mark.parametrize(
    ("was", "becomes", "complaint"),
    [
        ('"reminder_before", "reminder"', '"remindr"', "no such kinds of notices: remindr"),
        ("contacts = 7", "contacts = 0", "make no sense"),
        ('until = "08:00"', "", "'until' is missing"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(tmp_path: Path, was: str, becomes: str, complaint: str) -> None:
    text = (policy.FOLDER / "kr.toml").read_text(encoding="utf-8").replace(was, becomes, 1)
    source = tmp_path / "kr.toml"
    source.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"kr.toml: .*{complaint}"):
        policy.load(source)
