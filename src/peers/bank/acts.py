"""The three requests that change a payment, each under its idempotency key and the faults that belong to it."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from peers.bank import moves
from peers.bank.state import Answer, Merchant, Payment
from peers.http import NoAnswer, Refused

if TYPE_CHECKING:
    from peers.bank.truth import Bank

Done = tuple[dict[str, Any], list[object]]  # what to answer, what changes
Act = Callable[[str, str], Done]  # of the key's scope and the body's digest


def create(bank: "Bank", asked: dict[str, Any], merchant: Merchant, scope: str, digest: str) -> Done:
    """A payment for an order; for the same order asked alike again, the same payment. Raises Refused."""
    order = moves.Order.read(asked)
    there = bank.state.payment_of_order(merchant.name, order.order_id)
    if there is not None:
        if not order.same_as(there):
            raise Refused(409, "DUPLICATED_ORDER_ID", "this order_id was used with another body")
        return there.public(), []
    key = f"pay_{bank.new_id()}"
    payment = moves.open_payment(order, merchant.name, key, f"{bank.base_url}/pay/{key}", bank.now())
    return payment.public(), [payment]


def confirm(bank: "Bank", asked: dict[str, Any], payment: Payment | None, scope: str, digest: str) -> Done:
    """Take the money, unless a rule or a fault says no. Raises Refused; NoAnswer when it is taken later, unseen."""
    amount = moves.whole(asked, "amount")
    if payment is None:
        raise Refused(404, "NOT_FOUND_PAYMENT", "no such payment", kept=False)
    moves.check_confirm(payment, str(asked.get("order_id")), amount, scope)
    if bank.faults.fires(("last_step_down",), payment.method):
        raise Refused(503, "SERVICE_FAULT", "nothing was taken", kept=False)
    now = bank.now()
    hidden = bank.faults.fires(("hidden",), payment.method)
    if hidden:
        until = now + hidden.hold()
        bank.commit(replace(payment, hidden_until=until, hidden_scope=scope, hidden_digest=digest))
        raise NoAnswer(min(hidden.hold(), 30.0))
    if bank.faults.fires(("refuse",), payment.method):
        refused, no = moves.refuse(payment)
        stored = [Answer(scope, digest, no.status, {"code": no.code, "message": no.message})] if scope else []
        no.kept = False  # the refusal's own line keeps it
        bank.commit(refused, *stored, *bank.reports(refused, now))
        raise no
    done, moved = moves.take(payment, len(bank.state.transactions) + 1, now)
    return done.public(), [done, moved, *bank.reports(done, now)]


def cancel(bank: "Bank", asked: dict[str, Any], payment: Payment | None, scope: str, digest: str) -> Done:
    """Pay back, or void what was not taken. Raises Refused."""
    if payment is None:
        raise Refused(404, "NOT_FOUND_PAYMENT", "no such payment", kept=False)
    reason = asked.get("reason")
    if not isinstance(reason, str) or not 1 <= len(reason) <= 200:
        raise Refused(400, "INVALID_REQUEST", "reason: 1 to 200 characters")
    amount = None if asked.get("amount") is None else moves.whole(asked, "amount")
    now = bank.now()
    changed, moved = moves.cancel(payment, amount, len(bank.state.transactions) + 1, now)
    return changed.public(), [changed, *([moved] if moved else []), *bank.reports(changed, now)]
