"""Toss Payments as a provider."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote

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
)
from doenda.payments.providers.toss import cards, feeds, reading
from doenda.payments.providers.toss.codes import ASKED, CODES, REFUND_STATUSES, REFUNDS, bank_there
from doenda.payments.providers.toss.wire import Said, Wire

METHODS = {"card": "CARD", "transfer": "TRANSFER"}
USUAL_BANK = "088"
PAGE = 500


class Toss(Provider):
    """Config: url, keys (secret keys, newest first), client_key, merchant (the mId), and if wanted: confirm_seconds,
    deposit_bank (our code of the bank where accounts are opened), order_name, page (lines of a feed).

    `void` and `refund` look before they act (two calls): a cancellation that would give back what was paid, or give
    it back twice, is not left to an idempotency key that Toss forgets after 15 days.
    """

    name: ClassVar[str] = "toss"
    methods: ClassVar[Mapping[str, Moves]] = {
        "card": Moves.AT_CONFIRM,
        "transfer": Moves.AT_CONFIRM,
        "deposit": Moves.AT_DEPOSIT,
        "billing": Moves.AT_CONFIRM,
    }
    source_unknown: ClassVar = frozenset({"deposit"})
    listens_every: ClassVar[timedelta] = timedelta(hours=6)
    longest: ClassVar[timedelta] = timedelta(minutes=40)
    """30 minutes to authenticate and 10 to confirm: no charge of Toss's outlives them."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.merchant: str = config["merchant"]
        self.client_key: str = config.get("client_key", "")
        self._wire = Wire(config["url"], config["keys"])
        self._seconds = float(config.get("confirm_seconds", 6.0))
        self._bank = str(config.get("deposit_bank", USUAL_BANK))
        self._order_name = str(config.get("order_name", ""))
        self._page = int(config.get("page", PAGE))

    def start(self, charge: Charge) -> Answer:
        """The hosted page, or an account. A kept card needs neither: it goes straight to `confirm`."""
        if charge.method == "billing":
            return Answer(Outcome.PENDING, "READY")
        if charge.currency != "KRW":
            return Answer(Outcome.OUR_FAULT, "CURRENCY")
        if charge.method == "deposit":
            return self._issue(charge)
        body = {
            "method": METHODS[charge.method],
            "amount": charge.amount,
            "currency": charge.currency,
            "orderId": charge.order_id,
            "orderName": self._name(charge),
            "successUrl": charge.return_url,
            "failUrl": charge.return_url,
        }
        answer = self._begun(charge, self._post(charge, "/v1/payments", body, key=f"start-{charge.order_id}"))
        if answer.code == "READY" and answer.redirect_url:
            return replace(answer, outcome=Outcome.NEEDS_REDIRECT)
        return _not_begun(answer)

    def _issue(self, charge: Charge) -> Answer:
        body: dict[str, Any] = {
            "amount": charge.amount,
            "orderId": charge.order_id,
            "orderName": self._name(charge),
            "customerName": (charge.payer or self._name(charge))[:100],
            "bank": bank_there(charge.bank or self._bank),
        }
        if charge.until is not None:
            body["dueDate"] = reading.local(charge.until)
        said = self._post(charge, "/v1/virtual-accounts", body, key=f"start-{charge.order_id}")
        answer = self._begun(charge, said)
        if answer.outcome is Outcome.NEEDS_DEPOSIT and answer.pay_into and answer.pay_into.number and answer.secret:
            return answer
        return _not_begun(answer)

    def _begun(self, charge: Charge, said: Said) -> Answer:
        """What was registered, if it is what was asked for: neither a page nor an account for another sum is shown."""
        if said.code:
            return Answer(said.outcome(CODES, certain=True), said.code)
        answer = reading.payment(said.document)
        asked = (charge.order_id, charge.amount, charge.currency, self.merchant)
        if (answer.order_id, answer.amount, answer.currency, answer.merchant) != asked:
            return Answer(Outcome.OUR_FAULT, "START_MISMATCH")
        return answer

    def returned(self, query: Mapping[str, str]) -> Returned:
        return reading.returned(query)

    def confirm(self, charge: Charge, *, first_try: bool) -> Answer:
        if charge.method == "billing":
            name = self._name(charge)
            answer = cards.charge(self._wire, charge, name, first_try=first_try, timeout=self._seconds)
        else:
            body = {"paymentKey": charge.ref, "orderId": charge.order_id, "amount": charge.amount}
            key = f"confirm-{charge.order_id}"
            said = self._post(charge, "/v1/payments/confirm", body, key=key, timeout=self._seconds)
            answer = _of(said, CODES, certain=first_try)
        if not first_try and answer.outcome in (Outcome.EXPIRED, Outcome.OUR_FAULT):
            # Certain of this request only: an earlier one may have been received and carried out.
            return replace(answer, outcome=Outcome.UNKNOWN)
        return answer

    def inquire(self, charge: Charge) -> Answer:
        return _of(self._look(charge), ASKED)

    def void(self, charge: Charge) -> Answer:
        """Close an account that waits. A page of Toss's cannot be closed, and need not be: money moves only at our own
        `confirm`; whether that was received is asked. NOT_FOUND (not there, or not confirmed) counts only after the
        longest time; before that Toss itself says EXPIRED or ABORTED, which is certain."""
        said = self._look(charge)
        answer = _of(said, ASKED)
        if answer.outcome is Outcome.NEEDS_DEPOSIT:
            # The key holds for this state of the account: a deposit that came and was taken back is another one.
            key = f"void-{charge.order_id}-{said.document.get('lastTransactionKey') or 0}"[:300]
            # Without a refund account Toss cannot cancel what was paid meanwhile: this closes, and never refunds.
            done = self._post(charge, f"{_path(answer.ref)}/cancel", {"cancelReason": "closed"}, key=key)
            answer = _of(done, {})
        if answer.outcome in (Outcome.REFUSED, Outcome.EXPIRED):
            return replace(answer, outcome=Outcome.GIVEN_BACK)
        if answer.outcome in (Outcome.PAID, Outcome.GIVEN_BACK, Outcome.NOT_FOUND):
            return answer
        return replace(answer, outcome=Outcome.UNKNOWN)

    def refund(self, charge: Charge, *, amount: int, key: str, reason: str, back_to: BackTo | None = None) -> Answer:
        if charge.method == "deposit" and back_to is None:
            return Answer(Outcome.REFUSED, "NO_REFUND_ACCOUNT")
        before = self._look(charge)
        if before.code:
            return Answer(Outcome.UNKNOWN, before.code)
        mark = f"({key})"
        if done := _cancelled(before.document, mark, amount):
            return done
        now = reading.payment(before.document)
        if now.outcome is Outcome.GIVEN_BACK:  # by others, all of it: at Toss's own console
            whole = now.given_back == amount
            return replace(now, outcome=Outcome.GIVEN_BACK if whole else Outcome.REFUSED)
        if now.outcome is not Outcome.PAID:
            return Answer(Outcome.UNKNOWN, now.code)
        body: dict[str, Any] = {"cancelReason": f"{reason[: 190 - len(mark)]} {mark}", "cancelAmount": amount}
        if charge.method == "deposit" and back_to is not None:
            number = "".join(one for one in back_to.number if one.isascii() and one.isdigit())
            account = {"bank": bank_there(back_to.bank), "accountNumber": number, "holderName": back_to.holder[:60]}
            body["refundReceiveAccount"] = account
        said = self._post(charge, f"{_path(now.ref)}/cancel", body, key=key)
        if said.code:
            return Answer(said.outcome(REFUNDS), said.code)
        return _cancelled(said.document, mark, amount) or Answer(Outcome.UNKNOWN, "NOT_AMONG_CANCELS")

    def ring(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Ring:
        return reading.ring(headers, body, self.merchant)

    def transactions(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        return feeds.transactions(self._wire, since, until, cursor, self._page)

    def settlements(self, since: datetime, until: datetime, cursor: str = "") -> Feed:
        return feeds.settlements(self._wire, since, until, cursor, self._page)

    def issue_key(self, auth_key: str, customer_key: str) -> cards.Kept:
        """Keep a card that the customer authenticated; its `mandate` is what `Charge.mandate` must bring."""
        return cards.issue(self._wire, auth_key, customer_key)

    def delete_key(self, mandate: str) -> Answer:
        """Have a kept card forgotten at Toss. GIVEN_BACK when it is gone."""
        return cards.delete(self._wire, mandate)

    def _name(self, charge: Charge) -> str:
        return (charge.name or self._order_name or charge.order_id)[:100]

    def _look(self, charge: Charge) -> Said:
        return self._wire.call("GET", f"/v1/payments/orders/{quote(charge.order_id, safe='')}", lang=charge.lang)

    def _post(self, charge: Charge, path: str, body: dict[str, Any], *, key: str, timeout: float = 6.0) -> Said:
        return self._wire.call("POST", path, body, key=key, lang=charge.lang, timeout=timeout)


def _of(said: Said, table: Mapping[str, Outcome], *, certain: bool = False) -> Answer:
    if said.code:
        return Answer(said.outcome(table, certain=certain), said.code)
    return reading.payment(said.document)


def _not_begun(answer: Answer) -> Answer:
    """Registering moves no money, and nobody learns of a page or an account: whatever else came back, nothing was
    taken."""
    outcome = Outcome.REFUSED if answer.outcome is Outcome.REFUSED else Outcome.OUR_FAULT
    return Answer(outcome, answer.code or "START_FAILED")


def _path(ref: str) -> str:
    return f"/v1/payments/{quote(ref, safe='')}"


def _cancelled(document: Any, mark: str, amount: int) -> Answer | None:
    """The cancellation that carries our mark, if it was made: to an account it may still be on its way."""
    try:
        ours = [one for one in document.get("cancels") or [] if str(one["cancelReason"]).endswith(mark)]
        if not ours:
            return None
        answer = reading.payment(document)
        if sum(int(one["cancelAmount"]) for one in ours) != amount:
            return replace(answer, outcome=Outcome.UNKNOWN, code="OTHER_AMOUNT")
        status = str((document.get("virtualAccount") or {}).get("refundStatus") or "NONE")
        outcome = REFUND_STATUSES.get(status, Outcome.UNKNOWN)
        code = answer.code if outcome is Outcome.GIVEN_BACK else f"REFUND_{status}"[:60]
        return replace(answer, outcome=outcome, code=code)
    except (KeyError, TypeError, ValueError, AttributeError):
        return Answer(Outcome.UNKNOWN, "NOT_READABLE")
