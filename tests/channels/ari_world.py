"""What the behaviours of our ARI client need of the world: callers, phones that we dial, and a wire that can be cut."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, Protocol
from urllib.parse import urlsplit

from doenda.channels.voice.ari import Ari, Connected, Event

WITHIN = 10.0


class Caller(Protocol):
    """Somebody who has rung in. `hung_up`: the line ended, from either side."""

    hung_up: asyncio.Event

    async def press(self, digit: str) -> None: ...
    async def hang_up(self) -> None: ...


class World(Protocol):
    """`url`: through the wire. `short`, `long`: sounds of a fraction of a second and of seconds. `answers`, `busy`,
    `rings`: endpoints that do so when they are dialled."""

    wire: "Wire"
    url: str
    password: str
    app: str
    short: str
    long: str
    answers: str
    busy: str
    rings: str

    async def ring_in(self, dialled: str = "15771234", caller: str = "01012345678") -> Caller: ...


type Worlds = Callable[[], AbstractAsyncContextManager[World]]


class Wire:
    """A relay before Asterisk's REST interface. `cut`: every connection ends; `open=False`: none is made."""

    def __init__(self, to: str) -> None:
        parts = urlsplit(to)
        self._to = (parts.hostname, parts.port)
        self._ends: set[asyncio.StreamWriter] = set()
        self.open = True
        self.url = ""

    def cut(self) -> None:
        self.open = False
        for end in list(self._ends):
            end.transport.abort()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Wire"]:
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            self.cut()
            await asyncio.sleep(0)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection(*self._to)
        self._ends |= {writer, back}
        try:
            await asyncio.gather(_pipe(reader, back), _pipe(there, writer))
        finally:
            self._ends -= {writer, back}


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


class Heard:
    """A client and everything that it was told."""

    def __init__(self, ari: Ari) -> None:
        self.ari = ari
        self.events: list[Event] = []
        self.ended: BaseException | None = None
        self._news = asyncio.Condition()
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for event in self.ari.events():
                self.events.append(event)
                async with self._news:
                    self._news.notify_all()
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.ended = error

    async def first(self, kind: type[Any], since: int = 0, **like: Any) -> Any:
        """The first event of that kind, from the `since`-th on, with these attributes (`channel`: its id)."""

        def found() -> Event | None:
            fits = (each for each in self.events[since:] if isinstance(each, kind))
            return next((each for each in fits if all(_is(getattr(each, name), of) for name, of in like.items())), None)

        async with asyncio.timeout(WITHIN), self._news:
            await self._news.wait_for(lambda: found() is not None or self.ended)
        event: Any = found()
        assert event is not None, f"{kind.__name__} {like} did not come: {self.ended!r}, {self.events}"
        return event

    async def connected(self, epoch: int = 1) -> Connected:
        found: Connected = await self.first(Connected, epoch=epoch)
        return found


def _is(value: Any, wanted: Any) -> bool:
    return bool(getattr(value, "id", value) == wanted)


@asynccontextmanager
async def client(world: World) -> AsyncIterator[Heard]:
    async with Ari(world.url, user="doenda", password=world.password, app=world.app) as ari:
        heard = Heard(ari)
        try:
            yield heard
        finally:
            heard.task.cancel()
            await asyncio.wait([heard.task])
