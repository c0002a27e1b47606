"""A telephone of our own: places a real SIP call, presses keys (RFC 4733), and keeps what it hears, as a caller would.

For synthetic callers and tests. SIP over UDP, G.711 µ-law, no registration: what a carrier's trunk gives. It waits for
silence before it presses, as people do, and hears whatever is said.
"""

import array
import asyncio
import re
import struct
import wave
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from doenda.kernel.randomness import below, token_bytes

RATE = 8000
FRAME = 160
"""Samples of 20 ms, the length of one packet."""
ANSWERED_WITHIN = 20.0
_MULAW, _EVENTS = 0, 101
_KEYS = "0123456789*#"
_SILENT = b"\xff" * FRAME
_QUIET_BELOW = 120
_SPEECH_FOR, _SILENCE_FOR = 0.3, 0.6
_HEADER = re.compile(r"^([\w-]+)\s*:\s*(.*)$")


class NotAnswered(RuntimeError):
    """The call did not come about; the message holds SIP's answer."""


class Ended(RuntimeError):
    """The other side hung up."""


def _linear(code: int) -> int:
    code = ~code & 0xFF
    value = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return 0x84 - value if code & 0x80 else value - 0x84


_LINEAR = [_linear(code) for code in range(256)]
_BY_VALUE = sorted((value, code) for code, value in enumerate(_LINEAR))


def _coded(sample: int) -> int:
    """The code of the value next above."""
    return _BY_VALUE[min(bisect_left(_BY_VALUE, (sample, 0)), 255)][1]


@dataclass
class Message:
    """A SIP message. `start`: its first line; headers in lower case, the first of each."""

    start: str
    headers: dict[str, str]
    body: str
    vias: list[str]

    @property
    def status(self) -> int:
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @classmethod
    def read(cls, data: bytes) -> "Message":
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        lines = head.split("\r\n")
        headers: dict[str, str] = {}
        vias = []
        for line in lines[1:]:
            if found := _HEADER.match(line):
                name = found.group(1).lower()
                headers.setdefault(name, found.group(2))
                if name in ("via", "v"):
                    vias.append(found.group(2))
        return cls(lines[0], headers, body, vias)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue()
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.came.put_nowait(data)

    @property
    def port(self) -> int:
        assert self.transport is not None
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        assert self.transport is not None
        self.transport.sendto(data, to)


@dataclass
class Dialog:
    """A call that stands. `heard`: 16-bit samples at 8 kHz since the answer; `ended`: either side hung up."""

    sip: _Socket
    rtp: _Socket
    server: tuple[str, int]
    caller: str
    dialled: str
    call_id: str
    from_tag: str
    host: str = "127.0.0.1"
    to: str = ""
    target: str = ""
    media: tuple[str, int] = ("127.0.0.1", 0)
    heard: "array.array[int]" = field(default_factory=lambda: array.array("h"))
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cseq: int = 1
    _seq: int = 0
    _stamp: int = 0
    _ssrc: int = 0
    _keying: list[bytes] = field(default_factory=list)
    _saying: list[bytes] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return len(self.heard) / RATE

    async def press(self, keys: str, *, apart: float = 0.25) -> None:
        """Press keys, each 100 ms long. Raises ValueError for what is none, Ended."""
        for key in keys:
            self._keying += [_event(key, at * FRAME, ended=False) for at in range(1, 6)]
            self._keying += [_event(key, 6 * FRAME, ended=True) for _ in range(3)]
            while self._keying:
                if self.ended.is_set():
                    raise Ended("the call ended while keys were pressed")
                await asyncio.sleep(0.02)
            await asyncio.sleep(apart)

    async def speak(self, path: Path) -> None:
        """Say what a wave file holds (8 kHz, 16 bits, one channel). Raises Ended."""
        with wave.open(str(path)) as found:
            samples = array.array("h", found.readframes(found.getnframes()))
        coded = bytes(_coded(sample) for sample in samples)
        self._saying += [coded[at : at + FRAME].ljust(FRAME, b"\xff") for at in range(0, len(coded), FRAME)]
        while self._saying:
            if self.ended.is_set():
                raise Ended("the call ended while something was said")
            await asyncio.sleep(0.02)

    async def listened(self, *, most: float = 60.0) -> float:
        """Wait until something was said and it is silent again; the seconds heard so far. Raises TimeoutError."""
        begun, deadline = len(self.heard), asyncio.get_running_loop().time() + most
        spoke = False
        while not self.ended.is_set():
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"nobody spoke and was silent within {most} s")
            await asyncio.sleep(0.05)
            recent = self.heard[max(begun, len(self.heard) - int(RATE * _SILENCE_FOR)) :]
            spoke = spoke or sum(abs(sample) > _QUIET_BELOW for sample in recent) > RATE * _SPEECH_FOR / 4
            if spoke and len(recent) >= RATE * _SILENCE_FOR * 0.95 and _quiet(recent):
                break
        return self.seconds

    async def hang_up(self) -> None:
        if not self.ended.is_set():
            self.cseq += 1
            self.sip.send(self._request("BYE", self.target or self._uri()), self.server)
            self.ended.set()
            await asyncio.sleep(0.05)

    def record(self, path: Path) -> None:
        """What was heard, as a wave file."""
        with wave.open(str(path), "wb") as made:
            made.setnchannels(1)
            made.setsampwidth(2)
            made.setframerate(RATE)
            made.writeframes(self.heard.tobytes())

    # --- the wire

    def _uri(self) -> str:
        return f"sip:{self.dialled}@{self.server[0]}:{self.server[1]}"

    def _request(self, method: str, uri: str, body: str = "", branch: str = "") -> bytes:
        here = f"{self.host}:{self.sip.port}"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch={branch or 'z9hG4bK' + token_bytes(8).hex()};rport",
            "Max-Forwards: 70",
            f'From: "{self.caller}" <sip:{self.caller}@{here}>;tag={self.from_tag}',
            f"To: {self.to or f'<{self._uri()}>'}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq if method != 'ACK' else 1} {method}",
            f"Contact: <sip:{self.caller}@{here}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()

    def _answer(self, asked: Message) -> bytes:
        kept = [f"{name.title()}: {asked.headers[name]}" for name in ("from", "to", "call-id", "cseq")]
        lines = ["SIP/2.0 200 OK", *(f"Via: {via}" for via in asked.vias), *kept, "Content-Length: 0"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _media(self) -> str:
        return (
            f"v=0\r\no=caller 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {self.rtp.port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
            "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        )

    async def _invite(self) -> None:
        branch = "z9hG4bK" + token_bytes(8).hex()
        asked = self._request("INVITE", self._uri(), self._media(), branch)
        self.sip.send(asked, self.server)
        deadline, heard_of = asyncio.get_running_loop().time() + ANSWERED_WITHIN, False
        while True:
            try:
                message = Message.read(await asyncio.wait_for(self.sip.came.get(), 0.5))
            except TimeoutError:
                if asyncio.get_running_loop().time() > deadline:
                    raise NotAnswered(f"no answer within {ANSWERED_WITHIN:.0f} s") from None
                if not heard_of:
                    self.sip.send(asked, self.server)
                continue
            heard_of = True
            if message.status >= 300:
                self.to = message.headers.get("to", self.to)
                self.sip.send(self._request("ACK", self._uri(), branch=branch), self.server)
                raise NotAnswered(message.start)
            if message.status == 200:
                self._stands(message)
                return

    def _stands(self, answer: Message) -> None:
        self.to = answer.headers["to"]
        contact = re.search(r"<([^>]+)>", answer.headers.get("contact", ""))
        self.target = contact.group(1) if contact else self._uri()
        port = re.search(r"^m=audio (\d+)", answer.body, re.MULTILINE)
        host = re.search(r"^c=IN IP4 (\S+)", answer.body, re.MULTILINE)
        if port is None:
            raise NotAnswered("the answer holds no audio")
        self.media = (host.group(1) if host else self.server[0], int(port.group(1)))
        self.sip.send(self._request("ACK", self.target), self.server)

    async def _signals(self) -> None:
        """The other side's hanging up, and its repeats of what we have answered."""
        while True:
            message = Message.read(await self.sip.came.get())
            if message.start.startswith("BYE "):
                self.sip.send(self._answer(message), self.server)
                self.ended.set()
            elif message.status == 200 and "INVITE" in message.headers.get("cseq", ""):
                self.sip.send(self._request("ACK", self.target), self.server)
            elif message.start.split(" ")[0] in ("OPTIONS", "INFO", "UPDATE", "NOTIFY"):
                self.sip.send(self._answer(message), self.server)

    async def _speak(self) -> None:
        """A packet each 20 ms: silence, what is said, or the key that is pressed."""
        loop = asyncio.get_running_loop()
        due, event_stamp = loop.time(), 0
        while not self.ended.is_set():
            if self._keying:
                payload = self._keying.pop(0)
                first = payload[2:4] == struct.pack("!H", FRAME)
                event_stamp = self._stamp if first else event_stamp
                self._packet(_EVENTS, payload, event_stamp, marker=first)
            else:
                self._packet(_MULAW, self._saying.pop(0) if self._saying else _SILENT, self._stamp)
            self._stamp = (self._stamp + FRAME) & 0xFFFFFFFF
            due += FRAME / RATE
            await asyncio.sleep(max(0, due - loop.time()))

    def _packet(self, kind: int, payload: bytes, stamp: int, *, marker: bool = False) -> None:
        self._seq = (self._seq + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), self._seq, stamp, self._ssrc)
        self.rtp.send(head + payload, self.media)

    async def _hear(self) -> None:
        """Packets in the order in which they come; a pause in them is silence of its length."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while True:
            try:
                data = await asyncio.wait_for(self.rtp.came.get(), 0.1)
            except TimeoutError:
                data = b""
            missed = int((loop.time() - begun) * RATE) - len(self.heard) - FRAME
            if missed > RATE // 10:
                self.heard.extend([0] * missed)
            if len(data) > 12 and data[1] & 0x7F == _MULAW:
                self.heard.extend(_LINEAR[code] for code in data[12:])


def _quiet(samples: "array.array[int]") -> bool:
    return sum(abs(sample) > _QUIET_BELOW for sample in samples) < len(samples) / 100


def _event(key: str, duration: int, *, ended: bool) -> bytes:
    if key not in _KEYS:
        raise ValueError(f"no such key: {key!r}")
    return struct.pack("!BBH", _KEYS.index(key), 10 | (0x80 if ended else 0), duration)


@asynccontextmanager
async def call(dialled: str, *, server: tuple[str, int], caller: str = "01012345678") -> AsyncIterator[Dialog]:
    """A call that was answered; hung up at the end. Raises NotAnswered."""
    loop = asyncio.get_running_loop()
    (_, sip), (_, rtp) = [await loop.create_datagram_endpoint(_Socket, ("127.0.0.1", 0)) for _ in range(2)]
    dialog = Dialog(sip, rtp, server, caller, dialled, f"{token_bytes(8).hex()}@127.0.0.1", token_bytes(6).hex())
    dialog._ssrc, dialog._stamp = below(1 << 32), below(1 << 31)
    tasks: list[asyncio.Task[None]] = []
    try:
        await dialog._invite()
        tasks = [loop.create_task(work()) for work in (dialog._signals, dialog._speak, dialog._hear)]
        yield dialog
        await dialog.hang_up()
    finally:
        dialog.ended.set()
        for task in tasks:
            task.cancel()
        for socket in (sip, rtp):
            if socket.transport is not None:
                socket.transport.close()
