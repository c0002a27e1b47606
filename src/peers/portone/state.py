"""PortOne's rows, and the state that they add up to."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

READY, PAID, FAILED = "READY", "PAID", "FAILED"
ISSUED = "VIRTUAL_ACCOUNT_ISSUED"
PARTIAL_CANCELLED, CANCELLED = "PARTIAL_CANCELLED", "CANCELLED"
REQUESTED, SUCCEEDED = "REQUESTED", "SUCCEEDED"  # of a cancellation; so is FAILED
METHODS = ("card", "transfer", "deposit")
KEYS_KEPT = 3 * 3600.0  # an idempotency key (documented: 3 h)


@dataclass(frozen=True, slots=True)
class Pin:
    """What was pre-registered: it wins over whatever a browser says later."""

    store: str
    payment_id: str
    amount: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt at a payment; the payment is its latest attempt. Minor units, seconds.

    `token` was given to the payer's browser at its approval. A hidden one will be taken at `hidden_until`.
    """

    store: str
    payment_id: str
    tx_id: str
    amount: int
    currency: str
    method: str
    channel: str
    order_name: str
    status: str
    requested: float
    changed: float
    redirect_url: str = ""
    token: str = ""
    token_until: float = 0.0
    paid: float | None = None
    cancelled: int = 0
    failure: dict[str, str] | None = None
    bank: str = ""
    account: str = ""
    holder: str = ""
    expires: float | None = None
    closed: bool = False
    hidden_until: float | None = None
    hidden_scope: str = ""
    hidden_digest: str = ""

    @property
    def key(self) -> str:
        """Its key in the state: of the payment, not of the attempt."""
        return f"{self.store}/{self.payment_id}"


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Money on its way back. A REQUESTED one is done at `due`."""

    ident: str
    store: str
    payment_id: str
    amount: int
    reason: str
    status: str
    requested: float
    done: float | None = None
    due: float | None = None

    @property
    def key(self) -> str:
        """The key of its payment."""
        return f"{self.store}/{self.payment_id}"


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved: `capture` to the store, `cancel` back to the payer. `event` is how PortOne's list calls it."""

    n: int
    store: str
    payment_id: str
    tx_id: str
    method: str
    kind: str
    amount: int
    currency: str
    event: str
    at: float


@dataclass(frozen=True, slots=True)
class Report:
    """A webhook that was sent, kept so that it can be sent again."""

    ident: str
    store: str
    payment_id: str
    status: str
    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request with an idempotency key was answered, from `ready` on; `digest` is of the request's body."""

    scope: str
    digest: str
    status: int
    document: dict[str, Any]
    ready: float


@dataclass(frozen=True, slots=True)
class Merchant:
    """A store: lists are comma separated. Up to two API secrets and two webhook secrets are alive at a time."""

    name: str
    secrets: str
    webhook_secrets: str
    channels: str
    webhook_url: str = ""


@dataclass
class State:
    """Everything PortOne knows. Only `apply` changes it."""

    merchants: dict[str, Merchant] = field(default_factory=dict)
    pins: dict[str, Pin] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    tries: dict[str, dict[str, Payment]] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    cancellations: dict[str, Cancellation] = field(default_factory=dict)
    cancellations_of: dict[str, list[str]] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    reports: dict[str, list[Report]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def apply(self, change: object) -> None:
        """Take one row in."""
        match change:
            case Payment():
                self.payments[change.key] = change
                self.tries.setdefault(change.key, {})[change.tx_id] = change
                if change.account:
                    self.accounts[change.account] = change.key
            case Pin():
                self.pins[f"{change.store}/{change.payment_id}"] = change
            case Cancellation():
                if change.ident not in self.cancellations:
                    self.cancellations_of.setdefault(change.key, []).append(change.ident)
                self.cancellations[change.ident] = change
            case Movement():
                self.movements.append(change)
            case Report():
                self.reports.setdefault(f"{change.store}/{change.payment_id}", []).append(change)
            case Answer():
                self.answers[change.scope] = change
            case Merchant():
                self.merchants[change.name] = change
            case _:
                raise TypeError(f"PortOne keeps no {type(change).__name__}")

    def cancellations_for(self, payment: Payment) -> list[Cancellation]:
        """In the order in which they were asked for."""
        return [self.cancellations[ident] for ident in self.cancellations_of.get(payment.key, [])]

    def cancellable(self, payment: Payment) -> int:
        """What may still be given back: what is asked for already is not."""
        asked = sum(one.amount for one in self.cancellations_for(payment) if one.status == REQUESTED)
        return payment.amount - payment.cancelled - asked

    def books(self, documents: list[dict[str, Any]]) -> dict[str, Any]:
        """What really happened, for invariants: sums by method and by order, from the movements alone."""
        captured = _sums((one.method, one.amount) for one in self.movements if one.kind == "capture")
        canceled = _sums((one.method, one.amount) for one in self.movements if one.kind == "cancel")
        signs = {"capture": 1, "cancel": -1}
        by_order = _sums((one.payment_id, signs[one.kind] * one.amount) for one in self.movements)
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
