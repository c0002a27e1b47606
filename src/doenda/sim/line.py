"""The line between the house and a provider's peer: it carries requests, and can break in every way that lines do.

A fault strikes only the requests that move money (the driver says which), so that the peer can still be asked. Where a
peer has the same fault of its own the driver uses that one instead.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from doenda.kernel import net

FAULTS = frozenset(
    {"unreached", "timeout_before", "timeout_after", "error_before", "error_after", "garbage", "hidden", "busy"}
)


class Peer(Protocol):
    """A peer that runs, in this process or in one of its own."""

    url: str

    def ask(self, request: net.Request) -> net.Reply:
        """Carry a request to it. Raises NotSent, NoAnswer."""

    def bells(self) -> "list[Bell]":
        """The webhooks that it has sent since the last question."""

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Its control door."""


class Bell:
    """One webhook as it came; header names in small letters."""

    def __init__(self, headers: Mapping[str, str], body: bytes) -> None:
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body


class Line:
    """A transport of the network seam (`net.using`)."""

    def __init__(self) -> None:
        self._peers: dict[str, Peer] = {}
        self._fault = ""
        self._strikes: Callable[[net.Request], bool] = lambda request: False
        self._held: list[net.Request] = []
        self._rewrites: list[tuple[bytes, bytes]] = []

    def connect(self, peer: Peer) -> None:
        self._peers[peer.url] = peer

    def breaks(self, fault: str, strikes: Callable[[net.Request], bool]) -> None:
        """From now on this fault strikes these requests. Raises ValueError for one that is unknown."""
        if fault not in FAULTS:
            raise ValueError(f"the line has no fault {fault!r}")
        self._fault, self._strikes = fault, strikes

    def rewrites(self, old: str, new: str) -> None:
        """From now on every reply says `new` where it said `old`: a provider that answers for something else."""
        self._rewrites.append((old.encode(), new.encode()))

    def heal(self) -> None:
        self._fault, self._rewrites = "", []

    def release(self) -> int:
        """Let through what was held back: it takes effect now, and nobody hears of it. Returns how many."""
        held, self._held = self._held, []
        for request in held:
            self._carry(request)
        return len(held)

    def __call__(self, request: net.Request) -> net.Reply:
        if not self._fault or not self._strikes(request):
            return self._carry(request)
        match self._fault:
            case "unreached":
                raise net.NotSent("the line is down")
            case "timeout_before":
                raise net.NoAnswer("lost on the way there")
            case "hidden":
                self._held.append(request)
                raise net.NoAnswer("held back")
            case "error_before":
                return net.Reply(500, {}, b'{"code": "INTERNAL", "message": "nothing was done"}')
            case "busy":
                return net.Reply(429, {}, b'{"code": "TOO_MANY", "message": "slower, please"}')
        reply = self._carry(request)
        match self._fault:
            case "timeout_after":
                raise net.NoAnswer("lost on the way back")
            case "error_after":
                return net.Reply(502, {}, b"<html>bad gateway</html>")
        return net.Reply(200, reply.headers, b"<!doctype html><title>maintenance</title>")

    def _carry(self, request: net.Request) -> net.Reply:
        parts = urlsplit(request.url)
        peer = self._peers.get(f"{parts.scheme}://{parts.netloc}")
        if peer is None:
            raise net.NotSent(f"nobody is at {parts.netloc}")
        reply = peer.ask(request)
        body = reply.body
        for old, new in self._rewrites:
            body = body.replace(old, new)
        return net.Reply(reply.status, reply.headers, body)
