"""Item classes and how a part payment covers them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doenda.billing import classes
from doenda.kernel import texts

AMOUNTS = st.dictionaries(st.sampled_from(["service", "roaming", "content", "other", "strange"]), st.integers(0, 10**9))
ORDER = classes.policy(date(2014, 10, 1)).order


@given(AMOUNTS, st.integers(0, 5 * 10**9))
def test_nothing_is_lost_or_made_by_allocating(amounts: dict[str, int], paid: int) -> None:
    whole = sum(amounts.values())
    paid = min(paid, whole)
    left = classes.allocate(amounts, paid, ORDER)
    assert sum(left.values()) == whole - paid
    assert all(0 < rest <= amounts[name] for name, rest in left.items())


@given(AMOUNTS, st.integers(0, 10**9))
def test_a_later_class_is_covered_only_when_the_earlier_ones_are(amounts: dict[str, int], paid: int) -> None:
    paid = min(paid, sum(amounts.values()))
    left = classes.allocate(amounts, paid, ORDER)
    order = [*ORDER, "strange"]
    touched = [name for name in order if name in amounts and left.get(name, 0) < amounts[name]]
    for name in touched:
        earlier = order[: order.index(name)]
        assert not any(left.get(each) for each in earlier)


@given(AMOUNTS, st.integers(0, 10**9), st.integers(0, 10**9))
def test_paying_more_never_leaves_more_of_any_class(amounts: dict[str, int], one: int, two: int) -> None:
    whole = sum(amounts.values())
    less, more = sorted((min(one, whole), min(two, whole)))
    after_less, after_more = (classes.allocate(amounts, paid, ORDER) for paid in (less, more))
    assert all(rest <= after_less.get(name, 0) for name, rest in after_more.items())


def test_more_than_is_owed_cannot_be_allocated() -> None:
    with pytest.raises(ValueError, match="more paid"):
        classes.allocate({"service": 1}, 2, ORDER)


def test_every_class_has_words_in_both_languages() -> None:
    for each in classes.policy(date(2014, 10, 1)).classes.values():
        for lang in ("ko", "en"):
            assert texts.has(each.text_id, lang)


def test_days_before_the_oldest_version_take_the_oldest() -> None:
    assert classes.policy(date(1990, 1, 1)) == classes.versions()[0]


def test_a_country_without_a_policy_is_an_error() -> None:
    with pytest.raises(classes.PolicyBroken):
        classes.versions("XX")
