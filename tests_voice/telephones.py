"""Telephones that are rung: an agent's, a customer's. Real SIP, on loopback addresses of their own."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from doenda.channels.voice.phone import Dialog, Message, _Socket
from doenda.kernel.randomness import below, token_bytes


class Telephone:
    """Rings at `host:port`. `answers`: after so many seconds; None: never. `busy`: refuses every call."""

    def __init__(self, host: str, *, answers: float | None = 0.2, busy: bool = False) -> None:
        self.host, self.answers, self.busy = host, answers, busy
        self.calls: asyncio.Queue[Dialog] = asyncio.Queue()
        self.rung = 0
        self._sip: _Socket | None = None
        self._dialogs: dict[str, Dialog] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._sockets: list[_Socket] = []

    async def begin(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        _, self._sip = await loop.create_datagram_endpoint(_From, (self.host, port))
        self._sockets.append(self._sip)
        self._tasks.append(loop.create_task(self._signals()))

    async def end(self) -> None:
        for dialog in self._dialogs.values():
            if dialog.media[1]:
                await dialog.hang_up()
            dialog.ended.set()
        for task in self._tasks:
            task.cancel()
        for socket in self._sockets:
            if socket.transport is not None:
                socket.transport.close()

    async def _signals(self) -> None:
        assert self._sip is not None
        while True:
            message = Message.read(await self._sip.came.get())
            call_id = message.headers.get("call-id", "")
            dialog = self._dialogs.get(call_id)
            match message.start.split(" ")[0]:
                case "INVITE" if dialog is None:
                    self.rung += 1
                    self._tasks.append(asyncio.create_task(self._rung(message)))
                case "BYE" | "CANCEL" if dialog is not None:
                    self._reply(message, "200 OK", dialog)
                    dialog.ended.set()
                case "OPTIONS" | "BYE" | "CANCEL":
                    self._reply(message, "200 OK")
                case _:
                    pass

    async def _rung(self, invite: Message) -> None:
        assert self._sip is not None
        loop = asyncio.get_running_loop()
        if self.busy:
            self._reply(invite, "486 Busy Here")
            return
        _, rtp = await loop.create_datagram_endpoint(_Socket, (self.host, 0))
        self._sockets.append(rtp)
        source = self._came_from
        caller = re.search(r"sip:([^@>]+)@", invite.headers["from"])
        dialog = Dialog(
            self._sip, rtp, source, caller.group(1) if caller else "", "", invite.headers["call-id"],
            token_bytes(6).hex(), host=self.host,
        )  # fmt: skip
        dialog._ssrc, dialog._stamp = below(1 << 32), below(1 << 31)
        self._dialogs[dialog.call_id] = dialog
        dialog.to = invite.headers["from"]
        contact = re.search(r"<([^>]+)>", invite.headers.get("contact", ""))
        dialog.target = contact.group(1) if contact else ""
        port = re.search(r"^m=audio (\d+)", invite.body, re.MULTILINE)
        host = re.search(r"^c=IN IP4 (\S+)", invite.body, re.MULTILINE)
        assert port is not None
        assert host is not None
        self._reply(invite, "180 Ringing", dialog)
        if self.answers is None:
            return
        await asyncio.sleep(self.answers)
        if dialog.ended.is_set():
            return
        dialog.media = (host.group(1), int(port.group(1)))
        self._reply(invite, "200 OK", dialog, dialog._media())
        self._tasks += [loop.create_task(work()) for work in (dialog._speak, dialog._hear)]
        self.calls.put_nowait(dialog)

    @property
    def _came_from(self) -> tuple[str, int]:
        assert isinstance(self._sip, _From)
        return self._sip.source

    def _reply(self, asked: Message, status: str, dialog: Dialog | None = None, body: str = "") -> None:
        assert self._sip is not None
        tag = f";tag={dialog.from_tag}" if dialog is not None and "tag=" not in asked.headers["to"] else ""
        here = f"{self.host}:{self._sip.port}"
        lines = [
            f"SIP/2.0 {status}",
            *(f"Via: {via}" for via in asked.vias),
            f"From: {asked.headers['from']}",
            f"To: {asked.headers['to']}{tag}",
            f"Call-ID: {asked.headers['call-id']}",
            f"CSeq: {asked.headers['cseq']}",
            f"Contact: <sip:phone@{here}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._sip.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self._came_from)


class _From(_Socket):
    """Remembers who sent."""

    source: tuple[str, int] = ("127.0.0.1", 0)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:  # type: ignore[override]
        self.source = (addr[0], addr[1])
        super().datagram_received(data, addr)


@asynccontextmanager
async def telephone(at: str, *, answers: float | None = 0.2, busy: bool = False) -> AsyncIterator[Telephone]:
    """A telephone at "host:port" while the block runs."""
    host, _, port = at.partition(":")
    made = Telephone(host, answers=answers, busy=busy)
    await made.begin(int(port))
    try:
        yield made
    finally:
        await made.end()
