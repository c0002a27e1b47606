"""People's words put a way in doubt and no further; a dead provider takes all its ways; a baseline is a way's own."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from doenda.assurance import baselines, by_hand, evidence, guidance, replay, standing, ways
from doenda.assurance.models import Evidence, Exposure, Way, WayDecision
from doenda.assurance.rule import Name, weights
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside

CARD, TRANSFER, TOSS = "web/card/sandbox", "web/transfer/sandbox", "web/card/toss"


@pytest.fixture(autouse=True)
def _offered(db: None, noon: clock.Frozen, settings: pytest.FixtureRequest) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "toss", "debit"]  # type: ignore[attr-defined]
    ways.ensure_ways()


def says(way: str, *people: str) -> None:
    for who in people:
        with atomic():
            evidence.report(way, who=who)


def tries(way: str, outcome: str, times: int = 1, *, synthetic: bool = False) -> None:
    for _ in range(times):
        with atomic():
            evidence.record(way, outcome, source_kind="test", source_id=outside(new_id()), synthetic=synthetic)


def word(way: str) -> Name:
    return standing.current()[way].standing


# --- what people say


def test_three_people_put_a_way_in_doubt_and_it_is_named_to_nobody() -> None:
    tries(CARD, "worked")
    says(CARD, "a", "b")
    assert word(CARD) is Name.PROVEN
    says(CARD, "c")
    assert word(CARD) is Name.SUSPECT
    assert not guidance.read().named("notice")
    assert not Exposure.objects.exists(), "nobody's clock stops for what others say"


def test_one_person_counts_once_however_often_they_say_it() -> None:
    tries(CARD, "worked")
    says(CARD, "a", "a", "a", "a", "b", "b")
    assert word(CARD) is Name.PROVEN
    assert Evidence.objects.filter(outcome="reported").count() == 2


def test_words_never_withdraw_a_way_and_walks_that_pass_answer_them(noon: clock.Frozen) -> None:
    tries(CARD, "worked")
    says(CARD, *(f"p{number}" for number in range(100)))
    assert word(CARD) is Name.SUSPECT
    tries(CARD, "worked", 3, synthetic=True)
    assert word(CARD) is Name.PROVEN


def test_who_makes_them_up_needs_twice_as_many_people_each_time(noon: clock.Frozen) -> None:
    tries(CARD, "worked")
    says(CARD, "a", "b", "c")
    tries(CARD, "worked", 3, synthetic=True)
    says(CARD, "d", "e", "f", "g", "h")
    assert word(CARD) is Name.PROVEN
    says(CARD, "i")
    assert word(CARD) is Name.SUSPECT


def test_a_doubt_that_nothing_answers_ends_and_the_house_forgets(noon: clock.Frozen) -> None:
    tries(CARD, "worked")
    says(CARD, "a", "b", "c")
    for _ in range(11):
        noon.advance(timedelta(minutes=1))
        tries(CARD, "failed_by_customer")
    sweeps.run("standing")
    assert word(CARD) is Name.UNPROVEN
    tries(CARD, "worked")
    assert word(CARD) is Name.PROVEN


def test_old_words_do_not_add_up(noon: clock.Frozen) -> None:
    for who in ("a", "b", "c", "d"):
        tries(CARD, "worked")
        says(CARD, who)
        noon.advance(timedelta(minutes=16))
    tries(CARD, "worked")
    assert word(CARD) is Name.PROVEN


def test_a_failure_beside_the_words_still_counts() -> None:
    tries(CARD, "worked")
    says(CARD, "a", "b", "c")
    tries(CARD, "failed_by_provider", 5)
    assert word(CARD) is Name.WITHDRAWN
    assert replay.replay(CARD).same


def test_a_clerk_reports_with_one_command() -> None:
    tries(CARD, "worked")
    for who in ("kim", "lee", "park"):
        call_command("ways", "report", CARD, "--who", who, "--reason", "customers in the store say so")
    assert word(CARD) is Name.SUSPECT


# --- parents


def family() -> None:
    for way in (CARD, TRANSFER):
        tries(way, "worked")
        tries(way, "failed_by_provider", 6)
    sweeps.run("parents")


def test_a_dead_provider_takes_ways_along_that_nobody_tried(settings: pytest.FixtureRequest) -> None:
    Way.objects.create(slug="web/deposit/sandbox", channel="web", method="deposit", provider="sandbox")
    tries("web/deposit/sandbox", "worked")
    family()
    assert word("web/deposit/sandbox") is Name.WITHDRAWN
    assert word(TOSS) is Name.UNPROVEN, "another provider's way is none of it"
    assert Exposure.objects.filter(way_id="web/deposit/sandbox", ended_at=None).exists()
    assert replay.replay("web/deposit/sandbox").same


def test_one_failing_way_is_not_a_failing_provider() -> None:
    tries(TRANSFER, "worked")
    tries(CARD, "worked")
    tries(CARD, "failed_by_provider", 6)
    assert sweeps.run("parents") == 0
    assert word(TRANSFER) is Name.PROVEN


def test_what_was_taken_along_comes_back_with_its_provider_and_needs_a_proof(noon: clock.Frozen) -> None:
    deposit = "web/deposit/sandbox"
    Way.objects.create(slug=deposit, channel="web", method="deposit", provider="sandbox")
    tries(deposit, "worked")
    family()
    for _ in range(100):
        noon.advance(timedelta(seconds=10))
        tries(CARD, "worked", synthetic=True)
        sweeps.run("standing")
        sweeps.run("parents")
        if word(CARD) is Name.PROVEN:
            break
    sweeps.run("parents")
    assert word(CARD) is Name.PROVEN
    assert word(TRANSFER) is Name.WITHDRAWN, "its own evidence withdrew it"
    assert word(deposit) is Name.UNPROVEN
    tries(deposit, "worked")
    assert word(deposit) is Name.PROVEN
    sweeps.run("parents")
    assert word(deposit) is Name.PROVEN


def test_what_a_person_withdrew_says_nothing_of_the_provider() -> None:
    for way in (CARD, TRANSFER):
        by_hand.withdraw(way, who="kim", reason="maintenance")
    assert sweeps.run("parents") == 0


# --- baselines


def hours(way: str, rate: float, count: int = 48, tries_an_hour: int = 40) -> None:
    now = clock.now()
    rows = []
    for hour in range(1, count + 1):
        for each in range(tries_an_hour):
            outcome = "failed_by_provider" if each < rate * tries_an_hour else "worked"
            at = now - timedelta(hours=hour) + timedelta(seconds=each)
            rows.append(
                Evidence(
                    way_id=way, outcome=outcome, at=at, synthetic=False, source_kind="past", source_id=outside(new_id())
                )
            )
    Evidence.objects.bulk_create(rows)


@pytest.mark.parametrize(("rate", "learned"), [(0.0, weights.P0_LEAST), (0.1, 0.1), (0.5, weights.P0_MOST)])
def test_a_baseline_is_learned_within_its_bounds(rate: float, learned: float) -> None:
    hours(CARD, rate)
    assert baselines.learned(CARD) == pytest.approx(learned)


def test_few_tries_teach_nothing_and_hours_of_failure_are_none_of_health() -> None:
    hours(CARD, 0.1, count=20)
    assert baselines.learned(CARD) is None
    hours(TRANSFER, 0.05, count=40)
    Exposure.objects.create(
        way_id=TRANSFER,
        onset=clock.now() - timedelta(hours=40),
        committed_at=clock.now() - timedelta(hours=40),
        ended_at=clock.now() - timedelta(hours=20),
    )
    assert baselines.learned(TRANSFER) is None


def test_a_learned_baseline_is_a_decision_that_is_kept_and_replayed() -> None:
    tries(CARD, "worked")
    hours(CARD, 0.1)
    assert sweeps.run("baselines") == 1
    assert sweeps.run("baselines") == 0
    assert ways.load(Way.objects.get(pk=CARD)).baseline == pytest.approx(0.1)
    assert WayDecision.objects.get(way_id=CARD).value == "0.1000"
    tries(CARD, "worked")
    tries(CARD, "failed_by_provider", 7)
    assert word(CARD) is not Name.WITHDRAWN, "eight in a row it takes here"
    tries(CARD, "failed_by_provider", 1)
    assert word(CARD) is Name.WITHDRAWN
