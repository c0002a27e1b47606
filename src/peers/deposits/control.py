"""The deposit bank's control door, on loopback without a key: customers' deposits, faults, keys, hours, the books."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from peers.deposits import acts
from peers.deposits.state import HOLDER, Merchant, Number
from peers.http import Refused, Request, Response, answer

if TYPE_CHECKING:
    from peers.deposits.truth import Deposits

_HOURS = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")


def control(bank: "Deposits", request: Request, words: list[str]) -> Response:
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
        case ("POST", ["deposits"]):
            return answer(200, bank.receive(request.json()).public())
        case ("POST", ["undo"]):
            ident = acts.text(request.json(), "id", 1, 40)
            document, changes = acts.take_back(bank, ident)
            bank.commit(*changes, *bank.reports(changes[0]))
            return answer(200, document)
        case ("POST", ["numbers"]):
            return _numbers(bank, request.json())
        case ("PUT", ["merchant"]):
            return _merchant(bank, request.json())
        case ("PUT", ["hours"]):
            return _hours(bank, request.json())
    raise Refused(404, "NOT_FOUND", request.route)


def _numbers(bank: "Deposits", asked: dict[str, Any]) -> Response:
    """{bank, numbers}: the bank gives the carrier more numbers."""
    code, wanted = acts.text(asked, "bank", 3, 3), asked.get("numbers")
    if not isinstance(wanted, list) or not all(isinstance(one, str) and one.isdigit() for one in wanted):
        raise Refused(400, "INVALID_REQUEST", "numbers: a list of digits")
    new = [Number(code, one, HOLDER) for one in wanted if one not in bank.state.numbers]
    bank.commit(*new)
    return answer(200, {"added": len(new)})


def _merchant(bank: "Deposits", asked: dict[str, Any]) -> Response:
    """{keys?, secrets?, webhook_url?}: all of a list's keys are live, all of its secrets sign."""
    now = bank.state.merchant
    said: dict[str, Any] = {"keys": now.keys, "secrets": now.secrets, "webhook_url": now.webhook_url} | asked
    lists = [said["keys"], said["secrets"]]
    if len(said) != 3 or not all(one and all(isinstance(each, str) and each for each in one) for one in lists):
        raise Refused(400, "INVALID_REQUEST", "keys and secrets: lists of texts; webhook_url: an address")
    if not isinstance(said["webhook_url"], str) or (
        said["webhook_url"] and urlsplit(said["webhook_url"]).scheme != "http"
    ):
        raise Refused(400, "INVALID_REQUEST", "webhook_url: an http address, or empty")
    bank.commit(Merchant(tuple(said["keys"]), tuple(said["secrets"]), said["webhook_url"], now.closed))
    return answer(200, {"webhook_url": said["webhook_url"], "keys": len(said["keys"])})


def _hours(bank: "Deposits", asked: dict[str, Any]) -> Response:
    """{closed}: the night, "23:30-00:30" in Korean time; "" is open day and night."""
    closed = acts.text(asked, "closed", 0, 11)
    if closed and not _HOURS.fullmatch(closed):
        raise Refused(400, "INVALID_REQUEST", "closed: HH:MM-HH:MM")
    bank.commit(replace(bank.state.merchant, closed=closed))
    return answer(200, {"closed": closed})
