"""What a provider is to the rest of the house: headless (no request object, no HTML), one outcome model for all.

Every method makes at most one network call, is called outside any transaction, and never raises for what a network or
a provider can do: it says so in its `Answer`. The caller matches amount, currency, merchant and order id itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class Outcome(StrEnum):
    PAID = "paid"
    REFUSED = "refused"  # certainly not taken, by the payer's bank or the payer
    UNKNOWN = "unknown"  # may have been taken
    NEEDS_REDIRECT = "needs_redirect"
    OUR_FAULT = "our_fault"  # certainly not taken: our keys, our request, or a provider that is certainly down
    PENDING = "pending"  # the provider knows it and has not taken anything yet
    NOT_FOUND = "not_found"  # counts only after the provider's longest time (rule 3)
    EXPIRED = "expired"  # certainly not taken: too late to confirm
    GIVEN_BACK = "given_back"  # voided or refunded


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said, in our words. `code` is its own, for logs and staff."""

    outcome: Outcome
    code: str = ""
    ref: str = ""
    redirect_url: str = ""
    order_id: str = ""
    amount: int | None = None
    currency: str = ""
    merchant: str = ""


@dataclass(frozen=True, slots=True)
class Charge:
    """One attempt as a provider needs it. `order_id` is ours, `amount` in minor units of `currency`."""

    order_id: str
    amount: int
    currency: str
    method: str
    name: str
    return_url: str = ""
    ref: str = ""
    lang: str = "ko"


@dataclass(frozen=True, slots=True)
class Ring:
    """A doorbell after its signature was checked: which order to ask about."""

    transmission: str
    order_id: str
    genuine: bool


class Provider(Protocol):
    name: str
    merchant: str
    methods: frozenset[str]
    redirect_life: timedelta
    """How long after registering the customer may come back."""
    longest: timedelta
    """The longest time after which this provider may still carry out what it answered nothing to."""

    def start(self, charge: Charge) -> Answer:
        """Register the charge; money does not move. NEEDS_REDIRECT, REFUSED or OUR_FAULT."""

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        """Take the money, keyed by the order id: the same call again has the same effect once.

        `first_try` is False when an earlier call may have been received: then even a refused connection is UNKNOWN.
        """

    def inquire(self, charge: Charge) -> Answer:
        """Ask by our own order id what became of it."""

    def void(self, charge: Charge) -> Answer:
        """Make sure that a charge that has not happened never will. GIVEN_BACK when acknowledged."""

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str) -> Answer:
        """Give `amount` back to its source. GIVEN_BACK when done; the same key again has the same effect once."""

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """Read a doorbell; `genuine` is False when its signature, time or form is wrong."""
