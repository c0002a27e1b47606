"""Cash and the shop's card terminal in a clerk's hand, and slips that a customer brings to a store.

No network: `start` writes the receipt of what a clerk has just taken, in a transaction of its own, once an order id;
`inquire` reads it. A refund waits until a clerk hands it out of an open drawer (or by the terminal).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from doenda.kernel.ids import inside
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import Answer, BackTo, Charge, Feed, Moves, Outcome, PayInto, Provider
from doenda.payments.states import State


class Counter(Provider):
    """`exact` is False for slips: a clerk may take a part. What is too much in cash is change, never credit."""

    name = "counter"
    methods: ClassVar = {"cash": Moves.AT_ONCE, "card": Moves.AT_ONCE, "store": Moves.AT_DEPOSIT}
    redirect_life: ClassVar = timedelta(minutes=1)
    longest: ClassVar = timedelta(0)
    exact: ClassVar = False
    source_unknown: ClassVar = frozenset({"cash", "card", "store"})

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.merchant: str = config.get("merchant", "counter")

    def start(self, charge: Charge) -> Answer:
        from doenda.payments.counter import slips, till

        try:
            if charge.method != "store":
                return till.receipt_for(charge, self.merchant)
            slip = slips.issue(inside(charge.order_id))
        except (Attempt.DoesNotExist, ValueError):
            return Answer(Outcome.OUR_FAULT, "NO_ATTEMPT")
        into = PayInto("counter", slip.number, until=charge.until)
        return Answer(Outcome.NEEDS_DEPOSIT, "SLIP", ref=f"slip-{slip.number}", pay_into=into)

    def inquire(self, charge: Charge) -> Answer:
        from doenda.payments.counter import receipts

        attempt = _attempt(charge)
        if attempt is None:
            return Answer(Outcome.NOT_FOUND, "NO_ATTEMPT")
        if receipt := receipts.of(attempt.pk):
            return receipts.answer_of(receipt, self.merchant)
        if charge.method != "store":
            return Answer(Outcome.NOT_FOUND, "NO_RECEIPT")
        waits = attempt.state == State.NEEDS_DEPOSIT
        return Answer(Outcome.PENDING, "SLIP_WAITS") if waits else Answer(Outcome.EXPIRED, "SLIP_CLOSED")

    def void(self, charge: Charge) -> Answer:
        """A slip is closed under the account's lock; a receipt that there is already says PAID."""
        from doenda.payments.counter import till

        attempt = _attempt(charge)
        if attempt is None:
            return Answer(Outcome.NOT_FOUND, "NO_ATTEMPT")
        return till.close_for_ever(attempt, self.merchant) or self.inquire(charge)

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        """PENDING until a clerk hands it out; REFUSED once the desk has withdrawn it, or if it must go to a bank."""
        from doenda.payments.counter import payouts

        attempt = _attempt(charge)
        if attempt is None or back_to is not None:
            return Answer(Outcome.REFUSED, "ONLY_AT_A_STORE" if attempt else "NO_ATTEMPT")
        return payouts.refund(attempt, amount, key, reason)

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        from doenda.payments.counter import feed

        return feed.page(since, until, cursor)


def _attempt(charge: Charge) -> Attempt | None:
    try:
        return Attempt.objects.filter(pk=inside(charge.order_id), provider="counter").first()
    except ValueError:
        return None
