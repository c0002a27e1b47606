"""What a peer sends by itself: webhooks and delivery receipts, and the thread that brings them out."""

import http.client
import logging
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

log = logging.getLogger("peers")

RETRY_AFTER = (1.0, 4.0, 16.0, 64.0)
TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try to POST `body` to `url`; whoever tries it calls the peer's `sent` with the status, or with None."""

    ref: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    timeout: float = TIMEOUT


class Sends(Protocol):
    """What the pump asks of a peer."""

    wake: threading.Event

    def due(self) -> float | None:
        """When something is next to be done, in seconds of the peer's clock."""

    def now(self) -> float:
        """The peer's clock."""

    def tick(self, now: float | None = None) -> list[Delivery]:
        """Do what is due and give what is to be sent."""

    def sent(self, delivery: Delivery, status: int | None) -> None:
        """Take note of how a try ended."""


class Pump:
    """Calls `tick` when something is due and sends with a few threads, never under the peer's lock."""

    def __init__(self, peer: Sends, *, senders: int = 4) -> None:
        self._peer = peer
        self._tries: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._senders = [threading.Thread(target=self._send_all, daemon=True) for _ in range(senders)]
        self._clock = threading.Thread(target=self._turn, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in (*self._senders, self._clock):
            thread.start()

    def stop(self) -> None:
        """End; a try that is under way is finished first (at most its timeout)."""
        self._stopping.set()
        self._peer.wake.set()
        self._clock.join()
        for _ in self._senders:
            self._tries.put(None)
        for thread in self._senders:
            thread.join(TIMEOUT + 1)

    def _turn(self) -> None:
        while not self._stopping.is_set():
            self._peer.wake.clear()
            try:
                for delivery in self._peer.tick():
                    self._tries.put(delivery)
            except OSError:  # a full disk must not end the thread
                log.exception("what was due is not written down")
                self._stopping.wait(1.0)
            due = self._peer.due()
            wait = 1.0 if due is None else min(max(due - self._peer.now(), 0.0), 1.0)
            if wait:
                self._peer.wake.wait(wait)

    def _send_all(self) -> None:
        line = _Line()
        while (delivery := self._tries.get()) is not None:
            try:
                self._peer.sent(delivery, line.post(delivery))
            except OSError:
                log.exception("%s: its end is not written down; a restart sends it again", delivery.ref)
        line.close()


class _Line:
    """A kept-open connection to the last address."""

    def __init__(self) -> None:
        self._address = ""
        self._connection: http.client.HTTPConnection | None = None

    def post(self, delivery: Delivery) -> int | None:
        """The status that came back, or None."""
        parts = urlsplit(delivery.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            if self._connection is None or self._address != parts.netloc:
                self.close()
                self._address = parts.netloc
                self._connection = http.client.HTTPConnection(parts.netloc, timeout=delivery.timeout)
            self._connection.request("POST", path, delivery.body, dict(delivery.headers))
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException, ValueError) as fault:
            log.debug("%s: %s", delivery.ref, type(fault).__name__)
            self.close()
            return None
        return response.status

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
