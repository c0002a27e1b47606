"""The enumeration of schedules: each once, all of them, counted; or as many as asked for, spread over the whole."""

from collections.abc import Sequence
from itertools import pairwise, permutations
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doenda.sim.interleaving.plans import Explorer, NotRepeated, Walk, count, read


def play(walk: Walk, lengths: Sequence[int]) -> None:
    """Actors that have so many parts each, whatever happens."""
    left = list(lengths)
    while any(left):
        left[walk.choose([actor for actor, parts in enumerate(left) if parts])] -= 1


def traces(explorer: Explorer, lengths: Sequence[int], most: int = 10_000) -> list[str]:
    found = []
    for walk in explorer.walks(most):
        play(walk, lengths)
        found.append(walk.plan)
    return found


def words(lengths: Sequence[int]) -> set[str]:
    """Every order of so many letters each, the plain way."""
    return {"".join(each) for each in permutations("".join("abc"[at] * n for at, n in enumerate(lengths)))}


def interruptions(plan: str) -> int:
    """How often somebody is interrupted who goes on later."""
    return sum(one != other and one in plan[at + 1 :] for at, (one, other) in enumerate(pairwise(plan)))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
@settings(max_examples=40)
def test_two_actors_meet_in_every_order_exactly_once(first: int, second: int, seed: int) -> None:
    explorer = Explorer(2, seed=seed)
    found = traces(explorer, (first, second))
    assert len(found) == len(set(found)) == comb(first + second, first) == explorer.possible
    assert explorer.exact


@given(st.lists(st.integers(1, 3), min_size=3, max_size=3).filter(lambda each: sum(each) <= 7), st.integers(0, 2))
@settings(max_examples=40)
def test_three_actors_are_interrupted_at_most_so_often(lengths: list[int], most: int) -> None:
    explorer = Explorer(3, preemptions=most)
    found = traces(explorer, lengths)
    wanted = {each for each in words(lengths) if interruptions(each) <= most}
    assert len(found) == len(set(found))
    assert set(found) == wanted
    assert explorer.exact
    assert explorer.possible == len(wanted) == count(tuple(lengths), None, most)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=40)
def test_who_comes_second_may_have_less_to_do(first: int, second: int, seed: int) -> None:
    """A return that finds the attempt under way is told so and is done: the tree is not the same in all its parts."""
    explorer, found = Explorer(2, seed=seed), set[str]()
    for walk in explorer.walks(10_000):
        left = [first, second]
        while any(left):
            actor = walk.choose([each for each, parts in enumerate(left) if parts])
            left[actor] -= 1
            if not left[actor] and left[1 - actor] > 1:
                left[1 - actor] = 1
        assert walk.plan not in found
        found.add(walk.plan)
    assert explorer.exact
    assert explorer.possible == len(found) <= comb(first + second, first)


def test_where_not_all_can_run_they_are_spread_and_the_rest_is_reckoned() -> None:
    lengths, most = (12, 12), 400
    explorer = Explorer(2, seed=3)
    found = traces(explorer, lengths, most)
    assert len(set(found)) == most
    assert not explorer.exact
    assert explorer.possible == comb(24, 12)
    begins_with_a = sum(plan[0] == "a" for plan in found)
    assert most / 3 < begins_with_a < most * 2 / 3
    early = {plan[:6] for plan in found}
    assert len(early) > 40, "they differ from the first decisions on"


def test_another_seed_chooses_others() -> None:
    one, other = (set(traces(Explorer(2, seed=seed), (9, 9), 100)) for seed in (1, 2))
    assert len(one & other) < 50
    assert traces(Explorer(2, seed=1), (9, 9), 100) == traces(Explorer(2, seed=1), (9, 9), 100)


def test_a_plan_is_followed_to_its_letter_and_then_goes_on_with_whoever_goes() -> None:
    walk = Walk(read("aabab"))
    play(walk, (3, 4))
    assert walk.plan == "aababbb"


def test_a_plan_that_cannot_be_followed_says_where() -> None:
    walk = Walk(read("aaab"))
    with pytest.raises(NotRepeated, match="aa: a cannot go on here"):
        play(walk, (2, 2))
