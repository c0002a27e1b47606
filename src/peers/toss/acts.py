"""The requests that change a payment, each under its idempotency key and the faults that belong to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peers.http import NoAnswer, Refused
from peers.toss import documents, moves
from peers.toss.state import (
    CANCELED,
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    PARTIAL_CANCELED,
    PENDING,
    READY,
    WAITING,
    Answer,
    Cancel,
    Card,
    Merchant,
    Movement,
    Payment,
)

if TYPE_CHECKING:
    from peers.toss.truth import Toss

Done = tuple[dict[str, Any], list[object]]  # what to answer, what changes
Act = Callable[[str], Done]  # of the key's scope
TEMPORARY = "일시적인 오류가 발생했습니다. 잠시 후 다시 시도해주세요."


def create(toss: "Toss", asked: dict[str, Any], merchant: Merchant, scope: str) -> Done:
    """A payment that waits for its customer on the hosted page. Raises Refused."""
    method = moves.PAY_METHODS.get(str(asked.get("method")))
    moves.need(method is not None, "method: CARD or TRANSFER here")
    assert method is not None
    payment = _new(toss, asked, merchant, method)
    payment = replace(
        payment,
        status=READY,
        success_url=moves.address(asked, "successUrl"),
        fail_url=moves.address(asked, "failUrl"),
        expires=payment.requested + moves.AUTH_WITHIN,
    )
    return toss.shown(payment), [payment]


def _new(toss: "Toss", asked: dict[str, Any], merchant: Merchant, method: str) -> Payment:
    there = toss.state.payment_of_order(merchant.name, str(asked.get("orderId")))
    order_id, amount, name = moves.order_of(asked, method, there)
    return Payment(
        key=f"tgen_{toss.new_id()}",
        order_id=order_id,
        merchant=merchant.name,
        amount=amount,
        method=method,
        order_name=name,
        status=IN_PROGRESS,
        secret=f"ps_{toss.new_id()}"[:50],
        requested=toss.now(),
    )


def confirm(toss: "Toss", asked: dict[str, Any], payment: Payment | None, scope: str) -> Done:
    """Take the money, unless a rule or a fault says no. Raises Refused; NoAnswer when it is taken later, unseen."""
    return _take(toss, moves.check_confirm(payment, asked, scope), scope)


def _take(toss: "Toss", payment: Payment, scope: str) -> Done:
    now, faults, method = toss.now(), toss.faults, payment.method
    if faults.fires(("last_step_down",), method):
        raise Refused(400, "PROVIDER_ERROR", TEMPORARY, kept=False)
    hidden = faults.fires(("hidden",), method)
    if hidden:
        toss.commit(replace(payment, hidden_until=now + hidden.hold(), hidden_scope=scope))
        raise NoAnswer(min(hidden.hold(), 30.0))
    if faults.fires(("refuse",), method):
        refused, no = moves.refuse(payment)
        stored = [Answer(scope, no.status, {"code": no.code, "message": no.message}, now)] if scope else []
        toss.commit(refused, *stored, *toss.reports(refused, now))
        raise no
    done, moved = toss.taken(payment, now)
    return toss.shown(done), [done, moved, *toss.reports(done, now)]


def virtual_account(toss: "Toss", asked: dict[str, Any], merchant: Merchant, scope: str) -> Done:
    """An account that waits for its deposit, had without a browser. Raises Refused."""
    customer, bank = moves.text(asked, "customerName", 100), str(asked.get("bank"))
    payment = _new(toss, asked, merchant, "deposit")
    until = moves.due(asked, payment.requested)
    if bank not in moves.BANKS:
        raise Refused(400, "INVALID_BANK", "유효하지 않은 은행입니다.")
    if toss.faults.fires(("last_step_down",), "deposit"):
        raise Refused(400, "PROVIDER_ERROR", TEMPORARY, kept=False)
    if toss.faults.fires(("refuse",), "deposit"):
        raise Refused(403, moves.REFUSALS["deposit"], "가상계좌를 발급할 수 없습니다.")
    issued = replace(
        payment,
        status=WAITING,
        expires=until,
        bank=bank,
        account=f"56{len(toss.state.accounts) + 1:012}",
        customer=customer,
        last_transaction=toss.new_transaction(),
    )
    return toss.shown(issued), [issued]


def cancel(toss: "Toss", asked: dict[str, Any], payment: Payment | None, scope: str) -> Done:
    """Give back, wholly or in part, or close an account that waits. Raises Refused."""
    back = moves.check_cancel(payment, asked, toss.state.balance(payment) if payment else 0)
    assert payment is not None
    now, transaction = toss.now(), toss.new_transaction()
    if payment.status == WAITING:
        closed = replace(payment, status=CANCELED, last_transaction=transaction)
        return toss.shown(closed), [closed, *toss.reports(closed, now)]
    if toss.faults.fires(("last_step_down",), payment.method, "cancel"):
        raise Refused(400, "PROVIDER_ERROR", TEMPORARY, kept=False)
    asked_for = Cancel(transaction, payment.key, back, str(asked["cancelReason"]), now)
    whole = back == toss.state.balance(payment)
    changed = replace(payment, status=CANCELED if whole else PARTIAL_CANCELED, last_transaction=transaction)
    if payment.method == "deposit":
        failed = toss.faults.fires(("refund_failed",), "deposit")
        asked_for = replace(
            asked_for, status=FAILED if failed else PENDING, due=None if failed else now + moves.REFUND_TAKES
        )
        moved: list[object] = []
    else:
        moved = [gone(toss, changed, asked_for, now)]
    reported = toss.reports(changed, now, more=asked_for)
    return toss.shown(changed, more=asked_for), [asked_for, changed, *moved, *reported]


def gone(toss: "Toss", payment: Payment, one: Cancel, now: float) -> Movement:
    """The money is back with the customer."""
    event = CANCELED if payment.status == CANCELED else PARTIAL_CANCELED
    number = len(toss.state.movements) + 1
    return moves.moved(payment, number, one.transaction, kind="cancel", amount=one.amount, event=event, now=now)


def refunded(toss: "Toss", payment: Payment, one: Cancel, now: float) -> list[object]:
    """What follows when a virtual account's refund has arrived."""
    return [replace(one, status=COMPLETED, due=None), gone(toss, payment, one, now)]


def issue_key(toss: "Toss", asked: dict[str, Any], merchant: Merchant, scope: str) -> Done:
    """A billing key for a card whose holder was authenticated. Any `authKey` will do here. Raises Refused."""
    moves.text(asked, "authKey", 300)
    customer = moves.text(asked, "customerKey", 300)
    if toss.faults.fires(("refuse",), "billing"):
        raise Refused(400, "INVALID_BILL_KEY_REQUEST", "빌링키 인증이 완료되지 않았거나 유효하지 않은 빌링키 입니다.")
    card = Card(f"bkey_{toss.new_id()}", merchant.name, customer, "43301234****123*", toss.now())
    return documents.card(card), [card]


def charge_key(toss: "Toss", asked: dict[str, Any], merchant: Merchant, key: str, scope: str) -> Done:
    """Charge a billing key; its success is reported by no webhook. Raises Refused, NoAnswer."""
    customer = moves.text(asked, "customerKey", 300)
    card = toss.state.cards.get(key)
    if card is None or card.deleted or card.merchant != merchant.name:
        raise Refused(404, "NOT_FOUND_BILLING_KEY", "존재하지 않는 빌링키 입니다.")  # the code is undocumented
    if card.customer_key != customer:
        raise Refused(403, "NOT_MATCHES_CUSTOMER_KEY", "빌링 인증 고객키와 결제 요청 고객키가 일치하지 않습니다.")
    there = toss.state.payment_of_order(merchant.name, str(asked.get("orderId")))
    if there is not None:
        moves.running(there, scope)
    return _take(toss, _new(toss, asked, merchant, "billing"), scope)


def delete_key(toss: "Toss", merchant: Merchant, key: str, scope: str) -> Done:
    """The card is charged no more. Raises Refused."""
    card = toss.state.cards.get(key)
    if card is None or card.deleted or card.merchant != merchant.name:
        raise Refused(404, "NOT_FOUND_BILLING_KEY", "존재하지 않는 빌링키 입니다.")
    return {}, [replace(card, deleted=True)]
