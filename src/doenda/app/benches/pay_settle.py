"""`bench pay`: how fast the settlement alone is, without the page, the session and the intention before it."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Self

from doenda.app.benches import pay_check, pay_rows
from doenda.app.benches.ground import CLIENTS, Ground
from doenda.app.result import Result
from doenda.kernel.ids import outside

PROCESSES = 2
WARM = 5
"""Settlements of each connection before the clock runs."""


def measure(result: Result, made: Ground, tag: str, count: int) -> float:
    """Settlements a second over `count` attempts, on as many connections as there were customers."""
    returns = pay_rows.stock(count + WARM * CLIENTS, tag)
    pay_rows.send_off(returns)
    made.analyze()
    orders = [outside(each.attempt_id) for each in returns]
    _settle(made, orders[count:])
    seconds = _settle(made, orders[:count])
    pay_check.check(result, returns, len(returns), walked=False)
    return count / seconds


def _settle(made: Ground, orders: Sequence[str]) -> float:
    """Share them out between processes that begin together. Returns the seconds of the slowest."""
    argv = [sys.executable, "-m", "doenda.app.benches.settling", str(CLIENTS // PROCESSES)]
    env = {**os.environ, **made.env, "DOENDA_LOG": "WARNING"}
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(_Process(argv, env)) for _ in range(PROCESSES)]
        for place, each in enumerate(running):
            each.say(" ".join(orders[place::PROCESSES]))
        if any(each.hear() != "ready" for each in running):
            raise RuntimeError("a process that settles did not start")
        for each in running:
            each.say("")
        return max(float(each.hear() or "nan") for each in running)


class _Process:
    """A process that is spoken to a line at a time."""

    def __init__(self, argv: Sequence[str], env: dict[str, str]) -> None:
        self.process = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()
