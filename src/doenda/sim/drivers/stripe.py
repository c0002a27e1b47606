"""Stripe, played by localstripe: a process that nobody here wrote, which knows neither idempotency keys nor faults.

The payer's part is what its script does in the browser: complete, or fail, the 3-D Secure of a given test card.
"""

import hashlib
import hmac
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from doenda.kernel import net
from doenda.sim import driver
from doenda.sim.driver import Begun
from doenda.sim.line import Bell, Peer
from doenda.sim.places import form

KEY, PUBLIC, SECRET, ACCOUNT = "sk_test_doenda", "pk_test_doenda", "whsec_doenda", "acct_doenda"
PAYS, DECLINED = "4000002500003155", "4000008260003178"  # Stripe's test cards: both ask for 3-D Secure first
AUTH = {"Authorization": f"Bearer {KEY}"}


class Driver(driver.Driver):
    name = "stripe"
    lacks: ClassVar = {
        "any amount": "exactly what was asked for is captured, or nothing",
        "deposit": "no virtual accounts in won; other providers have them",
        "instructed": "card payments are not instructed by file",
        "undone": "a dispute is settled over weeks: it shows in the balance transactions, and localstripe knows none",
    }
    peculiar: ClassVar = {"void": "localstripe captures an intent that was canceled; Stripe itself refuses to"}

    def open(self) -> Peer:
        def argv(port: int) -> list[str]:
            return [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]

        peer = self.place.stranger(argv, "/js.stripe.com/v3/")
        hook = {"url": f"{self.place.bell_url}/stripe", "secret": SECRET}
        form(peer, "POST", f"{peer.url}/_config/webhooks/doenda", hook, AUTH)
        self._cards = {number: self._card(peer, number) for number in (PAYS, DECLINED)}
        self._given = self._cards[PAYS]
        return peer

    def _card(self, peer: Peer, number: str) -> str:
        fields = {"type": "card", "card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2030"}
        reply = form(peer, "POST", f"{peer.url}/v1/payment_methods", fields | {"card[cvc]": "123"}, AUTH)
        return str(reply.json()["id"])

    def config(self) -> dict[str, Any]:
        return {
            "url": self.peer.url,
            "key": KEY,
            "publishable_key": PUBLIC,
            "account": ACCOUNT,
            "webhook_secrets": [SECRET],
            "script_url": f"{self.peer.url}/js.stripe.com/v3/",
            "plain": True,
            "payment_method": self._given,
            "confirm_seconds": 3.0,
        }

    def moves_money(self, request: net.Request) -> bool:
        return request.method == "POST" and urlsplit(request.url).path.endswith("/capture")

    def taken(self, order_id: str, ref: str) -> int:
        """From its charges, not from what it says of the intent."""
        reply = self.peer.ask(net.Request("books", "GET", f"{self.peer.url}/v1/charges?limit=10000", AUTH))
        mine = [one for one in reply.json()["data"] if one["payment_intent"] == ref and one["captured"] and one["paid"]]
        return sum(one["amount"] - one["amount_refunded"] for one in mine)

    def approve(self, begun: Begun) -> Mapping[str, str]:
        return self._authenticate(begun, "true")

    def cancel(self, begun: Begun) -> Mapping[str, str]:
        """Not even the script is asked: the button beside it leads back."""
        return self._back(begun, {"redirect_status": "canceled"})

    def _authenticate(self, begun: Begun, success: str) -> Mapping[str, str]:
        url = f"{self.peer.url}/v1/payment_intents/{begun.ref}/_authenticate?success={success}"
        body = json.dumps({"key": PUBLIC, "client_secret": begun.client["client_secret"]}).encode()
        reply = self.peer.ask(net.Request("payer", "POST", url, {}, body))
        said = reply.json()
        if reply.status == 200 and said["status"] == "requires_capture":
            return self._back(begun, {"redirect_status": "succeeded"})
        code = (said.get("error") or {}).get("code") or said.get("status")
        return self._back(begun, {"redirect_status": "failed", "code": str(code)})

    def _back(self, begun: Begun, said: Mapping[str, str]) -> Mapping[str, str]:
        query = dict(parse_qsl(urlsplit(begun.client["return_url"]).query))
        return {**query, "payment_intent": begun.ref, **said}

    def will_refuse(self) -> None:
        self._given = self._cards[DECLINED]

    def heal(self) -> None:
        super().heal()
        self._given = self._cards[PAYS]

    def signed(self, bell: Bell, body: bytes, at: datetime) -> Bell:
        stamp = str(int(at.timestamp()))
        digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        return Bell(bell.headers | {"stripe-signature": f"t={stamp},v1={digest}"}, body)

    def other_merchant(self, body: bytes) -> bytes:
        return body.replace(ACCOUNT.encode(), b"acct_nobody")
