"""The seam to the network: every outbound call of the house goes through `call`.

It tells apart what money must tell apart: `NotSent` (certainly not received) and `NoAnswer` (may have had its effect).
A call inside a transaction is refused: it would hold locks while somebody else thinks (design rule 2).
"""

import json as jsonlib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from django.db import connection

from doenda.kernel import clock

MAX_ANSWER_BYTES = 2_000_000


class NotSent(Exception):
    """Nobody received the request: the connection was refused or could not be made."""


class NoAnswer(Exception):
    """The request may have been received and acted upon; no whole answer came."""


class InsideTransaction(RuntimeError):
    """A network call was tried while a transaction was open."""


@dataclass(frozen=True, slots=True)
class Request:
    dep: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The decoded body. Raises ValueError when it is not JSON."""
        return jsonlib.loads(self.body)


type Transport = Callable[[Request], Reply]


@cache
def _client() -> httpx.Client:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=50, keepalive_expiry=4.0)
    return httpx.Client(limits=limits, follow_redirects=False, trust_env=False)


class _Left(dict[str, float]):
    """httpx's timeouts, by phase of a call (connect, write, read, pool): each gets what is left until the deadline."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self.deadline = deadline

    def get(self, phase: str, default: object = None) -> float:
        return max(0.001, self.deadline - clock.monotonic())


def over_http(request: Request) -> Reply:
    """The real transport. The timeout bounds the whole call, not each of connecting, sending and reading."""
    deadline = clock.monotonic() + request.timeout
    body = bytearray()
    try:
        with _client().stream(
            request.method,
            request.url,
            headers=dict(request.headers),
            content=request.content,
            extensions={"timeout": _Left(deadline)},
        ) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES or clock.monotonic() > deadline:
                    raise NoAnswer(f"{request.dep}: the answer was too long or too slow")
            return Reply(answer.status_code, answer.headers, bytes(body))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
        raise NotSent(f"{request.dep}: {type(error).__name__}") from error
    except httpx.HTTPError as error:
        raise NoAnswer(f"{request.dep}: {type(error).__name__}") from error  # its text may hold bytes of the answer


_transport: Transport = over_http


@contextmanager
def using(transport: Transport) -> Iterator[None]:
    """Answer every call from `transport` (tests, benches and the simulator)."""
    global _transport  # noqa: PLW0603 - the one seam for the network
    before, _transport = _transport, transport
    try:
        yield
    finally:
        _transport = before


def call(
    dep: str,
    method: str,
    url: str,
    *,
    json: object = None,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
    timeout: float = 10.0,
) -> Reply:
    """Call `dep` (a dependency's name, for logs and faults); `timeout` in seconds for the whole call.

    Raises NotSent, NoAnswer, InsideTransaction. An answer of any status is a Reply.
    """
    if _in_transaction():
        raise InsideTransaction(f"{dep}: no network call inside a transaction")
    sent = dict(headers or {})
    if json is not None:
        content = jsonlib.dumps(json, ensure_ascii=False).encode()
        sent.setdefault("Content-Type", "application/json;charset=utf-8")
    return _transport(Request(dep, method, url, sent, content, timeout))


def dial(dep: str, host: str, port: int, *, tls: bool = False, timeout: float = 5.0) -> socket.socket:
    """A TCP connection to `dep` for a protocol that is not HTTP; with `tls` its certificate is verified for `host`.

    Whoever gets it closes it. Raises NotSent, InsideTransaction.
    """
    if _in_transaction():
        raise InsideTransaction(f"{dep}: no network call inside a transaction")
    try:
        made = socket.create_connection((host, port), timeout=timeout)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return ssl.create_default_context().wrap_socket(made, server_hostname=host) if tls else made
        except OSError:
            made.close()
            raise
    except OSError as error:
        raise NotSent(f"{dep}: {type(error).__name__}: {error}"[:200]) from error


def _in_transaction() -> bool:
    """Is an atomic block open, other than the one that a test case wraps itself in?"""
    return any(not block._from_testcase for block in connection.atomic_blocks)  # type: ignore[attr-defined]
