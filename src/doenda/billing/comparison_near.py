"""Which bill of ours a number may mean that we do not have: a slip of the hand, or the same amount of the same account.

A suggestion for a person, never acted on.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from doenda.billing.models import Bill

MOST = 1000
"""Bills that are looked among, and numbers for which is looked."""
type Known = tuple[str, str, int]
"""A bill of ours that may be meant: its number, its account's number, its amount."""


def pool(strange: Sequence[Sequence[Any]], missing: Sequence[Sequence[Any]]) -> list[Known]:
    """Bills of ours among which a wrong number may be meant: those that the file lacks, and those of its accounts."""
    accounts = {row[2] for row in strange[:MOST]}
    rows = Bill.objects.filter(account__number__in=accounts, account__probe=False, probe=False)
    found = {number: (number, account, amount) for number, account, _, amount, _ in missing[:MOST]}
    listed = rows.values_list("number", "account__number", "amount")[:MOST]
    return list((found | {number: (number, account, amount) for number, account, amount in listed}).values())


def suggestion(key: str, account: str, amount: int, pool: Iterable[Known]) -> str:
    """The one bill of ours that a number may mean: a slip of the hand away, or the account's of the same amount."""
    slips, its, same = set[str](), set[str](), set[str]()
    for number, of, owed in pool:
        slips |= {number} if slip(key, number) else set()
        its |= {number} if of == account else set()
        same |= {number} if owed == amount else set()
    for found in (slips & its, slips & same, its & same):
        if len(found) == 1:
            return found.pop()
    return ""


def slip(one: str, other: str) -> bool:
    """Is one of the two numbers the other with two neighbours swapped, or one sign wrong, lost or too many? (pure)"""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) == len(other):
        differ = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        first, last = (differ[0], differ[-1]) if differ else (0, 0)
        return len(differ) == 1 or (swapped and (one[first], one[last]) == (other[last], other[first]))
    short, long = sorted((one, other), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))
