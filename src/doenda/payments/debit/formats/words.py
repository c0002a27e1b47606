"""What a debit file and its result file say, whatever their form; and what is wrong with one that cannot be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

type Kind = Literal["debit", "refund"]
type Answers = Literal["results", "returns"]


class Malformed(ValueError):
    """The file cannot be taken: `line` (1 is the first record) and `column` (a field's name, or an XML path) say where.

    The message never holds a value of the file: it could be an account number.
    """

    def __init__(self, line: int, column: str, reason: str) -> None:
        super().__init__(f"line {line}, {column}: {reason}")
        self.line, self.column, self.reason = line, column, reason


@dataclass(frozen=True, slots=True)
class Head:
    """Whose file, for which debit day, and which of that day: together they name it."""

    institution: str
    day: date
    sequence: int


@dataclass(frozen=True, slots=True)
class Order:
    """One debit (or refund) to carry out. `amount` in minor units; `payer`: our number of the payer at the house."""

    serial: int
    kind: Kind
    bank: str
    account: str
    amount: int
    check: str
    payer: str
    label: str
    holder: str = ""
    signed_on: date | None = None
    """SEPA: the day on which the mandate was signed."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one order. `bank`, `account` and `payer` are "" where the form does not repeat them.

    `line` is where it stands in its file; `origin` names the file of the order where that is not the whole file's.
    """

    line: int
    serial: int
    kind: Kind
    bank: str
    account: str
    amount: int
    done: bool
    code: str
    payer: str
    origin: Head


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A result file whose counts and sums were found right. `head` names this file, each result names its order."""

    name: str
    answers: Answers
    head: Head
    results: Sequence[Result]


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts and sums (minor units) of a file, as its trailer says them."""

    records: int = 0
    debits: int = 0
    debit_sum: int = 0
    refunds: int = 0
    refund_sum: int = 0
    paid: int = 0
    paid_sum: int = 0
