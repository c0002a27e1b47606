"""One movement as any source tells it, and one statement of an account: the pure shape that every reader gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

type Kind = Literal["in", "out"]
_APART = re.compile(r"[\s,;:/+()|]+")
_ORDER_ID = re.compile(r"[A-Z2-7]{26}")
MOST_WORDS, LONGEST_WORD = 60, 128
NOTHING = frozenset({"NOTPROVIDED", "NONREF", "NOTAVAILABLE", "NONE", "NULL"})
"""What banks write where nothing is referred to."""


@dataclass(frozen=True)
class Line:
    """One movement, seen from us. `amount` in minor units, above zero; `ident` is the source's own key of it.

    `references`: every text that may name something of ours. `undoes`: a return or a reversal of an earlier movement.
    `place` says where in the file it stands ("line 7", "Stmt 1, Ntry 3, TxDtls 2").
    """

    ident: str
    kind: Kind
    amount: int
    currency: str
    at: datetime
    booked_on: date | None = None
    value_on: date | None = None
    reference: str = ""
    provider_ref: str = ""
    references: tuple[str, ...] = ()
    name: str = ""
    code: str = ""
    undoes: bool = False
    place: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def words(self) -> frozenset[str]:
        """Everything by which the line may name something of ours, as it was written."""
        found: dict[str, None] = {}
        for text in (self.reference, self.provider_ref, *self.references):
            whole = text.strip()
            for word in (whole, "".join(whole.split()), *_APART.split(whole)):
                if 3 <= len(word) <= LONGEST_WORD and word.upper() not in NOTHING:
                    found[word] = None
                    if _ORDER_ID.fullmatch(word.upper()):
                        found[word.upper()] = None
        return frozenset(list(found)[:MOST_WORDS])

    @property
    def signed(self) -> int:
        return self.amount if self.kind == "in" else -self.amount

    @property
    def says(self) -> tuple[str, int, str]:
        """What two tellings of one movement must agree on."""
        return self.kind, self.amount, self.currency


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of one account. `opening` and `closing` are None where its form has no balances (camt.054).

    `ident` is the bank's own name of it, `sequence` its number in the account's row of statements, None where it has
    none. `pending`: entries that are not booked, and left out. `balances_on`: the days of both balances.
    """

    form: str
    account: str
    ident: str
    currency: str
    lines: tuple[Line, ...]
    sequence: int | None = None
    opening: int | None = None
    closing: int | None = None
    opened_on: date | None = None
    closed_on: date | None = None
    pending: int = 0

    @property
    def source(self) -> str:
        return f"statement:{self.account}"

    @property
    def total(self) -> int:
        """What all lines come to (minor units)."""
        return sum(line.signed for line in self.lines)


def numbered(lines: list[Line]) -> list[Line]:
    """Lines of which several would have the same key get a count behind it: two equal ones of a day stay two.

    The count is theirs by their order within one statement, so the same statement in another file gives the same keys.
    """
    seen: dict[str, int] = {}
    found = []
    for line in lines:
        count = seen[line.ident] = seen.get(line.ident, 0) + 1
        found.append(line if count == 1 else replace(line, ident=f"{line.ident[:132]}#{count}"))
    return found
