"""Where peers run: each as a process of its own (the drill), or inside this one (tests: fast, on the house's clock)."""

import contextlib
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from doenda.kernel import clock, net, randomness
from doenda.sim.line import Bell, Peer
from peers.http import NoAnswer, Request, Response
from peers.server import Server

START_SECONDS = 30.0


class Place(Protocol):
    """Starts peers, and removes them when the block of `with` ends."""

    inside: bool
    """Are peers of ours in this process, on the house's clock?"""

    def peer(self, name: str, truth: str) -> Peer:
        """A peer of ours: `python -m peers.NAME`, or its class `truth` ("peers.bank.truth.Bank")."""

    def stranger(self, argv: Callable[[int], list[str]], ready: str) -> Peer:
        """A peer that nobody here wrote, always a process: `argv` of a free port, up once `ready` answers."""

    def let_pass(self, seconds: float) -> None:
        """Let time pass for the peers, and for the house's standing clock."""

    @property
    def bell_url(self) -> str:
        """Where peers send their webhooks."""


class _Process:
    """A peer behind HTTP."""

    def __init__(self, url: str, heard: "Receiver") -> None:
        self.url = url
        self._heard = heard

    def ask(self, request: net.Request) -> net.Reply:
        return net.over_http(request)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return _control(self, method, path, body)

    def bells(self) -> list[Bell]:
        return self._heard.take()


class _Inside:
    """A peer's class in this process."""

    def __init__(self, url: str, truth: Any) -> None:
        self.url = url
        self.truth = truth

    def ask(self, request: net.Request) -> net.Reply:
        parts = urlsplit(request.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            said = self.truth.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as silence:
            raise net.NoAnswer(str(silence)) from silence
        if said.delay_seconds > request.timeout:
            raise net.NoAnswer("too slow")
        return net.Reply(said.status, {name.lower(): value for name, value in said.headers.items()}, said.body)

    def control(self, method: str, path: str, body: object = None) -> Any:
        return _control(self, method, path, body)

    def bells(self) -> list[Bell]:
        sent = self.truth.tick()
        for delivery in sent:
            self.truth.sent(delivery, 204)
        return [Bell(delivery.headers, delivery.body) for delivery in sent]


class Nobody:
    """No peer at all: the provider is ours from end to end."""

    url = "http://nobody"

    def ask(self, request: net.Request) -> net.Reply:
        raise net.NotSent("nobody is there")

    def control(self, method: str, path: str, body: object = None) -> Any:
        raise RuntimeError("nobody is there")

    def bells(self) -> list[Bell]:
        return []


def _control(peer: Peer, method: str, path: str, body: object) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if content else {}
    reply = peer.ask(net.Request("control", method, f"{peer.url}/_control/{path}", headers, content))
    if reply.status >= 300:
        raise RuntimeError(f"{method} {path}: {reply.status} {reply.body[:200]!r}")
    return reply.json() if reply.body else None


class Receiver:
    """Where processes bring their webhooks: kept until a behaviour takes them to the house's door."""

    def __init__(self) -> None:
        self._bells: list[Bell] = []
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        with self._lock:
            self._bells.append(Bell(request.headers, request.body))
        return Response(204, {}, b"")

    def take(self) -> list[Bell]:
        with self._lock:
            taken, self._bells = self._bells, []
        return taken


class Outside:
    """Every peer a process of its own, started on a free port."""

    inside = False

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> "Outside":
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="doenda-peers-")))
        self._heard = Receiver()
        self._server = self._stack.enter_context(Server(self._heard))
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        self._stack.callback(self._server.stop)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def bell_url(self) -> str:
        return self._server.url

    def peer(self, name: str, truth: str) -> Peer:
        journal = self._folder / f"{name}.jsonl"
        process = self._start([sys.executable, "-m", f"peers.{name}", "--journal", str(journal), "--no-fsync"])
        assert process.stdout is not None
        said = process.stdout.readline().decode()
        if not said.startswith("listening "):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            raise RuntimeError(f"peers.{name} did not start: {said!r} {self._last_words()}")
        return _Process(f"http://{said.split()[1]}", self._heard)

    def let_pass(self, seconds: float) -> None:
        stand(seconds)
        clock.sleep(seconds)

    def stranger(self, argv: Callable[[int], list[str]], ready: str) -> Peer:
        port = _free_port()
        process = self._start(argv(port))
        made = _Process(f"http://127.0.0.1:{port}", self._heard)
        deadline = clock.monotonic() + START_SECONDS
        while clock.monotonic() < deadline and process.poll() is None:
            try:
                net.over_http(net.Request("peer", "GET", made.url + ready, timeout=1.0))
            except (net.NotSent, net.NoAnswer):
                clock.sleep(0.05)
            else:
                return made
        raise RuntimeError(f"{' '.join(argv(port)[1:])} did not start: {self._last_words()}")

    def _start(self, argv: list[str]) -> "subprocess.Popen[bytes]":
        ours = ("DATABASE_", "DOENDA_", "DJANGO_", "SANDBOX_", "TOSS_", "PORTONE_", "STRIPE_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        with self._words.open("ab") as words:
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=words, env=env)  # noqa: S603
        self._stack.callback(_end, process)
        return process

    @property
    def _words(self) -> Path:
        """What the peers' processes complain of."""
        return self._folder / "words.txt"

    def _last_words(self) -> str:
        return " ".join(self._words.read_text(encoding="utf-8", errors="replace").split("\n")[-3:]).strip()


class Inside(Outside):
    """Peers of ours as classes in this process; a stranger is still a process."""

    inside = True

    def peer(self, name: str, truth: str) -> Peer:
        module, _, kind = truth.rpartition(".")
        url = f"http://{name}.inside"
        made = getattr(importlib.import_module(module), kind)(clock=lambda: clock.now().timestamp(), base_url=url)
        return _Inside(url, made)

    def let_pass(self, seconds: float) -> None:
        stand(seconds)


class Hall:
    """Peers of ours as classes in this process, and nothing else: no server, no folder; their ids follow from the seed.

    Their webhooks wait with them until somebody carries them (`truth.tick`).
    """

    inside = True

    def __init__(self, bell_url: str) -> None:
        self.bell_url = bell_url
        self.truths: dict[str, Any] = {}
        """By the peer's own name: bank, toss, clearing…"""

    def peer(self, name: str, truth: str) -> Peer:
        module, _, kind = truth.rpartition(".")
        url = f"http://{name}.inside"
        made = getattr(importlib.import_module(module), kind)(clock=lambda: clock.now().timestamp(), base_url=url)
        if hasattr(made, "new_id"):
            made.new_id = lambda: randomness.token_bytes(12).hex()
        self.truths[name] = made
        return _Inside(url, made)

    def stranger(self, argv: Callable[[int], list[str]], ready: str) -> Peer:
        raise RuntimeError("a stranger is a process, and a world has only one")

    def let_pass(self, seconds: float) -> None:
        stand(seconds)


def stand(seconds: float) -> None:
    """Move the clock of the house, which stands still, by so many seconds."""
    frozen = clock._frozen
    if frozen is None:
        raise RuntimeError("the clock does not stand still")
    frozen.advance(timedelta(seconds=seconds))


@contextlib.contextmanager
def place(*, inside: bool) -> Iterator[Place]:
    with Inside() if inside else Outside() as made:
        yield made


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


def form(peer: Peer, method: str, url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> net.Reply:
    """A browser's form, or a script's call, sent to a peer beside the line that the house uses."""
    from urllib.parse import urlencode

    sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    return peer.ask(net.Request("payer", method, url, sent, urlencode(fields).encode()))
