"""The requests that change a payment, each under its idempotency key and the faults that belong to it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peers.http import NoAnswer, Refused
from peers.portone import documents, moves
from peers.portone.moves import PgRefused, need
from peers.portone.state import (
    FAILED,
    ISSUED,
    PARTIAL_CANCELLED,
    REQUESTED,
    SUCCEEDED,
    Answer,
    Cancellation,
    Merchant,
    Payment,
    Pin,
    listed,
)
from peers.truth import Hook, iso

if TYPE_CHECKING:
    from peers.portone.truth import PortOne

Done = tuple[dict[str, Any], list[object]]  # what to answer, what changes
Act = Callable[[str, str], Done]  # of the key's scope and the body's digest
LONGEST_HOURS = 720
_CURRENCY = re.compile(r"[A-Z]{3}")
_PAYMENT_ID = re.compile(r"[\x21-\x7e]{1,64}")


def pre_register(
    portone: "PortOne", asked: dict[str, Any], merchant: Merchant, payment_id: str, scope: str, digest: str
) -> Done:
    """Pin the amount before any browser is asked. Raises Refused."""
    need(bool(_PAYMENT_ID.fullmatch(payment_id)), "paymentId: 1 to 64 printable ASCII")
    amount = None if asked.get("totalAmount") is None else moves.whole(asked, "totalAmount")
    need(amount is None or amount > 0, "totalAmount: more than 0, in minor units")
    currency = asked.get("currency") or ""
    need(isinstance(currency, str) and (not currency or bool(_CURRENCY.fullmatch(currency))), "currency")
    moves.may_begin(portone.state.payments.get(f"{merchant.name}/{payment_id}"))
    return {}, [Pin(merchant.name, payment_id, amount, currency)]


def confirm(portone: "PortOne", asked: dict[str, Any], payment: Payment | None, scope: str, digest: str) -> Done:
    """Take the money, unless a rule or a fault says no. Raises Refused; NoAnswer when it is taken later, unseen."""
    now = portone.now()
    found = moves.check_confirm(payment, asked, scope, now)
    faults, method = portone.faults, found.method
    if faults.fires(("last_step_down",), method):
        raise PgRefused("PROVIDER_ERROR", "일시적인 오류가 발생했습니다.", kept=False)
    hidden = faults.fires(("hidden",), method)
    if hidden:
        until = now + hidden.hold()
        portone.commit(replace(found, hidden_until=until, hidden_scope=scope, hidden_digest=digest))
        raise NoAnswer(min(hidden.hold(), 30.0))
    if faults.fires(("refuse",), method):
        refused = moves.fail(found, moves.REFUSALS[method], "결제가 승인되지 않았습니다.", now)
        no = PgRefused(moves.REFUSALS[method], "결제가 승인되지 않았습니다.", kept=False)
        stored = [Answer(scope, digest, no.status, moves.error_document(no), now)] if scope else []
        portone.commit(refused, *stored, *portone.reports(refused, "Failed", now))
        raise no
    paid, moved = moves.take(found, len(portone.state.movements) + 1, now)
    hooks = [] if asked.get("skipWebhook") is True else portone.reports(paid, "Paid", now)
    return {"pgTxId": f"pg-{paid.tx_id}", "paidAt": iso(now)}, [paid, moved, *hooks]


def instant(
    portone: "PortOne",
    asked: dict[str, Any],
    merchant: Merchant,
    payment_id: str,
    scope: str,
    digest: str,
) -> Done:
    """A virtual account without a browser. Raises Refused; a card by its number is not for this fake."""
    need(bool(_PAYMENT_ID.fullmatch(payment_id)), "paymentId: 1 to 64 printable ASCII")
    wanted = (asked.get("method") or {}).get("virtualAccount") if isinstance(asked.get("method"), dict) else None
    if not isinstance(wanted, dict):
        raise Refused(400, "INVALID_REQUEST", "method.virtualAccount: only that can be had at once here")
    amount = moves.whole(asked["amount"] if isinstance(asked.get("amount"), dict) else {}, "total")
    currency, name, bank = asked.get("currency"), asked.get("orderName"), wanted.get("bank")
    need(amount > 0, "amount.total: more than 0, in minor units")
    need(isinstance(currency, str) and bool(_CURRENCY.fullmatch(currency)), "currency: three capital letters")
    need(isinstance(name, str) and bool(name), "orderName: a text")
    need(isinstance(bank, str) and bank.isupper(), "method.virtualAccount.bank: a bank's name")
    need((wanted.get("option") or {}).get("type") == "NORMAL", "method.virtualAccount.option.type: NORMAL here")
    if asked.get("channelKey") not in listed(merchant.channels):
        raise Refused(404, "CHANNEL_NOT_FOUND", "요청된 채널이 존재하지 않습니다.")
    moves.may_begin(portone.state.payments.get(f"{merchant.name}/{payment_id}"))
    moves.matches_pin(portone.state.pins.get(f"{merchant.name}/{payment_id}"), amount, str(currency))
    now = portone.now()
    if portone.faults.fires(("refuse",), "deposit"):
        raise PgRefused(moves.REFUSALS["deposit"], "가상계좌를 발급할 수 없습니다.")
    if portone.faults.fires(("last_step_down",), "deposit"):
        raise PgRefused("PROVIDER_ERROR", "일시적인 오류가 발생했습니다.", kept=False)
    customer = asked.get("customer") if isinstance(asked.get("customer"), dict) else {}
    issued = Payment(
        store=merchant.name,
        payment_id=payment_id,
        tx_id=portone.new_id(),
        amount=amount,
        currency=str(currency),
        method="deposit",
        channel=str(asked["channelKey"]),
        order_name=str(name),
        status=ISSUED,
        requested=now,
        changed=now,
        bank=str(bank),
        account=f"79{len(portone.state.accounts) + 1:012}",
        holder=str(wanted.get("remitteeName") or (customer or {}).get("name") or merchant.name),
        expires=_expiry(wanted.get("expiry"), now),
    )
    document = {"payment": {"pgTxId": f"pg-{issued.tx_id}", "paidAt": iso(now)}}
    return document, [issued, *portone.reports(issued, "VirtualAccountIssued", now)]


def _expiry(said: object, now: float) -> float:
    said = said if isinstance(said, dict) else {}
    hours, due = said.get("validHours"), said.get("dueDate")
    if due is None:
        need(type(hours) is int and 0 < hours <= LONGEST_HOURS, "expiry: validHours (1 to 720) or dueDate")
        assert isinstance(hours, int)
        return now + 3600.0 * hours
    try:
        until = datetime.fromisoformat(str(due)).timestamp()
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", "expiry.dueDate: an instant of RFC 3339") from None
    need(now < until <= now + 3600.0 * LONGEST_HOURS, "expiry.dueDate: within 720 hours")
    return until


def cancel(portone: "PortOne", asked: dict[str, Any], payment: Payment | None, scope: str, digest: str) -> Done:
    """Give back, wholly or in part: at once, later (REQUESTED), or not at all (FAILED). Raises Refused."""
    back = moves.check_cancel(payment, asked, portone.state.cancellable(payment) if payment else 0)
    assert payment is not None
    now, method = portone.now(), payment.method
    asked_for = Cancellation(
        ident=f"cancellation-{portone.new_id()}",
        store=payment.store,
        payment_id=payment.payment_id,
        amount=back,
        reason=str(asked["reason"]),
        status=REQUESTED,
        requested=now,
        due=now + moves.REFUND_TAKES,
    )
    if portone.faults.fires(("cancel_failed",), method):
        failed = replace(asked_for, status=FAILED, due=None)
        return {"cancellation": documents.cancellation(failed)}, [failed]
    waits = portone.faults.fires(("cancel_requested",), method)
    quiet = asked.get("skipWebhook") is True
    if waits or method == "deposit":
        asked_for = replace(asked_for, due=now + (waits.hold(moves.REFUND_TAKES) if waits else moves.REFUND_TAKES))
        hooks = [] if quiet else portone.reports(payment, "CancelPending", now, asked_for.ident)
        return {"cancellation": documents.cancellation(asked_for)}, [asked_for, *hooks]
    done, changes = give_back(portone, payment, asked_for, now)
    return {"cancellation": documents.cancellation(done)}, [one for one in changes if not (quiet and _is_hook(one))]


def give_back(
    portone: "PortOne", payment: Payment, asked: Cancellation, now: float
) -> tuple[Cancellation, list[object]]:
    """Do a cancellation now: what it becomes, and every row that changes by it."""
    done = moves.done(asked, now)
    changed, moved = moves.give_back(payment, asked.amount, len(portone.state.movements) + 1, now)
    kind = "PartialCancelled" if changed.status == PARTIAL_CANCELLED else "Cancelled"
    assert done.status == SUCCEEDED
    return done, [done, changed, moved, *portone.reports(changed, kind, now, done.ident)]


def close(portone: "PortOne", payment: Payment | None, scope: str, digest: str) -> Done:
    """The account takes no deposit any more. Raises Refused."""
    now = portone.now()
    closed = moves.close(payment, now)
    return {"closedAt": iso(now)}, [closed, *portone.reports(closed, "Cancelled", now)]


def resend(portone: "PortOne", asked: dict[str, Any], payment: Payment | None, scope: str, digest: str) -> Done:
    """Send a webhook again: the one that is named, else the latest. Raises Refused (404)."""
    if payment is None:
        raise Refused(404, "PAYMENT_NOT_FOUND", "결제 건이 존재하지 않습니다.", kept=False)
    sent = portone.state.reports.get(payment.key, [])
    named = asked.get("webhookId")
    found = [one for one in sent if named in (None, one.ident)]
    if not found:
        raise Refused(404, "WEBHOOK_NOT_FOUND", "웹훅 내역이 존재하지 않습니다.", kept=False)
    again = found[-1]
    secret = portone.state.merchants[payment.store].webhook_secrets
    hook = Hook(portone.next_hook(), again.ident, again.url, again.body, portone.now(), secret)
    return {"webhook": documents.webhook(again)}, [hook]


def _is_hook(change: object) -> bool:
    return isinstance(change, Hook)
