"""The deposit bank over its HTTP interface: one call a method; what could not be had is a code, never an exception."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from doenda.kernel import net
from doenda.payments.deposits.movements import Movement, NotAMovement, read

DEP = "deposit"
MERCHANT = "doenda"
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Said:
    """`code` is "" where the bank did what it was asked; else its word, or ours for a silence."""

    code: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the bank's list; `last` is the place of its last entry (0: it is empty)."""

    movements: Sequence[Movement] = ()
    last: int = 0
    code: str = ""
    places: Sequence[int] = ()


class Client:
    """Calls with the newest key; the bank takes every live one."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    def open(self, number: str, order_id: str, until: datetime | None) -> Said:
        body = {"order_id": order_id, "until": until.isoformat() if until else None}
        said = self._call("POST", f"/v1/numbers/{number}/open", body, key=f"open-{order_id}")
        return _confirms(said, number, status="OPEN", order_id=order_id)

    def close(self, number: str, order_id: str) -> Said:
        # Without a key: closing is idempotent by itself, and a stored answer of then would not say how it is now.
        said = self._call("POST", f"/v1/numbers/{number}/close", {"order_id": order_id})
        return _confirms(said, number, status="CLOSED")

    def give_back(self, ident: str, amount: int, key: str, reason: str, to: Mapping[str, str] | None = None) -> Said:
        body: dict[str, Any] = {"amount": amount, "reason": reason} | ({"to": dict(to)} if to else {})
        said = self._call("POST", f"/v1/deposits/{ident}/return", body, key=key)
        return _confirms(said, id=ident)

    def deposit(self, ident: str) -> Said:
        return _confirms(self._call("GET", f"/v1/deposits/{ident}"), id=ident)

    def numbers(self, after: int) -> tuple[Sequence[tuple[str, str, str]], str]:
        """(bank, number, holder) of the pool after that many; and the code if it could not be read."""
        said = self._call("GET", f"/v1/numbers?after={after}&limit={PAGE}")
        try:
            rows = [] if said.code else said.document["numbers"]
            return [
                (str(one["bank"])[:10], str(one["number"])[:40], str(one["holder"])[:60]) for one in rows
            ], said.code
        except (KeyError, TypeError):
            return [], "GARBAGE"

    def movements(self, after: int, limit: int = PAGE, number: str = "") -> Page:
        """What happened after a place of the list, all of it readable or none."""
        only = f"&number={number}" if number else ""
        said = self._call("GET", f"/v1/deposits?after={after}&limit={min(limit, PAGE)}{only}", timeout=10.0)
        if said.code:
            return Page(code=said.code)
        try:
            entries = said.document["entries"]
            places = [int(each["n"]) for each in entries]
            found = [read(each, MERCHANT) for each in entries]
        except (KeyError, TypeError, ValueError, NotAMovement) as error:
            return Page(code=code_of(f"GARBAGE {error}") if isinstance(error, NotAMovement) else "GARBAGE")
        if any(place <= after for place in places):
            return Page(code="GARBAGE n")
        return Page(found, max(places, default=0), places=places)

    def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str = "", timeout: float = 6.0
    ) -> Said:
        headers = {"Authorization": f"Bearer {self._key}"} | ({"Idempotency-Key": key} if key else {})
        try:
            reply = net.call(DEP, method, self._url + path, json=body, headers=headers, timeout=timeout)
        except net.NotSent:
            return Said("NOT_REACHED")
        except net.NoAnswer:
            return Said("NO_ANSWER")
        return _read(reply)


def _read(reply: net.Reply) -> Said:
    try:
        document = reply.json()
        if reply.status == 200 and isinstance(document, dict):
            return Said("", document)
        return Said(code_of(document["code"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Said(f"HTTP_{reply.status}")


def _confirms(said: Said, number: str = "", **wanted: str) -> Said:
    """An answer counts only if it speaks of what was asked, and of us."""
    wanted |= {"merchant": MERCHANT} | ({"number": number} if number else {})
    if not said.code and any(said.document.get(name) != value for name, value in wanted.items()):
        return Said("MISMATCH")
    return said


def code_of(said: object) -> str:
    """A code as our rows can keep it, whatever was sent; digits are cut, for it may repeat an account number."""
    text = str(said).encode("ascii", "replace").decode().replace("\0", "?")[:60]
    return "".join("#" if letter.isdigit() else letter for letter in text)
