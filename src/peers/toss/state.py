"""Toss's rows, and the state that they add up to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

READY, IN_PROGRESS, DONE = "READY", "IN_PROGRESS", "DONE"
WAITING = "WAITING_FOR_DEPOSIT"
CANCELED, PARTIAL_CANCELED = "CANCELED", "PARTIAL_CANCELED"
ABORTED, EXPIRED = "ABORTED", "EXPIRED"
PENDING, COMPLETED, FAILED, PARTIAL_FAILED, NONE = "PENDING", "COMPLETED", "FAILED", "PARTIAL_FAILED", "NONE"
METHODS = ("card", "transfer", "deposit", "billing")


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment; amounts in won, instants in seconds. A hidden one will be taken at `hidden_until`."""

    key: str
    order_id: str
    merchant: str
    amount: int
    method: str
    order_name: str
    status: str
    secret: str
    requested: float
    expires: float | None = None
    success_url: str = ""
    fail_url: str = ""
    currency: str = "KRW"
    approved: float | None = None
    last_transaction: str = ""
    failure: dict[str, str] | None = None
    bank: str = ""
    account: str = ""
    customer: str = ""
    hidden_until: float | None = None
    hidden_scope: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Money on its way back: that of a virtual account is PENDING until `due`."""

    transaction: str
    payment_key: str
    amount: int
    reason: str
    at: float
    status: str = COMPLETED
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved: `capture` to the merchant, `cancel` back to the customer. `event` is how the list calls it."""

    n: int
    transaction: str
    payment_key: str
    order_id: str
    merchant: str
    method: str
    kind: str
    amount: int
    event: str
    at: float


@dataclass(frozen=True, slots=True)
class Card:
    """A billing key: it may be charged without its customer, until it is deleted."""

    key: str
    merchant: str
    customer_key: str
    number: str
    at: float
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request with an idempotency key was answered, from `ready` on."""

    scope: str
    status: int
    document: dict[str, Any]
    ready: float


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who may ask for money. `keys` are comma separated: up to two are alive at a time."""

    name: str
    keys: str
    webhook_url: str = ""


@dataclass
class State:
    """Everything Toss knows. Only `apply` changes it."""

    merchants: dict[str, Merchant] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    orders: dict[tuple[str, str], str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    cancels: dict[str, dict[str, Cancel]] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    cards: dict[str, Card] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def apply(self, change: object) -> None:
        """Take one row in."""
        match change:
            case Payment():
                self.payments[change.key] = change
                self.orders[change.merchant, change.order_id] = change.key
                if change.account:
                    self.accounts[change.account] = change.key
            case Cancel():
                self.cancels.setdefault(change.payment_key, {})[change.transaction] = change
            case Movement():
                self.movements.append(change)
            case Card():
                self.cards[change.key] = change
            case Answer():
                self.answers[change.scope] = change
            case Merchant():
                self.merchants[change.name] = change
            case _:
                raise TypeError(f"Toss keeps no {type(change).__name__}")

    def payment_of_order(self, merchant: str, order_id: str) -> Payment | None:
        """The one payment of an order, if there is one."""
        key = self.orders.get((merchant, order_id))
        return None if key is None else self.payments[key]

    def cancels_of(self, payment: Payment) -> list[Cancel]:
        """In the order in which they were asked for."""
        return list(self.cancels.get(payment.key, {}).values())

    def balance(self, payment: Payment) -> int:
        """What may still be given back."""
        return payment.amount - sum(one.amount for one in self.cancels_of(payment))

    def books(self, documents: list[dict[str, Any]]) -> dict[str, Any]:
        """What really happened, for invariants: sums by method and by order, from the movements alone."""
        captured = _sums((one.method, one.amount) for one in self.movements if one.kind == "capture")
        canceled = _sums((one.method, one.amount) for one in self.movements if one.kind == "cancel")
        signs = {"capture": 1, "cancel": -1}
        by_order = _sums((one.order_id, signs[one.kind] * one.amount) for one in self.movements)
        return {
            "payments": documents,
            "captured": captured,
            "canceled": canceled,
            "net": sum(captured.values()) - sum(canceled.values()),
            "by_order": by_order,
        }


def listed(text: str) -> list[str]:
    """The words of a comma separated list."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, amount in pairs:
        sums[name] += amount
    return dict(sums)
