"""The HTTP/1.1 server that carries requests to a peer: keep-alive, a thread for each connection, planned silence."""

import logging
import select
import socket
import socketserver
import threading
import time
from http import HTTPStatus
from typing import Any, Protocol, cast

from peers.http import NoAnswer, Refused, Request, Response, answer

log = logging.getLogger("peers")

BODY_LIMIT = 64 * 1024 * 1024
HEADER_LIMIT = 64 * 1024


class Answers(Protocol):
    """What the server asks of a peer."""

    def handle(self, request: Request) -> Response:
        """Answer, or raise NoAnswer."""


class Server(socketserver.ThreadingTCPServer):
    """HTTP/1.1 with keep-alive on loopback, a thread for each connection."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, peer: Answers, port: int = 0) -> None:
        self.peer = peer
        self._open: set[socket.socket] = set()
        self._opening = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    @property
    def port(self) -> int:
        """The port that was given or found."""
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where the peer is reached."""
        return f"http://127.0.0.1:{self.port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that stopping ends it, and give it its thread."""
        with self._opening:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that is over."""
        with self._opening:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A broken connection is the client's business; anything else is ours."""
        log.exception("connection from %s", client_address)

    def stop(self) -> None:
        """Accept no more and cut every open connection. Not from the thread that serves."""
        self.shutdown()
        self.server_close()
        with self._opening:
            connections = list(self._open)
        for connection in connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                log.debug("already closed")


class _Connection(socketserver.StreamRequestHandler):
    """One kept-open connection: read a request, ask the peer, answer, again."""

    disable_nagle_algorithm = True
    connection: socket.socket

    def handle(self) -> None:
        try:
            while self._one():
                pass
        except (ConnectionError, TimeoutError):
            log.debug("the client left")

    def _one(self) -> bool:
        try:
            request = self._read()
        except Refused as no:
            self._send(answer(no.status, {"code": no.code, "message": no.message}), head_only=False, keep=False)
            return False
        if request is None:
            return False
        keep = request.header("connection").lower() != "close"
        try:
            response = cast(Server, self.server).peer.handle(request)
        except NoAnswer as silence:
            self._hold(silence.hold_seconds)
            return False
        except Exception:
            log.exception("a request with %s", request.method)  # its path may hold a key
            response = answer(500, {"code": "INTERNAL_ERROR", "message": "a fault of the peer itself"})
        if response.delay_seconds and not self._hold(response.delay_seconds):
            return False
        self._send(response, head_only=request.method == "HEAD", keep=keep)
        return keep

    def _read(self) -> Request | None:
        line = self.rfile.readline(HEADER_LIMIT)
        if not line.strip():
            return None
        words = line.decode("latin-1").split()
        if len(words) != 3 or not words[2].startswith("HTTP/1.") or not words[1].startswith("/"):
            raise Refused(400, "INVALID_REQUEST", "not an HTTP/1.1 request line")
        headers = self._read_headers()
        if words[2] == "HTTP/1.0":
            headers["connection"] = "close"
        return Request(words[0], words[1], headers, self._read_body(headers))

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        size = 0
        while (line := self.rfile.readline(HEADER_LIMIT)) not in (b"\r\n", b"\n"):
            size += len(line)
            if not line or size > HEADER_LIMIT:
                raise Refused(400, "INVALID_REQUEST", "the headers do not end")
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise Refused(411, "LENGTH_REQUIRED", "send a Content-Length")
        text = headers.get("content-length", "0")
        if not (text.isascii() and text.isdigit()):
            raise Refused(400, "INVALID_REQUEST", "Content-Length is not a number")
        length = int(text)
        if length > BODY_LIMIT:
            raise Refused(413, "TOO_LARGE", f"at most {BODY_LIMIT} bytes")
        if headers.get("expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(length) if length else b""
        if len(body) < length:
            raise ConnectionError("cut in the body")
        return body

    def _send(self, response: Response, *, head_only: bool, keep: bool) -> None:
        lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines += [f"Content-Length: {len(response.body)}", f"Connection: {'keep-alive' if keep else 'close'}", "", ""]
        self.connection.sendall("\r\n".join(lines).encode("latin-1") + (b"" if head_only else response.body))

    def _hold(self, seconds: float) -> bool:
        """Wait without answering; False as soon as the client has gone."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.connection], [], [], left)[0]:
                break
            if not self.connection.recv(1, socket.MSG_PEEK):
                return False
            time.sleep(min(left, 0.1))  # the next request waits in the socket already
        return True
