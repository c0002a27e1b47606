"""Keeps a list of services running, in front, until Ctrl-C or TERM; leaves nothing behind, not even after a kill -9.

Each service runs in a session of its own, writes to `logs/NAME.log` in the data folder, and stands with its process id
in `run.json` there. Services end in reverse order; a guard process ends them if the supervisor itself is killed.
"""

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from doenda.app import leash
from doenda.kernel import embedded
from doenda.kernel.clock import monotonic, sleep

_POLL_SECONDS = 0.1
_FIRST_DELAY = 0.2
_LONGEST_DELAY = 10.0
_HEALTHY_SECONDS = 5.0
_ORPHAN_GRACE_SECONDS = 2.0
_KEPT_LOGS = 3


class AlreadyRunning(RuntimeError):
    """Another supervisor works on this data folder."""


@dataclass(frozen=True)
class Service:
    """One process to keep running.

    `ready` answers within about a second, and is asked ten times a second until it says yes; without it a started
    process counts as ready. With `restart=False` and no `ready` it is a task: ready once it ended with 0. One that
    is not ready after `patience` seconds is ended and started again. `depends` names services listed earlier.
    A server that runs by itself has no argv but `keep`, which starts or adopts it and returns its process id, and
    `release`, which stops it; after the supervisor's violent death it gets `farewell` instead.
    """

    name: str
    argv: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    restart: bool = True
    depends: Sequence[str] = ()
    patience: float = 60.0
    keep: Callable[[], int | None] | None = None
    release: Callable[[], None] | None = None
    farewell: int = signal.SIGINT


@dataclass
class _Run:
    """A service as it is now: waiting, starting, ready, or ended for good."""

    service: Service
    state: str = "waiting"
    process: subprocess.Popen[bytes] | None = None
    pid: int = 0
    started: float = 0.0
    ready_at: float = 0.0
    delay: float = _FIRST_DELAY
    not_before: float = 0.0

    @property
    def is_task(self) -> bool:
        return not self.service.restart and self.service.ready is None

    def exit_code(self) -> int | None:
        """None while it lives; a foreign server's is not known and told as 0."""
        if self.process is not None:
            return self.process.poll()
        return None if leash.alive(self.pid) else 0


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more, and there is still something to be stopped
        print(line, file=sys.stderr, flush=True)  # noqa: T201 - its purpose


class Supervisor:
    """Starts services, restarts them with back-off, stops them. One at a time for a data folder."""

    def __init__(
        self, services: Sequence[Service], *, data: Path | None = None, say: Callable[[str], None] | None = None
    ) -> None:
        """`data` is the data folder (else the installation's); `say` takes progress lines (else standard error does).

        Raises ValueError for names that are not unique plain words, or a dependency that is not listed earlier.
        """
        _check(services)
        self._data = data or embedded.default_data()
        self._say = say or _say
        self._runs = {service.name: _Run(service) for service in services}
        self._guard: subprocess.Popen[str] | None = None
        self._asked_to_stop = 0
        self._code = 0

    def run(self, on_ready: Callable[[], None] | None = None) -> int:
        """Supervise until a signal or `request_stop`; returns the exit code. Call it in the main thread.

        `on_ready` is called once, in its own thread, when everything is ready; if it raises, all stops with code 1.
        Raises AlreadyRunning.
        """
        (self._data / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone(), self._signals():
            try:
                self._rotate_logs()
                while not self._asked_to_stop:
                    for run in self._runs.values():
                        self._step(run)
                    if on_ready and all(run.state in {"ready", "done"} for run in self._runs.values()):
                        threading.Thread(target=self._call, args=(on_ready,), daemon=True).start()
                        on_ready = None
                    sleep(_POLL_SECONDS)
            finally:
                self._stop_all()
        return self._code

    def request_stop(self, code: int = 0) -> None:
        """Make `run` stop everything and return `code`; safe from any thread and from a signal handler."""
        self._code = self._code or code
        self._asked_to_stop += 1

    def pids(self) -> dict[str, int]:
        """Process ids of the services that run now."""
        return {name: run.pid for name, run in self._runs.items() if run.pid}

    # One service's next step

    def _step(self, run: _Run) -> None:
        if self._asked_to_stop:
            return
        if run.state == "waiting":
            depends = (self._runs[name].state for name in run.service.depends)
            if monotonic() >= run.not_before and all(state in {"ready", "done"} for state in depends):
                self._start(run)
        elif run.state in {"starting", "ready"}:
            code = run.exit_code()
            if code is not None:
                self._ended(run, code)
            elif run.state == "starting":
                self._look_whether_ready(run)

    def _start(self, run: _Run) -> None:
        service = run.service
        self._say(f"{service.name}: starting")
        run.started, run.state, run.process = monotonic(), "starting", None
        if service.keep:
            try:
                run.pid = service.keep() or 0
            except Exception as trouble:  # noqa: BLE001 - whatever it is, we try again
                self._again(run, f"cannot start: {trouble}")
                return
            if not run.pid:
                self._again(run, "started and died")
                return
            self._tell_guard(service.name, run.pid, service.farewell)
        else:
            with _append(self._log(service)) as log:
                run.process = subprocess.Popen(  # noqa: S603 - the argv is ours
                    [*leash.EXEC, str(os.getpid()), *service.argv],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **service.env},
                    start_new_session=True,
                )
            run.pid = run.process.pid
            self._tell_guard(service.name, -run.pid, signal.SIGTERM)
        self._write_run_file()

    def _look_whether_ready(self, run: _Run) -> None:
        if run.is_task:
            return
        try:
            is_ready = run.service.ready is None or run.service.ready()
        except Exception as trouble:  # noqa: BLE001 - not ready, whatever it is
            is_ready, why = False, f": {trouble}"
        else:
            why = ""
        if is_ready:
            run.state, run.ready_at = "ready", monotonic()
            self._say(f"{run.service.name}: ready after {run.ready_at - run.started:.1f} s")
        elif monotonic() - run.started > run.service.patience:
            self._end(run)
            self._again(run, f"not ready after {run.service.patience:g} s{why}")

    def _ended(self, run: _Run, code: int) -> None:
        name, was_ready = run.service.name, run.state == "ready"
        if run.process is not None:  # its own children, if it was killed, would hold its port
            leash.end(-run.pid, signal.SIGTERM, _ORPHAN_GRACE_SECONDS)
        self._forget(run)
        told = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        if run.is_task and code == 0:
            run.state = "done"
            self._say(f"{name}: done after {monotonic() - run.started:.1f} s")
        elif run.service.restart:
            self._again(run, told, healthy=was_ready and monotonic() - run.ready_at >= _HEALTHY_SECONDS)
        else:
            run.state = "ended"
            self._say(f"{name}: {told}{self._last_words(run)}")
            if not was_ready:
                self.request_stop(1)

    def _again(self, run: _Run, told: str, *, healthy: bool = False) -> None:
        delay = _FIRST_DELAY if healthy else run.delay
        run.state, run.not_before, run.delay = "waiting", monotonic() + delay, min(delay * 2, _LONGEST_DELAY)
        self._say(f"{run.service.name}: {told}; again in {delay:.1f} s{self._last_words(run)}")

    # The end

    def _stop_all(self) -> None:
        for run in reversed(self._runs.values()):
            if run.pid:
                self._say(f"{run.service.name}: stopping")
                self._end(run)
        (self._data / "run.json").unlink(missing_ok=True)

    def _end(self, run: _Run) -> None:
        if run.service.keep and run.service.release:
            try:
                run.service.release()
            except Exception as trouble:  # noqa: BLE001 - the others must still be stopped
                self._code = 1
                self._say(f"{run.service.name}: does not stop: {trouble}")
        elif run.process is not None:
            if not leash.end(-run.pid, signal.SIGTERM, leash.GRACE_SECONDS, reap=run.process.poll):
                self._say(f"{run.service.name}: did not stop in {leash.GRACE_SECONDS:g} s and was killed")
            run.process.wait()
        self._forget(run)

    def _forget(self, run: _Run) -> None:
        run.pid = 0
        self._tell_guard(run.service.name, 0, 0)
        self._write_run_file()

    # What surrounds it

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the data folder, once a killed predecessor's guard has done its work; then have a guard of our own."""
        with _append(self._data / "supervisor.lock") as ours, _append(self._data / "guard.lock") as guards:
            try:
                fcntl.flock(ours, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise AlreadyRunning(f"Doenda already runs on {self._data}") from None
            try:
                fcntl.flock(guards, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say("waiting for the services of a killed supervisor to end")
                fcntl.flock(guards, fcntl.LOCK_EX)
            with subprocess.Popen(  # noqa: S603 - our own file
                [*leash.GUARD, str(leash.GRACE_SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
                pass_fds=[guards.fileno()],  # the lock is held until the last of its holders is gone
                start_new_session=True,
            ) as self._guard:
                yield

    def _tell_guard(self, name: str, target: int, signum: int) -> None:
        if self._guard and self._guard.stdin:
            with contextlib.suppress(BrokenPipeError):  # killed: then PDEATHSIG is what is left
                self._guard.stdin.write(f"{name} {target} {int(signum)}\n")
                self._guard.stdin.flush()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {signum: signal.signal(signum, lambda *_: self.request_stop()) for signum in signals}
        try:
            yield
        finally:
            for signum, handler in before.items():
                signal.signal(signum, handler)

    def _call(self, on_ready: Callable[[], None]) -> None:
        try:
            on_ready()
        except Exception as trouble:  # noqa: BLE001 - told, and the end of all
            self._say(f"after the start: {type(trouble).__name__}: {trouble}")
            self.request_stop(1)

    def _write_run_file(self) -> None:
        fresh = self._data / "run.json.new"
        fresh.write_text(json.dumps({"supervisor": os.getpid(), **self.pids()}) + "\n")
        fresh.replace(self._data / "run.json")

    def _log(self, service: Service) -> Path:
        return self._data / "logs" / f"{service.name}.log"

    def _rotate_logs(self) -> None:
        for log in (self._log(run.service) for run in self._runs.values() if not run.service.keep):
            names = [log, *(log.with_name(f"{log.name}.{number}") for number in range(1, _KEPT_LOGS + 1))]
            for older, newer in zip(reversed(names[1:]), reversed(names[:-1]), strict=True):
                if newer.exists():
                    newer.replace(older)

    def _last_words(self, run: _Run) -> str:
        log = self._log(run.service)
        if run.service.keep or not log.exists():
            return ""
        lines = log.read_text(errors="replace").splitlines()[-3:]
        return "".join(f"\n    {line}" for line in lines)


def postgres(data: Path) -> Service:
    """The embedded PostgreSQL of this data folder as a service: adopted or started, recovered, stopped cleanly."""
    return Service("postgres", keep=lambda: embedded.ensure(data).pid, release=lambda: embedded.ensure(data).stop())


def free_port(preferred: int, host: str = "127.0.0.1") -> int:
    """`preferred` if it is free on `host`, else the next free one of the following 20, else any free one."""
    for port in (*range(preferred, preferred + 21), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            bound: int = probe.getsockname()[1]
            return bound
    raise OSError(f"no free port on {host}")


def _append(path: Path) -> BinaryIO:
    """Open for appending; only our own user may read it, for logs may name customers."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _check(services: Sequence[Service]) -> None:
    seen = {"supervisor"}
    for service in services:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", service.name) or service.name in seen:
            raise ValueError(f"a service's name is a plain word of its own, not {service.name!r}")
        if strangers := set(service.depends) - seen:
            raise ValueError(f"{service.name} depends on what is not listed before it: {', '.join(sorted(strangers))}")
        if bool(service.argv) == bool(service.keep):
            raise ValueError(f"{service.name} needs either an argv or a keep")
        seen.add(service.name)
