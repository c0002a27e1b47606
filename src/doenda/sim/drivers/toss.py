"""Toss Payments: `peers.toss`, its hosted page walked as a browser does; its webhooks are not signed."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from doenda.kernel import net
from doenda.payments.providers.contract import PayInto
from doenda.sim import driver
from doenda.sim.driver import Begun
from doenda.sim.line import Peer
from doenda.sim.places import form

KEY = "test_sk_conformance"


class Driver(driver.Driver):
    name = "toss"
    deposit_method = "deposit"
    bank = "088"
    signs = False
    lacks: ClassVar = {
        "instructed": "no debit files: a kept billing key is charged at once",
        "any amount": "its accounts take exactly what was asked for",
    }
    own_faults: ClassVar = {
        "timeout_before": {"fault": "timeout_before", "seconds": 0.1},
        "timeout_after": {"fault": "timeout_after", "seconds": 0.1},
        "error_before": {"fault": "error_before"},
        "error_after": {"fault": "error_after"},
        "hidden": {"fault": "hidden", "seconds": 4, "remaining": 1},
    }

    def open(self) -> Peer:
        peer = self.place.peer("toss", "peers.toss.truth.Toss")
        peer.control("PUT", "merchant", {"keys": KEY, "webhook_url": f"{self.place.bell_url}/toss"})
        return peer

    def config(self) -> dict[str, Any]:
        return {"url": self.peer.url, "keys": [KEY], "merchant": "doenda", "confirm_seconds": 1.5}

    def moves_money(self, request: net.Request) -> bool:
        return urlsplit(request.url).path.endswith("/v1/payments/confirm")

    def gives_back(self, request: net.Request) -> bool:
        return urlsplit(request.url).path.endswith("/cancel")

    def taken(self, order_id: str, ref: str) -> int:
        return int(self.peer.control("GET", "books")["by_order"].get(order_id, 0))

    def approve(self, begun: Begun) -> Mapping[str, str]:
        return self._decide(begun, "approve")

    def cancel(self, begun: Begun) -> Mapping[str, str]:
        return self._decide(begun, "cancel")

    def _decide(self, begun: Begun, decision: str) -> Mapping[str, str]:
        reply = form(self.peer, "POST", begun.redirect_url, {"decision": decision}, {})
        return dict(parse_qsl(urlsplit(reply.headers["location"]).query, keep_blank_values=True))

    def will_refuse(self) -> None:
        self.peer.control("PUT", "faults", {"*": {"fault": "refuse"}})

    def heal(self) -> None:
        super().heal()
        self.peer.control("PUT", "faults", {})

    def deposit(self, into: PayInto, amount: int) -> None:
        self.peer.control("POST", "deposits", {"account_number": into.number, "amount": amount})

    def undo(self, order_id: str, ref: str) -> None:
        self.peer.control("POST", "undo", {"payment_key": ref})

    def other_merchant(self, body: bytes) -> bytes:
        return body.replace(b'"mId":"doenda"', b'"mId":"somebodyelse"')
