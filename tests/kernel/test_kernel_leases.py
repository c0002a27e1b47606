"""One process does a work at a time; whoever stands by takes it over when the lease lapses, or is given back."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from doenda.kernel import clock, leases

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=6)


def test_one_holder_at_a_time_and_renewing_is_the_holders(noon: clock.Frozen) -> None:
    assert leases.acquire("telephone", "a", LEASE)
    assert not leases.acquire("telephone", "b", LEASE)
    noon.advance(timedelta(seconds=5))
    assert leases.acquire("telephone", "a", LEASE)
    noon.advance(timedelta(seconds=5))
    assert not leases.acquire("telephone", "b", LEASE)
    assert leases.held("telephone")


def test_a_lapsed_lease_is_taken_over_and_the_late_holder_is_told(noon: clock.Frozen) -> None:
    assert leases.acquire("telephone", "a", LEASE)
    noon.advance(LEASE)
    assert not leases.held("telephone")
    assert leases.acquire("telephone", "b", LEASE)
    assert not leases.acquire("telephone", "a", LEASE)


def test_what_is_given_back_is_free_at_once_and_only_by_its_holder(noon: clock.Frozen) -> None:
    assert leases.acquire("telephone", "a", LEASE)
    leases.release("telephone", "b")
    assert not leases.acquire("telephone", "b", LEASE)
    leases.release("telephone", "a")
    assert leases.acquire("telephone", "b", LEASE)


def test_works_are_apart(noon: clock.Frozen) -> None:
    assert leases.acquire("one", "a", LEASE)
    assert leases.acquire("other", "b", LEASE)


def test_the_lease_of_a_process_that_is_no_more_need_not_be_waited_for(noon: clock.Frozen) -> None:
    mine = leases.this_process()
    assert leases.acquire("telephone", mine, LEASE)
    assert leases.holder("telephone") == mine
    assert not leases.dead(mine)
    where, _, word = mine.split(" ")
    assert leases.dead(f"{where} 99999999 {word}")
    assert not leases.dead(f"elsewhere 99999999 {word}"), "of another host nothing is known"
    assert not leases.dead("")


def test_a_container_with_the_same_host_name_and_processes_of_its_own_is_not_taken_for_dead(
    noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = leases.this_process().replace(f" {os.getpid()} ", " 99999999 ")
    assert leases.dead(there)
    monkeypatch.setattr(Path, "readlink", lambda self: Path("pid:[4026539999]"))
    assert not leases.dead(there), "its process ids are not ours"


def test_where_processes_are_not_shown_nobody_is_taken_for_dead(
    noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object, **__: object) -> str:
        raise FileNotFoundError("/proc")

    monkeypatch.setattr(Path, "read_text", nothing)
    assert not leases.dead(leases.this_process().replace(f" {os.getpid()} ", " 99999999 "))
