"""Deposits into leased account numbers: `peers.deposits`, the bank of the carrier's numbers."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any, ClassVar

from doenda.kernel import net
from doenda.kernel.ids import inside
from doenda.payments.deposits import (
    arrivals,  # noqa: F401 - its sweep registers itself
    tending,
)
from doenda.payments.models import Attempt
from doenda.payments.providers.contract import PayInto
from doenda.sim import driver
from doenda.sim.driver import Begun
from doenda.sim.line import Bell, Peer

KEY, SECRET = "deposit-key", "deposit-webhook-secret"


class Driver(driver.Driver):
    name = "deposit"
    method = ""
    deposit_method = "deposit"
    bank = "088"
    own_rows = True
    sweeps = ("deposits", "deposit numbers")
    tells_amount = False
    lacks: ClassVar = {
        "refused": "nobody is asked: a deposit comes, or it does not",
        "redirect": "there is no page to go to: any bank, any machine, any device",
        "debit": "nothing is instructed: the payer brings the money",
        "wrong amount": "a deposit of any amount is booked as what it is: see any amount",
        "refund part": "through the house only what was too much goes back in part: see any amount",
        "paid twice over": "what comes after the bill is paid is the row late deposit",
        "webhook of another merchant": "its webhooks name a number, and no merchant and no order",
    }

    own_faults: ClassVar = {"hidden": {"fault": "hidden", "seconds": 4, "remaining": 1}}

    def open(self) -> Peer:
        peer = self.place.peer("deposits", "peers.deposits.truth.Deposits")
        hook = {"keys": [KEY], "secrets": [SECRET], "webhook_url": f"{self.place.bell_url}/deposit"}
        peer.control("PUT", "merchant", hook)
        return peer

    def config(self) -> dict[str, Any]:
        return {"url": self.peer.url, "keys": [KEY], "webhook_secrets": [SECRET]}

    def prepare(self) -> None:
        """The house fetches the numbers that the bank gave it."""
        tending.refill(100)

    def moves_money(self, request: net.Request) -> bool:
        return request.method == "GET" and "/v1/deposits" in request.url

    def gives_back(self, request: net.Request) -> bool:
        return request.url.endswith("/return")

    def taken(self, order_id: str, ref: str) -> int:
        """By number, since the bank names no order for what arrives late; each number is leased once here."""
        into = Attempt.objects.get(pk=inside(order_id)).details.get("pay_into") or {}
        return int(self.peer.control("GET", "books")["by_number"].get(into.get("number"), 0))

    def deposit(self, into: PayInto, amount: int) -> None:
        asked = {"number": into.number, "amount": amount, "remitter": "김표본", "late": True}
        self._last = self.peer.control("POST", "deposits", asked)["id"]

    def heal(self) -> None:
        super().heal()
        self.peer.control("PUT", "faults", {})

    def undo(self, order_id: str, ref: str) -> None:
        self.peer.control("POST", "undo", {"id": self._last})

    def about(self, bell: Bell, begun: Begun) -> bool:
        return begun.number.encode() in bell.body

    def signed(self, bell: Bell, body: bytes, at: datetime) -> Bell:
        ident, stamp = bell.headers["deposit-transmission-id"] + "x", str(int(at.timestamp()))
        digest = hmac.new(SECRET.encode(), f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "deposit-transmission-id": ident,
            "deposit-timestamp": stamp,
            "deposit-signature": "v1," + base64.b64encode(digest).decode(),
        }
        return Bell(bell.headers | headers, body)
