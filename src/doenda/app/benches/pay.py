"""`bench pay`: payments a second over the return leg, beside pgbench on the same server (design section 6).

The return leg: the customer is back from the bank's page and presses "pay"; the answer is a redirect to the receipt.
16 kept-open connections to the real web process, durable commits, the bank's `paid` from the network seam; then once
more with the bank as a process of its own.
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from doenda.app.benches import cpu, pay_alone, pay_check, pay_client, pay_rows, pay_settle
from doenda.app.benches.ground import CLIENTS, Ground, ground, pgbench
from doenda.app.benches.pay_rows import Return
from doenda.app.result import Result
from doenda.app.supervisor import free_port
from doenda.app.system import PYTHON, answers, web_argv
from doenda.kernel import clock, net, randomness
from doenda.kernel.ids import new_id, outside
from doenda.payments.providers.contract import Charge
from doenda.payments.providers.sandbox.provider import Sandbox

START_SECONDS = 60.0
ALONE = 30
FIRST_GUESS = 150.0
"""Payments a second before any were measured: how many customers the warm-up needs."""

type Say = Callable[[str], None]


@dataclass
class Measured:
    """The rounds of one kind, and everybody who was sent."""

    per_second: list[float] = field(default_factory=list)
    client_share: list[float] = field(default_factory=list)
    web_ms: list[float] = field(default_factory=list)
    postgres_ms: list[float] = field(default_factory=list)
    median_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    sent: list[Return] = field(default_factory=list)
    answered: int = 0


def run(
    *, rounds: int = 5, seconds: float = 8.0, database: str | None = None, statements: bool = False, say: Say
) -> Result:
    """Measure. With `database` (a migrated one; its server must have pgbench's room) the paid bills stay there."""
    result = Result()
    with ground(database, os.environ.get("DATABASE_OWNER_URL")) as made, pgbench(made) as beside:
        for name, value in made.promises().items():
            result.expect(value == "on", f"{name} is {value}: without it a commit promises nothing")
        tag = outside(new_id())[-8:]
        pay_rows.prove_way()
        alone = _alone(result, tag, statements)
        ours, tps = _alternate(made, beside.tps, rounds, seconds, tag, say)
        real = _with_real_bank(made, seconds, tag, statistics.median(ours.per_second), say)
        for measured in (ours, real):
            pay_check.check(result, measured.sent, measured.answered)
        settled = pay_settle.measure(result, made, f"{tag}-settle", int(statistics.median(ours.per_second) * seconds))
    rate, floor = statistics.median(ours.per_second), statistics.median(tps)
    result.figures = {
        "payments_per_second": round(rate, 1),
        "pgbench_tps": round(floor, 1),
        "ratio": round(rate / floor, 4),
        "rounds": rounds,
        "payments": ours.answered + real.answered,
        "median_ms": _median(ours.median_ms, 1),
        "p99_ms": _median(ours.p99_ms, 1),
        "client_cpu_share": _median(ours.client_share, 3),
        "web_cpu_ms": _median(ours.web_ms, 2),
        "postgres_cpu_ms": _median(ours.postgres_ms, 2),
        "real_bank_payments_per_second": _median(real.per_second, 1),
        "settle_per_second": round(settled, 1),
        "settle_ratio": round(settled / floor, 4),
        **alone,
    }
    result.notes.append("payments per second by round: " + ", ".join(f"{each:.0f}" for each in ours.per_second))
    result.notes.append("pgbench by round: " + ", ".join(f"{each:.0f}" for each in tps))
    return result


def _median(values: list[float], digits: int) -> float:
    return round(statistics.median(values), digits)


def _alone(result: Result, tag: str, statements: bool) -> dict[str, float | int]:
    watched = pay_alone.watch(pay_rows.stock(ALONE, f"{tag}-alone"))[ALONE // 3 :]
    last = watched[-1]
    if statements:
        result.notes += [f"{number:3} {sql[:160]}" for number, sql in enumerate(last.statements, 1)]
    return {
        "statements": len(last.statements),
        "transactions": last.commits,
        "round_trips": last.round_trips,
        "alone_ms": pay_alone.median_ms([each.seconds for each in watched]),
        "alone_in_statements_ms": pay_alone.median_ms([each.database_seconds for each in watched]),
    }


def _alternate(
    made: Ground, tps_of: Callable[[float], float], rounds: int, seconds: float, tag: str, say: Say
) -> tuple[Measured, list[float]]:
    """A round of pgbench, a round of payments, and so on; first a short one of payments that does not count."""
    measured, tps = Measured(), list[float]()
    with _serving("doenda.app.benches.pay_web:application", made.env) as web:
        warm = Measured()
        _round(made, web, warm, FIRST_GUESS, min(seconds, 4.0), f"{tag}-warm")
        measured.sent, measured.answered, rate = warm.sent, warm.answered, warm.per_second[-1]
        for number in range(1, rounds + 1):
            tps.append(tps_of(seconds))
            _round(made, web, measured, rate, seconds, f"{tag}-{number}")
            rate = max(measured.per_second)
            say(f"round {number}: {measured.per_second[-1]:.0f} payments/s, pgbench {tps[-1]:.0f} tps")
    return measured, tps


def _round(made: Ground, web: "Web", measured: Measured, rate: float, seconds: float, tag: str, **stock: Any) -> None:
    """Make customers for half as long again as they should last, let them come back, and note what it cost."""
    returns = pay_rows.stock(int(rate * seconds * 1.5) + CLIENTS, tag, **stock)
    made.analyze()
    postmaster = made.postmaster()
    before = cpu.of_tree(web.pid), cpu.of_tree(postmaster)
    said = _come_back(web.port, seconds, returns)
    after = cpu.of_tree(web.pid), cpu.of_tree(postmaster)
    answered = sum(said["outcomes"].values())
    strange = {outcome: count for outcome, count in said["outcomes"].items() if outcome != "303"}
    if strange or not answered:
        raise RuntimeError(f"the web process did not answer as it should: {said['outcomes']}; {web.log()}")
    measured.sent += returns
    measured.answered += answered
    measured.per_second.append(answered / said["seconds"])
    measured.client_share.append(said["cpu"] / said["seconds"])
    measured.web_ms.append(1000 * (after[0] - before[0]) / answered)
    measured.postgres_ms.append(1000 * (after[1] - before[1]) / answered)
    measured.median_ms.append(said["median_ms"])
    measured.p99_ms.append(said["p99_ms"])


def _come_back(port: int, seconds: float, returns: list[Return]) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", pay_client.__file__, str(port), str(CLIENTS), str(seconds)],
        input="\n".join(each.line for each in returns),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the client failed: {done.stderr[-2000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _with_real_bank(made: Ground, seconds: float, tag: str, rate: float, say: Say) -> Measured:
    """One round in which the bank is a process of its own, with books that it makes durable."""
    measured = Measured()
    with tempfile.TemporaryDirectory() as folder, _bank(Path(folder)) as url:
        bank = Sandbox({"url": url, "key": _secrets()["SANDBOX_BANK_KEY"], "webhook_secrets": []})

        def register(attempt_id: Any, amount: int) -> str:
            charge = Charge(outside(attempt_id), amount, "KRW", "card", "bench", "http://127.0.0.1/return")
            answer = bank.start(charge)
            page = net.call("customer", "POST", answer.redirect_url, content=b"decision=approve")
            if page.status != 303:
                raise RuntimeError(f"the bank's page answered {page.status}")
            return answer.ref

        with _serving("doenda.app.wsgi:application", made.env | {"DOENDA_SANDBOX_URL": url}) as web:
            _round(made, web, measured, rate / 2, min(seconds, 4.0), f"{tag}-real", register=register)
    say(f"with the real bank: {measured.per_second[-1]:.0f} payments/s")
    return measured


@dataclass(frozen=True)
class Web:
    port: int
    pid: int
    said: Path

    def log(self) -> str:
        return self.said.read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def _serving(application: str, env: Mapping[str, str]) -> Iterator[Web]:
    """The web process as the supervisor starts it; it takes the forms that this process signed."""
    port = free_port(8200)
    env = {**env, **_secrets(), "DOENDA_LOG": "WARNING"}
    own = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")}
    with (
        tempfile.TemporaryDirectory() as folder,
        _process(
            web_argv(port, application),
            own | env,
            Path(folder) / "web.log",
            answers(port, "/health"),
        ) as process,
    ):
        yield Web(port, process.pid, Path(folder) / "web.log")


_BANK_KEYS = ("SANDBOX_BANK_KEY", "SANDBOX_WEBHOOK_SECRET")


@cache
def _secrets() -> dict[str, str]:
    """Keys of this run only, known to this process, to the web process and to the bank."""
    made = {name: randomness.token_bytes(32).hex() for name in ("DOENDA_SECRET_KEY", *_BANK_KEYS)}
    settings.SECRET_KEY = made["DOENDA_SECRET_KEY"]
    sealing = urlsafe_b64encode(randomness.token_bytes(32)).decode()
    return made | {"DOENDA_LINK_KEYS": f"1:{randomness.token_bytes(32).hex()}", "DOENDA_SEALING_KEYS": sealing}


@contextlib.contextmanager
def _bank(folder: Path) -> Iterator[str]:
    port = free_port(8300)
    argv = [PYTHON, "-m", "peers.bank", "--port", str(port), "--journal", str(folder / "bank.jsonl")]
    keys = {name: value for name, value in _secrets().items() if name in _BANK_KEYS}
    with _process(argv, {**os.environ, **keys}, folder / "bank.log", answers(port, "/_control/health")):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _process(
    argv: list[str], env: Mapping[str, str], log: Path, ready: Callable[[], bool]
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as said, subprocess.Popen(argv, env=env, stdout=said, stderr=said) as process:  # noqa: S603
        try:
            deadline = clock.monotonic() + START_SECONDS
            while not ready():
                if process.poll() is not None or clock.monotonic() > deadline:
                    raise RuntimeError(f"{argv[2]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
                clock.sleep(0.1)
            yield process
        finally:
            process.terminate()
