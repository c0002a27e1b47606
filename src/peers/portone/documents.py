"""How PortOne shows its rows: the field names of its OpenAPI 1.16.0."""

from typing import Any

from peers.portone.state import (
    CANCELLED,
    FAILED,
    PAID,
    PARTIAL_CANCELLED,
    SUCCEEDED,
    Cancellation,
    Movement,
    Payment,
    Report,
    State,
)
from peers.truth import iso

WITH_CANCELLATIONS = (PAID, PARTIAL_CANCELLED, CANCELLED)


def payment(state: State, one: Payment) -> dict[str, Any]:
    """A payment as GET /payments/{id} shows it."""
    webhooks = [webhook(report) for report in state.reports.get(one.key, [])]
    return _common(state, one) | {"id": one.payment_id, "webhooks": webhooks}


def transaction(state: State, one: Payment) -> dict[str, Any]:
    """One attempt as GET /payments/{id}/transactions lists it."""
    return _common(state, one) | {"id": one.tx_id, "paymentId": one.payment_id}


def _common(state: State, one: Payment) -> dict[str, Any]:
    document: dict[str, Any] = {
        "status": one.status,
        "transactionId": one.tx_id,
        "merchantId": "merchant-doenda",
        "storeId": one.store,
        "method": method(one),
        "channel": channel(one.channel),
        "version": "V2",
        "requestedAt": iso(one.requested),
        "updatedAt": iso(one.changed),
        "statusChangedAt": iso(one.changed),
        "orderName": one.order_name,
        "amount": amount(one),
        "currency": one.currency,
        "customer": {},
        "origin": {"platformType": "PC", "ipAddress": "127.0.0.1"},
    }
    if one.paid is not None:
        document |= {"paidAt": iso(one.paid), "pgTxId": f"pg-{one.tx_id}", "disputes": []}
    if one.status == FAILED:
        document |= {"failedAt": iso(one.changed), "failure": one.failure or {}}
    if one.status in (CANCELLED, PARTIAL_CANCELLED):
        document["cancelledAt"] = iso(one.changed)
    if one.status in WITH_CANCELLATIONS:
        document["cancellations"] = [cancellation(each) for each in state.cancellations_for(one)]
    return document


def amount(one: Payment) -> dict[str, int]:
    """The sums of a payment. What is taxed is not known to a fake."""
    paid = one.amount if one.paid is not None else 0
    return {
        "total": one.amount,
        "taxFree": 0,
        "discount": 0,
        "paid": paid,
        "cancelled": one.cancelled,
        "cancelledTaxFree": 0,
    }


def method(one: Payment) -> dict[str, Any]:
    """How it was, or is to be, paid."""
    if one.method == "card":
        return {"type": "PaymentMethodCard"}
    if one.method == "transfer":
        return {"type": "PaymentMethodTransfer"}
    expires = {} if one.expires is None else {"expiredAt": iso(one.expires)}
    return {
        "type": "PaymentMethodVirtualAccount",
        "accountNumber": one.account,
        "bank": one.bank,
        "accountType": "NORMAL",
        "remitteeName": one.holder,
        "issuedAt": iso(one.requested),
        **expires,
    }


def channel(key: str) -> dict[str, str]:
    """The channel of a payment: always a test channel of one gateway."""
    return {
        "type": "TEST",
        "id": key,
        "key": key,
        "name": key,
        "pgProvider": "TOSSPAYMENTS",
        "pgMerchantId": "tosstest",
    }


def cancellation(one: Cancellation) -> dict[str, Any]:
    """One way back."""
    document: dict[str, Any] = {
        "status": one.status,
        "id": one.ident,
        "totalAmount": one.amount,
        "taxFreeAmount": 0,
        "vatAmount": 0,
        "reason": one.reason,
        "requestedAt": iso(one.requested),
        "trigger": "API",
    }
    return document | ({"cancelledAt": iso(one.done)} if one.status == SUCCEEDED and one.done is not None else {})


def webhook(one: Report) -> dict[str, Any]:
    """One webhook of a payment."""
    known = {"Paid": PAID, "Failed": FAILED, "Cancelled": CANCELLED, "PartialCancelled": PARTIAL_CANCELLED}
    status = {"Ready": "READY", "VirtualAccountIssued": "VIRTUAL_ACCOUNT_ISSUED", **known}.get(one.status)
    return {"id": one.ident, "url": one.url} | ({"paymentStatus": status} if status else {})


def event(state: State, one: Movement) -> dict[str, Any]:
    """One movement as /payment-events-by-cursor lists it: what went back is negative."""
    paid = state.payments[f"{one.store}/{one.payment_id}"]
    document = {
        "type": one.event,
        "id": f"event-{one.n}",
        "paymentId": one.payment_id,
        "transactionId": one.tx_id,
        "merchantId": "merchant-doenda",
        "storeId": one.store,
        "channel": channel(paid.channel),
        "version": "V2",
        "requestedAt": iso(paid.requested),
        "createdAt": iso(one.at),
        "orderName": paid.order_name,
        "totalAmount": amount(paid),
        "currency": one.currency,
        "customer": {},
        "origin": {"platformType": "PC", "ipAddress": "127.0.0.1"},
        "eventAmount": one.amount if one.kind == "capture" else -one.amount,
    }
    return document | ({"disputes": []} if one.kind == "capture" else {})
