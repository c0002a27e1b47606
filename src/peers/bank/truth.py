"""The bank: its API, its page's two buttons, its control door, and the faults that strike them."""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import ClassVar
from urllib.parse import quote

from peers.bank import acts, feeds, moves, page, webhooks
from peers.bank.control import control
from peers.bank.state import METHODS, Answer, Merchant, Payment, State, Transaction
from peers.faults import AFTER, BEFORE, EVERYONE, Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.truth import Clock, Hook, Truth

LOST = "FAILED_INTERNAL_SYSTEM_PROCESSING"
FAULTS = (
    *BEFORE,
    *AFTER,
    *webhooks.FAULTS,
    *("refuse", "last_step_down", "dead", "redirect_page_down", "inquiry_down", "hidden"),
)


class Bank(Truth):
    """The sandbox bank.

    `journal` is a path (or an open Journal) that survives; `clock` gives seconds since 1970; `ids` gives the varying
    part of payment keys and webhook ids. Money is in minor units. `handle` answers; `due`, `tick` and `sent` drive its
    webhooks. Raises JournalDamaged.
    """

    kinds: ClassVar[tuple[type, ...]] = (Payment, Transaction, Answer, Merchant)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        ids: Callable[[], str] | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self.state = State()
        self.faults = Faults(FAULTS, (*METHODS, EVERYONE), usually=("confirm",))
        self.new_id = ids or (lambda: secrets.token_hex(12))
        key = os.environ.get("SANDBOX_BANK_KEY") or "sandbox-key"
        secret = os.environ.get("SANDBOX_WEBHOOK_SECRET") or "sandbox-webhook-secret"
        self.state.apply(Merchant("doenda", key, secret, os.environ.get("SANDBOX_WEBHOOK_URL", "")))
        super().__init__(Journal.at(journal), clock, base_url)

    def _apply(self, change: object) -> None:
        self.state.apply(change)
        if isinstance(change, Payment):
            if change.hidden_until is not None:
                self.plan(change.hidden_until, change.payment_key)
            elif change.status in ("READY", "IN_PROGRESS"):
                self.plan(change.expires, change.payment_key)

    def _sign(self, hook: Hook, now: float) -> Mapping[str, str]:
        return webhooks.headers(hook, now)

    def _ring(self, key: str, now: float) -> None:
        payment = self.state.payments[key]
        if payment.hidden_until is not None:
            if payment.hidden_until <= now:
                done, moved = moves.take(payment, len(self.state.transactions) + 1, now)
                stored = Answer(payment.hidden_scope, payment.hidden_digest, 200, done.public())
                self.commit(done, moved, *([stored] if stored.scope else []), *self.reports(done, now))
        elif payment.status in ("READY", "IN_PROGRESS") and payment.expires <= now:
            expired = moves.expire(payment)
            self.commit(expired, *self.reports(expired, now))

    def _answer(self, request: Request) -> Response:
        words = request.route.strip("/").split("/")
        if words[0] == "_control":
            return control(self, request, words[1:])
        payment = self._meant(words)
        method = payment.method if payment else EVERYONE
        if not payment and request.method == "POST" and words == ["v1", "payments"]:
            method = _said(request, "method")
        if self.faults.fires(("dead",), method):
            raise NoAnswer
        if words[0] == "pay" and len(words) == 2:
            return self._page(request, payment)
        merchant = self._merchant(request)
        if words[:3] == ["v1", "payments", "orders"]:
            payment = self.state.payment_of_order(merchant.name, words[-1])
        if payment and payment.merchant != merchant.name:
            payment = None
        if request.method in ("GET", "HEAD"):
            return self._look(request, merchant, words, payment)
        return self._move(request, merchant, words, payment, method)

    def _meant(self, words: list[str]) -> Payment | None:
        """The payment that the path, or else the body of a confirmation, speaks of."""
        match words:
            case ["v1", "payments", "orders", order_id]:
                found = (self.state.payment_of_order(name, order_id) for name in self.state.merchants)
                return next((payment for payment in found if payment), None)
            case ["pay", key] | ["v1", "payments", key] | ["v1", "payments", key, "cancel"]:
                return self.state.payments.get(key)
        return None

    def _merchant(self, request: Request) -> Merchant:
        kind, _, key = request.header("authorization").partition(" ")
        for merchant in self.state.merchants.values():
            if kind.lower() == "bearer" and secrets.compare_digest(merchant.key.encode(), key.strip().encode()):
                return merchant
        raise Refused(401, "UNAUTHORIZED_KEY", "Authorization: Bearer and the merchant's key")

    def _look(self, request: Request, merchant: Merchant, words: list[str], payment: Payment | None) -> Response:
        if self.faults.fires(("inquiry_down",), payment.method if payment else EVERYONE):
            raise Refused(503, "SERVICE_FAULT", "inquiries are down")
        if words == ["v1", "transactions"]:
            return answer(200, feeds.transactions(self.state, merchant.name, request))
        if words[:2] != ["v1", "payments"]:
            raise Refused(404, "NOT_FOUND", request.route)
        if payment is None or payment.hidden_until is not None:
            raise Refused(404, "NOT_FOUND_PAYMENT", "no such payment")
        return answer(200, payment.public())

    def _move(
        self, request: Request, merchant: Merchant, words: list[str], payment: Payment | None, method: str
    ) -> Response:
        asked = request.json()
        match words:
            case ["v1", "payments"]:
                on, act = "create", partial(acts.create, self, asked, merchant)
            case ["v1", "payments", "confirm"]:
                payment = self.state.payments.get(str(asked.get("payment_key")))
                if payment and payment.merchant != merchant.name:
                    payment = None
                method = payment.method if payment else EVERYONE
                if self.faults.fires(("dead",), method):
                    raise NoAnswer
                on, act = "confirm", partial(acts.confirm, self, asked, payment)
            case ["v1", "payments", _, "cancel"]:
                on, act = "cancel", partial(acts.cancel, self, asked, payment)
            case _:
                raise Refused(404, "NOT_FOUND", request.route)
        return self.struck(on, lambda _: self._once(request, merchant, act), key=method, lost=LOST, unsaid=LOST)

    def _once(self, request: Request, merchant: Merchant, act: acts.Act) -> Response:
        """Act, or with a key seen before give the stored answer."""
        key = request.header("idempotency-key")
        if len(key) > 300:
            raise Refused(400, "INVALID_IDEMPOTENCY_KEY", "at most 300 characters")
        scope = f"{merchant.name} {request.method} {request.route} {key}" if key else ""
        digest = hashlib.sha256(request.body).hexdigest()[:32]
        stored = self.state.answers.get(scope)
        if stored is not None:
            if stored.digest != digest:
                raise Refused(400, "INVALID_IDEMPOTENCY_KEY", "this key was used with another body")
            return answer(stored.status, stored.document)
        try:
            document, changes = act(scope, digest)
        except Refused as no:
            if scope and no.kept:
                self.commit(Answer(scope, digest, no.status, {"code": no.code, "message": no.message}))
            raise
        self.commit(*changes, *([Answer(scope, digest, 200, document)] if scope else []))
        return answer(200, document)

    def reports(self, payment: Payment, now: float) -> list[Hook]:
        """The webhooks that follow from a payment's new status."""
        merchant = self.state.merchants[payment.merchant]
        return webhooks.reports(payment, merchant, self.faults, now, number=self.next_hook, ident=self._hook_id)

    def _hook_id(self) -> str:
        return f"whk_{self.new_id()}"

    def _page(self, request: Request, payment: Payment | None) -> Response:
        lang = page.language(request)
        if self.faults.fires(("redirect_page_down",), payment.method if payment else EVERYONE):
            return page.trouble(503, lang)
        if payment is None:
            return page.trouble(404, lang)
        if request.method in ("GET", "HEAD"):
            return page.show(payment, lang)
        decision = request.form.get("decision", "")
        if request.method != "POST" or decision not in ("approve", "cancel"):
            return page.trouble(400, lang)
        now = self.now()
        decided = moves.decide(payment, decision, now)
        if decided is not payment:
            self.commit(decided, *(self.reports(decided, now) if decided.failure else []))
        location = quote(moves.way_back(decided), safe="%/:=&?~#+!$,;'@()*[]")
        return Response(303, {"Location": location, "Content-Type": "text/plain; charset=utf-8"}, b"")


def _said(request: Request, name: str) -> str:
    try:
        return str(request.json().get(name))
    except Refused:
        return EVERYONE
