"""Races that interleaving has found in the house, each by the plan that showed it: none of them comes back."""

from doenda.sim.interleaving import run

FOUND = [
    # a refund that another worker had sent meanwhile was counted a second time (of an excess), or called for a person
    ("two senders of an excess", "bbaaabbab"),
    ("two senders of a refund", "abbbaabab"),
]


def test_what_was_found_once_does_not_come_back(committed_db: str) -> None:
    assert {(name, plan): run.replay(name, plan) for name, plan in FOUND} == {each: [] for each in FOUND}
