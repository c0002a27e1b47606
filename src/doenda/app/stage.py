"""A whole system of its own for a drill, a walk or a bench: started from outside like any other, removed afterwards.

The command that asks for it looks on as its users do (HTTP), and reads the database only to compare books.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from doenda.app import leash
from doenda.app.environment import urls
from doenda.app.providers import providers_of
from doenda.app.settings import database_of
from doenda.kernel import clock, embedded, net
from doenda.kernel.embedded import postmaster
from doenda.payments import providers

START_SECONDS = 180.0


class NotStarted(RuntimeError):
    """The system did not come up; the message holds its last words."""


@dataclass(frozen=True)
class Stage:
    """A running system: `base` is its address, `env` what its processes know."""

    data: Path
    base: str
    env: dict[str, str]

    def pids(self) -> dict[str, int]:
        """Process ids by service, as they are now."""
        found: dict[str, int] = json.loads((self.data / "run.json").read_text(encoding="utf-8"))
        return found

    def kill(self, service: str) -> int:
        """kill -9 one service's whole process group. Returns the process id."""
        pid = self.pids().get(service, 0)
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        return pid

    def kill_postgres(self, *, whole: bool) -> int:
        """kill -9 the postmaster; with `whole` all its processes too, else they outlive it. Returns its process id."""
        cluster = self.data / "postgres"
        found = postmaster.find(cluster)  # `run.json` names it a moment after it takes connections
        if found is None:
            return 0
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)
        if whole:
            postmaster.kill_orphans(cluster)
        return found.pid

    def faults(self, peer: str, faults: dict[str, Any]) -> None:
        """Switch faults of a peer on ({} heals)."""
        self.control(peer, "PUT", "faults", faults)

    def control(self, peer: str, method: str, path: str, body: object = None) -> Any:
        """Speak to a peer's control door: "bank", "switch", "handset", "deposits"…"""
        address = self.env[{"bank": "DOENDA_SANDBOX_URL"}.get(peer, f"DOENDA_{peer.upper()}_URL")]
        reply = net.call(peer, method, f"{address}/_control/{path}", json=body)
        if reply.status >= 300:
            raise RuntimeError(f"{peer} said {reply.status} to {path}: {reply.body[:200]!r}")
        return reply.json() if reply.body else None


@contextlib.contextmanager
def stage(
    *, fast: bool = False, accounts: int = 0, say: Any = None, offered: Sequence[str] = ("sandbox",)
) -> Iterator[Stage]:
    """Start `doenda up --demo` on a throwaway data folder and connect this process to its database.

    Raises NotStarted. `fast` gives up durability, for walks whose subject is not a crash. `offered`: the providers.
    """
    data = Path(tempfile.mkdtemp(prefix="doenda-stage-"))
    data.chmod(0o755)
    argv = [*leash.EXEC, str(os.getpid())]  # it ends with us, also if we are killed
    argv += [sys.executable, "-m", "doenda.app.cli", "up", "--demo", "--data", str(data), "--port", "0"]
    argv += ["--accounts", str(accounts), "--providers", ",".join(offered), *(["--fast"] if fast else [])]
    ours = ("DATABASE_", "DOENDA_", "DJANGO_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)  # noqa: S603
    try:
        base = _wait(process, say)
        layout = json.loads((data / "layout.json").read_text(encoding="utf-8"))
        made = Stage(data, layout["base"], layout["env"])
        assert base.startswith(made.base)
        with _connected(made):
            yield made
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        shutil.rmtree(data, ignore_errors=True)


def _wait(process: "subprocess.Popen[str]", say: Any) -> str:
    """The address from the line `ready ADDRESS`; progress goes to `say`."""
    last: list[str] = []

    def progress() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            last.append(line.rstrip())
            del last[:-20]
            if say is not None:
                say(line.rstrip())

    threading.Thread(target=progress, daemon=True).start()
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready "):
                return line.split()[1]
    finally:
        watchdog.cancel()
    clock.sleep(0.2)
    raise NotStarted("the system did not start:\n" + "\n".join(last))


@contextlib.contextmanager
def database(*, fast: bool = False) -> Iterator[embedded.Server]:
    """A throwaway database, migrated, that this process is connected to: for what needs no other process."""
    with embedded.throwaway(embedded.FAST if fast else None) as server:
        _connect(urls(server))
        call_command("migrate", database="owner", verbosity=0)
        try:
            yield server
        finally:
            for alias in ("default", "owner"):
                connections[alias].close()


def _connect(env: Mapping[str, str]) -> None:
    for alias, name in (("default", "DATABASE_URL"), ("owner", "DATABASE_OWNER_URL")):
        connections[alias].close()
        connections[alias].settings_dict.update(database_of(env[name], 0))


@contextlib.contextmanager
def _connected(made: Stage) -> Iterator[None]:
    """Point this process's settings at the stage: database, addresses, keys, the movable clock."""
    _connect(made.env)
    settings.DOENDA_BASE_URL = made.base
    settings.DOENDA_LINK_KEYS = dict([made.env["DOENDA_LINK_KEYS"].split(":", 1)])
    settings.DOENDA_SEALING_KEYS = made.env["DOENDA_SEALING_KEYS"].split(",")
    settings.DOENDA_MOVABLE_CLOCK = True
    settings.DOENDA_SWITCH_URL = made.env["DOENDA_SWITCH_URL"]
    settings.DOENDA_HANDSET_URL = made.env["DOENDA_HANDSET_URL"]
    settings.DOENDA_PROVIDERS = providers_of(lambda name, default="": str(made.env.get(name, default)))
    settings.DOENDA_OFFERED = made.env["DOENDA_OFFERED"].split(",")
    settings.DOENDA_DEPOSIT_HAND_URL = made.env["DOENDA_DEPOSIT_HAND_URL"]
    providers.get.cache_clear()
    try:
        yield
    finally:
        for alias in ("default", "owner"):
            connections[alias].close()
