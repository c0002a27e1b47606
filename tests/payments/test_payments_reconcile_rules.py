"""The rules of reconciliation: exact is only what is named and fits; near misses are suggested; nothing is guessed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.payments.reconciliation.likeness import narrowed
from doenda.payments.reconciliation.lines import Line
from doenda.payments.reconciliation.reasons import Reason
from doenda.payments.reconciliation.rules import (
    Exact,
    Near,
    Nothing,
    Owed,
    Posted,
    guess,
    lost_zero,
    match,
    mistyped,
    transposed,
)
from doenda.payments.reconciliation.storing import masked
from doenda.payments.reconciliation.take_in import variants

AT = datetime(2014, 10, 22, 3, tzinfo=UTC)
ORDER = "AGGUWZJ4J5ZH7KHNHQ3CQXO2LM"
LINE = Line("1", "in", 52300, "KRW", AT, reference=ORDER, name="김민수")
OURS = Posted("payment", "toss:K1", ORDER, "K1", 52300, "KRW", AT, "in", ("2014-10-000123",), name="김 민수")


def near(line: Line, *ours: Posted) -> tuple[str, bool]:
    found = match(line, ours)
    assert isinstance(found, Near), found
    return found.reason.value, found.candidate is not None


@pytest.mark.parametrize("reference", [ORDER, ORDER.lower(), f"bill {ORDER}, thank you", "K1", "2014-10-000123"])
def test_what_names_ours_and_fits_is_exact(reference: str) -> None:
    provider_ref = reference if reference == "K1" else ""
    line = replace(LINE, reference=reference, provider_ref=provider_ref)
    found = match(line, [replace(OURS, provider_ref="K-1-LONG" if reference != "K1" else "K1")])
    assert isinstance(found, Exact) or reference == "K1", "two letters name nothing"


def test_a_key_of_ours_counts_before_a_bill_that_it_shares() -> None:
    other = replace(OURS, fact_id="toss:K2", order_id="B" * 26, provider_ref="K2222")
    line = replace(LINE, references=("2014-10-000123",))
    assert match(line, [other, OURS]) == Exact(OURS)
    both = replace(LINE, reference="2014-10-000123")
    assert near(both, other, OURS) == ("AMBIGUOUS", False), "two payments of one bill and no word which: no guess"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"amount": 5230}, "LOST_ZERO"),
        ({"amount": 523000}, "LOST_ZERO"),
        ({"amount": 25300}, "TRANSPOSED_DIGITS"),
        ({"amount": 52301}, "AMOUNT_DIFFERS"),
        ({"currency": "USD"}, "CURRENCY_DIFFERS"),
        ({"kind": "out"}, "UNDONE_UNKNOWN"),
        ({"kind": "out", "undoes": True}, "UNDONE_UNKNOWN"),
    ],
)
def test_what_is_named_and_differs_waits_with_a_suggestion(changed: dict[str, object], reason: str) -> None:
    assert near(replace(LINE, **changed), OURS) == (reason, True)  # type: ignore[arg-type]


def test_a_reversal_is_the_undoing_and_never_a_fresh_payment() -> None:
    undone = replace(OURS, fact_kind="undone", kind="out")
    back = replace(LINE, kind="out", undoes=True)
    assert match(back, [OURS, undone]) == Exact(undone)
    assert near(replace(LINE, undoes=True), undone)[0] == "UNDONE_UNKNOWN"


def test_a_fact_that_another_line_is_already_is_told_twice() -> None:
    assert match(LINE, [OURS], taken={OURS.key}) == Near(Reason.TWICE, OURS, 1.0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (replace(LINE, reference="2014-10-000132"), "TRANSPOSED_DIGITS"),
        (replace(LINE, reference="2014-10-00123"), "TRANSPOSED_DIGITS"),
        (replace(LINE, reference="rent"), "WRONG_REFERENCE"),
        (replace(LINE, reference="rent", amount=5230), "LOST_ZERO"),
        (replace(LINE, reference="rent", amount=25300), "TRANSPOSED_DIGITS"),
        (replace(LINE, reference="", name=""), "WRONG_REFERENCE"),
    ],
)
def test_what_names_nothing_of_ours_and_is_like_it_waits_with_a_suggestion(line: Line, reason: str) -> None:
    assert near(line, OURS) == (reason, True)


def test_two_that_are_equally_like_it_are_no_guess() -> None:
    other = replace(OURS, fact_id="toss:K2", order_id="B" * 26, provider_ref="K2222", bills=())
    assert near(replace(LINE, reference="rent"), OURS, other) == ("AMBIGUOUS", False)
    assert isinstance(match(replace(LINE, reference="", name=""), [OURS, other]), Nothing)


@pytest.mark.parametrize(
    "line",
    [
        replace(LINE, reference="rent", name="박서준"),
        replace(LINE, reference="rent", at=AT + timedelta(days=3)),
        replace(LINE, reference="rent", amount=52301),
    ],
)
def test_what_is_not_like_it_is_nothing(line: Line) -> None:
    assert isinstance(match(line, [OURS]), Nothing)


BILL = Owed(UUID(int=1), "2014-10-000123", UUID(int=2), 52300, "KRW", "김민수")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"reference": "2014-10-000123"}, "NOT_IN_LEDGER"),
        ({"reference": "2014-10-000123", "amount": 5230}, "LOST_ZERO"),
        ({"reference": "2014-10-000132"}, "TRANSPOSED_DIGITS"),
        ({"reference": "rent"}, "WRONG_REFERENCE"),
        ({"reference": "rent", "name": ""}, None),
        ({"reference": "2014-10-000123", "kind": "out"}, None),
        ({"reference": "2014-10-000123", "currency": "USD"}, None),
    ],
)
def test_money_that_we_do_not_know_may_be_for_one_open_bill(changed: dict[str, object], reason: str | None) -> None:
    found = guess(replace(LINE, **changed), [BILL])  # type: ignore[arg-type]
    assert (found.reason.value if found else None) == reason
    twin = replace(BILL, bill_id=UUID(int=3), number="2014-10-000124")
    if reason in {"WRONG_REFERENCE", "TRANSPOSED_DIGITS"}:
        alike = replace(twin, number="2014-10-000142")
        assert guess(replace(LINE, **changed), [BILL, alike]) is None  # type: ignore[arg-type]


amounts = st.integers(1, 10**12)


@given(amounts, st.integers(1, 4))
def test_zeros_lost_at_the_end_are_seen_both_ways(amount: int, zeros: int) -> None:
    assert lost_zero(amount, amount * 10**zeros)
    assert lost_zero(amount * 10**zeros, amount)
    assert not lost_zero(amount, amount)


@given(st.text("0123456789", min_size=2, max_size=14), st.data())
def test_two_swapped_neighbours_are_seen(digits: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(digits) - 2))
    swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    assert transposed(digits, swapped) == (digits != swapped)
    if len(digits) >= 6:
        assert mistyped(swapped, digits) == (digits != swapped)


@given(st.text("ABC0123456789-", min_size=6, max_size=26), st.data())
def test_one_letter_lost_or_wrong_or_too_many_is_seen(ours: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(ours) - 1))
    letter = data.draw(st.sampled_from("ABC0123456789-"))
    lost, wrong = ours[:place] + ours[place + 1 :], ours[:place] + letter + ours[place + 1 :]
    assert mistyped(lost, ours)
    assert mistyped(ours[:place] + letter + ours[place:], ours)
    assert mistyped(wrong, ours) == (wrong != ours)


@given(amounts, amounts)
def test_every_slip_of_an_amount_is_among_its_variants(one: int, other: int) -> None:
    for slip in variants(one):
        assert slip == one or lost_zero(slip, one) or transposed(str(slip), str(one))
    if transposed(str(one), str(other)):
        assert other in variants(one)


lines = st.builds(
    Line,
    ident=st.just("1"),
    kind=st.sampled_from(["in", "out"]),
    amount=st.sampled_from([5230, 25300, 52300, 52301]),
    currency=st.sampled_from(["KRW", "USD"]),
    at=st.sampled_from([AT, AT + timedelta(days=1), AT + timedelta(days=9)]),
    reference=st.sampled_from([ORDER, "2014-10-000123", "2014-10-000132", "K1111", "rent", ""]),
    name=st.sampled_from(["김민수", "박서준", ""]),
    undoes=st.booleans(),
)
movements = st.lists(
    st.builds(
        Posted,
        fact_kind=st.sampled_from(["payment", "undone"]),
        fact_id=st.sampled_from(["a", "b", "c"]),
        order_id=st.sampled_from([ORDER, "C" * 26]),
        provider_ref=st.sampled_from(["K1111", "K2222"]),
        amount=st.sampled_from([5230, 25300, 52300]),
        currency=st.just("KRW"),
        at=st.just(AT),
        kind=st.sampled_from(["in", "out"]),
        bills=st.sampled_from([(), ("2014-10-000123",)]),
        name=st.sampled_from(["김민수", ""]),
    ),
    max_size=4,
    unique_by=lambda each: each.key,
)


@given(lines, movements, st.sets(st.sampled_from([("payment", "a"), ("undone", "b")])))
def test_exact_is_named_equal_and_alone_whatever_there_is(
    line: Line, ours: list[Posted], taken: set[tuple[str, str]]
) -> None:
    found = match(line, ours, taken=taken)
    assert found == match(line, list(reversed(ours)), taken=taken) or isinstance(found, Near)
    if isinstance(found, Exact):
        one = found.posted
        assert (one.amount, one.currency, one.kind) == (line.amount, line.currency, line.kind)
        assert line.words & {*one.own, *one.bills}
        assert one.key not in taken
        equal = [
            e for e in ours if e.own & line.words and (e.amount, e.currency, e.kind) == (*line.says[1:], line.kind)
        ]
        assert len([each for each in equal if each.key not in taken]) <= 1


@given(lines, movements)
def test_narrowing_takes_nothing_away_that_a_line_is_like(line: Line, ours: list[Posted]) -> None:
    free = [each for each in ours if not line.words & {*each.own, *each.bills}]
    narrow = narrowed({0: line}, free).get(0, [])
    assert set(narrow) <= set(free)
    assert match(line, narrow) == match(line, [each for each in free if each in narrow] or free)
    assert isinstance(match(line, free), Nothing) == isinstance(match(line, narrow), Nothing)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("KR1234567890", "KR1234567890"),
        ("DE89 3704 0044 0532 0130 00 rent", "…3000 rent"),
        ("DE89370400440532013000", "…3000"),
        ("card 5500-0000-0000-0004", "card …0004"),
        ("110-123-456789", "…6789"),
        ("bill 201410000123", "bill 201410000123"),
        ("2014-10-22", "2014-10-22"),
        (ORDER, ORDER),
    ],
)
def test_numbers_of_accounts_and_cards_keep_their_last_four_digits(text: str, kept: str) -> None:
    assert masked(text, {"201410000123"}) == kept
