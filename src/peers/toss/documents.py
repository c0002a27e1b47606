"""Toss's rows as its API shows them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from peers.toss.state import (
    ABORTED,
    COMPLETED,
    EXPIRED,
    FAILED,
    NONE,
    PARTIAL_FAILED,
    PENDING,
    WAITING,
    Cancel,
    Card,
    Movement,
    Payment,
)

KST = timezone(timedelta(hours=9))
METHOD_WORDS = {
    "ko": {"card": "카드", "transfer": "계좌이체", "deposit": "가상계좌", "billing": "카드"},
    "en": {"card": "CARD", "transfer": "TRANSFER", "deposit": "VIRTUAL_ACCOUNT", "billing": "CARD"},
}


def stamp(at: float) -> str:
    """An instant as documents show it: `2022-06-08T15:40:09+09:00`."""
    return datetime.fromtimestamp(at, UTC).astimezone(KST).isoformat(timespec="seconds")


def bare_stamp(at: float) -> str:
    """An instant as webhooks show it: Korean time without its zone, microseconds."""
    return datetime.fromtimestamp(at, UTC).astimezone(KST).strftime("%Y-%m-%dT%H:%M:%S.%f")


def day(at: float) -> str:
    """The Korean day."""
    return stamp(at)[:10]


def instant(text: str) -> float:
    """An instant that may be written without its zone: then it is Korean. Raises ValueError."""
    read = datetime.fromisoformat(text)
    return (read if read.tzinfo else read.replace(tzinfo=KST)).timestamp()


def payment(one: Payment, cancels: list[Cancel], base_url: str, now: float, *, lang: str = "ko") -> dict[str, Any]:
    """A payment object."""
    vat = round(one.amount / 11)
    return {
        "mId": one.merchant,
        "lastTransactionKey": one.last_transaction or None,
        "paymentKey": one.key,
        "orderId": one.order_id,
        "orderName": one.order_name,
        "taxExemptionAmount": 0,
        "status": one.status,
        "requestedAt": stamp(one.requested),
        "approvedAt": None if one.approved is None else stamp(one.approved),
        "useEscrow": False,
        "cultureExpense": False,
        "card": _card(one) if one.method in ("card", "billing") and one.approved else None,
        "virtualAccount": _account(one, cancels, now) if one.method == "deposit" else None,
        "transfer": {"bankCode": "88", "settlementStatus": "INCOMPLETED"} if one.method == "transfer" else None,
        "mobilePhone": None,
        "giftCertificate": None,
        "cashReceipt": None,
        "cashReceipts": None,
        "discount": None,
        "cancels": [cancel(each) for each in cancels] or None,
        "secret": None if one.status in (ABORTED, EXPIRED) else one.secret,
        "type": "BILLING" if one.method == "billing" else "NORMAL",
        "easyPay": None,
        "country": "KR",
        "failure": one.failure,
        "isPartialCancelable": True,
        "receipt": {"url": f"{base_url}/receipts/{one.key}"} if one.approved else None,
        "checkout": {"url": f"{base_url}/checkout/{one.key}"},
        "currency": one.currency,
        "totalAmount": one.amount,
        "balanceAmount": one.amount - sum(each.amount for each in cancels),
        "suppliedAmount": one.amount - vat,
        "vat": vat,
        "taxFreeAmount": 0,
        "metadata": None,
        "method": METHOD_WORDS[lang][one.method],
        "version": "2022-11-16",
    }


def _card(one: Payment) -> dict[str, Any]:
    return {
        "issuerCode": "41",
        "acquirerCode": "41",
        "number": "43301234****123*",
        "installmentPlanMonths": 0,
        "approveNo": one.last_transaction[-8:],
        "cardType": "신용",
        "ownerType": "개인",
        "acquireStatus": "READY",
        "amount": one.amount,
    }


def _account(one: Payment, cancels: list[Cancel], now: float) -> dict[str, Any]:
    late = one.status == WAITING and one.expires is not None and one.expires <= now
    return {
        "accountType": "일반",
        "accountNumber": one.account,
        "bankCode": one.bank,
        "customerName": one.customer,
        "dueDate": stamp(one.expires or 0.0),
        "expired": late,
        "settlementStatus": "INCOMPLETED",
        "refundStatus": refund_status(cancels) if one.approved else NONE,
    }


def refund_status(cancels: list[Cancel]) -> str:
    """One word for all refunds of a virtual account."""
    found = {one.status for one in cancels}
    if PENDING in found:
        return PENDING
    if FAILED in found:
        return PARTIAL_FAILED if COMPLETED in found else FAILED
    return COMPLETED if found else NONE


def cancel(one: Cancel) -> dict[str, Any]:
    """One of a payment's `cancels`."""
    return {
        "cancelAmount": one.amount,
        "cancelReason": one.reason,
        "canceledAt": stamp(one.at),
        "transactionKey": one.transaction,
        "cancelStatus": "DONE",
        "cancelRequestId": None,
        "taxFreeAmount": 0,
    }


def card(one: Card) -> dict[str, Any]:
    """A billing key as it is issued."""
    return {
        "mId": one.merchant,
        "customerKey": one.customer_key,
        "authenticatedAt": stamp(one.at),
        "method": "카드",
        "billingKey": one.key,
        "card": {"issuerCode": "61", "acquirerCode": "31", "number": one.number, "cardType": "신용"},
    }


def transaction(one: Movement) -> dict[str, Any]:
    """A line of the transactions. That of money that went back is negative (undocumented)."""
    return {
        "mId": one.merchant,
        "transactionKey": one.transaction,
        "paymentKey": one.payment_key,
        "orderId": one.order_id,
        "method": METHOD_WORDS["ko"][one.method],
        "useEscrow": False,
        "status": one.event,
        "transactionAt": stamp(one.at),
        "currency": "KRW",
        "amount": one.amount if one.kind == "capture" else -one.amount,
    }


def settlement(one: Movement, sold: str, paid_out: str, fee: int) -> dict[str, Any]:
    """A line of the settlements: what was taken (or went back, negative), Toss's fee, and what is paid out."""
    amount = one.amount if one.kind == "capture" else -one.amount
    vat = round(fee / 11)
    return {
        "mId": one.merchant,
        "paymentKey": one.payment_key,
        "transactionKey": one.transaction,
        "orderId": one.order_id,
        "currency": "KRW",
        "method": METHOD_WORDS["ko"][one.method],
        "amount": amount,
        "interestFee": 0,
        "fee": fee,
        "supplyAmount": fee - vat,
        "vat": vat,
        "payOutAmount": amount - fee,
        "approvedAt": stamp(one.at),
        "soldDate": sold,
        "paidOutDate": paid_out,
    }
