"""The seam to the network for asyncio: commands over HTTP and one stream of messages, to one dependency.

Whoever holds hundreds of conversations in one process uses it; everybody else uses `kernel.net`, whose words it speaks.
"""

import asyncio
import json as jsonlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from doenda.kernel.net import MAX_ANSWER_BYTES, NoAnswer, NotSent, Reply

MAX_MESSAGE_BYTES = 1 << 20
_KEPT_SECONDS = 10.0


class Refused(Exception):
    """The stream was asked for and not given: a wrong password, no such application. `status`: HTTP's."""

    def __init__(self, dep: str, status: int) -> None:
        super().__init__(f"{dep}: HTTP {status}")
        self.status = status


class Session:
    """Use it with `async with`. `connections`: at most so many commands are under way; `timeout`: seconds for each."""

    def __init__(
        self, dep: str, url: str, *, headers: Mapping[str, str], connections: int = 64, timeout: float = 10.0
    ) -> None:
        self.dep, self.url = dep, url.rstrip("/")
        self._headers, self._connections, self._timeout = dict(headers), connections, timeout
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Session":
        self._http = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEPT_SECONDS),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def call(self, method: str, path: str, *, params: Mapping[str, str], json: object = None) -> Reply:
        """One command. Raises NotSent (certainly not received), NoAnswer (nobody knows). Any status is a Reply."""
        try:
            async with self._open().request(method, self.url + path, params=params, json=json) as answer:
                body = await answer.content.read(MAX_ANSWER_BYTES + 1)
                while len(body) <= MAX_ANSWER_BYTES and (more := await answer.content.read(MAX_ANSWER_BYTES)):
                    body += more
                if len(body) > MAX_ANSWER_BYTES:
                    raise NoAnswer(f"{self.dep}: the answer was too long")
                return Reply(answer.status, answer.headers, body)
        except aiohttp.ClientConnectorError as error:
            raise NotSent(f"{self.dep}: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NoAnswer(f"{self.dep}: {type(error).__name__}") from error

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, str], heartbeat: float
    ) -> AsyncIterator[AsyncIterator[str]]:
        """A websocket's messages; they end when it does, or when it is silent to `heartbeat` (seconds).

        Raises NotSent, Refused when it does not come about.
        """
        try:
            socket = await self._open().ws_connect(
                self.url + path, params=params, heartbeat=heartbeat, max_msg_size=MAX_MESSAGE_BYTES
            )
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(self.dep, error.status) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NotSent(f"{self.dep}: {type(error).__name__}") from error
        try:
            yield _messages(socket)
        finally:
            await asyncio.shield(socket.close())

    def _open(self) -> aiohttp.ClientSession:
        assert self._http is not None, "use it with `async with`"
        return self._http


async def _messages(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[str]:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            yield message.data


def decoded(reply: Reply) -> Any:
    """The JSON of a reply, None for an empty one. Raises ValueError."""
    return jsonlib.loads(reply.body) if reply.body.strip() else None
