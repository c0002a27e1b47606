"""Toss's decisions: pure functions from what is asked to the rows that follow, or a refusal."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from peers.http import Refused
from peers.toss import documents
from peers.toss.state import (
    ABORTED,
    CANCELED,
    DONE,
    EXPIRED,
    IN_PROGRESS,
    PARTIAL_CANCELED,
    READY,
    WAITING,
    Movement,
    Payment,
)

AUTH_WITHIN = 30 * 60.0  # READY until the customer has approved
CONFIRM_WITHIN = 10 * 60.0  # IN_PROGRESS until the merchant has confirmed
REFUND_TAKES = 60.0  # of a virtual account: some business days in the world, a minute here
USUAL_HOURS, LONGEST_HOURS = 168, 720
MINIMUM = {"card": 100, "billing": 100, "transfer": 200, "deposit": 200}
PAY_METHODS = {"CARD": "card", "카드": "card", "TRANSFER": "transfer", "계좌이체": "transfer"}
REFUSALS = {
    "card": "REJECT_CARD_COMPANY",
    "billing": "REJECT_CARD_COMPANY",
    "transfer": "REJECT_ACCOUNT_PAYMENT",
    "deposit": "REJECT_ACCOUNT_PAYMENT",
}
BANKS = frozenset(
    (
        *("02", "03", "06", "07", "11", "12", "20", "23", "27", "31", "32", "34", "35", "37", "39"),
        *("45", "48", "50", "54", "64", "71", "81", "88", "89", "90", "92"),
    )
)
CANCELLED_BY_PAYER = "PAY_PROCESS_CANCELED"
PROCESSING = "IDEMPOTENT_REQUEST_PROCESSING"
_ORDER_ID = re.compile(r"[A-Za-z0-9_-]{6,64}")


def order_of(asked: dict[str, Any], method: str, there: Payment | None) -> tuple[str, int, str]:
    """Order id, amount and name of a new payment. Raises Refused (400)."""
    order_id, amount = text(asked, "orderId", 64), whole(asked, "amount")
    need(bool(_ORDER_ID.fullmatch(order_id)), "orderId: 6 to 64 of A-Z a-z 0-9 _ -")
    name = text(asked, "orderName", 100)
    need(asked.get("currency") in (None, "KRW"), "currency: KRW here")
    if amount < MINIMUM[method]:
        raise Refused(
            400, "BELOW_MINIMUM_AMOUNT", f"신용카드는 100원, 계좌는 200원 이상부터 결제가 가능합니다. {method}"
        )
    if there is not None:
        raise Refused(400, "DUPLICATED_ORDER_ID", "이미 승인 및 취소가 진행된 중복된 주문번호 입니다.")
    return order_id, amount, name


def address(asked: dict[str, Any], name: str) -> str:
    """An address that a browser may be sent to. Raises Refused (400)."""
    url = text(asked, name, 2000)
    need(urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url, f"{name}: an address")
    return url


def due(asked: dict[str, Any], now: float) -> float:
    """When a virtual account stops waiting. Raises Refused (400)."""
    hours, date = asked.get("validHours"), asked.get("dueDate")
    need(hours is None or date is None, "validHours or dueDate, not both")
    if date is None:
        hours = USUAL_HOURS if hours is None else hours
        need(type(hours) is int and 0 < hours <= LONGEST_HOURS, "validHours: 1 to 720")
        return now + 3600.0 * hours
    try:
        until = documents.instant(str(date))
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", "dueDate: an instant of ISO 8601") from None
    if not now < until <= now + 3600.0 * LONGEST_HOURS:
        raise Refused(400, "INVALID_REQUEST", "dueDate: within 720 hours")
    return until


def check_confirm(payment: Payment | None, asked: dict[str, Any], scope: str) -> Payment:
    """Whether money may be taken now. Raises Refused."""
    text(asked, "paymentKey", 200)
    order_id, amount = text(asked, "orderId", 64), whole(asked, "amount")
    if payment is None:
        raise Refused(404, "NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보 입니다.", kept=False)
    running(payment, scope)
    if payment.status in (DONE, CANCELED, PARTIAL_CANCELED, WAITING):
        raise Refused(400, "ALREADY_PROCESSED_PAYMENT", "이미 처리된 결제 입니다.")
    if payment.status == ABORTED and payment.failure and payment.failure["code"] in REFUSALS.values():
        raise Refused(403, payment.failure["code"], payment.failure["message"])
    if payment.status != IN_PROGRESS or payment.order_id != order_id:
        raise Refused(404, "NOT_FOUND_PAYMENT_SESSION", "결제 시간이 만료되어 결제 진행 데이터가 존재하지 않습니다.")
    need(payment.amount == amount, "amount: not that of the payment")  # which code it really is: undocumented
    return payment


def running(payment: Payment, scope: str) -> None:
    """Raises Refused while a request about this payment runs unseen."""
    if payment.hidden_until is None:
        return
    if scope and payment.hidden_scope == scope:
        raise Refused(409, PROCESSING, "이전 멱등 요청이 처리중입니다.", kept=False)
    raise Refused(400, "ALREADY_PROCESSED_PAYMENT", "이미 처리된 결제 입니다.", kept=False)


def take(payment: Payment, number: int, transaction: str, now: float) -> tuple[Payment, Movement]:
    """The money moves."""
    done = replace(payment, status=DONE, approved=now, last_transaction=transaction, hidden_until=None, hidden_scope="")
    return done, moved(done, number, transaction, kind="capture", amount=done.amount, event=DONE, now=now)


def refuse(payment: Payment) -> tuple[Payment, Refused]:
    """The card company or the account's bank says no; no money moves, ever."""
    code, message = REFUSALS[payment.method], "결제 승인이 거절되었습니다."
    return end(payment, ABORTED, code, message), Refused(403, code, message, kept=False)


def end(payment: Payment, status: str, code: str, message: str) -> Payment:
    """A payment that did not take place and never will."""
    return replace(payment, status=status, failure={"code": code, "message": message})


def expire(payment: Payment) -> Payment:
    """Its time is over. Which `failure` Toss then shows is not documented."""
    return end(payment, EXPIRED, "PAY_PROCESS_EXPIRED", "결제 시간이 만료되었습니다.")


def decide(payment: Payment, decision: str, now: float) -> Payment:
    """What the customer's button on the page does; a second press, or one too late, does nothing."""
    if payment.hidden_until is not None or payment.status not in (READY, IN_PROGRESS):
        return payment
    if decision == "approve":
        if payment.status == IN_PROGRESS:
            return payment
        return replace(payment, status=IN_PROGRESS, expires=now + CONFIRM_WITHIN)
    return end(payment, ABORTED, CANCELLED_BY_PAYER, "사용자가 결제를 취소했습니다. The customer cancelled.")


def way_back(payment: Payment) -> str:
    """Where the customer goes after the page: as unsigned as such returns are."""
    if payment.failure is not None:
        return with_query(payment.fail_url, {**payment.failure, "orderId": payment.order_id})
    said = {"paymentKey": payment.key, "orderId": payment.order_id, "amount": str(payment.amount)}
    return with_query(payment.success_url, {"paymentType": "NORMAL", **said})


def with_query(url: str, said: dict[str, str]) -> str:
    """An address with these words behind it."""
    path, hash_, fragment = url.partition("#")
    return f"{path}{'&' if '?' in path else '?'}{urlencode(said)}{hash_}{fragment}"


def check_cancel(payment: Payment | None, asked: dict[str, Any], balance: int) -> int:
    """How much may be given back; 0 closes an account that still waits. Raises Refused."""
    text(asked, "cancelReason", 200)
    amount = None if asked.get("cancelAmount") is None else whole(asked, "cancelAmount")
    if payment is None or payment.hidden_until is not None:
        raise Refused(404, "NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보 입니다.", kept=False)
    if payment.status == CANCELED:
        raise Refused(400, "ALREADY_CANCELED_PAYMENT", "이미 취소된 결제 입니다.")
    if payment.status == WAITING:
        return 0
    if payment.status not in (DONE, PARTIAL_CANCELED):
        raise Refused(403, "NOT_CANCELABLE_PAYMENT", "취소 할 수 없는 결제 입니다.")
    back = balance if amount is None else amount
    if not 0 < back <= balance:
        raise Refused(403, "NOT_CANCELABLE_AMOUNT", "취소 할 수 없는 금액 입니다.")
    if payment.method == "deposit":
        account = asked.get("refundReceiveAccount")
        if not isinstance(account, dict) or not _is_account(account):
            raise Refused(400, "INVALID_REFUND_ACCOUNT_INFO", "환불 계좌번호와 예금주명이 일치하지 않습니다.")
    return back


def _is_account(account: dict[str, Any]) -> bool:
    number, holder = str(account.get("accountNumber", "")), str(account.get("holderName", ""))
    return account.get("bank") in BANKS and number.isdigit() and len(number) <= 20 and 1 <= len(holder) <= 60


def check_deposit(payment: Payment | None, amount: int | None, now: float) -> Payment:
    """Whether the bank takes this deposit: the exact sum, in time, into an account that waits. Raises Refused."""
    if payment is None:
        raise Refused(404, "NOT_FOUND_PAYMENT", "no such account")
    if payment.status != WAITING or (payment.expires is not None and payment.expires <= now):
        raise Refused(409, "NOT_WAITING_FOR_DEPOSIT", "the account is closed, paid or expired")
    if amount not in (None, payment.amount):
        raise Refused(409, "WRONG_AMOUNT", f"the bank takes {payment.amount} and nothing else")
    return payment


def take_back(payment: Payment, number: int, transaction: str, now: float) -> tuple[Payment, Movement]:
    """The bank takes a deposit back: the account waits again. Raises Refused (409)."""
    if payment.method != "deposit" or payment.status != DONE:
        raise Refused(409, "NOT_PAID", "only a paid virtual account is undone")
    waits = replace(payment, status=WAITING, approved=None, last_transaction=transaction)
    # How Toss's list shows that is not documented.
    return waits, moved(payment, number, transaction, kind="cancel", amount=payment.amount, event=CANCELED, now=now)


def moved(
    payment: Payment, number: int, transaction: str, *, kind: str, amount: int, event: str, now: float
) -> Movement:
    """A line of the books."""
    return Movement(
        n=number,
        transaction=transaction,
        payment_key=payment.key,
        order_id=payment.order_id,
        merchant=payment.merchant,
        method=payment.method,
        kind=kind,
        amount=amount,
        event=event,
        at=now,
    )


def whole(asked: dict[str, Any], name: str) -> int:
    """A whole number in a document. Raises Refused (400)."""
    value = asked.get(name)
    need(isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15, f"{name}: a whole number")
    assert isinstance(value, int)
    return value


def text(asked: dict[str, Any], name: str, most: int) -> str:
    """A text in a document. Raises Refused (400)."""
    value = asked.get(name)
    need(isinstance(value, str) and 0 < len(value) <= most, f"{name}: 1 to {most} characters")
    return str(value)


def need(holds: bool, otherwise: str) -> None:
    """Raises Refused (400) if it does not hold."""
    if not holds:
        raise Refused(400, "INVALID_REQUEST", otherwise)
