"""The hosted page's door: an attempt is begun when a browser arrives, and decided by one of two buttons."""

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from peers.http import NoAnswer, Refused, Request, Response
from peers.portone import moves, page
from peers.portone.moves import Checkout
from peers.portone.state import FAILED, READY, Payment, listed

if TYPE_CHECKING:
    from peers.portone.truth import PortOne


def checkout(portone: "PortOne", request: Request) -> Response:
    """The page or what a button does. Raises NoAnswer."""
    lang = page.language(request)
    said = request.query
    method = moves.PAY_METHODS.get(said.get("payMethod", ""), "*")
    if portone.faults.fires(("dead",), method):
        raise NoAnswer
    if portone.faults.fires(("redirect_page_down",), method):
        return page.trouble(503, lang)
    url = said.get("redirectUrl", "")
    if not moves.can_go_to(url):
        return page.trouble(400, lang, "bad")
    try:
        asked = Checkout.read(said)
        payment = _begun(portone, asked, again=request.method == "GET")
    except Refused as no:
        if no.code == "ALREADY_PAID":
            return page.show(
                portone.state.payments[f"{said['storeId']}/{said['paymentId']}"], request, lang, portone.now()
            )
        return _away(moves.with_query(url, moves.failed_words(said.get("paymentId", ""), no.code, no.message)))
    if request.method in ("GET", "HEAD"):
        return page.show(payment, request, lang, portone.now())
    return _decided(portone, request, payment, lang)


def _begun(portone: "PortOne", asked: Checkout, *, again: bool) -> Payment:
    """The attempt under way with these words, else a new one (`again`: also after a failed one). The pinned amount
    wins. Raises Refused."""
    merchant = portone.state.merchants.get(asked.store)
    if merchant is None:
        raise Refused(404, "STORE_NOT_FOUND", "상점을 찾을 수 없습니다.")
    if asked.channel not in listed(merchant.channels):
        raise Refused(404, "CHANNEL_NOT_FOUND", "요청된 채널이 존재하지 않습니다.")
    key = f"{asked.store}/{asked.payment_id}"
    there = portone.state.payments.get(key)
    moves.matches_pin(portone.state.pins.get(key), asked.amount, asked.currency)
    if there is not None and asked.same_as(there) and (there.status == READY or (there.status == FAILED and not again)):
        return there
    moves.may_begin(there)
    now = portone.now()
    begun = moves.open_try(asked, portone.new_id(), now)
    portone.commit(begun, *portone.reports(begun, "Ready", now))
    return begun


def _decided(portone: "PortOne", request: Request, payment: Payment, lang: str) -> Response:
    decision = request.form.get("decision", "")
    if request.method != "POST" or decision not in ("approve", "cancel"):
        return page.trouble(400, lang)
    now = portone.now()
    if payment.status == READY and payment.hidden_until is None:
        if decision == "approve":
            decided = moves.approve(payment, f"token-{portone.new_id()}", now)
            changes: list[object] = []
        else:
            message = "사용자가 결제를 취소했습니다. The customer cancelled."
            decided = moves.fail(payment, moves.CANCELLED_BY_PAYER, message, now)
            changes = portone.reports(decided, "Failed", now)
        if decided is not payment:
            portone.commit(replace(decided, changed=now), *changes)
        payment = decided
    return _away(moves.way_back(payment, now))


def _away(url: str) -> Response:
    location = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    return Response(303, {"Location": location, "Content-Type": "text/plain; charset=utf-8"}, b"")
