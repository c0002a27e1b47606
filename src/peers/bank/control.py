"""The bank's control door, on loopback without a key: faults, merchants, and the books as they really are."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from peers.bank.state import Merchant
from peers.http import Refused, Request, Response, answer

if TYPE_CHECKING:
    from peers.bank.truth import Bank


def control(bank: "Bank", request: Request, words: list[str]) -> Response:
    """Answer a request under /_control/. No fault strikes here. Raises Refused."""
    match (request.method, words):
        case ("GET" | "PUT", ["faults"]):
            if request.method == "PUT":
                bank.faults.put(request.json())
            return answer(200, bank.faults.document())
        case ("GET", ["books"]):
            return answer(200, bank.state.books())
        case ("GET", ["health"]):
            return answer(200, {"ok": True})
        case ("PUT", ["merchant"]):
            return _merchant(bank, request)
    raise Refused(404, "NOT_FOUND", request.route)


def _merchant(bank: "Bank", request: Request) -> Response:
    """{name?, key?, secret?, webhook_url?}: change a merchant (by default doenda), or take on a new one."""
    asked = request.json()
    if not all(isinstance(value, str) for value in asked.values()) or asked.keys() - {"name", *_CHANGEABLE}:
        raise Refused(400, "INVALID_REQUEST", f"texts named name, {', '.join(_CHANGEABLE)}")
    if asked.get("webhook_url") and urlsplit(asked["webhook_url"]).scheme != "http":
        raise Refused(400, "INVALID_REQUEST", "webhook_url: an http address, or empty")
    name = asked.get("name", "doenda")
    now = bank.state.merchants.get(name) or Merchant(name, asked.get("key", ""), asked.get("secret", ""))
    said = {field: asked.get(field, getattr(now, field)) for field in _CHANGEABLE}
    if not said["key"] or not said["secret"]:
        raise Refused(400, "INVALID_REQUEST", "a new merchant needs a key and a secret")
    if any(one.key == said["key"] for one in bank.state.merchants.values() if one.name != name):
        raise Refused(409, "DUPLICATED_KEY", "another merchant has this key")
    merchant = Merchant(name, **said)
    bank.commit(merchant)
    return answer(200, {"name": name, "webhook_url": merchant.webhook_url})


_CHANGEABLE = ("key", "secret", "webhook_url")
