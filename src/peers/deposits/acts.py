"""The requests that change something at the bank, and what anybody may do to a number. Pure but for the bank's rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from peers.deposits.state import Entry, Number
from peers.http import Refused

if TYPE_CHECKING:
    from peers.deposits.truth import Deposits

Done = tuple[dict[str, Any], list[object]]  # what to answer, what changes
Act = Callable[[], Done]
SHUT_KEPT = 50


def open_number(bank: "Deposits", asked: dict[str, Any], number: Number) -> Done:
    """Open a number for an order; again for the same order is the same. Raises Refused."""
    order = text(asked, "order_id", 6, 64)
    now = bank.now()
    if order in number.shut:
        raise Refused(409, "ORDER_CLOSED", "this order's number was closed, it does not open again")
    in_use = number.open and number.order_id != order and (number.until is None or number.until > now)
    if in_use:
        raise Refused(409, "NUMBER_IN_USE", "the number is open for another order")
    until = None if asked.get("until") is None else instant(asked["until"])
    amount, limit = (None if asked.get(name) is None else whole(asked, name) for name in ("amount", "limit"))
    opened = replace(number, open=True, order_id=order, amount=amount, limit=limit, until=until)
    return opened.public(now), ([] if opened == number else [opened])


def close_number(bank: "Deposits", asked: dict[str, Any], number: Number) -> Done:
    """Close what was opened for an order: from then on it never opens for it again. Raises Refused."""
    order = text(asked, "order_id", 6, 64)
    if number.open and number.order_id != order:
        if order in number.shut:
            return number.public(bank.now()) | {"status": "CLOSED", "order_id": ""}, []
        raise Refused(409, "NUMBER_IN_USE", "the number is open for another order")
    shut = number.shut if order in number.shut else (*number.shut, order)[-SHUT_KEPT:]
    closed = replace(number, open=False, order_id="", amount=None, limit=None, until=None, shut=shut)
    return closed.public(bank.now()), ([] if closed == number else [closed])


def give_back(bank: "Deposits", asked: dict[str, Any], ident: str) -> Done:
    """Send a deposit, or a part of it, back to its sender (or to the account in `to`). Raises Refused."""
    entry = bank.state.deposit(ident)
    if entry is None:
        raise Refused(404, "NOT_FOUND_DEPOSIT", "no such deposit", kept=False)
    text(asked, "reason", 1, 200)
    left = entry.amount - bank.state.back[entry.ident]
    if not left:
        raise Refused(400, "ALREADY_RETURNED", "nothing of it is left")
    amount = left if asked.get("amount") is None else whole(asked, "amount")
    if not 0 < amount <= left:
        raise Refused(400, "NOT_RETURNABLE_AMOUNT", f"between 1 and {left}")
    if entry.remitter == "" and not isinstance(asked.get("to"), dict):
        raise Refused(400, "SENDER_UNKNOWN", "cash over the counter: say where it is to go")
    went = moved(bank, entry, "RETURNED", amount)
    document = bank.state.document(entry) | {"returned_amount": entry.amount - left + amount, "return_id": went.ident}
    return document, [went]


def take_back(bank: "Deposits", ident: str) -> Done:
    """The sender's bank takes a deposit back, as far as it is still here. Raises Refused."""
    place = bank.state.deposits.get(ident)
    if place is None:
        raise Refused(404, "NOT_FOUND_DEPOSIT", "no such deposit")
    entry = bank.state.entries[place]
    left = entry.amount - bank.state.back[ident]
    if left != entry.amount:
        raise Refused(409, "ALREADY_RETURNED", "it has gone back already")
    return entry.public(), [moved(bank, entry, "TAKEN_BACK", left)]


def deposit(bank: "Deposits", asked: dict[str, Any]) -> tuple[Entry, Number]:
    """Anybody brings money. `late`: it was under way before the number was closed, so it arrives. Raises Refused."""
    number = bank.state.numbers.get(str(asked.get("number")))
    if number is None:
        raise Refused(404, "NOT_FOUND_NUMBER", "no such number")
    amount, now = whole(asked, "amount"), bank.now()
    if amount <= 0:
        raise Refused(400, "INVALID_REQUEST", "amount: more than 0, in minor units")
    if bank.closed_until() is not None:
        raise Refused(503, "CLOSED", "the bank is closed")
    refused = "" if asked.get("late") else number.takes(amount, now)
    if refused:
        raise Refused(409, refused, "the number does not take this deposit")
    remitter = asked.get("remitter", "")
    if not isinstance(remitter, str) or len(remitter) > 60:
        raise Refused(400, "INVALID_REQUEST", "remitter: a text of at most 60")
    n = len(bank.state.entries) + 1
    current = number.order_id if number.open and (number.until is None or number.until > now) else ""
    return Entry(n, f"D{n:09}", "DEPOSIT", number.bank, number.number, amount, remitter, now, current), number


def moved(bank: "Deposits", entry: Entry, kind: str, amount: int) -> Entry:
    """What follows upon a deposit."""
    n = len(bank.state.entries) + 1
    ident, of = f"{kind[0]}{n:09}", entry.ident
    return replace(entry, n=n, ident=ident, kind=kind, amount=amount, at=bank.now(), of=of, hidden_until=None)


def whole(asked: dict[str, Any], name: str) -> int:
    """A whole number in a document. Raises Refused (400)."""
    value = asked.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 10**15:
        raise Refused(400, "INVALID_REQUEST", f"{name}: a whole number")
    return value


def text(asked: dict[str, Any], name: str, least: int, most: int) -> str:
    """A text in a document. Raises Refused (400)."""
    value = asked.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise Refused(400, "INVALID_REQUEST", f"{name}: {least} to {most} characters")
    return value


def instant(said: object) -> float:
    """An instant in ISO 8601 with its offset, in seconds. Raises Refused (400)."""
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        raise Refused(400, "INVALID_REQUEST", "until: an instant in ISO 8601") from None
    if found.tzinfo is None:
        raise Refused(400, "INVALID_REQUEST", "until: with its offset")
    return found.timestamp()
