"""Which ways an installation has, what they ask of a device, and how they go and come back."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from doenda.assurance import by_hand, evidence, guidance, standing, ways
from doenda.assurance.models import Evidence, Exposure, Transition, Way
from doenda.assurance.rule import Name
from doenda.kernel import clock

CARD, TOSS, PORTONE = "web/card/sandbox", "web/card/toss", "web/card/portone"
EVERYONE = ["sandbox", "toss", "portone", "stripe", "deposit", "debit", "counter"]
counter = iter(range(10**9))


def see(way: str, outcome: str = "worked", *, synthetic: bool = True, times: int = 1) -> None:
    for _ in range(times):
        with transaction.atomic():
            evidence.record(way, outcome, source_kind="test", source_id=str(next(counter)), synthetic=synthetic)


def word(way: str) -> Name:
    return standing.current()[way].standing


def offer(settings: Any, *providers: str) -> None:
    settings.DOENDA_OFFERED = list(providers)
    ways.ensure_ways()


def test_every_listed_way_of_every_provider_becomes_a_row(db: None, settings: Any) -> None:
    offer(settings, *EVERYONE)
    assert list(standing.current()) == [one.slug for one in ways.definitions() if one.purpose == "pay"]
    assert len(standing.current()) == 17
    assert standing.current()[PORTONE].capabilities == {"scripts"}
    assert standing.current()[TOSS].capabilities == frozenset()


def test_a_way_whose_provider_is_no_longer_offered_goes_and_needs_a_fresh_proof_when_it_comes_back(
    db: None, noon: clock.Frozen, settings: Any
) -> None:
    offer(settings, "sandbox", "toss")
    see(TOSS)
    offer(settings, "sandbox")
    assert word(TOSS) is Name.RETIRED
    noon.advance(timedelta(seconds=5))
    offer(settings, "sandbox", "toss")
    assert word(TOSS) is Name.UNPROVEN
    noon.advance(timedelta(seconds=1))
    see(TOSS)
    assert word(TOSS) is Name.PROVEN
    moves = Transition.objects.filter(way_id=TOSS).order_by("version").values_list("was", "now")
    assert list(moves) == [
        ("unproven", "proven"),
        ("proven", "retired"),
        ("retired", "unproven"),
        ("unproven", "proven"),
    ]
    assert Evidence.objects.filter(way_id=TOSS).count() == 2


def test_a_withdrawn_way_that_is_offered_again_is_still_withdrawn(db: None, noon: clock.Frozen, settings: Any) -> None:
    see(CARD)
    see(CARD, "failed_by_us", times=3)
    assert word(CARD) is Name.WITHDRAWN
    offer(settings)
    assert Exposure.objects.get().ended_at == clock.now()
    offer(settings, "sandbox")
    assert word(CARD) is Name.WITHDRAWN


def test_what_a_person_retired_comes_back_by_a_person(db: None, noon: clock.Frozen, settings: Any) -> None:
    see(CARD)
    by_hand.retire(CARD, who="kim", reason="the contract ended")
    offer(settings, "sandbox")
    assert word(CARD) is Name.RETIRED
    noon.advance(timedelta(seconds=1))
    by_hand.offer_again(CARD, who="kim", reason="a new contract")
    assert word(CARD) is Name.UNPROVEN


def test_offering_the_same_again_writes_nothing(db: None, noon: clock.Frozen, settings: Any) -> None:
    before = Transition.objects.count(), list(Way.objects.order_by("slug").values_list("slug", "version"))
    offer(settings, "sandbox")
    assert (Transition.objects.count(), list(Way.objects.order_by("slug").values_list("slug", "version"))) == before


def test_a_notice_names_a_way_with_scripts_only_beside_a_plain_one_of_its_method(
    db: None, noon: clock.Frozen, settings: Any
) -> None:
    offer(settings, "sandbox", "portone")
    see(PORTONE)
    assert guidance.read().named("notice") == ()
    page = guidance.read().named("page")
    assert next(way for way in page if way.slug == PORTONE).scripts
    see("web/transfer/sandbox")
    assert [way.method for way in guidance.read().named("notice")] == ["transfer"]
    see(CARD)
    assert [way.slug for way in guidance.read().named("notice")] == [CARD, PORTONE, "web/transfer/sandbox"]


def test_a_lease_is_short_where_walks_renew_it_and_long_where_only_customers_do(db: None, settings: Any) -> None:
    offer(settings, *EVERYONE)
    leases = dict(Way.objects.values_list("slug", "lease_seconds"))
    assert leases[CARD] == 120
    assert leases[TOSS] == 43200
    assert leases["web/deposit/deposit"] == 86400
    settings.DOENDA_WALKED = ["sandbox", "toss"]
    settings.DOENDA_DEPOSIT_HAND_URL = "http://127.0.0.1:1/pay-in"
    ways.ensure_ways()
    leases = dict(Way.objects.values_list("slug", "lease_seconds"))
    assert (leases[TOSS], leases["web/deposit/deposit"], leases[PORTONE]) == (120, 1800, 43200)


def test_no_lease_of_a_debit_ends_before_its_own_result_can_come() -> None:
    debit = next(one for one in ways.definitions() if one.slug == "web/debit/debit")
    assert debit.lease_here > timedelta(days=20).total_seconds()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('slug = "web/card/x"\nlease = 1\ncalendar = "moon"', "no calendar 'moon'"),
        ('slug = "web/card/x"\nlease = 1\ncapability = ["flash"]', "no capability flash"),
        ('slug = "web/card/x"\nlease = 0', "no lease"),
        ('slug = "web/card/x"\nlease = 1\ncolour = "red"', "colour"),
    ],
)
def test_a_wrong_entry_says_what_is_wrong(tmp_path: Path, entry: str, said: str) -> None:
    source = tmp_path / "ways.toml"
    source.write_text(f'[[ways]]\npurpose = "pay"\n{entry}\n')
    with pytest.raises(ValueError, match=said):
        ways.definitions(source)
