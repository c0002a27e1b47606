"""The bench of payments, without its clock: what it prepares can be paid, and a payment stays short of words."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from doenda.app.benches import pay_alone, pay_check, pay_client, pay_rows
from doenda.app.result import Result
from doenda.payments.models import Attempt

MOST_STATEMENTS = 34
MOST_TRANSACTIONS = 4


def test_customers_on_the_way_back_pay_once_with_everything_that_belongs_to_it(committed_db: str) -> None:
    pay_rows.prove_way()
    returns = pay_rows.stock(4, "test")
    watched = pay_alone.watch(returns)
    result = Result()
    pay_check.check(result, returns, 4)
    assert result.ok, result.failures
    assert len(watched[-1].statements) <= MOST_STATEMENTS, watched[-1].statements
    assert watched[-1].commits <= MOST_TRANSACTIONS


def test_the_check_tells_a_payment_that_was_counted_and_not_made(committed_db: str) -> None:
    pay_rows.prove_way()
    returns = pay_rows.stock(2, "test")
    pay_alone.watch(returns[:1])
    result = Result()
    pay_check.check(result, returns, 2)
    assert result.failures == ["2 payments were counted, 1 attempts are paid"]
    assert Attempt.objects.filter(state="needs_redirect").count() == 1


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(303)
        self.send_header("Location", f"{self.path}?stale=1" if b"second" in self.seen[-1] else self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def test_the_client_sends_each_request_once_over_kept_open_connections() -> None:
    _Answers.seen = []
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = subprocess.run(
            [sys.executable, "-I", pay_client.__file__, str(server.server_port), "1", "5"],
            input="A body=first\nB body=second\nC body=third",
            capture_output=True,
            text=True,
            check=True,
        )
        server.shutdown()
    assert _Answers.seen == [b"body=first", b"body=second", b"body=third"]
    assert '"outcomes": {"303": 2, "303 stale": 1}' in done.stdout
