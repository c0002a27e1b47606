"""PortOne: its API, its page, its control door, and the faults that strike them."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from peers.faults import AFTER, BEFORE, EVERYONE, Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.outgoing import Delivery
from peers.portone import acts, documents, feeds, moves, page, webhooks
from peers.portone.checkout import checkout
from peers.portone.control import control
from peers.portone.state import (
    KEYS_KEPT,
    METHODS,
    REQUESTED,
    Answer,
    Cancellation,
    Merchant,
    Movement,
    Payment,
    Pin,
    Report,
    State,
    listed,
)
from peers.truth import Clock, Hook, HookDone, Truth, iso

LOST = "INTERNAL_SERVER_ERROR"
FAULTS = (
    *BEFORE,
    *AFTER,
    *webhooks.FAULTS,
    *("refuse", "last_step_down", "dead", "redirect_page_down", "inquiry_down", "hidden"),
    *("cancel_failed", "cancel_requested"),
)
SECRET = "portone-secret"  # noqa: S105 - what a trial starts with
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"portone-webhook-secret").decode()
CHANNELS = "channel-key-card,channel-key-transfer,channel-key-deposit"
STORE = "store-doenda"


class PortOne(Truth):
    """A fake of PortOne V2.

    `journal` is a path (or an open Journal) that survives; `clock` gives seconds since 1970; `ids` gives the varying
    part of transaction ids, tokens and webhook ids. Money is in minor units. Raises JournalDamaged, and RuntimeError
    for a webhook secret that is not base64.
    """

    kinds: ClassVar[tuple[type, ...]] = (Payment, Pin, Cancellation, Movement, Report, Answer, Merchant)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        ids: Callable[[], str] | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self.state = State()
        self.faults = Faults(FAULTS, (*METHODS, EVERYONE), usually=("confirm", "instant"))
        self.new_id = ids or (lambda: secrets.token_hex(12))
        self.state.apply(_first())
        super().__init__(Journal.at(journal), clock, base_url)

    def tick(self, now: float | None = None) -> list[Delivery]:
        """As of every peer; PortOne waits 30 s for an answer to a webhook."""
        return [replace(one, timeout=webhooks.TIMEOUT) for one in super().tick(now)]

    def sent(self, delivery: Delivery, status: int | None) -> None:
        """Done if 2xx, else tried again 5 times."""
        with self._lock:
            hook = self.hooks.get(int(delivery.ref))
            if hook is None:
                return
            received = status is not None and 200 <= status < 300
            if received or not hook.again or hook.tries >= len(webhooks.RETRY_MINUTES):
                self.commit(HookDone(hook.number))
            else:
                pause = 60.0 * webhooks.RETRY_MINUTES[hook.tries]
                self.commit(replace(hook, at=self.now() + pause, tries=hook.tries + 1))

    def reports(self, payment: Payment, kind: str, now: float, cancellation: str = "") -> list[object]:
        """The webhooks that follow from a payment's new status."""
        return webhooks.reports(
            payment,
            kind,
            self.state.merchants[payment.store],
            self.faults,
            now,
            cancellation=cancellation,
            number=self.next_hook,
            ident=lambda: f"msg_{self.new_id()}",
        )

    def _apply(self, change: object) -> None:
        self.state.apply(change)
        if isinstance(change, Payment) and change.hidden_until is not None:
            self.plan(change.hidden_until, change.key)
        elif isinstance(change, Cancellation) and change.status == REQUESTED and change.due is not None:
            self.plan(change.due, change.ident)

    def _sign(self, hook: Hook, now: float) -> Mapping[str, str]:
        return webhooks.headers(hook, now)

    def _error(self, no: Refused) -> Response:
        return answer(no.status, moves.error_document(no))

    def _ring(self, key: str, now: float) -> None:
        payment, asked = self.state.payments.get(key), self.state.cancellations.get(key)
        if payment is not None and payment.hidden_until is not None and payment.hidden_until <= now:
            paid, moved = moves.take(payment, len(self.state.movements) + 1, now)
            document = {"pgTxId": f"pg-{paid.tx_id}", "paidAt": iso(now)}
            scope = payment.hidden_scope
            stored = [Answer(scope, payment.hidden_digest, 200, document, now)] if scope else []
            self.commit(paid, moved, *stored, *self.reports(paid, "Paid", now))
        elif asked is not None and asked.status == REQUESTED and asked.due is not None and asked.due <= now:
            _, changes = acts.give_back(self, self.state.payments[asked.key], asked, now)
            self.commit(*changes)

    def _answer(self, request: Request) -> Response:
        words = request.route.strip("/").split("/")
        if words[0] == "_control":
            return control(self, request, words[1:])
        if words == ["checkout"]:
            return checkout(self, request)
        payment = self._meant(words)
        method = payment.method if payment else _wished(request, words)
        if self.faults.fires(("dead",), method):
            raise NoAnswer
        if request.method == "GET" and words == ["v2", "browser-sdk.js"]:
            return page.sdk(self.base_url)
        merchant = self._merchant(request)
        asked = _asked(request)
        if (asked.get("storeId") or request.query.get("storeId") or merchant.name) != merchant.name:
            raise Refused(403, "FORBIDDEN", "요청이 거절되었습니다.")
        if payment and payment.store != merchant.name:
            payment = None
        if request.method in ("GET", "HEAD"):
            return self._look(asked, merchant, words, payment, method)
        if request.method != "POST":
            raise Refused(404, "NOT_FOUND", request.route)
        return self._move(request, asked, merchant, words, payment, method)

    def _meant(self, words: list[str]) -> Payment | None:
        """The payment that the path speaks of, in whichever store."""
        if len(words) < 2 or words[0] != "payments":
            return None
        found = (self.state.payments.get(f"{store}/{words[1]}") for store in self.state.merchants)
        return next((payment for payment in found if payment), None)

    def _merchant(self, request: Request) -> Merchant:
        kind, _, said = request.header("authorization").partition(" ")
        given = said.strip().encode()
        for merchant in self.state.merchants.values():
            live = any(secrets.compare_digest(one.encode(), given) for one in listed(merchant.secrets))
            if kind.lower() == "portone" and live:
                return merchant
        raise Refused(401, "UNAUTHORIZED", "인증 정보가 올바르지 않습니다.", kept=False)

    def _look(
        self, asked: dict[str, Any], merchant: Merchant, words: list[str], payment: Payment | None, method: str
    ) -> Response:
        if self.faults.fires(("inquiry_down",), method):
            raise Refused(503, "SERVICE_UNAVAILABLE", "inquiries are down")
        match words:
            case ["payments-by-cursor"]:
                return answer(200, feeds.payments(self.state, merchant.name, asked, self.now()))
            case ["payment-events-by-cursor"]:
                return answer(200, feeds.events(self.state, merchant.name, asked, self.now()))
            case ["payments", _] | ["payments", _, "transactions"]:
                if payment is None or payment.hidden_until is not None:
                    raise Refused(404, "PAYMENT_NOT_FOUND", "결제 건이 존재하지 않습니다.")
                if len(words) == 2:
                    return answer(200, documents.payment(self.state, payment))
                tries = self.state.tries[payment.key].values()
                return answer(200, {"items": [documents.transaction(self.state, one) for one in tries]})
        raise Refused(404, "NOT_FOUND", "no such path")

    def _move(
        self,
        request: Request,
        asked: dict[str, Any],
        merchant: Merchant,
        words: list[str],
        payment: Payment | None,
        method: str,
    ) -> Response:
        act: acts.Act
        match words:
            case ["payments", payment_id, "pre-register"]:
                on, act = "create", partial(acts.pre_register, self, asked, merchant, payment_id)
            case ["payments", payment_id, "instant"]:
                on, act = "instant", partial(acts.instant, self, asked, merchant, payment_id)
            case ["payments", _, "confirm"]:
                on, act = "confirm", partial(acts.confirm, self, asked, payment)
            case ["payments", _, "cancel"]:
                on, act = "cancel", partial(acts.cancel, self, asked, payment)
            case ["payments", _, "virtual-account", "close"]:
                on, act = "close", partial(acts.close, self, payment)
            case ["payments", _, "resend-webhook"]:
                on, act = "resend", partial(acts.resend, self, asked, payment)
            case _:
                raise Refused(404, "NOT_FOUND", "no such path")
        return self.struck(on, partial(self._once, request, merchant, act), key=method, lost=LOST, unsaid=LOST)

    def _once(self, request: Request, merchant: Merchant, act: acts.Act, slow: float) -> Response:
        """Act, or with a key seen before give the stored answer; while it runs, nothing but that it runs."""
        key, now = request.header("idempotency-key"), self.now()
        if key and not (key.isascii() and key[0] == key[-1] == '"' and 16 <= len(key) - 2 <= 256):
            raise Refused(400, "INVALID_REQUEST", "Idempotency-Key: a quoted string of 16 to 256 ASCII", kept=False)
        scope = f"{merchant.name} {request.method} {request.route} {key}" if key else ""
        digest = hashlib.sha256(request.body).hexdigest()[:32]
        stored = self.state.answers.get(scope)
        if stored is not None and now < stored.ready + KEYS_KEPT:
            if stored.digest != digest:  # undocumented what then; only that it must not be done
                raise Refused(400, "INVALID_REQUEST", "this Idempotency-Key was used with another body", kept=False)
            if now < stored.ready:
                raise Refused(409, moves.OUTSTANDING, "같은 키의 요청이 처리 중입니다.", kept=False)
            return answer(stored.status, stored.document)
        try:
            document, changes = act(scope, digest)
        except Refused as no:
            if scope and no.kept:
                self.commit(Answer(scope, digest, no.status, moves.error_document(no), now + slow))
            raise
        self.commit(*changes, *([Answer(scope, digest, 200, document, now + slow)] if scope else []))
        return answer(200, document)


def _first() -> Merchant:
    """The store that the environment describes."""
    said = os.environ.get
    merchant = Merchant(
        said("PORTONE_STORE") or STORE,
        said("PORTONE_API_SECRETS") or SECRET,
        said("PORTONE_WEBHOOK_SECRETS") or WEBHOOK_SECRET,
        said("PORTONE_CHANNEL_KEYS") or CHANNELS,
        said("PORTONE_WEBHOOK_URL") or "",
    )
    try:
        all(webhooks.key_of(secret) for secret in listed(merchant.webhook_secrets))
    except ValueError:
        raise RuntimeError("PORTONE_WEBHOOK_SECRETS: whsec_ and base64, comma separated") from None
    return merchant


def _asked(request: Request) -> dict[str, Any]:
    """The body; of a GET what stands URL-encoded in `requestBody`. Raises Refused (400)."""
    if request.method in ("GET", "HEAD"):
        return Request("POST", "/", {}, request.query.get("requestBody", "{}").encode()).json()
    return request.json() if request.body else {}


def _wished(request: Request, words: list[str]) -> str:
    """The method of a request whose payment is not there yet."""
    if words[:1] != ["payments"] or words[-1] != "instant":
        return EVERYONE
    try:
        method = json.loads(request.body)["method"]
    except (ValueError, KeyError, TypeError):
        return EVERYONE
    return "deposit" if isinstance(method, dict) and "virtualAccount" in method else EVERYONE
