"""What the tests of the peers share: a clock to set, callers with and without HTTP, real processes, a receiver."""

import http.client
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peers.http import Request, Response
from peers.server import Server

KEY = {"Authorization": "Bearer sandbox-key"}
SRC = Path(__file__).parents[2] / "src"


class Clock:
    """Seconds that stand still until a test moves them."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0

    def __call__(self) -> float:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += seconds


class Direct:
    """Calls the pure class."""

    def __init__(self, peer: Any) -> None:
        self.peer = peer

    def __call__(self, method: str, path: str, document: object = None, **headers: str) -> Response:
        body = b"" if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answered: Response = self.peer.handle(Request(method, path, {**KEY, **named}, body))
        return answered


class Wire:
    """Calls through a kept-open HTTP connection."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def __call__(self, method: str, path: str, document: object = None, **headers: str) -> Response:
        body = None if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            self.line.request(method, path, body, {**KEY, **named})
            answered = self.line.getresponse()
            return Response(answered.status, dict(answered.getheaders()), answered.read())
        except (OSError, http.client.HTTPException):
            self.line.close()
            raise

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()


class Receiver:
    """Collects what peers POST, and answers with `status`."""

    def __init__(self) -> None:
        self.got: list[Request] = []
        self.status = 200
        self.arrived = threading.Condition()

    def handle(self, request: Request) -> Response:
        with self.arrived:
            self.got.append(request)
            self.arrived.notify_all()
        return Response(self.status, {}, b"")

    def wait(self, count: int, seconds: float = 10.0) -> list[Request]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), f"{len(self.got)} arrived"
            return list(self.got)


@contextmanager
def receiving() -> Iterator[tuple[Receiver, str]]:
    receiver = Receiver()
    with Server(receiver) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield receiver, f"{server.url}/hook"
        server.stop()
        thread.join()


class Process:
    """A peer as its own process."""

    def __init__(self, name: str, journal: Path, *more: str) -> None:
        command = [sys.executable, "-m", f"peers.{name}", "--port", "0", "--journal", str(journal), *more]
        self.running = subprocess.Popen(command, cwd=SRC, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.running.stdout is not None
        said = self.running.stdout.readline().split()
        assert said[:1] == ["listening"], said
        self.port = int(said[1].rpartition(":")[2])

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.running.send_signal(number)
        _, complaints = self.running.communicate(timeout=10)
        return self.running.returncode, complaints

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        if self.running.poll() is None:
            self.end(signal.SIGKILL)


def order(number: int = 1, **changes: object) -> dict[str, object]:
    return {
        "order_id": f"order-{number:04}",
        "amount": 52_300,
        "currency": "KRW",
        "method": "card",
        "order_name": "9월 이용요금",
        "return_url": "http://127.0.0.1:1/back?a=1",
        **changes,
    }


def opened(call: Any, number: int = 1, *, approve: bool = True, **changes: object) -> dict[str, Any]:
    """A payment, by default approved by its customer."""
    payment: dict[str, Any] = call("POST", "/v1/payments", order(number, **changes)).json()
    if approve:
        assert call("POST", f"/pay/{payment['payment_key']}", b"decision=approve").status == 303
    return payment


def confirmation(payment: dict[str, Any], **changes: object) -> dict[str, object]:
    return {
        "payment_key": payment["payment_key"],
        "order_id": payment["order_id"],
        "amount": payment["amount"],
        **changes,
    }


def confirm(call: Any, payment: dict[str, Any], key: str = "key-1", **changes: object) -> Response:
    answered: Response = call("POST", "/v1/payments/confirm", confirmation(payment, **changes), Idempotency_Key=key)
    return answered


def cancel(call: Any, payment: dict[str, Any], key: str = "cancel-1", **asked: object) -> Response:
    path = f"/v1/payments/{payment['payment_key']}/cancel"
    answered: Response = call("POST", path, {"reason": "test", **asked}, Idempotency_Key=key)
    return answered


def faults(call: Any, **board: object) -> None:
    """`all` stands for `*`."""
    answered = call("PUT", "/_control/faults", {"*" if key == "all" else key: fault for key, fault in board.items()})
    assert answered.status == 200, answered.body


def status(call: Any, payment: dict[str, Any]) -> str:
    return str(call("GET", f"/v1/payments/{payment['payment_key']}").json().get("status"))


def net(call: Any) -> int:
    return int(call("GET", "/_control/books").json()["net"])
