"""Which of many movements each of many lines can be like at all (pure): the set-wise half of `rules.match`.

Comparing every line with every movement of its amount would be quadratic where thousands pay the same sum. A line is
compared with those of its name, with those that one of its words nearly names (both have a word in common once a letter
is left out), and with the few of its amount and day.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from doenda.payments.reconciliation.lines import Line
from doenda.payments.reconciliation.rules import Posted, plain

FEW = 3
"""Of one amount and day: one is a suggestion, more are none."""


class _Sum(NamedTuple):
    kind: str
    currency: str
    amount: int


def narrowed(lines: Mapping[int, Line], movements: Sequence[Posted]) -> dict[int, list[Posted]]:
    """For each line (by its place) the movements that it may be like; lines that can be like none are missing."""
    by_word: dict[str, list[int]] = {}
    for place, line in lines.items():
        for word in line.words:
            for short in _shortened(word):
                by_word.setdefault(short, []).append(place)
    by_name: dict[str, list[Posted]] = {}
    by_day: dict[tuple[_Sum, date], list[Posted]] = {}
    found: dict[int, dict[tuple[str, str], Posted]] = {place: {} for place in lines}
    for each in movements:
        of = _Sum(each.kind, each.currency, each.amount)
        by_day.setdefault((of, each.at.date()), []).append(each)
        if name := plain(each.name):
            by_name.setdefault(name, []).append(each)
        for word in (*each.own, *each.bills):
            for short in _shortened(word):
                for place in by_word.get(short, ()):
                    if _Sum(lines[place].kind, lines[place].currency, lines[place].amount) == of:
                        found[place][each.key] = each
    for place, line in lines.items():
        of = _Sum(line.kind, line.currency, line.amount)
        days = (date.fromordinal(line.at.date().toordinal() + more) for more in (-1, 0, 1))
        few = [each for day in days for each in by_day.get((of, day), ())[:FEW]]
        found[place] |= {each.key: each for each in (*few, *by_name.get(plain(line.name), ()))}
    return {place: list(some.values()) for place, some in found.items() if some}


def _shortened(word: str) -> Iterator[str]:
    """The word, and the word without each one of its letters: two words one slip apart have one of these in common."""
    if len(word) < 5:
        return
    yield word
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
