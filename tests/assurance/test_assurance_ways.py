"""Evidence, standing, guidance, offers and exposure with the database."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from doenda.assurance import by_hand, evidence, exposure, guidance, rule, standing, ways
from doenda.assurance.models import Evidence, Exposure, Offer, Transition, Way
from doenda.assurance.rule import Name, Outcome
from doenda.billing import accounts
from doenda.kernel import clock, facts, ids
from doenda.kernel.models import FactRow
from doenda.probes import schedules

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"
counter = iter(range(10**9))


def see(way: str = CARD, outcome: str = "worked", *, synthetic: bool = False, times: int = 1) -> None:
    for _ in range(times):
        with transaction.atomic():
            evidence.record(way, outcome, source_kind="test", source_id=str(next(counter)), synthetic=synthetic)


def word(way: str = CARD) -> Name:
    return standing.current()[way].standing


def bring_back(noon: clock.Frozen, way: str = CARD) -> None:
    for _ in range(40):
        noon.advance(timedelta(seconds=10))
        see(way, synthetic=True)
        standing.sweep(100)


@pytest.fixture
def account(db: None) -> UUID:
    return accounts.open_account("A-1", "KRW").id


def test_the_declared_ways_are_rows_after_migrating(db: None) -> None:
    assert list(standing.current()) == [CARD, TRANSFER]
    assert word() is Name.UNPROVEN


def test_a_wrong_way_is_named_with_its_place(tmp_path: Path) -> None:
    source = tmp_path / "ways.toml"
    source.write_text('[[ways]]\nslug = "web/card"\npurpose = "pay"\nlease = 1\n')
    with pytest.raises(ValueError, match=r"ways.toml, way 1"):
        ways.definitions(source)


def test_a_way_no_longer_listed_is_retired(db: None, noon: clock.Frozen) -> None:
    with transaction.atomic():
        Way.objects.create(slug="web/cash/gone", channel="web", method="cash", provider="gone")
    ways.ensure_ways()
    assert word("web/cash/gone") is Name.RETIRED
    assert guidance.closed("web/cash/gone")


def test_a_first_proof_makes_a_way_proven_and_says_so(db: None, noon: clock.Frozen) -> None:
    see()
    assert word() is Name.PROVEN
    fact = FactRow.objects.get(kind="assurance.way_changed")
    assert (fact.data["way"], fact.data["from"], fact.data["to"]) == (CARD, "unproven", "proven")


def test_the_same_source_counts_once_and_pending_may_precede_it(db: None, noon: clock.Frozen) -> None:
    tries = ("pending", "pending", "failed_by_us", "failed_by_us", "worked")
    with transaction.atomic():
        told = [evidence.record(CARD, one, source_kind="attempt", source_id="1", synthetic=False) for one in tries]
    assert told == [True, False, True, False, False]
    assert Evidence.objects.count() == 2


def test_a_way_that_nobody_declared_is_refused(db: None) -> None:
    with pytest.raises(evidence.UnknownWay), transaction.atomic():
        evidence.record("web/sock/puppet", "worked", source_kind="t", source_id="1", synthetic=False)
    with pytest.raises(ValueError, match="perhaps"), transaction.atomic():
        evidence.record(CARD, "perhaps", source_kind="t", source_id="1", synthetic=False)


def test_a_success_on_a_proven_way_is_one_statement(db: None, noon: clock.Frozen) -> None:
    see()
    version = Way.objects.get(pk=CARD).version
    with transaction.atomic(), CaptureQueriesContext(connection) as seen:
        evidence.record(CARD, "worked", source_kind="t", source_id="hot", synthetic=False)
    assert len(seen) == 1
    assert Way.objects.get(pk=CARD).version == version


def test_a_stored_success_renews_the_lease_although_the_row_was_not_touched(db: None, noon: clock.Frozen) -> None:
    see()
    noon.advance(timedelta(seconds=100))
    see()
    noon.advance(timedelta(seconds=100))
    assert standing.sweep(100) == 0
    assert word() is Name.PROVEN


def test_failures_count_against_the_newest_stored_proof(db: None, noon: clock.Frozen) -> None:
    see()
    noon.advance(timedelta(seconds=60))
    see()
    last = clock.now()
    noon.advance(timedelta(seconds=5))
    see(outcome="failed_by_provider", times=5)
    assert word() is Name.WITHDRAWN
    assert Exposure.objects.get().onset == last


def test_a_lease_ends_by_itself_even_when_no_sweep_runs(db: None, noon: clock.Frozen) -> None:
    see()
    noon.advance(timedelta(seconds=121))
    assert word() is Name.UNPROVEN
    assert standing.sweep(100) == 1
    assert standing.sweep(100) == 0
    assert [(t.was, t.now) for t in Transition.objects.order_by("at", "id")] == [
        ("unproven", "proven"),
        ("proven", "unproven"),
    ]


def test_a_withdrawal_writes_transition_exposure_and_fact_together(db: None, noon: clock.Frozen) -> None:
    see()
    noon.advance(timedelta(seconds=5))
    see(outcome="failed_by_provider", times=4)
    with transaction.atomic():
        evidence.record(CARD, "failed_by_us", source_kind="t", source_id="last", synthetic=False)
        assert word() is Name.WITHDRAWN
        transaction.set_rollback(True)
    assert word() is Name.SUSPECT
    assert not Exposure.objects.exists()
    see(outcome="failed_by_us")
    assert Transition.objects.filter(now="withdrawn").count() == Exposure.objects.count() == 1
    assert FactRow.objects.filter(kind="assurance.way_changed", data__to="withdrawn").count() == 1


def test_a_mended_way_comes_back_through_half_open_and_its_exposure_ends(db: None, noon: clock.Frozen) -> None:
    see()
    see(outcome="failed_by_provider", synthetic=True, times=3)
    assert word() is Name.WITHDRAWN
    bring_back(noon)
    assert word() is Name.PROVEN
    words = list(Transition.objects.order_by("version").values_list("now", flat=True))
    assert words[-2:] in (["half_open", "proven"], ["withdrawn", "proven"])
    assert Exposure.objects.get().ended_at is not None


def test_a_payment_is_kept_by_a_host_whose_clock_is_behind_that_of_who_saw_its_way_fail(
    db: None, noon: clock.Frozen
) -> None:
    see()
    noon.advance(timedelta(seconds=30))
    see(outcome="failed_by_us")
    noon.advance(timedelta(seconds=200))
    standing.sweep(100)  # no proof for a lease, and it failed before: whoever was told it was misled
    known = Exposure.objects.get(way=CARD).committed_at
    noon.advance(timedelta(seconds=-60))
    see(times=5)
    assert word() is Name.PROVEN
    assert Exposure.objects.get(way=CARD).ended_at == known


def test_a_way_that_failed_is_retired_by_a_host_whose_clock_is_behind(
    db: None, noon: clock.Frozen, settings: Any
) -> None:
    see()
    see(outcome="failed_by_us", times=5)
    noon.advance(timedelta(hours=-1))
    settings.DOENDA_OFFERED = ()
    ways.ensure_ways()
    assert Exposure.objects.get(way=CARD).ended_at is not None


def test_the_stored_log_replays_to_the_stored_standing(db: None, noon: clock.Frozen) -> None:
    plan = "wwfwffwpwwwcffffwww" * 3 + "w" * 60
    outcomes = {"w": "worked", "f": "failed_by_us", "p": "pending", "c": "failed_by_customer"}
    for number, letter in enumerate(plan):
        noon.advance(timedelta(seconds=7))
        see(outcome=outcomes[letter], synthetic=number % 3 == 0)
    state, was, replayed = rule.WayState(), Name.UNPROVEN, []
    for row in Evidence.objects.order_by("created_at", "id"):
        state = rule.judge(state, rule.Event(Outcome(row.outcome), row.at, row.created_at, row.synthetic))
        if (now := rule.standing(state, row.created_at)) is not was:
            replayed.append((was.value, now.value))
            was = now
    assert replayed == list(Transition.objects.order_by("version").values_list("was", "now"))
    assert len(replayed) > 3


def test_the_log_cannot_be_rewritten(db: None, noon: clock.Frozen) -> None:
    see()
    for model in (Evidence, Transition):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            model.objects.update(at=clock.now())


def test_a_person_gives_a_reason(db: None, noon: clock.Frozen) -> None:
    see()
    with pytest.raises(ValueError, match="reason"):
        by_hand.withdraw(CARD, who="kim", reason=" ")
    by_hand.withdraw(CARD, who="kim", reason="the bank telephoned")
    assert word() is Name.WITHDRAWN
    assert Transition.objects.get(now="withdrawn").cause == "withdrawn by kim: the bank telephoned"
    noon.advance(timedelta(seconds=1))
    by_hand.vouch(CARD, who="kim", reason="mended")
    assert word() is Name.UNPROVEN
    noon.advance(timedelta(seconds=1))
    see(synthetic=True)
    assert word() is Name.PROVEN


def test_a_closure_ends_by_itself(db: None, noon: clock.Frozen) -> None:
    see()
    by_hand.close(CARD, clock.now() + timedelta(seconds=60), who="calendar", reason="the bank's night")
    assert guidance.closed(CARD)
    assert not Exposure.objects.exists()
    noon.advance(timedelta(seconds=60))
    assert standing.sweep(100) == 1
    assert word() is Name.PROVEN


def named(medium: str, account: UUID | None, **more: Any) -> list[tuple[str, bool]]:
    return [(way.slug, way.proven) for way in guidance.offer("pay", account, medium, lang="ko", **more).ways]


def test_a_notice_names_proven_ways_only(account: UUID, noon: clock.Frozen) -> None:
    assert guidance.offer("pay", account, "notice", lang="ko").no_way
    see(TRANSFER)
    for medium in ("notice", "receipt", "panel", "script"):
        assert named(medium, account) == [(TRANSFER, True)]


def test_an_open_page_may_try_the_unproven_last_and_never_the_withdrawn(account: UUID, noon: clock.Frozen) -> None:
    see(TRANSFER)
    assert named("page", account) == [(TRANSFER, True), (CARD, False)]
    see(CARD, "failed_by_us", times=5)
    assert word(CARD) is Name.WITHDRAWN
    assert named("page", account) == [(TRANSFER, True)]
    assert guidance.closed(CARD)
    assert not guidance.closed(TRANSFER)
    assert guidance.closed("no/such/way")


def test_a_suspect_way_waits_on_paper_and_is_last_on_a_page(account: UUID, noon: clock.Frozen) -> None:
    see(CARD)
    see(TRANSFER)
    see(CARD, "failed_by_us", synthetic=True)
    assert named("notice", account) == [(TRANSFER, True)]
    assert named("page", account) == [(TRANSFER, True), (CARD, False)]


def test_what_was_named_is_an_offer_once_a_subject(account: UUID, noon: clock.Frozen) -> None:
    see(CARD)
    visit = ids.new_id()
    for _ in range(3):
        named("page", account, subject_id=visit)
    assert Offer.objects.filter(way_id=CARD).count() == 1
    named("page", None)
    assert Offer.objects.filter(way_id=CARD).count() == 1


def test_without_a_database_nothing_is_named(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("the server closed the connection")

    see(CARD)
    monkeypatch.setattr(standing, "everything", gone)
    assert guidance.offer("pay", ids.new_id(), "page", lang="ko").no_way
    assert guidance.snapshot().ways == ()
    assert guidance.closed(CARD)


def test_an_expired_snapshot_names_nothing(db: None, noon: clock.Frozen) -> None:
    see(CARD)
    seen = guidance.snapshot()
    noon.advance(timedelta(seconds=11))
    assert seen.named("notice") == ()


def test_readers_share_a_snapshot_for_seconds(committed_db: str, noon: clock.Frozen) -> None:
    see(CARD)
    first = guidance.snapshot()
    see(CARD, "failed_by_us", times=5)
    assert guidance.snapshot() is first
    noon.advance(timedelta(seconds=6))
    assert guidance.closed(CARD)


def test_exposure_runs_from_the_last_proof_or_the_offer_to_the_mending(account: UUID, noon: clock.Frozen) -> None:
    see(CARD)
    proof = clock.now()
    noon.advance(timedelta(seconds=30))
    named("page", account)
    noon.advance(timedelta(seconds=30))
    offered = proof + timedelta(seconds=30)
    see(CARD, "failed_by_provider", synthetic=True, times=3)
    assert exposure.intervals(account) == [(offered, None, CARD)]
    assert exposure.misled(CARD) == [account]
    bring_back(noon)
    [(start, end, way)] = exposure.intervals(account)
    assert (start, way) == (offered, CARD)
    assert end == Exposure.objects.get().ended_at
    assert exposure.misled(CARD) == []


def test_a_text_sent_long_before_still_misleads_and_a_page_does_not(account: UUID, noon: clock.Frozen) -> None:
    other = accounts.open_account("A-2", "KRW").id
    see(CARD)
    named("notice", account)
    named("page", other)
    noon.advance(timedelta(days=2))
    see(CARD)
    onset = clock.now()
    see(CARD, "failed_by_us", times=5)
    assert exposure.intervals(account) == [(onset, None, CARD)]
    assert exposure.intervals(other) == []
    assert exposure.misled(CARD) == [account]


def test_a_dead_prober_misleads_nobody_and_a_failure_before_the_lapse_does(account: UUID, noon: clock.Frozen) -> None:
    see(CARD)
    see(TRANSFER)
    proof = clock.now()
    named("notice", account)
    noon.advance(timedelta(seconds=20))
    see(CARD, "failed_by_us")
    noon.advance(timedelta(seconds=110))
    standing.sweep(100)
    assert exposure.intervals(account) == [(proof, None, CARD)]


def test_a_subscriber_that_fails_does_not_undo_evidence(db: None, noon: clock.Frozen) -> None:
    @facts.subscribes("assurance.way_changed", name="test.broken")
    def broken(fact: facts.Fact) -> None:
        raise RuntimeError("a fault above")

    try:
        see()
        assert word() is Name.PROVEN
    finally:
        facts._subscribers["assurance.way_changed"].pop("test.broken")


def test_sixteen_parallel_successes_do_not_wait_for_each_other(committed_db: str) -> None:
    see(CARD)
    together, failed = threading.Barrier(8, timeout=20), []

    def pay(number: int) -> None:
        try:
            with transaction.atomic():
                evidence.record(CARD, "worked", source_kind="pay", source_id=str(number), synthetic=False)
                together.wait()  # all eight hold their transactions open at the same time
        except Exception as error:  # noqa: BLE001 - reported below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=pay, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert Evidence.objects.filter(source_kind="pay").count() == 8


def test_parallel_failures_all_count(committed_db: str) -> None:
    see(CARD)

    def fail(number: int) -> None:
        with transaction.atomic():
            evidence.record(CARD, "failed_by_us", source_kind="fail", source_id=str(number), synthetic=False)
        connection.close()

    threads = [threading.Thread(target=fail, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert word(CARD) is Name.WITHDRAWN
    assert Transition.objects.filter(now="withdrawn").count() == 1


def test_a_proof_of_the_small_hours_counts_for_longer_and_walks_are_made_more_seldom(noon: clock.Frozen) -> None:
    see(CARD)
    assert guidance_lease(CARD) == timedelta(seconds=120)
    noon.set(clock.at(clock.today() + timedelta(days=1), 3, 0))
    see(CARD)
    assert guidance_lease(CARD) == timedelta(seconds=900)
    pause = schedules.due(CARD, clock.now(), amount=1000) - clock.now()
    assert pause == timedelta(seconds=225)
    noon.advance(timedelta(seconds=901))
    assert standing.current()[CARD].standing == "unproven", "it still fails closed"


def guidance_lease(slug: str) -> timedelta:
    way = standing.current()[slug]
    assert way.proven_until is not None
    assert way.last_proof_at is not None
    return way.proven_until - way.last_proof_at
