"""PortOne over HTTP: one request, and what came of it in a form that money can be decided by."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from doenda.kernel import net
from doenda.payments.providers.contract import Outcome

DEP = "portone"
NOT_REACHED, NO_ANSWER = "NOT_REACHED", "NO_ANSWER"


@dataclass(frozen=True, slots=True)
class Said:
    """`status` 0: no answer. `code`: "" when it was 200 and could be read, else PortOne's word or ours for what broke.
    `pg_code`: the gateway's own, of a PG_PROVIDER."""

    status: int
    code: str = ""
    pg_code: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Was it answered with success, and readably?"""
        return not self.code

    @property
    def words(self) -> str:
        """The code as rows, logs and staff see it."""
        return f"{self.code}:{self.pg_code}" if self.pg_code else self.code

    def outcome(self, codes: Mapping[str, Outcome], *, certain: bool) -> Outcome:
        """What an answer that is not `done` means. `certain`: nothing that was sent before can have arrived, so what
        is refused now did not happen."""
        if self.code == NOT_REACHED:
            found = Outcome.OUR_FAULT
        elif self.status >= 500:
            found = Outcome.UNKNOWN
        else:
            found = codes.get(self.code, Outcome.UNKNOWN)
        return Outcome.UNKNOWN if not certain and found in (Outcome.OUR_FAULT, Outcome.EXPIRED) else found


class Wire:
    """A store's connection. Of several live secrets the newest is used; an older one only where that is not accepted
    (then nothing was done), so that a secret can be changed while we run."""

    def __init__(self, url: str, store: str, secrets: Sequence[str]) -> None:
        if not secrets:
            raise ValueError("portone: no API secret")
        self._url, self._store, self._secrets = url.rstrip("/"), store, list(secrets)

    def get(self, path: str, *, timeout: float, asked: Mapping[str, Any] | None = None) -> Said:
        """Ask. A GET with a body goes URL-encoded into the address."""
        query = {"storeId": self._store}
        if asked is not None:
            query = {"requestBody": json.dumps({"storeId": self._store, **asked})}
        return self._call("GET", f"{path}?{urlencode(query)}", None, {}, timeout)

    def post(self, path: str, body: Mapping[str, Any], *, timeout: float, key: str = "") -> Said:
        """Do, under an idempotency key: PortOne keeps it for three hours."""
        headers = {"Idempotency-Key": quoted(key)} if key else {}
        return self._call("POST", path, {"storeId": self._store, **body}, headers, timeout)

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], timeout: float
    ) -> Said:
        said = Said(0, NOT_REACHED)
        for secret in self._secrets:
            signed = {**headers, "Authorization": f"PortOne {secret}"}
            try:
                reply = net.call(DEP, method, self._url + path, json=body, headers=signed, timeout=timeout)
            except net.NotSent:
                return Said(0, NOT_REACHED)
            except net.NoAnswer:
                return Said(0, NO_ANSWER)
            said = _read(reply)
            if said.status != 401:
                break
        return said


def payment_path(order_id: str, act: str = "") -> str:
    """The address of a payment: its id is our order id."""
    return f"/payments/{quote(order_id, safe='')}{act}"


def quoted(key: str) -> str:
    """A key as PortOne wants it, whatever ours looks like: 16 to 256 ASCII in quotes. The same for the same."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    name = "".join(letter for letter in key if letter.isascii() and (letter.isalnum() or letter in "-_"))[:100]
    return f'"doenda-{name}-{digest}"'


def code_of(said: object, limit: int = 60) -> str:
    """A code as our rows can keep it, whatever was sent: a word, and never a number that could be somebody's."""
    text = said if isinstance(said, str) else ""
    kept = "".join(letter for letter in text if letter.isascii() and (letter.isalnum() or letter in "_.-"))[:limit]
    return "" if sum(letter.isdigit() for letter in kept) > 6 else kept


def _read(reply: net.Reply) -> Said:
    try:
        document = reply.json()
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return Said(reply.status, f"HTTP_{reply.status}")
    if reply.status == 200:
        return Said(200, document=document)
    code = code_of(document.get("type")) or f"HTTP_{reply.status}"
    return Said(reply.status, code, code_of(document.get("pgCode"), 30), document)
