"""PortOne V2: `peers.portone`, its script's page walked as a browser does."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from doenda.kernel import net
from doenda.payments.providers.contract import PayInto
from doenda.sim import driver
from doenda.sim.driver import Begun
from doenda.sim.line import Bell, Peer
from doenda.sim.places import form

KEY, STORE = "portone-secret", "store-doenda"
OLD, NEW = (f"whsec_{base64.b64encode(word).decode()}" for word in (b"the older secret", b"the newer secret"))
ASKED = ("storeId", "channelKey", "paymentId", "orderName", "totalAmount", "currency", "payMethod", "redirectUrl")


class Driver(driver.Driver):
    name = "portone"
    deposit_method = "deposit"
    bank = "088"
    lacks: ClassVar = {
        "instructed": "no debit files: a kept billing key is charged at once",
        "any amount": "its accounts take exactly what was asked for",
    }
    peculiar: ClassVar = {
        "confirm names no amount": "it compares amount and currency itself before it takes money, and answers without",
    }
    tells_amount = False
    own_faults: ClassVar = {
        "timeout_before": {"fault": "timeout_before", "seconds": 0.1},
        "timeout_after": {"fault": "timeout_after", "seconds": 0.1},
        "error_before": {"fault": "error_before"},
        "error_after": {"fault": "error_after"},
        "hidden": {"fault": "hidden", "seconds": 4, "remaining": 1},
    }

    def open(self) -> Peer:
        peer = self.place.peer("portone", "peers.portone.truth.PortOne")
        url = f"{self.place.bell_url}/portone"
        peer.control("PUT", "merchant", {"secrets": KEY, "webhook_secrets": f"{OLD},{NEW}", "webhook_url": url})
        return peer

    def config(self) -> dict[str, Any]:
        return {
            "url": self.peer.url,
            "secrets": [KEY],
            "webhook_secrets": [NEW],
            "store": STORE,
            "channel_keys": {one: f"channel-key-{one}" for one in ("card", "transfer", "deposit")},
            "sdk": f"{self.peer.url}/v2/browser-sdk.js",
            "confirm_seconds": 1.5,
        }

    def moves_money(self, request: net.Request) -> bool:
        return urlsplit(request.url).path.endswith("/confirm")

    def gives_back(self, request: net.Request) -> bool:
        return urlsplit(request.url).path.endswith("/cancel")

    def taken(self, order_id: str, ref: str) -> int:
        return int(self.peer.control("GET", "books")["by_order"].get(order_id, 0))

    def approve(self, begun: Begun) -> Mapping[str, str]:
        return self._decide(begun, "approve")

    def cancel(self, begun: Begun) -> Mapping[str, str]:
        return self._decide(begun, "cancel")

    def _decide(self, begun: Begun, decision: str) -> Mapping[str, str]:
        """What the script does with the words of our page, then the button on theirs."""
        url = f"{self.peer.url}/checkout?{urlencode({name: begun.client[name] for name in ASKED})}"
        reply = self.peer.ask(net.Request("payer", "GET", url))
        if reply.status == 200:
            reply = form(self.peer, "POST", url, {"decision": decision}, {})
        return dict(parse_qsl(urlsplit(reply.headers["location"]).query, keep_blank_values=True))

    def will_refuse(self) -> None:
        self.peer.control("PUT", "faults", {"*": {"fault": "refuse"}})

    def heal(self) -> None:
        super().heal()
        self.peer.control("PUT", "faults", {})

    def deposit(self, into: PayInto, amount: int) -> None:
        self.peer.control("POST", "deposits", {"account_number": into.number, "amount": amount})

    def undo(self, order_id: str, ref: str) -> None:
        self.peer.control("POST", "undo", {"payment_id": order_id})

    def signed(self, bell: Bell, body: bytes, at: datetime) -> Bell:
        ident, stamp = bell.headers["webhook-id"] + "x", str(int(at.timestamp()))
        key = base64.b64decode(NEW.removeprefix("whsec_"))
        digest = hmac.new(key, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = "v1," + base64.b64encode(digest).decode()
        headers = {"webhook-id": ident, "webhook-timestamp": stamp, "webhook-signature": signature}
        return Bell(bell.headers | headers, body)

    def other_merchant(self, body: bytes) -> bytes:
        return body.replace(STORE.encode(), b"store-nobody")
