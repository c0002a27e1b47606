"""The sandbox bank: `peers.bank`."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from doenda.kernel import net
from doenda.sim import driver
from doenda.sim.driver import Begun
from doenda.sim.line import Bell, Peer
from doenda.sim.places import form

KEY, SECRET = "sandbox-key", "sandbox-webhook-secret"


class Driver(driver.Driver):
    name = "sandbox"
    lacks: ClassVar = {
        "any amount": "it takes exactly what was asked for, or nothing",
        "deposit": "the sandbox bank opens no virtual accounts",
        "instructed": "the sandbox bank takes no debit files",
        "undone": "its payments are final: only a refund gives them back",
    }
    own_faults: ClassVar = {
        "timeout_before": {"fault": "timeout_before", "seconds": 0.1},
        "timeout_after": {"fault": "timeout_after", "seconds": 0.1},
        "error_before": {"fault": "error_before"},
        "error_after": {"fault": "error_after"},
        "hidden": {"fault": "hidden", "seconds": 4, "remaining": 1},
    }

    def open(self) -> Peer:
        peer = self.place.peer("bank", "peers.bank.truth.Bank")
        peer.control("PUT", "merchant", {"key": KEY, "secret": SECRET, "webhook_url": f"{self.place.bell_url}/bank"})
        return peer

    def config(self) -> dict[str, Any]:
        return {"url": self.peer.url, "key": KEY, "webhook_secrets": [SECRET], "confirm_seconds": 1.5}

    def moves_money(self, request: net.Request) -> bool:
        return request.url.endswith("/v1/payments/confirm")

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

    def signed(self, bell: Bell, body: bytes, at: datetime) -> Bell:
        ident, stamp = bell.headers["sandbox-transmission-id"] + "x", str(int(at.timestamp()))
        digest = hmac.new(SECRET.encode(), f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "sandbox-transmission-id": ident,
            "sandbox-timestamp": stamp,
            "sandbox-signature": "v1," + base64.b64encode(digest).decode(),
        }
        return Bell(bell.headers | headers, body)

    def other_merchant(self, body: bytes) -> bytes:
        return body.replace(b'"doenda"', b'"nobody"')
