"""Toss over HTTP: JSON out and in, two live keys while one is replaced. Nothing here raises for what a network does."""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from doenda.kernel import net
from doenda.payments.providers.contract import Outcome

DEP = "toss"
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,59}")
_WRONG_KEY = frozenset({"UNAUTHORIZED_KEY", "INVALID_API_KEY"})


class Said(NamedTuple):
    """A reply: its document if it was a good one, else the code of the failure.

    Codes of our own: NOT_REACHED (nobody received it), NO_ANSWER (somebody may have), HTTP_n (not readable).
    """

    document: Any = None
    code: str = ""
    status: int = 0

    def outcome(self, table: Mapping[str, Outcome], *, certain: bool = False) -> Outcome:
        """What a failure means. `certain`: no earlier request of the same may have arrived."""
        if self.code == "NOT_REACHED":
            return Outcome.OUR_FAULT if certain else Outcome.UNKNOWN
        if self.status >= 500 or self.status in (409, 429):
            return Outcome.UNKNOWN
        return table.get(self.code, Outcome.UNKNOWN)


class Wire:
    """Where Toss is, and as whom we come: with the newest key, or with an older one while the newest is not valid yet.

    Toss compares idempotency keys per API key. So a refused API key (certainly nothing was done) is followed by the
    next one at once, and what moves money must be safe without the idempotency key too.
    """

    def __init__(self, url: str, keys: Sequence[str]) -> None:
        self._url = url.rstrip("/")
        self._keys = ["Basic " + base64.b64encode(f"{key}:".encode()).decode() for key in keys if key]

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        lang: str = "ko",
        timeout: float = 6.0,
    ) -> Said:
        """One request, as it ended; `timeout` in seconds."""
        said = Said(code="NO_KEY")
        for one in self._keys:
            headers = {"Authorization": one, "Accept-Language": "en-US" if lang == "en" else "ko-KR"}
            said = self._once(method, path, body, headers | ({"Idempotency-Key": key} if key else {}), timeout)
            if said.code not in _WRONG_KEY:
                break
        return said

    def _once(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], timeout: float
    ) -> Said:
        try:
            reply = net.call(DEP, method, self._url + path, json=body, headers=headers, timeout=timeout)
        except net.NotSent:
            return Said(code="NOT_REACHED")
        except net.NoAnswer:
            return Said(code="NO_ANSWER")
        try:
            document = reply.json()
            if reply.status == 200 and isinstance(document, dict | list):
                return Said(document)
            return Said(code=readable(document["code"], f"HTTP_{reply.status}"), status=reply.status)
        except (ValueError, KeyError, TypeError, RecursionError):
            return Said(code=f"HTTP_{reply.status}", status=reply.status)


def readable(said: object, otherwise: str) -> str:
    """A code as our rows and logs may keep it: nothing that does not look like one."""
    return said if isinstance(said, str) and _CODE.fullmatch(said) else otherwise
