"""PortOne's decisions: pure functions from what is asked to the rows that follow, or a refusal."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from peers.http import Refused
from peers.portone.state import (
    CANCELLED,
    FAILED,
    ISSUED,
    PAID,
    PARTIAL_CANCELLED,
    READY,
    Cancellation,
    Movement,
    Payment,
    Pin,
)

TOKEN_LIFE = 10 * 60.0  # undocumented; that of the gateway behind (Toss Payments: 10 min to confirm)
REFUND_TAKES = 60.0  # of a virtual account: one or two business days in the world, a minute here
PAY_METHODS = {"CARD": "card", "TRANSFER": "transfer"}
REFUSALS = {"card": "REJECT_CARD_COMPANY", "transfer": "REJECT_ACCOUNT_PAYMENT", "deposit": "REJECT_ACCOUNT_PAYMENT"}
CANCELLED_BY_PAYER = "PAY_PROCESS_CANCELED"  # the gateway's code (pgCode); PortOne's own is FAILURE_TYPE_PG
OUTSTANDING = "IDEMPOTENCY_OUTSTANDING_REQUEST"


class PgRefused(Refused):
    """The gateway behind PortOne said no, or nothing: HTTP 502 with its code. Whether it took money is not said."""

    def __init__(self, pg_code: str, pg_message: str = "", *, kept: bool = True) -> None:
        super().__init__(502, "PG_PROVIDER", "PG사에서 오류를 전달했습니다.", kept=kept)
        self.pg_code, self.pg_message = pg_code, pg_message


def error_document(no: Refused) -> dict[str, str]:
    """An error as PortOne writes it."""
    document = {"type": no.code, "message": no.message}
    if isinstance(no, PgRefused):
        document |= {"pgCode": no.pg_code, "pgMessage": no.pg_message}
    return document


@dataclass(frozen=True, slots=True)
class Checkout:
    """What the browser's `requestPayment` asked for. Raises Refused (400) when read."""

    store: str
    channel: str
    payment_id: str
    order_name: str
    amount: int
    currency: str
    method: str
    redirect_url: str

    @classmethod
    def read(cls, said: dict[str, str]) -> "Checkout":
        """Raises Refused (400), naming the field."""
        amount = said.get("totalAmount", "")
        need(amount.isascii() and amount.isdigit() and len(amount) < 16 and int(amount) > 0, "totalAmount")
        need(said.get("payMethod", "") in PAY_METHODS, "payMethod: CARD or TRANSFER on this page")
        for name in ("storeId", "channelKey", "paymentId", "orderName", "currency"):
            need(0 < len(said.get(name, "")) <= 200, name)
        return cls(
            store=said["storeId"],
            channel=said["channelKey"],
            payment_id=said["paymentId"],
            order_name=said["orderName"],
            amount=int(amount),
            currency=said["currency"].removeprefix("CURRENCY_"),
            method=PAY_METHODS[said["payMethod"]],
            redirect_url=said.get("redirectUrl", ""),
        )

    def same_as(self, payment: Payment) -> bool:
        """Whether the attempt was begun with the same words."""
        return (self.amount, self.currency, self.method, self.channel, self.redirect_url) == (
            payment.amount,
            payment.currency,
            payment.method,
            payment.channel,
            payment.redirect_url,
        )


def may_begin(payment: Payment | None) -> None:
    """Whether another attempt at this payment may be begun. Raises Refused (409)."""
    if payment is None or payment.status in (READY, FAILED):
        if payment is not None and payment.hidden_until is not None:
            raise Refused(409, "ALREADY_PAID_OR_WAITING", "결제가 진행 중입니다.")
        return
    raise Refused(409, "ALREADY_PAID", "결제가 이미 완료된 경우")


def matches_pin(pin: Pin | None, amount: int, currency: str) -> None:
    """What was pre-registered wins. Raises Refused (409)."""
    if pin is None:
        return
    if pin.amount not in (None, amount) or (pin.currency and pin.currency != currency):
        raise Refused(409, "INFORMATION_MISMATCH", "사전 등록된 결제 정보와 일치하지 않습니다.")


def open_try(asked: Checkout, tx_id: str, now: float) -> Payment:
    """A new attempt, which waits for its payer."""
    return Payment(
        store=asked.store,
        payment_id=asked.payment_id,
        tx_id=tx_id,
        amount=asked.amount,
        currency=asked.currency,
        method=asked.method,
        channel=asked.channel,
        order_name=asked.order_name,
        status=READY,
        requested=now,
        changed=now,
        redirect_url=asked.redirect_url,
    )


def approve(payment: Payment, token: str, now: float) -> Payment:
    """The payer pressed yes: a second press gives the same token while it lives."""
    if payment.token and payment.token_until > now:
        return payment
    return replace(payment, token=token, token_until=now + TOKEN_LIFE)


def fail(payment: Payment, pg_code: str, message: str, now: float) -> Payment:
    """This attempt did not take place."""
    failure = {"reason": message, "pgCode": pg_code, "pgMessage": message}
    return replace(payment, status=FAILED, changed=now, failure=failure, token="", hidden_until=None)


def check_confirm(payment: Payment | None, asked: dict[str, Any], scope: str, now: float) -> Payment:
    """Whether money may be taken now. Raises Refused."""
    token = asked.get("paymentToken")
    need(isinstance(token, str) and bool(token), "paymentToken: a text")
    if payment is None:
        raise Refused(404, "PAYMENT_NOT_FOUND", "결제 건이 존재하지 않습니다.", kept=False)
    if payment.hidden_until is not None:
        if payment.hidden_scope == scope:
            raise Refused(409, OUTSTANDING, "같은 키의 요청이 처리 중입니다.", kept=False)
        raise Refused(409, "ALREADY_PAID_OR_WAITING", "결제가 진행 중입니다.", kept=False)
    if payment.status in (PAID, PARTIAL_CANCELLED, CANCELLED):
        raise Refused(409, "ALREADY_PAID", "결제가 이미 완료되었습니다.")
    if payment.status != READY or not payment.token or payment.token != token or payment.token_until <= now:
        raise Refused(400, "INVALID_PAYMENT_TOKEN", "결제 토큰이 올바르지 않습니다.")
    expected = {
        "totalAmount": payment.amount,
        "currency": payment.currency,
        "txId": payment.tx_id,
        "taxFreeAmount": 0,
        "isTest": True,
    }
    for name, value in expected.items():
        if asked.get(name) is not None and asked[name] != value:
            raise Refused(409, "INFORMATION_MISMATCH", f"{name}: 결제 건과 일치하지 않습니다.")
    return payment


def take(payment: Payment, number: int, now: float) -> tuple[Payment, Movement]:
    """The money moves."""
    paid = replace(
        payment, status=PAID, paid=now, changed=now, token="", hidden_until=None, hidden_scope="", hidden_digest=""
    )
    return paid, moved(paid, number, "capture", paid.amount, PAID, now)


def give_back(payment: Payment, amount: int, number: int, now: float) -> tuple[Payment, Movement]:
    """A cancellation is done."""
    cancelled = payment.cancelled + amount
    status = CANCELLED if cancelled >= payment.amount else PARTIAL_CANCELLED
    changed = replace(payment, status=status, cancelled=cancelled, changed=now)
    return changed, moved(changed, number, "cancel", amount, status, now)


def take_back(payment: Payment, number: int, now: float) -> tuple[Payment, Movement]:
    """The bank takes a deposit back: the account waits again. Raises Refused (409)."""
    if payment.method != "deposit" or payment.status != PAID:
        raise Refused(409, "PAYMENT_NOT_PAID", "only a paid virtual account is undone")
    waits = replace(payment, status=ISSUED, paid=None, changed=now)
    return waits, moved(payment, number, "cancel", payment.amount, CANCELLED, now)


def check_cancel(payment: Payment | None, asked: dict[str, Any], cancellable: int) -> int:
    """How much may be given back. Raises Refused."""
    reason = asked.get("reason")
    need(isinstance(reason, str) and bool(reason), "reason: a text")
    back = cancellable if asked.get("amount") is None else whole(asked, "amount")
    if payment is None or payment.hidden_until is not None:
        raise Refused(404, "PAYMENT_NOT_FOUND", "결제 건이 존재하지 않습니다.", kept=False)
    if payment.status == CANCELLED:
        raise Refused(409, "PAYMENT_ALREADY_CANCELLED", "결제가 이미 취소되었습니다.")
    if payment.status not in (PAID, PARTIAL_CANCELLED):
        raise Refused(409, "PAYMENT_NOT_PAID", "결제가 완료되지 않았습니다.")
    if asked.get("currentCancellableAmount") is not None and whole(asked, "currentCancellableAmount") != cancellable:
        raise Refused(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", "취소 가능 잔액 검증에 실패했습니다.")
    need(back > 0 or cancellable == 0, "amount: more than 0")
    if back > cancellable or cancellable == 0:
        raise Refused(409, "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", "취소 가능 금액을 초과했습니다.")
    if payment.method == "deposit":
        account = asked.get("refundAccount")
        whole_account = isinstance(account, dict) and all(account.get(n) for n in ("bank", "number", "holderName"))
        need(whole_account, "refundAccount: a virtual account is refunded to bank, number and holderName")
    return back


def close(payment: Payment | None, now: float) -> Payment:
    """The account takes no deposit any more. The status afterwards is not documented. Raises Refused."""
    if payment is None:
        raise Refused(404, "PAYMENT_NOT_FOUND", "결제 건이 존재하지 않습니다.", kept=False)
    if payment.status != ISSUED:
        raise Refused(409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT", "입금 대기 상태가 아닙니다.")
    return replace(payment, status=CANCELLED, changed=now, closed=True)


def check_deposit(payment: Payment | None, amount: int | None, now: float) -> Payment:
    """Whether the bank takes this deposit: the exact sum, in time, into an account that waits. Raises Refused."""
    if payment is None:
        raise Refused(404, "PAYMENT_NOT_FOUND", "no such account")
    if payment.status != ISSUED or (payment.expires is not None and payment.expires <= now):
        raise Refused(409, "PAYMENT_NOT_WAITING_FOR_DEPOSIT", "the account is closed, paid or expired")
    if amount not in (None, payment.amount):
        raise Refused(409, "INFORMATION_MISMATCH", f"the bank takes {payment.amount} and nothing else")
    return payment


def way_back(payment: Payment, now: float) -> str:
    """Where the browser goes after the page: as unsigned as such returns are."""
    if payment.status == FAILED:
        failure = payment.failure or {}
        said = failed_words(payment.payment_id, "FAILURE_TYPE_PG", failure.get("reason", ""), failure.get("pgCode", ""))
    else:
        said = {"paymentId": payment.payment_id, "txId": payment.tx_id, "transactionType": "PAYMENT"}
        if payment.token and payment.token_until > now:
            said["paymentToken"] = payment.token
    return with_query(payment.redirect_url, said)


def failed_words(payment_id: str, code: str, message: str, pg_code: str = "") -> dict[str, str]:
    """What the browser brings back without paying."""
    said = {"paymentId": payment_id, "code": code, "message": message, "transactionType": "PAYMENT"}
    return said | ({"pgCode": pg_code, "pgMessage": message} if pg_code else {})


def with_query(url: str, said: dict[str, str]) -> str:
    """An address with these words behind it."""
    address, hash_, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{urlencode(said)}{hash_}{fragment}"


def can_go_to(url: str) -> bool:
    """Is it an address that a browser may be sent to?"""
    return urlsplit(url).scheme in ("http", "https") and url.isprintable() and " " not in url


def moved(payment: Payment, number: int, kind: str, amount: int, event: str, now: float) -> Movement:
    """A line of the books."""
    return Movement(
        n=number,
        store=payment.store,
        payment_id=payment.payment_id,
        tx_id=payment.tx_id,
        method=payment.method,
        kind=kind,
        amount=amount,
        currency=payment.currency,
        event=event,
        at=now,
    )


def done(one: Cancellation, now: float) -> Cancellation:
    """The money is back."""
    return replace(one, status="SUCCEEDED", done=now, due=None)


def whole(asked: dict[str, Any], name: str) -> int:
    """A whole number in a document. Raises Refused (400)."""
    value = asked.get(name)
    need(isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15, f"{name}: a whole number")
    assert isinstance(value, int)
    return value


def need(holds: bool, otherwise: str) -> None:
    """Raises Refused (400) if it does not hold."""
    if not holds:
        raise Refused(400, "INVALID_REQUEST", otherwise)
