"""Toss Payments: its API, its page's two buttons, its control door, and the faults that strike them."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

from peers.faults import AFTER, BEFORE, EVERYONE, Faults
from peers.http import NoAnswer, Refused, Request, Response, answer
from peers.journal import Journal
from peers.outgoing import Delivery
from peers.toss import acts, documents, errors, feeds, moves, page, webhooks
from peers.toss.control import control
from peers.toss.state import (
    IN_PROGRESS,
    METHODS,
    PENDING,
    READY,
    Answer,
    Cancel,
    Card,
    Merchant,
    Movement,
    Payment,
    State,
    listed,
)
from peers.truth import Clock, Hook, HookDone, Truth

KEY, MERCHANT = "test_sk_doenda", "doenda"
KEYS_KEPT = 15 * 86400.0
LOST, UNSAID = "FAILED_INTERNAL_SYSTEM_PROCESSING", "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING"
FAULTS = (
    *BEFORE,
    *AFTER,
    *webhooks.FAULTS,
    *("refuse", "last_step_down", "dead", "redirect_page_down", "inquiry_down", "hidden", "refund_failed"),
)


class Toss(Truth):
    """Toss Payments.

    `journal` is a path (or an open Journal) that survives; `clock` gives seconds since 1970; `ids` gives the varying
    part of keys. `handle` answers; `due`, `tick` and `sent` drive its webhooks. Raises JournalDamaged.
    """

    kinds: ClassVar[tuple[type, ...]] = (Payment, Cancel, Movement, Card, Answer, Merchant)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        ids: Callable[[], str] | None = None,
        base_url: str = "http://127.0.0.1",
    ) -> None:
        self.state = State()
        self.faults = Faults(FAULTS, (*METHODS, EVERYONE), usually=("confirm", "billing", "issue"))
        self.new_id = ids or (lambda: secrets.token_hex(12))
        said = os.environ.get
        name, keys = said("TOSS_MERCHANT") or MERCHANT, said("TOSS_SECRET_KEYS") or KEY
        self.state.apply(Merchant(name, keys, said("TOSS_WEBHOOK_URL") or ""))
        super().__init__(Journal.at(journal), clock, base_url)

    def new_transaction(self) -> str:
        """The key of a movement, as Toss writes them."""
        return f"txn_{self.new_id()}".upper()

    def shown(self, payment: Payment, lang: str = "ko", *, more: Cancel | None = None) -> dict[str, Any]:
        """A payment as the API shows it, with one `more` cancellation than is written down."""
        cancels = self.state.cancels_of(payment) + ([more] if more else [])
        return documents.payment(payment, cancels, self.base_url, self.now(), lang=lang)

    def taken(self, payment: Payment, now: float) -> tuple[Payment, Movement]:
        """The money moves."""
        return moves.take(payment, len(self.state.movements) + 1, self.new_transaction(), now)

    def reports(self, payment: Payment, now: float, *, more: Cancel | None = None) -> list[Hook]:
        """The webhooks that follow from a payment's new status."""
        merchant, document = self.state.merchants[payment.merchant], self.shown(payment, more=more)
        named = {"number": self.next_hook, "ident": lambda: f"whtrans_{self.new_id()}"}
        return webhooks.reports(payment, document, merchant, self.faults, now, **named)  # type: ignore[arg-type]

    def tick(self, now: float | None = None) -> list[Delivery]:
        """As of every peer; Toss waits 10 s for an answer to a webhook."""
        return [replace(one, timeout=webhooks.TIMEOUT) for one in super().tick(now)]

    def sent(self, delivery: Delivery, status: int | None) -> None:
        """Done if 200, else tried again 7 times."""
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

    def _apply(self, change: object) -> None:
        self.state.apply(change)
        if isinstance(change, Payment):
            if change.hidden_until is not None:
                self.plan(change.hidden_until, change.key)
            elif change.status in (READY, IN_PROGRESS) and change.expires is not None:
                self.plan(change.expires, change.key)
        elif isinstance(change, Cancel) and change.due is not None:
            self.plan(change.due, f"{change.payment_key} {change.transaction}")

    def _sign(self, hook: Hook, now: float) -> Mapping[str, str]:
        return webhooks.headers(hook, now)

    def _ring(self, key: str, now: float) -> None:
        payment_key, _, transaction = key.partition(" ")
        payment = self.state.payments[payment_key]
        if transaction:
            one = self.state.cancels[payment_key][transaction]
            if one.status == PENDING:
                self.commit(*acts.refunded(self, payment, one, now))
        elif payment.hidden_until is not None:
            if payment.hidden_until <= now:
                done, moved = self.taken(payment, now)
                scope = payment.hidden_scope
                stored = [Answer(scope, 200, self.shown(done), now)] if scope else []
                self.commit(done, moved, *stored, *self.reports(done, now))
        elif payment.status in (READY, IN_PROGRESS) and payment.expires is not None and payment.expires <= now:
            expired = moves.expire(payment)
            self.commit(expired, *self.reports(expired, now))

    def _answer(self, request: Request) -> Response:
        words = request.route.strip("/").split("/")
        if words[0] == "_control":
            return control(self, request, words[1:])
        payment = self._meant(request, words)
        method = payment.method if payment else _wished(request, words)
        if self.faults.fires(("dead",), method):
            raise NoAnswer
        if words[0] == "checkout" and len(words) == 2:
            return self._page(request, payment)
        merchant, key = self._merchant(request)
        if payment and payment.merchant != merchant.name:
            payment = None
        rehearsed = request.header("tosspayments-test-code")
        if rehearsed and key.startswith("test_"):
            raise errors.no(rehearsed, errors.message(rehearsed, page.language(request)), kept=False)
        if request.method in ("GET", "HEAD"):
            return self._look(request, merchant, words, payment, method)
        return self._move(request, merchant, key, words, payment, method)

    def _meant(self, request: Request, words: list[str]) -> Payment | None:
        """The payment that the path, or else the body of a confirmation, speaks of."""
        match words:
            case ["v1", "payments", "orders", order_id]:
                found = (self.state.payment_of_order(name, order_id) for name in self.state.merchants)
                return next((payment for payment in found if payment), None)
            case ["v1", "payments", "confirm"]:
                return self.state.payments.get(str(_body(request).get("paymentKey")))
            case ["checkout", key] | ["v1", "payments", key] | ["v1", "payments", key, "cancel"]:
                return self.state.payments.get(key)
        return None

    def _merchant(self, request: Request) -> tuple[Merchant, str]:
        kind, _, said = request.header("authorization").partition(" ")
        try:
            given = base64.b64decode(said.strip(), validate=True)
        except ValueError:
            given = b""
        if kind.lower() == "basic" and given and not given.endswith(b":"):
            raise Refused(
                403, "INCORRECT_BASIC_AUTH_FORMAT", "잘못된 요청입니다. ':' 를 포함해 인코딩해주세요.", kept=False
            )
        for merchant in self.state.merchants.values():
            for key in listed(merchant.keys):
                if kind.lower() == "basic" and secrets.compare_digest(f"{key}:".encode(), given):
                    return merchant, key
        raise Refused(401, "UNAUTHORIZED_KEY", "인증되지 않은 시크릿 키 혹은 클라이언트 키 입니다.", kept=False)

    def _look(
        self, request: Request, merchant: Merchant, words: list[str], payment: Payment | None, method: str
    ) -> Response:
        if self.faults.fires(("inquiry_down",), method):
            raise Refused(503, "SERVICE_UNAVAILABLE", "inquiries are down")
        match words:
            case ["v1", "transactions"]:
                return answer(200, feeds.transactions(self.state, merchant.name, request))
            case ["v1", "settlements"]:
                return answer(200, feeds.settlements(self.state, merchant.name, request))
            case ["v1", "payments", _] | ["v1", "payments", "orders", _]:
                if payment is None or payment.hidden_until is not None:
                    raise Refused(404, "NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보 입니다.")
                english = request.header("accept-language").lower().startswith("en")
                return answer(200, self.shown(payment, "en" if english else "ko"))
        raise Refused(404, "NOT_FOUND", "no such path")

    def _move(
        self, request: Request, merchant: Merchant, key: str, words: list[str], payment: Payment | None, method: str
    ) -> Response:
        asked = request.json() if request.body else {}
        act: acts.Act
        match (request.method, words):
            case ("POST", ["v1", "payments"]):
                on, act = "create", partial(acts.create, self, asked, merchant)
            case ("POST", ["v1", "payments", "confirm"]):
                on, act = "confirm", partial(acts.confirm, self, asked, payment)
            case ("POST", ["v1", "payments", _, "cancel"]):
                on, act = "cancel", partial(acts.cancel, self, asked, payment)
            case ("POST", ["v1", "virtual-accounts"]):
                on, act = "issue", partial(acts.virtual_account, self, asked, merchant)
            case ("POST", ["v1", "billing", "authorizations", "issue"]):
                on, act = "card", partial(acts.issue_key, self, asked, merchant)
            case ("POST", ["v1", "billing", card]):
                on, act = "billing", partial(acts.charge_key, self, asked, merchant, card)
            case ("DELETE", ["v1", "billing", card]):
                on, act = "delete", partial(acts.delete_key, self, merchant, card)
            case _:
                raise Refused(404, "NOT_FOUND", "no such path")
        return self.struck(on, partial(self._once, request, key, act), key=method, lost=LOST, unsaid=UNSAID)

    def _once(self, request: Request, api_key: str, act: acts.Act, slow: float) -> Response:
        """Act, or with a key seen before give the stored answer, whatever the body says now; while it runs, nothing
        but that it runs. The key counts with API key, address and method."""
        key, now = request.header("idempotency-key") if request.method == "POST" else "", self.now()
        if len(key) > 300:
            raise Refused(400, "INVALID_IDEMPOTENCY_KEY", "멱등키는 300자 이하여야 합니다.", kept=False)
        name = hashlib.sha256(api_key.encode()).hexdigest()[:16]
        scope = f"{name} {request.method} {request.route} {key}" if key else ""
        stored = self.state.answers.get(scope)
        if stored is not None and now < stored.ready + KEYS_KEPT:
            if now < stored.ready:
                raise Refused(409, moves.PROCESSING, "이전 멱등 요청이 처리중입니다.", kept=False)
            return answer(stored.status, stored.document)
        try:
            document, changes = act(scope)
        except Refused as no:
            if scope and no.kept:
                self.commit(Answer(scope, no.status, {"code": no.code, "message": no.message}, now + slow))
            raise
        self.commit(*changes, *([Answer(scope, 200, document, now + slow)] if scope else []))
        return answer(200, document)

    def _page(self, request: Request, payment: Payment | None) -> Response:
        lang = page.language(request)
        if self.faults.fires(("redirect_page_down",), payment.method if payment else EVERYONE):
            return page.trouble(503, lang)
        if payment is None or not payment.success_url:
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


def _body(request: Request) -> dict[str, Any]:
    """The body as far as it can be read."""
    try:
        document = json.loads(request.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _wished(request: Request, words: list[str]) -> str:
    """The method of a request whose payment is not there yet."""
    match words:
        case ["v1", "payments"]:
            return moves.PAY_METHODS.get(str(_body(request).get("method")), EVERYONE)
        case ["v1", "virtual-accounts"]:
            return "deposit"
        case ["v1", "billing", *_]:
            return "billing"
    return EVERYONE
