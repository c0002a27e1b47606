"""One bind over one connection: bound, used by several threads at once, and at some time at its end.

Requests are answered in any order; each waits for its own answer. What was sent and not answered when the link ends, or
within the time for an answer, is in doubt: nobody here can know. An answer that comes later still is passed on.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from doenda.kernel import clock, net
from doenda.notices.gateways.smpp import pdus
from doenda.notices.gateways.smpp.configured import Config

CONNECT = 5.0
_TICK = 0.5
_LAST_NUMBER = 0x7FFF_FFFF


class BindRefused(Exception):
    """The centre does not let us in; `status` is its command_status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the SMS centre refuses our bind: {pdus.named(status)}")
        self.status = status


class Ended(Exception):
    """The link is at its end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """To a submit_sm. `message_id` as the centre wrote it."""

    status: int
    message_id: bytes = b""


type Late = Callable[[Any, Answer], None]
type Deliver = Callable[[pdus.Delivered], int]


@dataclass(eq=False)
class _Waiting:
    key: Any
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    given_up: bool = False


class Link:
    """`deliver` stores what the centre tells us and returns the status of our answer; `late` takes an answer to which
    nobody waits any more, with the key of its request. Both are called from the reading thread."""

    def __init__(self, config: Config, deliver: Deliver, late: Late) -> None:
        self.config, self._deliver, self._late = config, deliver, late
        self._socket: socket.socket | None = None
        self._sending, self._lock = threading.Lock(), threading.Lock()
        self._window = threading.BoundedSemaphore(config.window)
        self._waiting: dict[int, _Waiting] = {}
        self._number = 0
        self._ended = threading.Event()
        self._heard = clock.monotonic()
        self._asked_at: float | None = None

    @property
    def alive(self) -> bool:
        return self._socket is not None and not self._ended.is_set()

    def bind(self) -> None:
        """Connect and bind as a transceiver. Raises BindRefused, net.NotSent or Ended."""
        made = net.dial("smpp", self.config.host, self.config.port, tls=self.config.tls, timeout=CONNECT)
        self._socket = made
        try:
            config = self.config
            named: dict[str, Any] = {
                "system_id": config.system_id,
                "password": config.password,
                "system_type": config.system_type,
            }
            made.sendall(pdus.made("bind_transceiver", self._next(), **named))
            made.settimeout(config.answer)
            octets = self._read()
            found = pdus.head(octets)
        except (OSError, Ended, pdus.BadPdu) as error:
            self.close()
            raise Ended(f"no answer to our bind: {error}") from None  # its cause would hold the octets of the bind
        if found.command not in ("bind_transceiver_resp", "generic_nack"):
            self.close()
            raise Ended("something else than an answer to our bind")
        if found.status:
            self.close()
            raise BindRefused(found.status)
        made.settimeout(_TICK)
        self._heard = clock.monotonic()

    def run(self) -> str:
        """Read until the link ends; returns why. The thread that calls it is the link's only reader."""
        try:
            while not self._ended.is_set():
                octets = self._read_or_tick()
                if octets:
                    self._take(octets)
            return "closed by us"
        except (OSError, Ended, pdus.BadPdu) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self.close()

    def submit(
        self, requests: Sequence[tuple[Any, dict[str, Any]]], *, turn: Callable[[], float]
    ) -> dict[Any, Answer | None]:
        """Send submit_sm for each (key, fields) within the window; the answers by key, None where one is in doubt.

        A key that is missing was certainly not sent. `turn` gives the seconds to wait before each.
        """
        sent: list[tuple[int, _Waiting]] = []
        full = clock.monotonic() + self.config.answer
        for key, fields in requests:
            clock.sleep(turn())
            if not self._window.acquire(timeout=max(0.0, full - clock.monotonic())):
                break
            number, waiting = self._next(), _Waiting(key)
            with self._lock:
                if not self.alive:
                    self._window.release()
                    break
                self._waiting[number] = waiting
            sent.append((number, waiting))
            with contextlib.suppress(OSError, Ended):
                self._send(pdus.made("submit_sm", number, **fields))
        deadline = clock.monotonic() + self.config.answer
        for _, waiting in sent:
            waiting.done.wait(max(0.0, deadline - clock.monotonic()))
        with self._lock:
            for _, waiting in sent:
                waiting.given_up = waiting.answer is None
        return {waiting.key: waiting.answer for _, waiting in sent}

    def close(self, *, politely: bool = False) -> None:
        """End the link; with an unbind where that is meant well. Again: nothing more."""
        if politely and self.alive:
            with contextlib.suppress(OSError, Ended):
                self._send(pdus.made("unbind", self._next()))
        self._ended.set()
        made = self._socket
        if made is not None:
            with contextlib.suppress(OSError):
                made.shutdown(socket.SHUT_RDWR)
            made.close()
        with self._lock:
            left, self._waiting = list(self._waiting.values()), {}
        for waiting in left:
            self._window.release()
            waiting.done.set()

    def _next(self) -> int:
        with self._lock:
            self._number = self._number % _LAST_NUMBER + 1
            return self._number

    def _send(self, octets: bytes) -> None:
        if self._socket is None or self._ended.is_set():
            raise Ended("the link has ended")
        with self._sending:
            try:
                self._socket.sendall(octets)
            except OSError:
                self._ended.set()  # half a PDU is on the line: nothing that followed could be read
                raise

    def _read_or_tick(self) -> bytes:
        assert self._socket is not None
        try:
            first = self._socket.recv(1)
        except TimeoutError:
            self._enquire()
            return b""
        if not first:
            raise Ended("the SMS centre closed the connection")
        self._socket.settimeout(self.config.answer)
        try:
            return self._read(first)
        finally:
            with contextlib.suppress(OSError):
                self._socket.settimeout(_TICK)

    def _read(self, begun: bytes = b"") -> bytes:
        octets = self._exactly(pdus.HEADER, begun)
        return self._exactly(pdus.head(octets).length, octets)

    def _exactly(self, size: int, begun: bytes) -> bytes:
        assert self._socket is not None
        octets = bytearray(begun)
        while len(octets) < size:
            more = self._socket.recv(size - len(octets))
            if not more:
                raise Ended("the SMS centre closed the connection")
            octets += more
        return bytes(octets)

    def _enquire(self) -> None:
        """Ask for a sign of life when the line was silent for long; without one the link is dead."""
        now = clock.monotonic()
        if self._asked_at is not None and now - self._asked_at > self.config.answer:
            raise Ended("no answer to enquire_link")
        if self._asked_at is None and now - self._heard > self.config.enquire:
            self._asked_at = now
            self._send(pdus.made("enquire_link", self._next()))

    def _take(self, octets: bytes) -> None:
        self._heard, self._asked_at = clock.monotonic(), None
        found = pdus.head(octets)
        if found.response:
            self._answered(found, octets)
        elif found.command == "deliver_sm":
            self._send(pdus.answer("deliver_sm", found.sequence, self._delivered(octets)))
        elif found.command in ("enquire_link", "unbind"):
            self._send(pdus.answer(found.command, found.sequence))
            if found.command == "unbind":
                raise Ended("the SMS centre unbound us")
        else:
            self._send(pdus.nack(found.sequence))

    def _delivered(self, octets: bytes) -> int:
        try:
            return self._deliver(pdus.delivered(octets))
        except pdus.BadPdu:
            return pdus.PERMANENT

    def _answered(self, found: pdus.Head, octets: bytes) -> None:
        with self._lock:
            waiting = self._waiting.pop(found.sequence, None)
            if waiting is None:
                return
            waiting.answer = answer = Answer(found.status, pdus.message_id(octets))
            late = waiting.given_up
        self._window.release()
        waiting.done.set()
        if late:
            self._late(waiting.key, answer)
