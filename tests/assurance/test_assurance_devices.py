"""A way can fail on one kind of device and nowhere else: who holds such a device is not sent there, all others are."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command

from doenda.assurance import devices, evidence, exposure, guidance, incidents, no_way, replay, standing, ways
from doenda.assurance.models import Evidence, Exposure, NoWay, Offer, Way
from doenda.assurance.rule import Name
from doenda.billing import accounts
from doenda.billing.models import Account
from doenda.kernel import clock, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside

CARD, TRANSFER, TOSS = "web/card/sandbox", "web/transfer/sandbox", "web/transfer/toss"

KAKAO = (
    "Mozilla/5.0 (Linux; Android 14; SM-S918N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/126.0.0.0 Mobile Safari/537.36;KAKAOTALK 2410830"
)
AGENTS = {
    KAKAO: "in_app",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
    "NAVER(inapp; search; 2000; 12.8.2; 15PRO)": "in_app",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36": (
        "chromium"
    ),
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1": "webkit",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 "
    "Mobile/15E148 Safari/604.1": "webkit",
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0": "gecko",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko": "trident",
    "w3m/0.5.3+git20230121": "text",
    "Lynx/2.9.0dev.12 libwww-FM/2.14": "text",
    "Dillo/3.0.5": "text",
    "doenda-walker": "",
    "": "",
    "x" * 100_000: "",
}


@pytest.fixture(autouse=True)
def _offered(db: None, noon: clock.Frozen, settings: pytest.FixtureRequest) -> None:
    settings.DOENDA_OFFERED = ["sandbox", "toss", "debit"]  # type: ignore[attr-defined]
    ways.ensure_ways()


def tries(way: str, outcome: str, times: int = 1, *, device: str = "", synthetic: bool = False) -> None:
    for _ in range(times):
        source = outside(new_id())
        with atomic():
            evidence.record(way, outcome, source_kind="test", source_id=source, synthetic=synthetic, device=device)


def customer() -> Account:
    with atomic():
        return accounts.open_account("A-1", "KRW")


def on_page(device: str) -> set[str]:
    return {way.slug for way in guidance.read().named("page", device=device)}


# --- the data


@pytest.mark.parametrize(("agent", "kind"), AGENTS.items(), ids=lambda value: str(value)[-30:])
def test_browsers_are_recognised_by_their_own_names(agent: str, kind: str) -> None:
    assert devices.recognised(agent) == kind


def test_every_entry_says_where_it_is_known_from_and_when() -> None:
    table = devices.table()
    entries: list[devices.Device | devices.Limit] = [*table.kinds.values(), *table.limits.values()]
    for entry in entries:
        assert entry.source
        assert date(2025, 1, 1) < entry.looked_at <= date(2030, 1, 1)
    for method, provider, _ in table.limits:
        assert any(one.parts[1:] == (method, provider) for one in ways.definitions()), "a limit of nothing"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[[devices]]\nname="x"\nwords=[]\nsource="s"\nlooked_at=2026-01-01', "device 1"),
        ('[[devices]]\nname="x"\nwords=["x"]\nlooked_at=2026-01-01', "device 1"),
        ('[[limits]]\nmethod="card"\nprovider="toss"\ndevice="x"\nfinishes="no"\nsource="s"\nlooked_at=2026-01-01', "limit 1"),  # noqa: E501
        (
            '[[devices]]\nname="x"\nwords=["x"]\nsource="s"\nlooked_at=2026-01-01\n'
            '[[limits]]\nmethod="card"\nprovider="toss"\ndevice="x"\nfinishes="maybe"\nsource="s"\nlooked_at=2026-01-01',
            "limit 1",
        ),
    ],
)  # fmt: skip
def test_a_table_that_is_not_right_is_refused_by_its_entry(tmp_path, text: str, place: str) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "devices.toml").write_text(text)
    with pytest.raises(ValueError, match=place):
        devices.read(tmp_path / "devices.toml")


def test_what_an_in_app_browser_cannot_finish_is_not_offered_there_and_said_to_work_elsewhere() -> None:
    tries(CARD, "worked")
    tries(TOSS, "worked")
    assert on_page("in_app") >= {CARD}
    assert TOSS not in on_page("in_app")
    assert TOSS in on_page("chromium")
    assert TOSS in on_page("")
    assert "transfer" not in {way.method for way in guidance.read().named("page", device="in_app") if way.proven}


def test_a_text_names_no_method_that_many_customers_cannot_finish() -> None:
    tries(CARD, "worked")
    tries(TOSS, "worked")
    assert {way.method for way in guidance.read().named("notice")} == {"card"}
    tries(TRANSFER, "worked")
    assert {way.method for way in guidance.read().named("notice")} == {"card", "transfer"}, "another way of it can"


# --- what evidence says


def test_failures_on_one_kind_of_device_withdraw_the_way_there_and_nowhere_else() -> None:
    tries(CARD, "worked")
    for _ in range(6):
        tries(CARD, "failed_by_provider", device="webkit")
        tries(CARD, "worked", 4, device="chromium")
    assert standing.current()[CARD].standing is Name.PROVEN
    assert standing.one(f"{CARD}@webkit").standing is Name.WITHDRAWN  # type: ignore[union-attr]
    assert CARD not in on_page("webkit")
    assert CARD in on_page("chromium")
    assert CARD in on_page("")
    assert not guidance.read().named("notice"), "whoever reads a text may hold such a device"


def test_on_a_rare_kind_of_device_it_is_kept_from_pages_and_not_from_texts() -> None:
    tries(CARD, "worked")
    for _ in range(6):
        tries(CARD, "failed_by_provider", device="gecko")
        tries(CARD, "worked", 4)
    assert CARD not in on_page("gecko")
    assert {way.slug for way in guidance.read().named("notice")} == {CARD}


def test_the_customers_own_failures_and_unknown_devices_say_nothing_of_a_kind() -> None:
    tries(CARD, "worked")
    tries(CARD, "failed_by_customer", 9, device="webkit")
    tries(CARD, "failed_by_provider", 2, device="toaster")
    assert not Way.objects.filter(purpose="device").exists()


def test_only_who_was_shown_it_on_such_a_device_was_misled() -> None:
    tries(CARD, "worked")
    mine = customer()
    with atomic():
        other = accounts.open_account("A-2", "KRW")
    for account, device in ((mine, "webkit"), (other, "chromium")):
        guidance.offer("pay", account.pk, "page", lang="ko", subject_id=new_id(), device=device)
    for _ in range(6):
        tries(CARD, "failed_by_provider", device="webkit")
        tries(CARD, "worked", 4, device="chromium")
    assert exposure.misled(f"{CARD}@webkit") == [mine.pk]
    assert [way for _, end, way in exposure.intervals(mine.pk) if end is None] == [f"{CARD}@webkit"]
    assert exposure.intervals(other.pk) == []
    assert set(Offer.objects.filter(account=mine).values_list("device", flat=True)) == {"webkit"}


def test_after_its_hold_whoever_holds_such_a_device_may_try_again_marked_and_success_brings_it_back(
    noon: clock.Frozen,
) -> None:
    tries(CARD, "worked")
    tries(CARD, "failed_by_provider", 5, device="webkit")
    tries(CARD, "worked", 20)
    noon.advance(timedelta(minutes=4))
    tries(CARD, "worked", 3)
    sweeps.run("standing")
    (shown,) = (way for way in guidance.read().named("page", device="webkit") if way.slug == CARD)
    assert not shown.proven
    assert shown.standing is Name.HALF_OPEN
    tries(CARD, "worked", 16, device="webkit")
    assert standing.one(f"{CARD}@webkit").standing is Name.PROVEN  # type: ignore[union-attr]
    sweeps.run("standing")
    assert not Exposure.objects.filter(way_id=f"{CARD}@webkit", ended_at=None).exists()


def test_a_failure_while_half_open_takes_it_away_again_for_longer(noon: clock.Frozen) -> None:
    tries(CARD, "failed_by_provider", 5, device="webkit")
    noon.advance(timedelta(minutes=4))
    sweeps.run("standing")
    tries(CARD, "failed_by_provider", device="webkit")
    again = standing.one(f"{CARD}@webkit")
    assert again is not None
    assert again.standing is Name.WITHDRAWN
    assert again.hold_until is not None
    assert again.hold_until - clock.now() == timedelta(minutes=6)


def test_silence_of_a_kind_of_device_says_nothing(noon: clock.Frozen) -> None:
    tries(CARD, "failed_by_provider", device="webkit")
    noon.advance(timedelta(days=40))
    sweeps.run("standing")
    tries(CARD, "worked")
    assert CARD in on_page("webkit")
    assert not Exposure.objects.filter(way_id=f"{CARD}@webkit").exists()


def test_three_people_on_one_kind_of_device_put_the_way_in_doubt_there() -> None:
    tries(CARD, "worked")
    for who in "abc":
        with atomic():
            evidence.report(CARD, who=who, device="in_app")
    assert standing.one(f"{CARD}@in_app").standing is Name.SUSPECT  # type: ignore[union-attr]
    assert [way.proven for way in guidance.read().named("page", device="in_app") if way.slug == CARD] == [False]


def test_a_cell_replays_from_its_log_like_any_way() -> None:
    tries(CARD, "worked")
    tries(CARD, "failed_by_provider", 5, device="webkit")
    assert replay.replay(f"{CARD}@webkit").same
    assert Evidence.objects.filter(way_id=f"{CARD}@webkit").count() == 5


def test_one_fault_everywhere_is_one_incident_and_one_on_a_kind_of_device_is_its_own() -> None:
    tries(CARD, "worked")
    for _ in range(6):
        tries(CARD, "failed_by_provider", device="gecko")
        tries(CARD, "worked", 4)
    sweeps.run("incidents")
    assert [each.cause for each in incidents.shown()] == ["device:gecko"]
    tries(TRANSFER, "worked")
    tries(CARD, "failed_by_provider", 6, device="chromium")
    sweeps.run("incidents")
    assert {each.cause for each in incidents.shown() if each.mended_at is None} == {"provider:sandbox"}


def test_where_only_one_kind_of_device_can_pay_by_nothing_that_is_a_state_and_a_person_is_called(
    noon: clock.Frozen,
) -> None:
    settings_ways = [slug for slug in standing.current("pay") if slug != CARD]
    for slug in settings_ways:
        call_command("ways", "retire", slug, "--who", "t", "--reason", "t")
    tries(CARD, "worked")
    for _ in range(6):
        tries(CARD, "failed_by_provider", device="gecko")
        tries(CARD, "worked", 4)
    sweeps.run("no_way")
    assert [each.purpose for each in NoWay.objects.filter(until=None)] == ["pay@gecko"]
    assert no_way.running() is None, "others can pay: texts go on"
    noon.advance(timedelta(seconds=61))
    tries(CARD, "worked")
    sweeps.run("no_way")
    assert NoWay.objects.get(purpose="pay@gecko").paged_at is not None
    noon.advance(timedelta(minutes=4))
    tries(CARD, "worked")
    sweeps.run("standing")
    sweeps.run("no_way")
    assert NoWay.objects.get(purpose="pay@gecko").until is not None, "it may be tried again, marked"


def test_a_cell_goes_and_comes_back_with_its_way(settings: pytest.FixtureRequest) -> None:
    tries(TOSS, "failed_by_provider", 5, device="webkit")
    settings.DOENDA_OFFERED = ["sandbox"]  # type: ignore[attr-defined]
    ways.ensure_ways()
    assert standing.one(f"{TOSS}@webkit").standing is Name.RETIRED  # type: ignore[union-attr]
    settings.DOENDA_OFFERED = ["sandbox", "toss"]  # type: ignore[attr-defined]
    ways.ensure_ways()
    tries(TOSS, "failed_by_provider", device="webkit")
    assert standing.one(f"{TOSS}@webkit").standing is Name.WITHDRAWN  # type: ignore[union-attr]


def test_successes_of_many_at_once_count_on_their_devices_too() -> None:
    tries(CARD, "failed_by_provider", 3, device="webkit")
    before = standing.one(f"{CARD}@webkit").points  # type: ignore[union-attr]
    found = [evidence.Tried(CARD, evidence.Outcome.WORKED, "many", str(n), False, device="webkit") for n in range(3)]
    with atomic():
        evidence.record_many(found)
    with atomic():
        _, state = standing.lock(f"{CARD}@webkit")
    assert state.points < before
