"""The clearing house's control door: accounts, clearing now, returns, pace, faults, books. No fault strikes here."""

from typing import TYPE_CHECKING, Any

from peers.clearing import answers
from peers.clearing.state import STATES, Accounts, File, Pace
from peers.http import Refused, Request, Response, answer

if TYPE_CHECKING:
    from peers.clearing.truth import Clearing


def control(house: "Clearing", request: Request, words: list[str]) -> Response:
    """Answer a request under /_control/. Raises Refused."""
    match (request.method, words):
        case ("GET" | "PUT", ["faults"]):
            if request.method == "PUT":
                house.faults.put(request.json())
            return answer(200, house.faults.document())
        case ("GET", ["books"]):
            return answer(200, house.state.books())
        case ("GET", ["health"]):
            return answer(200, {"ok": True})
        case ("POST", ["accounts"]):
            return _accounts(house, request.json().get("accounts"))
        case ("POST", ["clear"]):
            return _clear(house, str(request.json().get("day", "9999-12-31")))
        case ("POST", ["returns"]):
            return _returns(house, request.json())
        case ("PUT", ["pace"]):
            return _pace(house, request.json().get("seconds"))
    raise Refused(404, "NOT_FOUND", request.route)


def _accounts(house: "Clearing", asked: Any) -> Response:
    """[{bank, number, balance, state?, limit?}]: open or change accounts."""
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise Refused(400, "INVALID_REQUEST", "accounts: a list of objects")
    rows = []
    for one in asked:
        bank, number, balance = one.get("bank"), one.get("number"), one.get("balance")
        state, limit = one.get("state", "open"), one.get("limit", 0)
        if not isinstance(bank, str) or not isinstance(number, str) or state not in STATES:
            raise Refused(400, "INVALID_REQUEST", "bank, number: texts; state: " + ", ".join(STATES))
        if type(balance) is not int or type(limit) is not int:
            raise Refused(400, "INVALID_REQUEST", "balance, limit: whole numbers")
        rows.append([bank, number, balance, state, limit])
    house.commit(Accounts(rows))
    return answer(200, {"accounts": len(house.state.accounts)})


def _clear(house: "Clearing", day: str) -> Response:
    """Carry out every file up to this debit day now."""
    waiting = [file for file in house.state.waiting() if file.day <= day]
    for file in sorted(waiting, key=lambda each: (each.day, each.sequence)):
        house.clear(file)
    return answer(200, {"cleared": [file.ident for file in waiting]})


def _returns(house: "Clearing", asked: dict[str, Any]) -> Response:
    """{day, returns: [{file, serial, code}]}: the payers' banks take these debits back."""
    found = []
    for one in asked.get("returns", []):
        file, serial = house.state.files.get(str(one.get("file"))), one.get("serial")
        if not isinstance(file, File) or house.state.done.get(file.ident, {}).get(serial) != "0000":
            raise Refused(400, "NOT_PAID", f"{one.get('file')} {serial}")
        if (file.ident, serial) in house.state.returned:
            raise Refused(409, "RETURNED_BEFORE", f"{one.get('file')} {serial}")
        found.append((file, int(serial), str(one.get("code", "0061"))))
    if not found:
        raise Refused(400, "INVALID_REQUEST", "returns: at least one")
    house.commit(*answers.returns(house, str(asked.get("day")), found))
    return answer(200, {"returned": len(found)})


def _pace(house: "Clearing", seconds: Any) -> Response:
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0):
        raise Refused(400, "INVALID_REQUEST", "seconds: a number of 0 or more, or null")
    house.commit(Pace(None if seconds is None else float(seconds)))
    return answer(200, {"seconds": seconds})
