"""Which provider a method is paid by: the rule, and the data's own limits."""

from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.assurance import ways as declared
from doenda.assurance.guidance import OfferedWay
from doenda.assurance.rule import Name
from doenda.payments import routing
from doenda.payments.routing import CHOSEN_FROM, Route
from doenda.payments.states import IN_FLIGHT, WAITING, State

PROVIDERS = ("sandbox", "toss", "portone", "stripe")


def way(slug: str, standing: Name = Name.PROVEN, *, scripts: bool = False) -> OfferedWay:
    channel, method, provider = slug.split("/")
    capabilities = frozenset({"scripts"}) if scripts else frozenset()
    return OfferedWay(slug, method, channel, standing is Name.PROVEN, provider, capabilities, standing)


def chosen(*ways: OfferedWay, amount: int = 52300, currency: str = "KRW", avoid: tuple[str, ...] = ()) -> list[str]:
    return [one.slug for one in routing.best(ways, amount=amount, currency=currency, avoid=avoid)]


BY = {
    "card": (Route("toss", "KRW", per_mille=30), Route("portone", "KRW", fixed=1000, per_mille=10)),
    "transfer": (Route("toss", "KRW"), Route("portone", "KRW")),
}


def by_cost(amount: int, *ways: OfferedWay) -> list[str]:
    return [one.slug for one in routing.best(ways, amount=amount, currency="KRW", by=BY)]


def test_a_better_standing_comes_before_a_lower_cost() -> None:
    proven, doubted = way("web/card/portone"), way("web/card/toss", Name.SUSPECT)
    assert by_cost(100, proven, doubted) == ["web/card/portone"]


@pytest.mark.parametrize(("better", "worse"), [*pairwise(CHOSEN_FROM)])
def test_standings_have_an_order(better: Name, worse: Name) -> None:
    assert by_cost(1000, way("web/card/toss", worse), way("web/card/portone", better)) == ["web/card/portone"]


def test_at_the_same_standing_a_way_for_any_device_comes_before_a_cheaper_one_with_scripts() -> None:
    plain, cheaper = way("web/card/toss"), way("web/card/portone", scripts=True)
    assert by_cost(10**9, plain, cheaper) == ["web/card/toss"]


def test_the_cost_is_that_of_this_amount() -> None:
    both = way("web/card/toss"), way("web/card/portone")
    assert by_cost(49_999, *both) == ["web/card/toss"]
    assert by_cost(50_001, *both) == ["web/card/portone"]


def test_at_the_same_cost_the_datas_order_decides() -> None:
    assert by_cost(100, way("web/transfer/portone"), way("web/transfer/toss")) == ["web/transfer/toss"]
    assert by_cost(50_000, way("web/card/portone"), way("web/card/toss")) == ["web/card/toss"]


@pytest.mark.parametrize(
    ("slug", "least"),
    [("web/card/toss", 100), ("web/transfer/toss", 200), ("web/deposit/toss", 200), ("web/card/sandbox", 1)],
)
def test_an_amount_below_what_the_provider_takes_is_not_offered(slug: str, least: int) -> None:
    assert chosen(way(slug), amount=least) == [slug]
    assert chosen(way(slug), amount=least - 1) == []


def test_an_amount_above_its_maximum_is_not_offered_either() -> None:
    by = {"card": (Route("toss", maximum=1000),)}
    found = [routing.best((way("web/card/toss"),), amount=n, currency="KRW", by=by) for n in (1000, 1001)]
    assert [len(each) for each in found] == [1, 0]


def test_another_currency_needs_a_line_of_its_own() -> None:
    both = way("web/card/toss"), way("web/card/stripe", scripts=True)
    assert chosen(*both, amount=5000, currency="USD") == ["web/card/stripe"]
    assert chosen(*both, amount=5000, currency="KRW") == ["web/card/toss"]


def test_a_provider_that_no_line_knows_comes_last_and_is_not_lost() -> None:
    new = way("web/card/newcomer")
    assert chosen(new, way("web/card/toss")) == ["web/card/toss"]
    assert chosen(new) == ["web/card/newcomer"]


def test_without_scripts_only_what_needs_none() -> None:
    both = way("web/card/portone", scripts=True), way("web/transfer/toss", Name.UNPROVEN)
    found = routing.best(both, amount=1000, currency="KRW", scripts=False)
    assert [one.slug for one in found] == ["web/transfer/toss"]


def test_proven_methods_are_listed_before_doubtful_ones_and_then_in_the_datas_order() -> None:
    ways = (
        way("web/deposit/deposit"),
        way("web/card/toss", Name.UNPROVEN),
        way("web/transfer/toss"),
        way("web/debit/debit"),
    )
    assert chosen(*ways) == ["web/transfer/toss", "web/deposit/deposit", "web/debit/debit", "web/card/toss"]


@pytest.mark.parametrize("avoid", ["web/card/toss", "toss"])
def test_what_just_failed_for_this_customer_gives_way_to_anything_that_did_not(avoid: str) -> None:
    failed, other = way("web/card/toss"), way("web/card/portone", Name.UNPROVEN, scripts=True)
    assert chosen(failed, other, avoid=(avoid,)) == ["web/card/portone"]
    assert chosen(failed, avoid=(avoid,)) == ["web/card/toss"], "the only one stays"


def test_after_a_failure_the_next_of_the_same_method_is_tried_until_there_is_none() -> None:
    ways = [way(f"web/card/{name}") for name in ("sandbox", "toss", "portone")] + [way("web/transfer/toss")]
    tried = ["web/card/sandbox"]
    while (after := routing.next_after(tried[-1], ways, amount=500, currency="KRW", avoid=tried)) is not None:
        tried.append(after.slug)
    assert tried == ["web/card/sandbox", "web/card/portone", "web/card/toss"]


def test_the_next_one_takes_the_amount_and_is_on_the_same_channel() -> None:
    ways = [way("web/card/sandbox"), way("web/card/toss"), way("counter/card/counter")]
    assert routing.next_after("web/card/sandbox", ways, amount=99, currency="KRW") is None


def test_only_what_certainly_took_nothing_lets_another_provider_try() -> None:
    assert {state for state in State if routing.may_move_on(state)} == {State.REFUSED, State.OUR_FAULT}
    assert not any(routing.may_move_on(state) for state in IN_FLIGHT | WAITING)
    with pytest.raises(ValueError, match="nonsense"):
        routing.may_move_on("nonsense")


def test_every_declared_way_to_pay_has_a_route() -> None:
    for one in (one for one in declared.definitions() if one.purpose == "pay"):
        _, method, provider = one.parts
        assert provider in {route.provider for route in routing.routes()[method]}, one.slug


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('[[card]]\nprovider = "x"\nfixed = -1', "card 1: x: a cost below zero"),
        ('[[card]]\nprovider = "x"\nminimum = 9\nmaximum = 8', "nothing can meet"),
        ('[[card]]\nprovider = "x"\nprice = 1', "card 1"),
        ('[[card]]\nprovider = "x"\n[[card]]\nprovider = "x"', "card 2: x is listed twice"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_wrong(tmp_path: Path, entry: str, said: str) -> None:
    source = tmp_path / "routes.toml"
    source.write_text(entry + "\n")
    with pytest.raises(ValueError, match=said):
        routing.routes(source)


# --- properties

slugs = st.builds(
    "{}/{}/{}".format,
    st.sampled_from(["web", "voice"]),
    st.sampled_from(["card", "transfer", "deposit"]),
    st.sampled_from([*PROVIDERS, "newcomer"]),
)
one_way = st.builds(
    lambda slug, standing, scripts: way(slug, standing, scripts=scripts),
    slugs,
    st.sampled_from(Name),
    st.booleans(),
)
many = st.lists(one_way, max_size=12, unique_by=lambda found: found.slug)
amounts = st.integers(1, 500)
currencies = st.sampled_from(["KRW", "USD"])


@given(many, amounts, currencies, st.lists(slugs, max_size=3), st.booleans())
def test_only_what_guidance_may_name_and_one_a_method(
    ways: list[OfferedWay], amount: int, currency: str, avoid: list[str], scripts: bool
) -> None:
    found = routing.best(ways, amount=amount, currency=currency, avoid=avoid, scripts=scripts)
    assert set(found) <= set(ways)
    assert all(one.standing in CHOSEN_FROM for one in found)
    assert len({(one.channel, one.method) for one in found}) == len(found)
    assert scripts or not any(one.scripts for one in found)
    for one in found:
        assert routing.best([one], amount=amount, currency=currency) == (one,), "it takes this amount"


@given(many, st.randoms(use_true_random=False), amounts, currencies, st.lists(slugs, max_size=3))
def test_the_order_in_which_ways_come_never_matters(
    ways: list[OfferedWay], shuffler: Random, amount: int, currency: str, avoid: list[str]
) -> None:
    other = list(ways)
    shuffler.shuffle(other)
    assert routing.best(ways, amount=amount, currency=currency, avoid=avoid) == routing.best(
        other, amount=amount, currency=currency, avoid=avoid
    )


@given(many, amounts, st.lists(slugs, max_size=4))
def test_what_failed_is_chosen_only_without_another_and_listed_last(
    ways: list[OfferedWay], amount: int, avoid: list[str]
) -> None:
    found = routing.best(ways, amount=amount, currency="KRW", avoid=avoid)
    failed = [one.slug in avoid for one in found]
    assert failed == sorted(failed)
    possible = {one for one in ways if routing.best([one], amount=amount, currency="KRW")}
    for one in found:
        if one.slug in avoid:
            rivals = {other for other in possible if (other.channel, other.method) == (one.channel, one.method)}
            assert all(rival.slug in avoid for rival in rivals)


@given(many, slugs, amounts, st.lists(slugs, max_size=4))
def test_the_next_is_never_one_that_failed(ways: list[OfferedWay], slug: str, amount: int, avoid: list[str]) -> None:
    found = routing.next_after(slug, ways, amount=amount, currency="KRW", avoid=avoid)
    if found is not None:
        assert found.slug not in {slug, *avoid}
        assert (found.channel, found.method) == tuple(slug.split("/")[:2])
        assert found.standing in CHOSEN_FROM
