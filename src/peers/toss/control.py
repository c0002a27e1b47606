"""The control door, on loopback without a key: faults, merchants, deposits, and the books as they really are."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from peers.http import Refused, Request, Response, answer
from peers.toss import moves
from peers.toss.state import Merchant, Payment, listed

if TYPE_CHECKING:
    from peers.toss.truth import Toss


def control(toss: "Toss", request: Request, words: list[str]) -> Response:
    """Answer a request under /_control/. No fault strikes here. Raises Refused."""
    match (request.method, words):
        case ("GET" | "PUT", ["faults"]):
            if request.method == "PUT":
                toss.faults.put(request.json())
            return answer(200, toss.faults.document())
        case ("GET", ["books"]):
            return answer(200, toss.state.books([toss.shown(one) for one in toss.state.payments.values()]))
        case ("GET", ["health"]):
            return answer(200, {"ok": True})
        case ("PUT", ["merchant"]):
            return _merchant(toss, request)
        case ("POST", ["deposits"]):
            return _deposit(toss, request)
        case ("POST", ["undo"]):
            return _undo(toss, request)
    raise Refused(404, "NOT_FOUND", request.route)


def _deposit(toss: "Toss", request: Request) -> Response:
    """{account_number or payment_key, amount?}: somebody brings the money to the virtual account."""
    asked, now = request.json(), toss.now()
    amount = None if asked.get("amount") is None else moves.whole(asked, "amount")
    waiting = moves.check_deposit(_meant(toss, asked), amount, now)
    done, moved = toss.taken(waiting, now)
    toss.commit(done, moved, *toss.reports(done, now))
    return answer(200, toss.shown(done))


def _undo(toss: "Toss", request: Request) -> Response:
    """{account_number or payment_key}: the deposit goes back, and the account waits again."""
    paid = _meant(toss, request.json())
    if paid is None:
        raise Refused(404, "NOT_FOUND_PAYMENT", "no such payment")
    now = toss.now()
    waits, moved = moves.take_back(paid, len(toss.state.movements) + 1, toss.new_transaction(), now)
    toss.commit(waits, moved, *toss.reports(waits, now))
    return answer(200, toss.shown(waits))


def _meant(toss: "Toss", asked: dict[str, object]) -> Payment | None:
    key = toss.state.accounts.get(
        str(asked.get("account_number", asked.get("number", ""))), str(asked.get("payment_key", ""))
    )
    return toss.state.payments.get(key)


def _merchant(toss: "Toss", request: Request) -> Response:
    """{name?, keys?, webhook_url?}: change a merchant (by default the first), or take on a new one. `keys`: one or two,
    comma separated."""
    asked = request.json()
    if not all(isinstance(value, str) for value in asked.values()) or asked.keys() - {"name", *_CHANGEABLE}:
        raise Refused(400, "INVALID_REQUEST", f"texts named name, {', '.join(_CHANGEABLE)}")
    if asked.get("webhook_url") and urlsplit(asked["webhook_url"]).scheme != "http":
        raise Refused(400, "INVALID_REQUEST", "webhook_url: an http address, or empty")
    merchants = toss.state.merchants
    name = asked.get("name", next(iter(merchants)))
    now = merchants.get(name) or Merchant(name, "")
    merchant = Merchant(name, **{field: asked.get(field, getattr(now, field)) for field in _CHANGEABLE})
    if not 1 <= len(listed(merchant.keys)) <= 2:
        raise Refused(400, "INVALID_REQUEST", "keys: one or two, comma separated")
    taken = {key for one in merchants.values() if one.name != name for key in listed(one.keys)}
    if taken & set(listed(merchant.keys)):
        raise Refused(409, "DUPLICATED_KEY", "another merchant has this key")
    toss.commit(merchant)
    return answer(200, {"name": name, "webhook_url": merchant.webhook_url})


_CHANGEABLE = ("keys", "webhook_url")
