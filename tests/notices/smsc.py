"""An SMS centre on loopback whose engine is by others (PyPI smpp34), and a line to it that can be cut or spoken on.

Of the centre only the policy is ours: what it answers to which segment, and when its delivery receipts go out. The line
passes octets on; what is said on it (`say`) was encoded by that same engine, or is no PDU at all.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import smpp34

NEVER = 10.0


def until[T](look: Callable[[], T], seconds: float = NEVER) -> T:
    """What `look` finds, as soon as it is true. Fails when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return found


@dataclass
class Centre:
    """`took` are the segments that it was asked to take. `statuses`: its next answers other than "taken"."""

    port: int = 0
    took: list[Any] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    receipts: str = "after"
    state: str = "DELIVRD"
    times: int = 1
    ids: Callable[[int], tuple[str, str]] = lambda number: (f"{number:08x}", f"{number:08x}")
    sessions: dict[str, Any] = field(default_factory=dict)
    binds: int = 0

    async def _serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        server = smpp34.Server(host="127.0.0.1", port=self.port, system_id="SMSC")
        await server.start()
        started.set()
        ending = asyncio.ensure_future(stop.wait())
        coming = asyncio.ensure_future(server.next())
        while not ending.done():
            await asyncio.wait({ending, coming}, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                await self._take(coming.result())
                coming = asyncio.ensure_future(server.next())
        coming.cancel()
        await server.stop()

    async def _take(self, event: Any) -> None:
        if isinstance(event, smpp34.Esme):
            self.sessions[event.session_id] = event
            self.binds += 1
        elif isinstance(event, smpp34.SubmitSmEvent):
            self.took.append(event)
            if self.statuses and (status := self.statuses.pop(0)):
                event.reject(status)
                return
            answered, told = self.ids(len(self.took))
            if self.receipts == "before":
                await self._tell(event, told)
                await asyncio.sleep(0.1)
            event.accept(answered)
            if self.receipts == "after":
                await self._tell(event, told)

    async def _tell(self, event: Any, told: str) -> None:
        for _ in range(self.times):
            with contextlib.suppress(smpp34.SmppError):  # the line was cut, or a test spoke on it in between
                await self.sessions[event.session_id].deliver_sm(
                    source_addr=event.destination_addr,
                    destination_addr=event.source_addr,
                    esm_class=4,
                    short_message=words(told, self.state),
                )


def words(message_id: str, state: str = "DELIVRD") -> bytes:
    """A delivery receipt's text as centres write it."""
    dates = "submit date:1410221200 done date:1410221200"
    return f"id:{message_id} sub:001 dlvrd:001 {dates} stat:{state} err:000 text:".encode()


def receipt(
    message_id: str, to: str, state: str = "DELIVRD", *, tlvs: list[Any] | None = None, text: bytes = b""
) -> bytes:
    """A whole deliver_sm, encoded."""
    made = smpp34.DeliverSm(
        source_addr=to, destination_addr="0220141023", short_message=text or words(message_id, state), esm_class=4,
        tlvs=tlvs or [], sequence_number=900_001,
    )  # fmt: skip
    return bytes(made.encode())


def pdus_in(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The PDUs in there, each with its command."""
    while octets:
        length = int.from_bytes(octets[:4])
        yield int.from_bytes(octets[4:8]), octets[:length]
        octets = octets[length:]


class Line:
    """Passes octets between the house and the centre. `mute`: what the centre says is kept back."""

    def __init__(self, behind: int | str) -> None:
        """`behind`: the centre's port on loopback, or the path of a Unix socket that leads to it."""
        self.behind, self.mute, self.open = behind, False, True
        self.receipts_first = False
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.door.getsockname()[1])
        self.heard, self.said, self.held = bytearray(), bytearray(), b""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                house, _ = self.door.accept()
                if not self.open:
                    house.close()
                    continue
                try:
                    centre = self._reach()
                except OSError:
                    house.close()
                    continue
                self.pairs.append((house, centre))
                threading.Thread(target=self._pass, args=(house, centre, False), daemon=True).start()
                threading.Thread(target=self._pass, args=(centre, house, True), daemon=True).start()

    def _reach(self) -> socket.socket:
        if isinstance(self.behind, int):
            return socket.create_connection(("127.0.0.1", self.behind))
        made = socket.socket(socket.AF_UNIX)
        made.connect(self.behind)
        return made

    def _pass(self, source: socket.socket, sink: socket.socket, from_centre: bool) -> None:
        with contextlib.suppress(OSError):
            while octets := source.recv(65_536):
                (self.said if from_centre else self.heard).extend(octets)
                if from_centre:
                    octets = b"" if self.mute else self._in_order(octets)
                sink.sendall(octets)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def say(self, octets: bytes) -> None:
        """Speak to the house as the centre would."""
        self.pairs[-1][0].sendall(octets)

    def _in_order(self, octets: bytes) -> bytes:
        """What to pass on of them; with `receipts_first` the answers to texts wait for the next delivery receipt."""
        if not self.receipts_first:
            return octets
        passed = b""
        for command, pdu in pdus_in(octets):
            if command == 0x8000_0004:
                self.held += pdu
            elif command == 0x05:
                passed, self.held = passed + pdu + self.held, b""
            else:
                passed += pdu
        return passed

    def requests(self, command: int) -> list[bytes]:
        """Whole PDUs of one command that the centre said so far."""
        return [pdu for found, pdu in pdus_in(bytes(self.said)) if found == command]

    def cut(self) -> None:
        for pair in self.pairs:
            for each in pair:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self.door.shutdown(socket.SHUT_RDWR)
        self.door.close()


@contextmanager
def centre(**how: Any) -> Iterator[Centre]:
    """A centre that listens until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    made, started = Centre(port, **how), threading.Event()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(made._serve(started, stop)), daemon=True)
    thread.start()
    assert started.wait(5)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(5)
        loop.close()
