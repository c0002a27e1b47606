"""The bank's rows, and the state that they add up to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from peers.truth import iso

READY, IN_PROGRESS, DONE = "READY", "IN_PROGRESS", "DONE"
ABORTED, EXPIRED = "ABORTED", "EXPIRED"
CANCELED, PARTIAL_CANCELED = "CANCELED", "PARTIAL_CANCELED"
METHODS = ("card", "transfer")


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment; amounts in minor units, instants in seconds. A hidden one will be taken at `hidden_until`."""

    payment_key: str
    order_id: str
    merchant: str
    amount: int
    currency: str
    method: str
    order_name: str
    return_url: str
    redirect_url: str
    status: str
    requested: float
    expires: float
    approved: float | None = None
    canceled_amount: int = 0
    failure: dict[str, str] | None = None
    hidden_until: float | None = None
    hidden_scope: str = ""
    hidden_digest: str = ""

    def public(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "payment_key": self.payment_key,
            "order_id": self.order_id,
            "merchant": self.merchant,
            "amount": self.amount,
            "currency": self.currency,
            "method": self.method,
            "order_name": self.order_name,
            "status": self.status,
            "redirect_url": self.redirect_url,
            "requested_at": iso(self.requested),
            "approved_at": None if self.approved is None else iso(self.approved),
            "canceled_amount": self.canceled_amount,
            "failure": self.failure,
        }


@dataclass(frozen=True, slots=True)
class Transaction:
    """Money that moved: `capture` to the merchant, `cancel` back to the customer."""

    n: int
    payment_key: str
    order_id: str
    merchant: str
    method: str
    kind: str
    amount: int
    at: float

    def public(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "n": self.n,
            "payment_key": self.payment_key,
            "order_id": self.order_id,
            "merchant": self.merchant,
            "kind": self.kind,
            "amount": self.amount,
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
    """Who may ask for money, and where the bank reports."""

    name: str
    key: str
    secret: str
    webhook_url: str = ""


@dataclass
class State:
    """Everything the bank knows. Only `apply` changes it."""

    merchants: dict[str, Merchant] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    orders: dict[tuple[str, str], str] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def apply(self, change: object) -> None:
        """Take one row in."""
        match change:
            case Payment():
                self.payments[change.payment_key] = change
                self.orders[change.merchant, change.order_id] = change.payment_key
            case Transaction():
                self.transactions.append(change)
            case Answer():
                self.answers[change.scope] = change
            case Merchant():
                self.merchants[change.name] = change
            case _:
                raise TypeError(f"the bank keeps no {type(change).__name__}")

    def payment_of_order(self, merchant: str, order_id: str) -> Payment | None:
        """The one payment of an order, if there is one."""
        key = self.orders.get((merchant, order_id))
        return None if key is None else self.payments[key]

    def books(self) -> dict[str, Any]:
        """What really happened, for invariants: sums by method and by order, from the transactions alone."""
        captured = _sums((one.method, one.amount) for one in self.transactions if one.kind == "capture")
        canceled = _sums((one.method, one.amount) for one in self.transactions if one.kind == "cancel")
        signs = {"capture": 1, "cancel": -1}
        by_order = _sums((one.order_id, signs[one.kind] * one.amount) for one in self.transactions)
        return {
            "payments": [one.public() for one in self.payments.values()],
            "captured": captured,
            "canceled": canceled,
            "net": sum(captured.values()) - sum(canceled.values()),
            "by_order": by_order,
        }


def _sums(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, amount in pairs:
        sums[name] += amount
    return dict(sums)
