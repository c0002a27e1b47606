"""Stripe behind the house's contract."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from doenda.payments.providers.contract import (
    Answer,
    BackTo,
    Charge,
    Feed,
    Moves,
    Outcome,
    Provider,
    Returned,
    Ring,
    Script,
)
from doenda.payments.providers.stripe import bell, feed
from doenda.payments.providers.stripe.codes import REFUNDS, SAYS
from doenda.payments.providers.stripe.feed import rows_of
from doenda.payments.providers.stripe.wire import Form, Said, Wire, ours, theirs

API, STRIPE_JS = "https://api.stripe.com", "https://js.stripe.com/v3/"
ORIGINS = ("https://js.stripe.com", "https://*.js.stripe.com", "https://api.stripe.com", "https://hooks.stripe.com")
PAGE = "100"
REDIRECTED = "kr_card"


class Stripe(Provider):
    """PaymentIntents, captured by us: the payer's act only puts a hold on the card.

    Settings: `key` (sk_…, or several, newest first), `publishable_key`, `account` (acct_…: the merchant),
    `webhook_secrets` (newest first), and `card`: "card" (international cards: needs Stripe's script on our page) or
    "kr_card" (Korean cards: a page of Stripe's by redirect, no script). `payment_method`: one payment method that every
    charge uses, for test keys and probes. For a stand-in: `url`, `script_url`, and `plain` if it has neither search nor
    lists by date.
    """

    name = "stripe"
    methods: ClassVar[Mapping[str, Moves]] = {"card": Moves.AT_CONFIRM}
    returns_amount = False
    holds = True
    scripted: ClassVar = frozenset({"card"})

    def __init__(self, config: Mapping[str, Any]) -> None:
        key = config["key"] if isinstance(config["key"], str) else str(config["key"][0])
        self.merchant = str(config["account"])
        self._wire = Wire(str(config.get("url") or API).rstrip("/"), key, self.merchant, "_live_" in key[:8])
        self._public = str(config.get("publishable_key") or "")
        self._secrets = [str(one) for one in config.get("webhook_secrets") or ()]
        self._given = str(config.get("payment_method") or "")
        self._kind = str(config.get("card") or "card")
        self._plain = bool(config.get("plain"))
        self._seconds = float(config.get("confirm_seconds", 6.0))
        if self._kind != REDIRECTED:
            src = str(config.get("script_url") or STRIPE_JS)
            self.script = Script("stripe", src, ORIGINS if src == STRIPE_JS else (_origin(src),))

    def start(self, charge: Charge) -> Answer:
        """A PaymentIntent for exactly this amount, that only we can capture; its client secret goes to our own page."""
        said = self._wire.call("POST", "/v1/payment_intents", self._asked(charge), key=f"start-{charge.order_id}")
        answer = said.no or self._wire.intent(said.document)
        redirect = _redirect(said.document)
        if answer.outcome is not Outcome.PENDING or (self._kind == REDIRECTED and not redirect):
            # Nothing was captured: whatever else came back, nothing was taken.
            outcome = Outcome.REFUSED if answer.outcome is Outcome.REFUSED else Outcome.OUR_FAULT
            return Answer(outcome, answer.code or "START_FAILED")
        client = {
            "client_secret": str(said.document.get("client_secret") or ""),
            "publishable_key": self._public,
            "status": str(said.document.get("status")),
            "given": "1" if self._given else "",
            "return_url": _back(charge),
        }
        return replace(answer, outcome=Outcome.NEEDS_REDIRECT, redirect_url=redirect, client={} if redirect else client)

    def _asked(self, charge: Charge) -> Form:
        form = [
            ("amount", theirs(charge.amount, charge.currency)),
            ("currency", charge.currency.lower()),
            ("payment_method_types[]", self._kind),
            ("metadata[order_id]", charge.order_id),
            ("metadata[merchant]", self.merchant),
        ]
        if self._kind == REDIRECTED:
            form += [
                (f"payment_method_options[{REDIRECTED}][capture_method]", "manual"),
                ("payment_method_data[type]", REDIRECTED),
                ("return_url", _back(charge)),
                ("confirm", "true"),
            ]
            return form
        form.append(("capture_method", "manual"))
        return [*form, ("payment_method", self._given), ("confirm", "true")] if self._given else form

    def returned(self, query: Mapping[str, str]) -> Returned:
        """`payment_intent` and `redirect_status`, as Stripe's redirect and our own page write them."""
        status = query.get("redirect_status", "")[:60]
        failed = "" if status in ("", "succeeded", "pending") else (query.get("code", "")[:60] or f"redirect_{status}")
        return Returned(
            order_id=query.get("order_id", "")[:64],
            ref=query.get("payment_intent", "")[:200],
            failed=failed,
            cancelled=status == "canceled",
        )

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        """Capture what the payer authorised: Stripe captures an intent once, whatever became of our key meanwhile."""
        form = [("amount_to_capture", theirs(charge.amount, charge.currency)), ("expand[]", "latest_charge")]
        said = self._wire.call(
            "POST",
            f"/v1/payment_intents/{charge.ref}/capture",
            form,
            key=f"confirm-{charge.order_id}",
            certain=first_try,
            timeout=self._seconds,
        )
        answer = said.no or self._wire.intent(said.document)
        # Answered, and not captured: Stripe may still be at it, so the inquiry decides.
        return replace(answer, outcome=Outcome.UNKNOWN) if answer.outcome is Outcome.PENDING else answer

    def inquire(self, charge: Charge) -> Answer:
        """By the intent's id. Without one (a start whose answer was lost) by our order id in its metadata."""
        if charge.ref:
            said = self._wire.call("GET", f"/v1/payment_intents/{charge.ref}", [("expand[]", "latest_charge")])
            return _nothing_of_it(said.no) if said.no else self._wire.intent(said.document)
        if self._plain:
            said = self._wire.call("GET", "/v1/payment_intents", [("limit", PAGE)])
        else:
            query = f"metadata['order_id']:'{charge.order_id}' AND metadata['merchant']:'{self.merchant}'"
            form = [("query", query), ("limit", PAGE), ("expand[]", "data.latest_charge")]
            said = self._wire.call("GET", "/v1/payment_intents/search", form)
        return _nothing_of_it(said.no) if said.no else self._found(charge, said)

    def _found(self, charge: Charge, said: Said) -> Answer:
        found = [self._wire.intent(one) for one in rows_of(said.document)]
        mine = [one for one in found if one.order_id == charge.order_id]
        if mine:  # the same start twice made two intents: at most one was ever shown to the payer
            return next((one for one in mine if one.outcome is not Outcome.PENDING), mine[0])
        more = said.document.get("has_more") is not False
        return Answer(Outcome.UNKNOWN, "MORE_PAGES") if more else Answer(Outcome.NOT_FOUND, "NO_SUCH_ORDER")

    def void(self, charge: Charge) -> Answer:
        """Cancel the intent; the payer's hold is released."""
        if not charge.ref:  # no client secret ever left this house, and a capture needs the id that we do not have
            return Answer(Outcome.GIVEN_BACK, "NEVER_SHOWN")
        said = self._wire.call("POST", f"/v1/payment_intents/{charge.ref}/cancel", [("expand[]", "latest_charge")])
        answer = _nothing_of_it(said.no) if said.no else self._wire.intent(said.document)
        return replace(answer, outcome=Outcome.UNKNOWN) if answer.outcome is Outcome.PENDING else answer

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        """Two calls, where the contract allows one: Stripe forgets idempotency keys after a day, and a refund that is
        retried later would be paid twice. Our key stands in the refund's metadata, so it is looked for first."""
        said = self._wire.call("GET", "/v1/refunds", [("payment_intent", charge.ref), ("limit", PAGE)], timeout=4.0)
        if said.no is not None or said.document.get("has_more") is not False:
            # A refund asks for something that is paid: whatever cannot be read is asked again, never concluded.
            return Answer(Outcome.UNKNOWN, said.no.code if said.no else "MORE_PAGES")
        rows = rows_of(said.document)
        for row in rows:
            if (row.get("metadata") or {}).get("key") == key:
                return self._refunded(row, charge)
        gone = sum(row["amount"] for row in rows if type(row.get("amount")) is int and _counts(row))
        if (ours(gone, charge.currency) or 0) + amount > charge.amount:
            return Answer(Outcome.REFUSED, "MORE_THAN_IS_LEFT", charge.ref)
        form = [
            ("payment_intent", charge.ref),
            ("amount", theirs(amount, charge.currency)),
            ("metadata[key]", key),
            ("metadata[order_id]", charge.order_id),
            ("metadata[merchant]", self.merchant),
            ("metadata[reason]", reason[:200]),
        ]
        said = self._wire.call("POST", "/v1/refunds", form, key=key, timeout=4.0)
        return said.no or self._refunded(said.document, charge)

    def _refunded(self, row: Mapping[str, Any], charge: Charge) -> Answer:
        status, currency = str(row.get("status"))[:60], str(row.get("currency")).upper()
        back = row.get("amount")
        return Answer(
            REFUNDS.get(status, Outcome.UNKNOWN),
            f"refund_{status}",
            charge.ref,
            order_id=charge.order_id,
            currency=currency,
            merchant=self.merchant,
            given_back=(ours(back, currency) or 0) if type(back) is int else 0,
        )

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        """An event about an object of another merchant is kept, and nobody is asked about it."""
        ident, kind, about = bell.event(body)
        genuine = bell.signed(headers, body, self._secrets, now)
        mine = bool(about) and self._wire.merchant(about) == self.merchant
        order_id = str((about.get("metadata") or {}).get("order_id") or "")[:64] if mine else ""
        return Ring(ident or hashlib.sha256(body).hexdigest()[:80], order_id, genuine, says=SAYS.get(kind))

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        """Stripe's balance transactions, newest first; amounts and currencies are the customers', not the payout's."""
        form = [("limit", PAGE), ("expand[]", "data.source")]
        if not self._plain:
            form += [("created[gte]", str(int(since.timestamp()))), ("created[lt]", str(int(until.timestamp())))]
        said = self._wire.call(
            "GET", "/v1/balance_transactions", [*form, *([("starting_after", cursor)] if cursor else [])]
        )
        if said.no is not None:
            return Feed((), code=said.no.code)
        return feed.read(said.document, since, until)


def _nothing_of_it(no: Answer) -> Answer:
    """A question that fails, whatever was wrong with it, says nothing of the money (unless it brought the intent)."""
    known = {Outcome.PAID, Outcome.GIVEN_BACK, Outcome.NOT_FOUND}
    return no if no.outcome in known else replace(no, outcome=Outcome.UNKNOWN)


def _counts(refund: Mapping[str, Any]) -> bool:
    return REFUNDS.get(str(refund.get("status")), Outcome.UNKNOWN) is not Outcome.REFUSED


def _redirect(document: Mapping[str, Any]) -> str:
    action = document.get("next_action")
    to = action.get("redirect_to_url") if isinstance(action, dict) else None
    return str(to.get("url") or "") if isinstance(to, dict) else ""


def _back(charge: Charge) -> str:
    """Our own address with our order id: neither Stripe's redirect nor its script would bring it back."""
    joined = "&" if "?" in charge.return_url else "?"
    return f"{charge.return_url}{joined}order_id={charge.order_id}"


def _origin(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
