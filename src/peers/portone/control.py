"""The control door, on loopback without a key: faults, stores, deposits, and the books as they really are."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from peers.http import Refused, Request, Response, answer
from peers.portone import documents, moves
from peers.portone.state import Merchant, Payment, listed
from peers.portone.webhooks import key_of

if TYPE_CHECKING:
    from peers.portone.truth import PortOne


def control(portone: "PortOne", request: Request, words: list[str]) -> Response:
    """Answer a request under /_control/. No fault strikes here. Raises Refused."""
    match (request.method, words):
        case ("GET" | "PUT", ["faults"]):
            if request.method == "PUT":
                portone.faults.put(request.json())
            return answer(200, portone.faults.document())
        case ("GET", ["books"]):
            state = portone.state
            return answer(200, state.books([documents.payment(state, one) for one in state.payments.values()]))
        case ("GET", ["health"]):
            return answer(200, {"ok": True})
        case ("PUT", ["merchant"]):
            return _merchant(portone, request)
        case ("POST", ["deposits"]):
            return _deposit(portone, request)
        case ("POST", ["undo"]):
            return _undo(portone, request)
    raise Refused(404, "NOT_FOUND", request.route)


def _deposit(portone: "PortOne", request: Request) -> Response:
    """{payment_id or account_number, amount?}: somebody brings the money to the virtual account."""
    asked = request.json()
    now = portone.now()
    amount = None if asked.get("amount") is None else moves.whole(asked, "amount")
    waiting = moves.check_deposit(_meant(portone, asked), amount, now)
    paid, moved = moves.take(waiting, len(portone.state.movements) + 1, now)
    portone.commit(paid, moved, *portone.reports(paid, "Paid", now))
    return answer(200, documents.payment(portone.state, paid))


def _undo(portone: "PortOne", request: Request) -> Response:
    """{payment_id or account_number}: the deposit goes back, and the account waits again."""
    paid = _meant(portone, request.json())
    if paid is None:
        raise Refused(404, "PAYMENT_NOT_FOUND", "no such payment")
    now = portone.now()
    waits, moved = moves.take_back(paid, len(portone.state.movements) + 1, now)
    portone.commit(waits, moved, *portone.reports(waits, "VirtualAccountIssued", now))
    return answer(200, documents.payment(portone.state, waits))


def _meant(portone: "PortOne", asked: dict[str, object]) -> Payment | None:
    state = portone.state
    key = state.accounts.get(str(asked.get("account_number", asked.get("number", ""))), "")
    if key:
        return state.payments[key]
    found = (state.payments.get(f"{store}/{asked.get('payment_id')}") for store in state.merchants)
    return next((payment for payment in found if payment), None)


def _merchant(portone: "PortOne", request: Request) -> Response:
    """{name?, secrets?, webhook_secrets?, channels?, webhook_url?}: change a store (by default the first), or take on
    a new one. Lists are comma separated; at most two API secrets and two webhook secrets."""
    asked = request.json()
    if not all(isinstance(value, str) for value in asked.values()) or asked.keys() - {"name", *_CHANGEABLE}:
        raise Refused(400, "INVALID_REQUEST", f"texts named name, {', '.join(_CHANGEABLE)}")
    if asked.get("webhook_url") and urlsplit(asked["webhook_url"]).scheme != "http":
        raise Refused(400, "INVALID_REQUEST", "webhook_url: an http address, or empty")
    merchants = portone.state.merchants
    name = asked.get("name", next(iter(merchants)))
    now = merchants.get(name) or Merchant(name, "", "", "")
    merchant = Merchant(name, **{field: asked.get(field, getattr(now, field)) for field in _CHANGEABLE})
    for field in ("secrets", "webhook_secrets"):
        if not 1 <= len(listed(getattr(merchant, field))) <= 2:
            raise Refused(400, "INVALID_REQUEST", f"{field}: one or two, comma separated")
    try:
        all(key_of(secret) for secret in listed(merchant.webhook_secrets))
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", "webhook_secrets: whsec_ and base64") from None
    taken = {secret for one in merchants.values() if one.name != name for secret in listed(one.secrets)}
    if taken & set(listed(merchant.secrets)):
        raise Refused(409, "DUPLICATED_KEY", "another store has this secret")
    portone.commit(merchant)
    return answer(200, {"name": name, "webhook_url": merchant.webhook_url})


_CHANGEABLE = ("secrets", "webhook_secrets", "channels", "webhook_url")
