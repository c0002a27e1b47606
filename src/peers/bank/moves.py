"""The bank's decisions: pure functions from what is asked to the rows that follow, or a refusal."""

import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from peers.bank.state import (
    ABORTED,
    CANCELED,
    DONE,
    EXPIRED,
    IN_PROGRESS,
    METHODS,
    PARTIAL_CANCELED,
    READY,
    Payment,
    Transaction,
)
from peers.http import Refused

APPROVE_WITHIN = 30 * 60.0  # READY until the customer has approved (Toss Payments: 30 min)
CONFIRM_WITHIN = 10 * 60.0  # IN_PROGRESS until the merchant has confirmed (Toss Payments: 10 min)
REFUSALS = {"card": "REJECT_CARD_COMPANY", "transfer": "REJECT_ACCOUNT_PAYMENT"}
PROCESSING = "IDEMPOTENT_REQUEST_PROCESSING"
_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{6,64}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Order:
    """What a merchant asks for, checked."""

    order_id: str
    amount: int
    currency: str
    method: str
    order_name: str
    return_url: str

    @classmethod
    def read(cls, asked: dict[str, Any]) -> "Order":
        """Raises Refused (400), naming the field."""
        order = cls(
            order_id=_text(asked, "order_id"),
            amount=whole(asked, "amount"),
            currency=_text(asked, "currency"),
            method=_text(asked, "method"),
            order_name=_text(asked, "order_name"),
            return_url=_text(asked, "return_url"),
        )
        _need(bool(_ORDER_ID.fullmatch(order.order_id)), "order_id: 6 to 64 of A-Z a-z 0-9 _ -")
        _need(order.amount > 0, "amount: more than 0, in minor units")
        _need(bool(_CURRENCY.fullmatch(order.currency)), "currency: three capital letters")
        _need(order.method in METHODS, f"method: one of {', '.join(METHODS)}")
        _need(1 <= len(order.order_name) <= 100, "order_name: 1 to 100 characters")
        _need(urlsplit(order.return_url).scheme in ("http", "https"), "return_url: an http or https address")
        _need(order.return_url.isprintable() and " " not in order.return_url, "return_url: no spaces")
        return order

    def same_as(self, payment: Payment) -> bool:
        """Whether the payment was made for the same wishes."""
        return all(getattr(self, name) == getattr(payment, name) for name in Order.__slots__)


def open_payment(order: Order, merchant: str, key: str, pay_url: str, now: float) -> Payment:
    """A new payment that waits for its customer."""
    return Payment(
        payment_key=key,
        order_id=order.order_id,
        merchant=merchant,
        amount=order.amount,
        currency=order.currency,
        method=order.method,
        order_name=order.order_name,
        return_url=order.return_url,
        redirect_url=pay_url,
        status=READY,
        requested=now,
        expires=now + APPROVE_WITHIN,
    )


def check_confirm(payment: Payment, order_id: str, amount: int, scope: str) -> None:
    """Whether money may be taken now. Raises Refused."""
    if payment.hidden_until is not None:
        if payment.hidden_scope == scope:
            raise Refused(409, PROCESSING, "the same request is still running", kept=False)
        raise Refused(409, "ALREADY_PROCESSED_PAYMENT", "another request confirms this payment", kept=False)
    if payment.order_id != order_id:
        raise Refused(400, "NOT_FOUND_PAYMENT_SESSION", "payment_key and order_id do not belong together")
    if payment.status in (DONE, CANCELED, PARTIAL_CANCELED):
        raise Refused(409, "ALREADY_PROCESSED_PAYMENT", "this payment was confirmed before")
    if payment.status == ABORTED and payment.failure and payment.failure["code"] in REFUSALS.values():
        raise Refused(400, payment.failure["code"], payment.failure["message"])
    if payment.status != IN_PROGRESS:
        raise Refused(400, "NOT_FOUND_PAYMENT_SESSION", f"the payment is {payment.status}")
    if payment.amount != amount:
        raise Refused(400, "AMOUNT_MISMATCH", "the amount is not that of the payment")


def take(payment: Payment, number: int, now: float) -> tuple[Payment, Transaction]:
    """The money moves."""
    done = replace(payment, status=DONE, approved=now, hidden_until=None, hidden_scope="", hidden_digest="")
    return done, _moved(done, number, "capture", done.amount, now)


def refuse(payment: Payment) -> tuple[Payment, Refused]:
    """The card company or the account's bank says no; no money moves, ever."""
    code = REFUSALS[payment.method]
    message = "결제가 승인되지 않았습니다. The payment was not approved."
    return end(payment, ABORTED, code, message), Refused(400, code, message)


def end(payment: Payment, status: str, code: str, message: str) -> Payment:
    """A payment that did not take place and never will."""
    return replace(payment, status=status, failure={"code": code, "message": message})


def expire(payment: Payment) -> Payment:
    """Its time is over."""
    return end(payment, EXPIRED, "NOT_FOUND_PAYMENT_SESSION", "the time to pay is over")


def cancel(payment: Payment, amount: int | None, number: int, now: float) -> tuple[Payment, Transaction | None]:
    """Pay back, wholly or in part; or void what was not taken yet. Raises Refused."""
    if payment.hidden_until is not None:
        raise Refused(409, PROCESSING, "a confirmation of this payment is still running", kept=False)
    if payment.status in (READY, IN_PROGRESS):
        return end(payment, ABORTED, "PAY_PROCESS_ABORTED", "voided by the merchant"), None
    if payment.status == CANCELED:
        raise Refused(400, "ALREADY_CANCELED_PAYMENT", "all of it was paid back before")
    if payment.status not in (DONE, PARTIAL_CANCELED):
        raise Refused(400, "NOT_CANCELABLE_PAYMENT", f"the payment is {payment.status}; no money was taken")
    left = payment.amount - payment.canceled_amount
    back = left if amount is None else amount
    if not 0 < back <= left:
        raise Refused(400, "NOT_CANCELABLE_AMOUNT", f"between 1 and {left}")
    status = CANCELED if back == left else PARTIAL_CANCELED
    changed = replace(payment, status=status, canceled_amount=payment.canceled_amount + back)
    return changed, _moved(changed, number, "cancel", back, now)


def decide(payment: Payment, decision: str, now: float) -> Payment:
    """What the customer's button on the bank's page does; a second press, or one too late, does nothing."""
    if payment.hidden_until is not None or payment.status not in (READY, IN_PROGRESS):
        return payment
    if decision == "approve":
        if payment.status == IN_PROGRESS:
            return payment
        return replace(payment, status=IN_PROGRESS, expires=now + CONFIRM_WITHIN)
    return end(payment, ABORTED, "PAY_PROCESS_CANCELED", "사용자가 결제를 취소했습니다. The customer cancelled.")


def way_back(payment: Payment) -> str:
    """Where the customer goes after the page: as unsigned as such returns are."""
    if payment.failure is None:
        said = {"payment_key": payment.payment_key, "order_id": payment.order_id, "amount": str(payment.amount)}
    else:
        said = {**payment.failure, "order_id": payment.order_id}
    address, hash_, fragment = payment.return_url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(said)}{hash_}{fragment}"


def whole(asked: dict[str, Any], name: str) -> int:
    """A whole number in a document. Raises Refused (400)."""
    value = asked.get(name)
    _need(isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15, f"{name}: a whole number")
    assert isinstance(value, int)
    return value


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    _need(isinstance(value, str), f"{name}: a text")
    return str(value)


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Refused(400, "INVALID_REQUEST", otherwise)


def _moved(payment: Payment, number: int, kind: str, amount: int, now: float) -> Transaction:
    return Transaction(
        n=number,
        payment_key=payment.payment_key,
        order_id=payment.order_id,
        merchant=payment.merchant,
        method=payment.method,
        kind=kind,
        amount=amount,
        at=now,
    )
