"""Customers coming back, as light as they can be: one thread, kept-open connections, requests made beforehand.

`python -I pay_client.py PORT CONNECTIONS SECONDS`; one request a line on standard input, `ADDRESS BODY`. A process of
its own, so that its CPU can be told from the server's; one JSON object on standard output.
"""

import json
import resource
import selectors
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from time import perf_counter

HOST = "127.0.0.1"


class Customer:
    """One kept-open connection and the answer that it waits for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer = b""
        self.asked_at = 0.0

    def ask(self, request: bytes) -> None:
        self.answer, self.asked_at = b"", perf_counter()
        self.socket.sendall(request)

    def whole(self) -> bool:
        """Take in what has come. Raises ConnectionError when the server hangs up."""
        some = self.socket.recv(65536)
        if not some:
            raise ConnectionError("the server hung up")
        self.answer += some
        head, end, body = self.answer.partition(b"\r\n\r\n")
        if not end:
            return False
        if b"chunked" in head.lower():
            return body.endswith(b"0\r\n\r\n")
        return len(body) >= _length(head)

    def outcome(self) -> str:
        """The status, and for a redirect whether it goes back to the visit with its answer taken."""
        head = self.answer.partition(b"\r\n\r\n")[0].decode("latin-1")
        status = head.split(" ", 2)[1]
        return f"{status} stale" if "?stale=1" in head else status


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _requests(port: int, lines: Iterator[str]) -> Iterator[bytes]:
    for line in lines:
        address, body = line.split()
        yield (
            f"POST /s/{address} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept-Language: ko\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def run(port: int, connections: int, seconds: float, lines: list[str]) -> dict[str, object]:
    """Send until the time or the requests are over, wait for the last answers, and count."""
    requests = iter(list(_requests(port, iter(lines))))
    took: list[float] = []
    outcomes: Counter[str] = Counter()
    waiting = selectors.DefaultSelector()
    customers = [Customer(port) for _ in range(connections)]
    begun = perf_counter()
    asked = _cpu()
    busy = 0
    for customer in customers:
        waiting.register(customer.socket, selectors.EVENT_READ, customer)
        busy += _next(customer, requests)
    while busy:
        for key, _ in waiting.select(30):
            customer = key.data
            if not customer.whole():
                continue
            took.append(perf_counter() - customer.asked_at)
            outcomes[customer.outcome()] += 1
            in_time = perf_counter() - begun < seconds
            busy -= not (in_time and _next(customer, requests))
    elapsed = perf_counter() - begun
    took.sort()
    return {
        "outcomes": outcomes,
        "seconds": elapsed,
        "cpu": _cpu() - asked,
        "median_ms": 1000 * took[len(took) // 2],
        "p99_ms": 1000 * took[len(took) * 99 // 100],
        "ran_dry": next(requests, None) is None,
    }


def _next(customer: Customer, requests: Iterator[bytes]) -> bool:
    request = next(requests, None)
    if request is not None:
        customer.ask(request)
    return request is not None


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    port, connections, seconds = sys.argv[1:]
    json.dump(run(int(port), int(connections), float(seconds), sys.stdin.read().splitlines()), sys.stdout)
