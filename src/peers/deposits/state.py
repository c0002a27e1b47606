"""The deposit bank's rows, and the state that they add up to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from peers.truth import iso

MERCHANT = "doenda"
CURRENCY = "KRW"
HOLDER = "된다통신"
POOLS = {"088": 1500, "004": 500, "020": 500}
"""Numbers by the code of the bank that gave them out (Korean bank codes: Shinhan, Kookmin, Woori)."""


@dataclass(frozen=True, slots=True)
class Number:
    """One account number. `order_id` is whose it is while open; `shut` names orders for which it never opens again."""

    bank: str
    number: str
    holder: str = HOLDER
    open: bool = False
    order_id: str = ""
    amount: int | None = None
    limit: int | None = None
    until: float | None = None
    shut: tuple[str, ...] = ()

    def takes(self, amount: int, now: float) -> str:
        """Why a deposit of this amount is refused, or ""."""
        if not self.open or (self.until is not None and self.until <= now):
            return "NUMBER_CLOSED"
        if self.amount is not None and amount != self.amount:
            return "WRONG_AMOUNT"
        return "ABOVE_LIMIT" if self.limit is not None and amount > self.limit else ""

    def public(self, now: float) -> dict[str, Any]:
        """As the API shows it."""
        is_open = self.open and (self.until is None or self.until > now)
        return {
            "merchant": MERCHANT,
            "bank": self.bank,
            "number": self.number,
            "holder": self.holder,
            "status": "OPEN" if is_open else "CLOSED",
            "order_id": self.order_id if self.open else "",
            "amount": self.amount if self.open else None,
            "limit": self.limit if self.open else None,
            "until": None if self.until is None or not self.open else iso(self.until),
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement, in the order in which it happened: `n` is its place, also if it is listed only later.

    `kind`: DEPOSIT, RETURNED (we sent it back), TAKEN_BACK (the bank did); the last two are `of` a deposit.
    """

    n: int
    ident: str
    kind: str
    bank: str
    number: str
    amount: int
    remitter: str
    at: float
    order_id: str = ""
    of: str = ""
    hidden_until: float | None = None

    def public(self) -> dict[str, Any]:
        """As the list shows it."""
        return {
            "n": self.n,
            "id": self.ident,
            "kind": self.kind,
            "of": self.of or None,
            "merchant": MERCHANT,
            "bank": self.bank,
            "number": self.number,
            "amount": self.amount,
            "currency": CURRENCY,
            "remitter": self.remitter,
            "order_id": self.order_id or None,
            "at": iso(self.at),
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request with an idempotency key was answered; `digest` is of the request's body."""

    scope: str
    digest: str
    status: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who asks: every key in the list is live, every secret signs. `closed` is the bank's night, "HH:MM-HH:MM"."""

    keys: tuple[str, ...]
    secrets: tuple[str, ...]
    webhook_url: str = ""
    closed: str = ""


@dataclass
class State:
    """Everything the bank knows. Only `apply` changes it."""

    merchant: Merchant
    numbers: dict[str, Number] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    deposits: dict[str, int] = field(default_factory=dict)
    back: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for bank, count in POOLS.items():
            for each in range(count):
                number = f"{bank}9{each:08}"
                self.numbers[number] = Number(bank, number)

    def apply(self, change: object) -> None:
        """Take one row in; those of a journal come as JSON kept them."""
        match change:
            case Number():
                self.numbers[change.number] = Number(**(_fields(change) | {"shut": tuple(change.shut)}))
            case Entry():
                self._enter(change)
            case Answer():
                self.answers[change.scope] = change
            case Merchant():
                self.merchant = Merchant(tuple(change.keys), tuple(change.secrets), change.webhook_url, change.closed)
            case _:
                raise TypeError(f"the bank keeps no {type(change).__name__}")

    def _enter(self, entry: Entry) -> None:
        if entry.n <= len(self.entries):
            self.entries[entry.n - 1] = entry  # a hidden one comes to light
            return
        self.entries.append(entry)
        if entry.kind == "DEPOSIT":
            self.deposits[entry.ident] = entry.n - 1
        else:
            self.back[entry.of] += entry.amount

    def deposit(self, ident: str) -> Entry | None:
        """The deposit of that id, if it is listed."""
        place = self.deposits.get(ident)
        found = None if place is None else self.entries[place]
        return None if found is None or found.hidden_until is not None else found

    def document(self, entry: Entry) -> dict[str, Any]:
        """One deposit with what became of it since."""
        kinds = (
            {one.kind for one in self.entries[entry.n :] if one.of == entry.ident} if entry.ident in self.back else ()
        )
        status = "TAKEN_BACK" if "TAKEN_BACK" in kinds else "BOOKED"
        return entry.public() | {"status": status, "returned_amount": self.back[entry.ident]}

    def books(self) -> dict[str, Any]:
        """What really happened, for invariants: sums from the entries alone."""
        signs = {"DEPOSIT": 1, "RETURNED": -1, "TAKEN_BACK": -1}
        kinds = _sums((one.kind, one.amount) for one in self.entries)
        return {
            "deposited": kinds.get("DEPOSIT", 0),
            "returned": kinds.get("RETURNED", 0),
            "taken_back": kinds.get("TAKEN_BACK", 0),
            "net": sum(signs[kind] * amount for kind, amount in kinds.items()),
            "by_order": _sums((one.order_id, signs[one.kind] * one.amount) for one in self.entries if one.order_id),
            "by_number": _sums((one.number, signs[one.kind] * one.amount) for one in self.entries),
            "entries": [one.public() for one in self.entries],
        }


def _fields(row: Number) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row.__slots__}


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, amount in pairs:
        sums[name] += amount
    return dict(sums)
