"""Cash in a clerk's hand, and slips: there is no peer but the clerk, whose hands keep their own books."""

from collections import Counter
from typing import Any, ClassVar
from uuid import UUID

from doenda.kernel import net
from doenda.kernel.ids import inside, new_id, outside
from doenda.payments.counter import payouts, shifts, till
from doenda.payments.providers.contract import PayInto
from doenda.sim import driver
from doenda.sim.line import Peer
from doenda.sim.places import Nobody

CLERK, SECOND, OPERATOR = "clerk:conformance", "clerk:second", "operator:conformance"
IN_HAND = "the money is in the clerk's hand before anything is written: no request of ours moves it"


class Driver(driver.Driver):
    name = "counter"
    method = ""
    deposit_method = "store"
    own_rows = True
    rings = False
    lacks: ClassVar = {
        "asking": IN_HAND,
        "bells": "the till is our own: nobody rings",
        "refused": "a clerk who is not paid presses nothing",
        "redirect": "there is no page to go to: the customer stands at the counter",
        "debit": "nothing is instructed: the customer pays there and then",
        "any amount": "a clerk may take a part, and never more than is owed: the rest is change",
        "undone": "cash does not come undone; a clerk's slip of the hand is voided by two persons",
        "refund part": "through the house a payment at the counter goes back whole",
        "wrong amount": "the amount is what the clerk counted: nobody else names one",
        "wrong merchant": "the till is our own: no other merchant's money is in it",
        "paid twice over": "what comes after the bill is paid is the row late deposit",
    }

    def open(self) -> Peer:
        self._hands: Counter[str] = Counter()
        return Nobody()

    def config(self) -> dict[str, Any]:
        return {"merchant": "counter"}

    def prepare(self) -> None:
        store = shifts.open_store("CONF1", "표본점", by=OPERATOR)
        self._shift = shifts.open_shift(store.pk, "1", clerk=CLERK, float_amount=1_000_000).pk

    def moves_money(self, request: net.Request) -> bool:
        return False

    def taken(self, order_id: str, ref: str) -> int:
        """What the clerk was told to keep, less what was handed out again."""
        return self._hands[order_id]

    def keep(self, order_id: str, amount: int) -> None:
        """The clerk was told that it is taken (below 0: that it is given back), and acts so."""
        self._hands[order_id] += amount

    def take_at_once(self, account_id: UUID, bill_id: UUID, amount: int) -> UUID:
        """Pressed twice, as a slow screen makes people do."""
        pressed = self._pressed(amount)
        told = [till.take(pressed, account_id=account_id, bills=[(bill_id, amount)]) for _ in range(2)]
        return self._keep(told)

    def deposit(self, into: PayInto, amount: int) -> None:
        pressed = self._pressed(amount)
        self._keep([till.take(pressed, slip=into.number) for _ in range(2)])

    def _pressed(self, amount: int) -> till.Pressed:
        return till.Pressed(self._shift, CLERK, outside(new_id()), "cash", amount, tendered=amount)

    def _keep(self, told: list[till.Taken]) -> UUID:
        """Only "taken" means that the money is kept; the second pressing tells the same once more."""
        first = told[0]
        if first.outcome != "taken" or first.attempt_id is None:
            raise RuntimeError(f"the clerk hands the money back: {first.outcome}")
        assert {one.receipt for one in told} == {first.receipt}, "two receipts for one pressing"
        self._hands[outside(first.attempt_id)] += first.amount
        return first.attempt_id

    def hand_out(self, order_id: str) -> None:
        for payout in payouts.waiting():
            if payout.attempt_id == inside(order_id):
                payouts.pay_out(payout.pk, self._shift, clerk=CLERK, second=SECOND)
                self._hands[order_id] -= payout.amount
