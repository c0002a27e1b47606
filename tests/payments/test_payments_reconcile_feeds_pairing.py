"""The rule that pairs a provider's lines with what the ledger has of an order (pure), and what is read of its list."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doenda.kernel import clock
from doenda.payments.policy import PolicyBroken
from doenda.payments.providers.sandbox import feed
from doenda.payments.reconciliation import daily
from doenda.payments.reconciliation.pairing import Fact, Order, Told, Verdict, pair
from doenda.payments.reconciliation.reasons import Reason

AT = clock.at(date(2014, 10, 22), 12)


def line(ident: str, amount: int, side: Any = "in", ref: str = "r") -> Told:
    return Told(ident, side, "ORDER", ref, amount, "KRW", AT + timedelta(seconds=len(ident)))


def fact(ident: str, amount: int, side: Any = "in", ref: str = "r") -> Fact:
    return Fact("payment" if side == "in" else "given_back", ident, side, amount, AT, ref if side == "in" else "")


def order(*facts: Fact) -> Order:
    return Order("ORDER", "r", 1_000, "KRW", facts=facts)


def test_parts_that_add_up_to_what_went_back_as_a_whole_are_parts_of_it() -> None:
    found = pair(
        order(fact("p", 1_000), fact("b", 1_000, "out")),
        [line("a", 1_000), line("bb", 300, "out"), line("ccc", 700, "out")],
    )
    assert [found[each].fact for each in ("a", "bb", "ccc")] == [
        ("payment", "p"),
        ("given_back", "b"),
        ("given_back+2", "b"),
    ]


def test_what_other_lines_have_matched_is_not_matched_again() -> None:
    found = pair(order(fact("p", 1_000)), [line("a", 1_000)], [("payment", "p")])
    assert found["a"] == Verdict(reason=Reason.TWICE, near=("payment", "p"), why="it was taken for this order before")


def test_another_reference_for_the_same_sum_is_named() -> None:
    found = pair(order(fact("p", 1_000)), [line("a", 1_000, ref="other")])
    assert (found["a"].reason, found["a"].near) == (Reason.WRONG_REFERENCE, ("payment", "p"))


def test_a_refund_that_is_told_twice_is_named() -> None:
    facts = order(fact("p", 1_000), fact("b", 400, "out"))
    found = pair(facts, [line("a", 1_000), line("bb", 400, "out"), line("ccc", 400, "out")])
    assert found["ccc"].reason == Reason.TWICE


amounts = st.integers(1, 3)
sides = st.sampled_from(["in", "out"])
moves = st.lists(st.tuples(amounts, sides), max_size=6)


@settings(max_examples=300)
@given(moves, moves)
def test_every_line_ends_and_no_fact_is_matched_twice(theirs: list[Any], ours: list[Any]) -> None:
    facts = [fact(f"f{n}", amount, side) for n, (amount, side) in enumerate(ours)]
    lines = [line(f"l{n}", amount, side) for n, (amount, side) in enumerate(theirs)]
    found = pair(order(*facts), lines)
    assert found.keys() == {each.ident for each in lines}
    assert all((each.fact is not None) + (each.reason is not None) + each.gone == 1 for each in found.values())
    matched = [each.fact for each in found.values() if each.fact is not None]
    assert len(matched) == len(set(matched))
    signed = {each.ident: each.amount if each.side == "in" else -each.amount for each in lines}
    worth = {each.key: each.amount if each.side == "in" else -each.amount for each in facts}
    sums: dict[tuple[str, str], int] = {}
    for ident, verdict in found.items():
        if verdict.fact is not None:
            key = (verdict.fact[0].partition("+")[0], verdict.fact[1])
            sums[key] = sums.get(key, 0) + signed[ident]
    assert all(worth[key] == amount for key, amount in sums.items()), "what is matched is equal to the won"
    assert sum(signed[ident] for ident, verdict in found.items() if verdict.gone) == 0


@settings(max_examples=100)
@given(moves)
def test_what_both_have_alike_is_matched_whole(both: list[Any]) -> None:
    facts = [fact(f"f{n}", amount, side) for n, (amount, side) in enumerate(both)]
    lines = [line(f"l{n}", amount, side) for n, (amount, side) in enumerate(both)]
    assert all(each.fact is not None for each in pair(order(*facts), lines).values())


ROW = {
    "n": 7,
    "payment_key": "pay_1",
    "order_id": "ORDER",
    "merchant": "doenda",
    "kind": "capture",
    "amount": 1_000,
    "currency": "KRW",
    "at": "2014-10-22T12:00:00.000+09:00",
}


def test_a_page_of_the_sandboxs_list_is_read() -> None:
    lines, last = feed.read([ROW, ROW | {"n": 9, "kind": "cancel"}], 6)
    assert ([each.kind for each in lines], [each.line_id for each in lines], last) == (
        ["paid", "given_back"],
        ["7", "9"],
        9,
    )
    assert feed.read([], 6) == ([], 6)


@pytest.mark.parametrize(
    "said",
    [
        {},
        [1],
        [ROW | {"amount": 1.5}],
        [ROW | {"amount": -1}],
        [ROW | {"kind": "gift"}],
        [ROW | {"at": "2014-10-22T12:00:00"}],
        [ROW | {"at": None}],
        [ROW | {"n": "7"}],
        [ROW | {"n": 6}],
        [ROW, ROW],
        [{"n": 7}],
    ],
)
def test_one_line_that_cannot_be_read_fails_the_page(said: object) -> None:
    with pytest.raises(feed.Unreadable):
        feed.read(said, 6)


@pytest.mark.parametrize("text", ["", "[[version]]", "[[version]]\nversion = 1\nhour = 99"])
def test_a_broken_policy_names_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "daily-xx.toml").write_text(text)
    monkeypatch.setattr(daily, "POLICIES", tmp_path)
    daily.versions.cache_clear()
    with pytest.raises(PolicyBroken, match=r"daily-xx\.toml"):
        daily.versions("XX")
    daily.versions.cache_clear()
