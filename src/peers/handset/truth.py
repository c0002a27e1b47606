"""The handset network: messages from acceptance to the handset, and their delivery receipts."""

import os
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from peers.faults import Faults
from peers.http import NoAnswer, Refused, Request, Response, answer, to_json
from peers.journal import Journal
from peers.truth import Clock, Hook, Truth, iso

FAULTS = ("down", "reject", "never_delivered", "undeliverable", "timeout_after", "slow")
LIMITS = {"SMS": 90, "LMS": 2000}  # bytes of CP949, as Korean carriers count
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Message:
    """One message; `n` counts acceptances. `due` is when it reaches the handset, None if it never will."""

    ident: str
    to: str
    sender: str
    text: str
    kind: str
    receipt_url: str
    n: int = 0
    accepted: float = 0.0
    due: float | None = None
    fails: bool = False
    state: str = "accepted"
    delivered: float | None = None
    error: str | None = None

    def asked(self) -> tuple[str, ...]:
        """What the sender asked for: the same id must come with the same."""
        return (self.to, self.sender, self.text, self.kind, self.receipt_url)

    def status(self) -> dict[str, Any]:
        """What the sender may know."""
        at = None if self.delivered is None else iso(self.delivered)
        return {"id": self.ident, "state": self.state, "delivered_at": at, "error": self.error}

    def public(self) -> dict[str, Any]:
        """What the handset shows."""
        return {
            "n": self.n,
            "id": self.ident,
            "to": self.to,
            "from": self.sender,
            "text": self.text,
            "kind": self.kind,
            "accepted_at": iso(self.accepted),
            "delivered_at": None if self.delivered is None else iso(self.delivered),
            "state": self.state,
        }


class Handset(Truth):
    """The network. `delay` is how long a message is under way, in seconds; `journal` and `clock` as for the bank."""

    kinds: ClassVar[tuple[type, ...]] = (Message,)

    def __init__(
        self,
        journal: Journal | os.PathLike[str] | None = None,
        *,
        clock: Clock | None = None,
        base_url: str = "http://127.0.0.1",
        delay: float = 0.2,
    ) -> None:
        self.messages: dict[str, Message] = {}
        self.delay = delay
        self.faults = Faults(FAULTS)
        super().__init__(Journal.at(journal), clock, base_url)

    def _apply(self, change: object) -> None:
        if not isinstance(change, Message):
            raise TypeError(f"the handset network keeps no {type(change).__name__}")
        self.messages[change.ident] = change
        if change.state == "accepted" and change.due is not None:
            self.plan(change.due, change.ident)

    def _ring(self, key: str, now: float) -> None:
        message = self.messages[key]
        if message.state != "accepted":
            return
        if message.fails:
            over = replace(message, state="failed", error="ABSENT_SUBSCRIBER")
        else:
            over = replace(message, state="delivered", delivered=now)
        self.commit(over, *self._receipt(over, now))

    def _receipt(self, message: Message, now: float) -> list[Hook]:
        if not message.receipt_url:
            return []
        body = to_json(message.status()).decode()
        return [Hook(self.next_hook(), message.ident, message.receipt_url, body, now)]

    def _answer(self, request: Request) -> Response:
        words = request.route.strip("/").split("/")
        if words[0] == "_control":
            return self._control(request, words[1:])
        if self.faults.fires(("down",)):
            raise NoAnswer
        match (request.method, words):
            case ("POST", ["v1", "messages"]):
                return self._accept(request)
            case ("GET", ["v1", "messages", ident]) if ident in self.messages:
                return answer(200, self.messages[ident].status())
        raise Refused(404, "NOT_FOUND", request.route)

    def _accept(self, request: Request) -> Response:
        asked = _read(request.json())
        there = self.messages.get(asked.ident)
        if there is None:
            if self.faults.fires(("reject",)):
                raise Refused(422, "REJECTED", "the network does not take this message")
            there = self._new(asked)
            self.commit(there)
        elif there.asked() != asked.asked():
            raise Refused(409, "DUPLICATED_ID", "this id was used with another message")
        fault = self.faults.fires(("timeout_after", "slow"))
        if fault and fault.name == "timeout_after":
            raise NoAnswer(fault.hold())
        document = {"id": there.ident, "state": "accepted", "accepted_at": iso(there.accepted)}
        response = answer(202, document)
        return replace(response, delay_seconds=fault.hold(5.0)) if fault else response

    def _new(self, asked: Message) -> Message:
        now = self.now()
        fault = self.faults.fires(("never_delivered", "undeliverable"))
        due = None if fault and fault.name == "never_delivered" else now + self.delay
        fails = fault is not None and due is not None
        return replace(asked, n=len(self.messages) + 1, accepted=now, due=due, fails=fails)

    def _control(self, request: Request, words: list[str]) -> Response:
        match (request.method, words):
            case ("GET" | "PUT", ["faults"]):
                if request.method == "PUT":
                    self.faults.put_one(request.json())
                return answer(200, self.faults.one())
            case ("GET", ["inbox"]):
                return self._inbox(request)
            case ("GET", ["books"]):
                return answer(200, {"messages": [asdict(one) for one in self.messages.values()]})
            case ("GET", ["health"]):
                return answer(200, {"ok": True})
        raise Refused(404, "NOT_FOUND", request.route)

    def _inbox(self, request: Request) -> Response:
        """The messages of one number (`to`), or of all, after the n-th."""
        to, after = request.query.get("to", "").replace(" ", "+"), request.number("after", 0, most=10**15)
        found = (one for one in self.messages.values() if one.n > after and to in ("", one.to))
        return answer(200, [one.public() for one in found])


def _read(asked: dict[str, Any]) -> Message:
    """A message as asked for, not yet accepted. Raises Refused (400), naming the field."""
    said = {
        "ident": asked.get("id"),
        "to": asked.get("to"),
        "sender": asked.get("from"),
        "text": asked.get("text"),
        "kind": asked.get("kind"),
        "receipt_url": asked.get("receipt_url") or "",
    }
    for name, value in said.items():
        if not isinstance(value, str):
            raise Refused(400, "INVALID_REQUEST", f"{name.replace('ident', 'id').replace('sender', 'from')}: a text")
    texts = {name: str(value) for name, value in said.items()}
    if not 1 <= len(texts["ident"]) <= 100 or not _E164.fullmatch(texts["to"]) or not texts["sender"]:
        raise Refused(400, "INVALID_REQUEST", "id: 1 to 100 characters; to: E.164 with its +; from: not empty")
    if texts["receipt_url"] and urlsplit(texts["receipt_url"]).scheme != "http":
        raise Refused(400, "INVALID_REQUEST", "receipt_url: an http address")
    limit = LIMITS.get(texts["kind"])
    if limit is None:
        raise Refused(400, "INVALID_REQUEST", "kind: SMS or LMS")
    try:
        size = len(texts["text"].encode("cp949"))
    except UnicodeEncodeError as wrong:
        raise Refused(400, "UNENCODABLE", f"character {wrong.start + 1} is not in CP949") from None
    if not 0 < size <= limit:
        code = "TEXT_TOO_LONG" if size else "INVALID_REQUEST"
        raise Refused(400, code, f"{size} bytes; {texts['kind']} takes 1 to {limit}")
    return Message(
        ident=texts["ident"],
        to=texts["to"],
        sender=texts["sender"],
        text=texts["text"],
        kind=texts["kind"],
        receipt_url=texts["receipt_url"],
    )
