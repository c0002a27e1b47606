"""Closed is neither failure nor incident: the rule over calendars, and with the database."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from doenda.assurance import by_hand, evidence, exposure, guidance, hours, rule, standing, ways
from doenda.assurance.models import Exposure, Offer, Transition
from doenda.assurance.rule import Event, Name, Outcome, WayState
from doenda.billing import accounts
from doenda.kernel import clock, texts

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"
BANKS = hours.named("korean_banks")
CLOSES = datetime(2014, 10, 22, 14, 30, tzinfo=UTC)  # 23:30 in Seoul
OPENS = CLOSES + timedelta(hours=1)
counter = iter(range(10**9))

Judged = tuple[datetime, Outcome, bool]


def judged(state: WayState, *events: Judged) -> WayState:
    for at, outcome, synthetic in events:
        state = rule.judge(state, Event(outcome, at, at, synthetic))
    return state


def before(seconds: float) -> datetime:
    return CLOSES - timedelta(seconds=seconds)


def after(seconds: float) -> datetime:
    return OPENS + timedelta(seconds=seconds)


PROVEN = judged(WayState(calendar=BANKS), (before(60), Outcome.WORKED, True))


def test_the_standing_is_closed_from_the_first_instant_to_the_last() -> None:
    edges = [CLOSES - timedelta(microseconds=1), CLOSES, OPENS - timedelta(microseconds=1), OPENS]
    words = [rule.standing(PROVEN, at) for at in edges]
    assert words == [Name.PROVEN, Name.CLOSED, Name.CLOSED, Name.UNPROVEN]


def test_a_proof_from_before_a_short_closure_still_counts_within_its_lease() -> None:
    state = replace(PROVEN, lease=timedelta(hours=2))
    assert rule.standing(state, OPENS) is Name.PROVEN


def test_failures_of_closed_hours_weigh_nothing_however_many() -> None:
    tries = [(CLOSES + timedelta(seconds=n), Outcome.FAILED_BY_PROVIDER, n % 2 == 0) for n in range(50)]
    assert judged(PROVEN, *tries) == PROVEN


def test_a_failure_of_open_hours_that_is_heard_of_in_closed_ones_counts() -> None:
    heard = CLOSES + timedelta(minutes=5)
    state = PROVEN
    for _ in range(5):
        state = rule.judge(state, Event(Outcome.FAILED_BY_PROVIDER, before(5), heard, synthetic=False))
    assert state.mode == "withdrawn"
    assert rule.standing(state, heard) is Name.CLOSED
    assert rule.standing(state, OPENS) is Name.WITHDRAWN


def test_a_lease_that_ends_in_closed_hours_is_no_failing_although_a_try_failed_before() -> None:
    state = judged(PROVEN, (before(10), Outcome.FAILED_BY_US, False))
    moments = [CLOSES, OPENS - timedelta(seconds=1), OPENS, after(state.lease.total_seconds())]
    assert not any(rule.failing(state, at) for at in moments)
    assert rule.failing(state, after(state.lease.total_seconds() + 1)), "nobody walked it for a lease after it opened"


def test_a_closure_by_hand_and_the_calendars_are_one() -> None:
    state = replace(PROVEN, closed_from=before(1800), closed_until=CLOSES + timedelta(minutes=10))
    assert rule.closed_until(state, before(1801)) is None
    assert rule.closed_until(state, before(1800)) == OPENS


offsets = st.lists(st.tuples(st.floats(0, 5400), st.sampled_from(list(Outcome)), st.booleans()), max_size=40).map(
    lambda found: sorted(found, key=lambda each: each[0])
)


@given(offsets)
def test_nothing_that_happens_in_closed_hours_makes_a_way_fail(found: list[tuple[float, Outcome, bool]]) -> None:
    state = PROVEN
    for seconds, outcome, synthetic in found:
        at = CLOSES + timedelta(seconds=seconds)
        state = rule.judge(state, Event(outcome, at, at, synthetic))
        if at < OPENS:
            assert rule.standing(state, at) is Name.CLOSED
            assert not rule.failing(state, at)
            assert state.points == 0


# --- with the database


@pytest.fixture
def night(noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch) -> clock.Frozen:
    """The transfer follows the banks; it is 23:28."""
    real = ways.terms

    def terms(slug: str) -> ways.WayDefinition:
        return replace(real(slug), calendar="korean_banks") if slug == TRANSFER else real(slug)

    monkeypatch.setattr(ways, "terms", terms)
    noon.set(clock.at(date(2014, 10, 22), 23, 28))
    return noon


def see(way: str = TRANSFER, outcome: str = "worked", *, synthetic: bool = False, times: int = 1) -> None:
    for _ in range(times):
        with transaction.atomic():
            evidence.record(way, outcome, source_kind="test", source_id=str(next(counter)), synthetic=synthetic)


def word(way: str = TRANSFER) -> Name:
    return standing.current()[way].standing


@pytest.fixture
def account(db: None) -> UUID:
    return accounts.open_account("A-1", "KRW").id


def test_a_night_is_two_transitions_and_nothing_else(account: UUID, night: clock.Frozen) -> None:
    see()
    see(outcome="failed_by_provider", times=2)
    guidance.offer("pay", account, "notice", lang="ko")
    for _ in range(70):
        night.advance(timedelta(minutes=1))
        see(outcome="failed_by_provider") if word() is Name.CLOSED else None
        standing.sweep(100)
    assert not Exposure.objects.exists()
    told = Transition.objects.filter(way_id=TRANSFER).order_by("version").values_list("was", "now", "cause")
    of_night = [(was, now) for was, now, _ in told if "closed" in (was, now)]
    assert of_night == [("suspect", "closed"), ("closed", "unproven")]
    assert told[len(told) - 1][2] == "open again, and not walked yet"


def test_a_way_that_failed_before_its_night_and_stays_silent_after_it_misled_people(
    account: UUID, night: clock.Frozen
) -> None:
    see()
    proof = clock.now()
    guidance.offer("pay", account, "notice", lang="ko")
    night.advance(timedelta(seconds=30))
    see(outcome="failed_by_us")
    lease = standing.current()[TRANSFER].proven_until
    assert lease is not None
    for second in (0, (lease - proof).total_seconds()):
        night.set(clock.at(date(2014, 10, 23), 0, 30) + timedelta(seconds=second))
        standing.sweep(100)
        assert not Exposure.objects.exists()
    night.advance(timedelta(seconds=1))
    assert standing.sweep(100) == 0
    assert exposure.intervals(account) == [(proof, None, TRANSFER)]
    see(synthetic=True)
    assert Exposure.objects.get().ended_at == clock.now()


def test_a_closed_way_is_told_of_with_its_hour_and_named_nowhere(account: UUID, night: clock.Frozen) -> None:
    see()
    see(CARD)
    night.advance(timedelta(minutes=1, seconds=55))
    seen = guidance.snapshot()
    assert {way.method for way in seen.named("page")} == {"card", "transfer"}
    night.advance(timedelta(seconds=5))
    assert {way.method for way in seen.named("page")} == {"card"}, "a snapshot does not outlive the bank's day"
    assert guidance.closed(TRANSFER)
    assert [way.method for way in guidance.offer("pay", account, "notice", lang="ko").ways] == ["card"]
    [closed] = guidance.closed_now("web")
    assert (closed.slug, closed.method) == (TRANSFER, "transfer")
    assert closed.until == clock.at(date(2014, 10, 23), 0, 30)
    assert guidance.opens_again(closed, "ko") == "실시간 계좌이체: 0:30부터 다시 돼요"
    assert guidance.opens_again(closed, "en") == "bank transfer: again from 0:30"
    assert standing.current()[TRANSFER].closed_until == closed.until
    night.set(closed.until)
    assert guidance.closed_now("web") == ()
    assert not guidance.closed(TRANSFER)


def test_a_way_that_is_withdrawn_besides_is_promised_for_no_hour(db: None, night: clock.Frozen) -> None:
    see()
    see(outcome="failed_by_us", times=5)
    night.advance(timedelta(minutes=10))
    assert word() is Name.CLOSED
    assert guidance.closed_now("web") == ()
    assert Exposure.objects.get().ended_at is None, "who was misled in open hours still was"
    night.advance(timedelta(hours=1))
    assert word() is Name.WITHDRAWN


def test_a_method_with_another_way_open_is_not_closed(
    db: None, night: clock.Frozen, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "toss"]  # type: ignore[attr-defined]
    ways.ensure_ways()
    night.advance(timedelta(minutes=10))
    assert word("web/transfer/toss") is Name.CLOSED
    assert [way.method for way in guidance.closed_now("web")] == ["transfer", "deposit"]
    monkeypatch.setattr(ways, "terms", lambda slug: ways.WayDefinition(slug, "pay", 1, calendar=_banks_of(slug)))
    assert guidance.closed_now("web") == ()


def _banks_of(slug: str) -> str:
    return "korean_banks" if slug == "web/transfer/toss" else "always"


def test_a_closure_by_hand_ends_by_itself_and_failures_in_it_weigh_nothing(db: None, noon: clock.Frozen) -> None:
    see(CARD)
    by_hand.close(CARD, clock.now() + timedelta(hours=1), who="kim", reason="the provider's works")
    noon.advance(timedelta(minutes=5))
    see(CARD, "failed_by_provider", times=6)
    noon.advance(timedelta(minutes=55))
    assert word(CARD) is Name.UNPROVEN
    see(CARD, synthetic=True)
    assert word(CARD) is Name.PROVEN
    assert not Exposure.objects.exists()


@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_every_method_has_a_name(lang: str) -> None:
    names = {
        one.parts[1]: guidance.method_name(one.parts[1], lang) for one in ways.definitions() if one.purpose == "pay"
    }
    assert set(names) == {"card", "transfer", "deposit", "debit", "store", "cash"}
    assert len(set(names.values())) == len(names)


def test_a_debit_may_be_chosen_when_the_banks_rest_and_is_carried_out_when_they_work() -> None:
    saturday = clock.at(date(2026, 11, 21), 12)
    assert hours.closed_until(ways.calendar_of("web/debit/debit"), saturday) is None
    assert ways.carried_out_from("web/debit/debit", saturday) == clock.at(date(2026, 11, 23))
    assert ways.carried_out_from("web/store/counter", saturday) == saturday
    assert ways.carried_out_from(CARD, saturday) == saturday


def test_only_what_is_shown_is_an_offer(account: UUID, noon: clock.Frozen) -> None:
    see(CARD)
    see(TRANSFER)
    choose: Callable[[tuple[guidance.OfferedWay, ...]], tuple[guidance.OfferedWay, ...]] = lambda named: named[1:]  # noqa: E731
    shown = guidance.offer("pay", account, "page", lang="ko", choose=choose)
    assert [way.slug for way in shown.ways] == [TRANSFER]
    assert list(Offer.objects.values_list("way_id", flat=True)) == [TRANSFER]


def test_a_choice_can_add_nothing(account: UUID, noon: clock.Frozen) -> None:
    other = guidance.OfferedWay("web/card/other", "card", "web", True, "other")
    with pytest.raises(ValueError, match="only what guidance names"):
        guidance.offer("pay", account, "page", lang="ko", choose=lambda named: (*named, other))
    assert not Offer.objects.exists()
