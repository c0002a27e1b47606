"""Opening hours alone: no database, no clock of the house."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from doenda.assurance import hours
from doenda.assurance.hours import DAY, Calendar, NeverOpen, Span, closed_until, opens

SEOUL = ZoneInfo("Asia/Seoul")
INSTANT = timedelta(microseconds=1)


def seoul(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


def until(name: str, text: str) -> str | None:
    end = closed_until(hours.named(name), seoul(text))
    return None if end is None else end.astimezone(SEOUL).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("calendar", "at", "opens_at"),
    [
        ("always", "2026-11-22 23:59", None),
        ("korean_banks", "2026-11-22 23:29:59.999999", None),
        ("korean_banks", "2026-11-22 23:30", "2026-11-23 00:30"),
        ("korean_banks", "2026-11-23 00:29:59.999999", "2026-11-23 00:30"),
        ("korean_banks", "2026-11-23 00:30", None),
        ("korean_banks", "2026-12-31 23:45", "2027-01-01 00:30"),
        ("bank_midnight_five", "2026-11-15 00:04", "2026-11-15 06:00"),  # the third Sunday
        ("bank_midnight_five", "2026-11-22 00:04", "2026-11-22 00:05"),  # the fourth
        ("bank_month_end", "2026-11-30 23:00", "2026-12-01 01:00"),
        ("bank_month_end", "2028-02-29 23:10", "2028-03-01 01:00"),
        ("bank_month_end", "2028-02-28 23:10", None),
        ("korean_banking_days", "2026-11-20 23:59", None),
        ("korean_banking_days", "2026-11-21 00:00", "2026-11-23 00:00"),  # Saturday
        ("korean_banking_days", "2026-02-14 09:00", "2026-02-19 00:00"),  # a weekend, then the Lunar New Year
        ("store", "2026-11-23 09:59", "2026-11-23 10:00"),
        ("store", "2026-11-23 10:00", None),
        ("store", "2026-11-23 20:00", "2026-11-24 10:00"),
        ("store", "2026-11-21 17:00", "2026-11-23 10:00"),
    ],
)
def test_the_hours_of_the_data_are_exact_at_their_edges(calendar: str, at: str, opens_at: str | None) -> None:
    assert until(calendar, at) == opens_at


def test_closures_that_touch_are_one() -> None:
    two = Calendar("two", closures=(Span(23 * 60, DAY), Span(0, 60)))
    assert closed_until(two, seoul("2026-11-22 23:15")) == seoul("2026-11-23 01:00")


def test_an_installation_has_calendars_of_its_own(tmp_path: Path, settings: Any) -> None:
    own = tmp_path / "calendars.toml"
    own.write_text('[calendars.korean_banks]\nclosed = [{ from = "02:00", to = "02:10" }]\n[calendars.store]\n')
    settings.DOENDA_CALENDARS = str(own)
    assert until("korean_banks", "2026-11-22 23:45") is None
    assert until("korean_banks", "2026-11-23 02:05") == "2026-11-23 02:10"
    assert closed_until(hours.store("S1"), seoul("2026-11-22 03:00")) is None
    with pytest.raises(ValueError, match="no calendar 'small_hours'"):
        hours.named("small_hours")


def test_an_announced_closure_is_closed_all_through(tmp_path: Path) -> None:
    source = tmp_path / "calendars.toml"
    source.write_text("[calendars.moving]\ndated = [{ from = 2027-02-05T18:00:00, to = 2027-02-09T09:00:00 }]\n")
    moving = hours.calendars(source)["moving"]
    assert closed_until(moving, seoul("2027-02-05 17:59")) is None
    assert closed_until(moving, seoul("2027-02-05 18:00")) == seoul("2027-02-09 09:00")
    assert closed_until(moving, seoul("2027-02-09 09:00")) is None


def test_a_store_has_its_own_hours_or_those_of_all() -> None:
    assert hours.store("17") is hours.named("store")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('open = [{ from = "25:00", to = "26:00" }]', "no such time"),
        ('open = [{ from = "24:00", to = "01:00" }]', "begins at 00:00"),
        ('open = [{ days = "mon-foo", from = "09:00", to = "18:00" }]', "tuple.index|not in tuple"),
        ('open = [{ monthly = "last", from = "09:00", to = "18:00" }]', "weekly"),
        ('closed = [{ from = "00:00", to = "24:00" }]', "no minute"),
        ('closed = [{ monthly = "6 sun", from = "00:00", to = "06:00" }]', "first to the fifth"),
        ("dated = [{ from = 2027-02-05T18:00:00, to = 2027-02-05T17:00:00 }]", "ends before"),
        ('holidays = "XX"', "no holidays"),
        ('zone = "Mars/Base"', "Mars"),
        ("close = []", "unknown close"),
    ],
)
def test_a_wrong_calendar_is_named_with_what_is_wrong(tmp_path: Path, entry: str, said: str) -> None:
    source = tmp_path / "calendars.toml"
    source.write_text(f"[calendars.mine]\n{entry}\n")
    with pytest.raises(ValueError, match=rf"calendars.toml, mine: .*({said})"):
        hours.calendars(source)


def test_a_calendar_that_only_monthly_closures_shut_for_ever_is_refused() -> None:
    sundays = tuple(Span(0, DAY, frozenset({6}), nth=nth) for nth in range(1, 6))
    with pytest.raises(NeverOpen):
        Calendar("sunday", windows=(Span(600, 700, frozenset({6})),), closures=sundays)


# --- clock changes (New York, 2026: 8 March 02:00 -> 03:00, 1 November 02:00 -> 01:00)


def new_york(start: int, end: int, *, window: bool = False) -> Calendar:
    span = (Span(start, end),)
    return Calendar("ny", zone="America/New_York", **({"windows": span} if window else {"closures": span}))  # type: ignore[arg-type]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_an_edge_that_the_clock_skips_is_at_the_change() -> None:
    night = new_york(150, 240)  # 02:30 to 04:00
    assert closed_until(night, utc("2026-03-08 06:59:59")) is None
    assert closed_until(night, utc("2026-03-08 07:00:00")) == utc("2026-03-08 08:00:00")
    short = new_york(60, 150)  # 01:00 to 02:30
    assert closed_until(short, utc("2026-03-08 06:59:59")) == utc("2026-03-08 07:00:00")
    assert closed_until(short, utc("2026-03-08 07:00:00")) is None


def test_a_stretch_that_the_clock_skips_whole_does_not_happen() -> None:
    assert closed_until(new_york(125, 170), utc("2026-03-08 07:00:00")) is None


def test_in_a_repeated_hour_closed_wins() -> None:
    night = new_york(60, 90)  # 01:00 to 01:30, twice
    assert closed_until(night, utc("2026-11-01 05:00")) == utc("2026-11-01 06:30")
    day = new_york(90, 600, window=True)  # open from 01:30 to 10:00
    assert closed_until(day, utc("2026-11-01 05:45")) == utc("2026-11-01 06:30")
    evening = new_york(1200, 1530, window=True)  # open from 20:00 to 01:30
    assert closed_until(evening, utc("2026-11-01 05:29")) is None
    assert closed_until(evening, utc("2026-11-01 05:30")) == utc("2026-11-02 01:00")


# --- properties

ZONES = ["Asia/Seoul", "America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "Asia/Beirut"]


@st.composite
def spans(draw: st.DrawFn, *, monthly: bool = False) -> Span:
    start = draw(st.integers(0, DAY - 1))
    end = start + draw(st.integers(1, DAY))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    if not monthly:
        return Span(start, end, days)
    if draw(st.booleans()):
        return Span(start, end, day_of_month=draw(st.sampled_from([-1, 1, 15, 31])))
    return Span(start, end, frozenset({draw(st.integers(0, 6))}), nth=draw(st.integers(1, 5)))


moments = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def calendars(draw: st.DrawFn, zones: list[str] = ZONES) -> Calendar:
    closures = [*draw(st.lists(spans(), max_size=3)), *draw(st.lists(spans(monthly=True), max_size=2))]
    dated = [(at, at + timedelta(minutes=draw(st.integers(1, 20_000)))) for at in draw(st.lists(moments, max_size=2))]
    try:
        return Calendar(
            "drawn",
            draw(st.sampled_from(zones)),
            tuple(draw(st.lists(spans(), max_size=3))),
            tuple(closures),
            tuple(dated),
            draw(st.sampled_from(["", "", "KR", "US"])),
        )
    except NeverOpen:
        assume(False)
        raise


@given(calendars(), moments)
def test_it_opens_at_the_very_instant_that_is_given_and_is_closed_until_then(calendar: Calendar, now: datetime) -> None:
    end = closed_until(calendar, now)
    if end is not None:
        assert now < end
        assert closed_until(calendar, end) is None
        assert closed_until(calendar, end - INSTANT) == end
        assert closed_until(calendar, now + (end - now) / 2) == end


@given(calendars(), moments, st.integers(0, 3_000_000))
def test_later_never_opens_sooner(calendar: Calendar, now: datetime, seconds: int) -> None:
    assert opens(calendar, now) <= opens(calendar, now + timedelta(seconds=seconds))


@given(calendars(), moments)
def test_nothing_is_closed_for_ever(calendar: Calendar, now: datetime) -> None:
    assert opens(calendar, now) - now < timedelta(days=120)


def shown_open(calendar: Calendar, local: datetime) -> bool:
    """The definition, minute by minute, where no clock ever changes."""

    def covers(span: Span) -> bool:
        for back in (0, 1):
            day: date = local.date() - timedelta(days=back)
            minute = local.hour * 60 + local.minute + back * DAY
            if span.on(day) and span.start <= minute < span.end and not (span in calendar.windows and off(day)):
                return True
        return False

    def off(day: date) -> bool:
        return calendar.holiday(day)

    dated = any(start <= local < end for start, end in calendar.dated)
    within = not calendar.windows or any(covers(span) for span in calendar.windows)
    return within and not dated and not any(covers(span) for span in calendar.closures)


@given(calendars(["Asia/Seoul", "Asia/Dubai"]), moments)
def test_where_the_clock_never_changes_it_is_what_the_wall_shows(calendar: Calendar, now: datetime) -> None:
    assume(not set(calendar.windows) & set(calendar.closures))
    local = now.replace(second=0, microsecond=0).astimezone(ZoneInfo(calendar.zone))
    assert (closed_until(calendar, local) is None) == shown_open(calendar, local)
