"""The clearing house over HTTP: bring a file, list and fetch its answers. Every call is safe to repeat.

Configured as the provider `debit`: url, key, proofs (newest first), institution, branch, deposit, and `sepa` with the
creditor's name, IBAN, BIC and creditor_id.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from doenda.kernel import net

DEP = "clearing"
SEND_SECONDS = 40.0
READ_SECONDS = 10.0
LARGEST = 64 * 1024 * 1024


class NotNow(Exception):
    """The house could not be asked, or gave no answer that can be understood; the same call may be made again."""


class Differs(Exception):
    """The house has other bytes under this name: nothing can be repeated, a person has to look."""


@dataclass(frozen=True, slots=True)
class Ack:
    """What the house says of a file: taken or refused whole."""

    accepted: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """An answer that can be fetched."""

    number: int
    name: str
    size: int
    sha256: str


def config() -> Mapping[str, Any] | None:
    """The house's settings; None where this installation has none."""
    found: dict[str, dict[str, Any]] = settings.DOENDA_PROVIDERS
    return found.get("debit")


def serves(scheme: str) -> bool:
    """Can files of this form be written and sent here?"""
    found = config()
    return found is not None and (scheme != "sepa" or "sepa" in found)


def _needed() -> Mapping[str, Any]:
    found = config()
    if found is None:
        raise NotNow("this installation has no clearing house")
    return found


def _call(method: str, path: str, *, content: bytes = b"", timeout: float = READ_SECONDS) -> net.Reply:
    terms = _needed()
    headers = {"Authorization": f"Bearer {terms['key']}", "Content-Type": "application/octet-stream"}
    try:
        return net.call(DEP, method, terms["url"] + path, content=content, headers=headers, timeout=timeout)
    except net.NotSent as error:
        raise NotNow("NOT_REACHED") from error
    except net.NoAnswer as error:
        raise NotNow("NO_ANSWER") from error


def send(name: str, content: bytes) -> Ack:
    """Bring a file. The same name and bytes again have the same effect once. Raises NotNow, Differs."""
    reply = _call("PUT", f"/v1/files/{name}", content=content, timeout=SEND_SECONDS)
    if reply.status == 409:
        raise Differs("FILE_DIFFERS")
    said = _object(reply)
    if said.get("file") != name or said.get("sha256") != hashlib.sha256(content).hexdigest():
        raise NotNow("OTHER_FILE")
    if said.get("state") == "accepted":
        return Ack(accepted=True)
    if said.get("state") == "refused":
        where = f"line {said.get('line')}, {said.get('column')}: {said.get('reason')}"
        return Ack(accepted=False, reason=where.encode("ascii", "replace").decode()[:200])
    raise NotNow("NO_STATE")


def answers(after: int) -> list[Listed]:
    """What has been answered since that number, oldest first. Raises NotNow."""
    said = _object(_call("GET", f"/v1/answers?after={after}"))
    try:
        listed = [
            Listed(int(each["number"]), str(each["name"])[:40], int(each["bytes"]), str(each["sha256"]))
            for each in said["answers"]
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise NotNow("NO_LIST") from error
    return sorted(listed, key=lambda each: each.number)


def fetch(listed: Listed) -> bytes:
    """The bytes of an answer, whole and as announced. Raises NotNow."""
    if not 0 < listed.size <= LARGEST:
        raise NotNow("SIZE")
    content = b""
    while len(content) < listed.size:
        reply = _call("GET", f"/v1/answers/{listed.number}?offset={len(content)}")
        if reply.status != 200 or not reply.body:
            raise NotNow(f"HTTP_{reply.status}")
        content += reply.body
    if hashlib.sha256(content).hexdigest() != listed.sha256:
        raise NotNow("OTHER_BYTES")
    return content


def _object(reply: net.Reply) -> dict[str, Any]:
    if reply.status != 200:
        raise NotNow(f"HTTP_{reply.status}")
    try:
        said = reply.json()
    except (ValueError, RecursionError) as error:
        raise NotNow("GARBAGE") from error
    if not isinstance(said, dict):
        raise NotNow("GARBAGE")
    return said
