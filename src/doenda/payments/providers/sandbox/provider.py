"""The sandbox bank over its HTTP interface."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from doenda.kernel import net
from doenda.payments.providers.contract import Answer, BackTo, Charge, Feed, Moves, Outcome, Provider, Returned, Ring
from doenda.payments.providers.sandbox import feed
from doenda.payments.providers.sandbox.codes import CODES, STATUSES

DEP = "sandbox"
TOLERANCE = timedelta(minutes=5)
PAGE = 1000


class Sandbox(Provider):
    """Two steps, a page of its own between them; money moves at `confirm`."""

    name = "sandbox"
    merchant = "doenda"
    methods: ClassVar = {"card": Moves.AT_CONFIRM, "transfer": Moves.AT_CONFIRM}
    singly: ClassVar[bool] = True  # a bank of its own: what is taken lies on the carrier's account there
    heard = 204

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._url: str = config["url"]
        self._key: str = config["key"]
        self._secrets: list[str] = list(config["webhook_secrets"])
        self._confirm_seconds = float(config.get("confirm_seconds", 6.0))
        self._page = int(config.get("page", PAGE))

    def start(self, charge: Charge) -> Answer:
        body = {
            "order_id": charge.order_id,
            "amount": charge.amount,
            "currency": charge.currency,
            "method": charge.method,
            "order_name": charge.name,
            "return_url": charge.return_url,
        }
        answer = self._post("/v1/payments", body, key=f"start-{charge.order_id}", certain=True)
        if answer.outcome is Outcome.PENDING and answer.redirect_url:
            return Answer(Outcome.NEEDS_REDIRECT, answer.code, answer.ref, answer.redirect_url, answer.order_id)
        # Registering moves no money: whatever else comes back, nothing was taken.
        outcome = Outcome.REFUSED if answer.outcome is Outcome.REFUSED else Outcome.OUR_FAULT
        return Answer(outcome, answer.code or "START_FAILED")

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        body = {"payment_key": charge.ref, "order_id": charge.order_id, "amount": charge.amount}
        return self._post(
            "/v1/payments/confirm",
            body,
            key=f"confirm-{charge.order_id}",
            certain=first_try,
            timeout=self._confirm_seconds,
        )

    def inquire(self, charge: Charge) -> Answer:
        return self._call("GET", f"/v1/payments/orders/{charge.order_id}", certain=False)

    def void(self, charge: Charge) -> Answer:
        answer = self._post(f"/v1/payments/{charge.ref}/cancel", {"reason": "void"}, key=f"void-{charge.order_id}")
        # A void of something unpaid is acknowledged as ABORTED; of something paid it would be a refund.
        return Answer(Outcome.GIVEN_BACK, answer.code, answer.ref) if answer.outcome is Outcome.REFUSED else answer

    def returned(self, query: Mapping[str, str]) -> Returned:
        failed = query.get("code", "")
        return Returned(
            query.get("order_id", ""),
            query.get("payment_key", ""),
            query.get("amount", ""),
            failed=failed,
            cancelled=failed == "PAY_PROCESS_CANCELED",
        )

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        answer = self._post(f"/v1/payments/{charge.ref}/cancel", {"reason": reason, "amount": amount}, key=key)
        return replace(answer, outcome=Outcome.GIVEN_BACK) if answer.given_back >= amount else answer

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        said = {name.lower(): value for name, value in headers.items()}
        transmission, stamp = said.get("sandbox-transmission-id", "")[:80], said.get("sandbox-timestamp", "")[:20]
        order_id = ""
        try:
            order_id = str(json.loads(body)["data"]["order_id"])[:64]
            fresh = abs(now.timestamp() - int(stamp)) <= TOLERANCE.total_seconds()
        except (ValueError, KeyError, TypeError, RecursionError):
            return Ring(transmission, order_id, genuine=False)
        signed = f"{transmission}.{stamp}.".encode() + body
        given = said.get("sandbox-signature", "").encode()  # a str with an accent would raise when compared
        genuine = any(
            hmac.compare_digest(given, b"v1," + base64.b64encode(hmac.digest(s.encode(), signed, hashlib.sha256)))
            for s in self._secrets
        )
        return Ring(transmission, order_id, genuine=genuine and fresh and bool(transmission))

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        """By the bank's time of the movement; the cursor is the number of the last line read."""
        after = int(cursor or 0)
        asked = {"after": after, "limit": self._page, "since": since.isoformat(), "until": until.isoformat()}
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            reply = net.call(
                DEP, "GET", f"{self._url}/v1/transactions?{urlencode(asked)}", headers=headers, timeout=20.0
            )
        except net.NotSent:
            return Feed((), code="NOT_REACHED")
        except net.NoAnswer:
            return Feed((), code="NO_ANSWER")
        if reply.status != 200:
            return Feed((), code=f"HTTP_{reply.status}")
        try:
            lines, last = feed.read(reply.json(), after)
        except (feed.Unreadable, ValueError, RecursionError):
            return Feed((), code="NOT_READABLE")
        return Feed(lines, cursor=str(last) if len(lines) >= self._page else "")

    def _post(
        self, path: str, body: dict[str, Any], *, key: str, certain: bool = False, timeout: float = 6.0
    ) -> Answer:
        return self._call("POST", path, body=body, key=key, certain=certain, timeout=timeout)

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        key: str = "",
        certain: bool,
        timeout: float = 6.0,
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self._key}"} | ({"Idempotency-Key": key} if key else {})
        try:
            reply = net.call(DEP, method, self._url + path, json=body, headers=headers, timeout=timeout)
        except net.NotSent:
            return Answer(Outcome.OUR_FAULT if certain else Outcome.UNKNOWN, "NOT_REACHED")
        except net.NoAnswer:
            return Answer(Outcome.UNKNOWN, "NO_ANSWER")
        return _read(reply)


def _read(reply: net.Reply) -> Answer:
    try:
        said = reply.json()
        if reply.status == 200:
            return Answer(
                outcome=STATUSES.get(said["status"], Outcome.UNKNOWN),
                code=_code((said.get("failure") or {}).get("code") or said["status"]),
                ref=str(said["payment_key"]),
                redirect_url=str(said.get("redirect_url") or ""),
                order_id=str(said["order_id"]),
                amount=said["amount"] if type(said["amount"]) is int else None,  # 52300.9 is not 52300
                currency=str(said["currency"]),
                merchant=str(said["merchant"]),
                given_back=int(said.get("canceled_amount") or 0),
            )
        code = _code(said["code"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Answer(Outcome.UNKNOWN, f"HTTP_{reply.status}")
    return Answer(CODES.get(code, Outcome.UNKNOWN), code)


def _code(said: object) -> str:
    """A code as our rows can keep it, whatever was sent."""
    return str(said).encode("ascii", "replace").decode().replace("\0", "?")[:60]
