"""One PostgreSQL server a data folder: initialise, start, adopt, recover, stop."""

import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from doenda.kernel.embedded import binaries, osuser, places, postmaster
from doenda.kernel.embedded.osuser import EmbeddedError, OsUser

OWNER = "doenda_owner"
APP = "doenda_app"
DATABASE = "doenda"
SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_error_verbosity": "terse",  # with the next: values of rows, customers' data, stay out of the log
    "log_min_error_statement": "panic",
}
_FIXED: Mapping[str, str] = {"listen_addresses": "", "port": str(places.PORT), "unix_socket_permissions": "0700"}

_POLL_SECONDS = 0.05
_START_SECONDS = 300  # a recovery after a crash may take long
_STOP_SECONDS = 60
_ORPHAN_SECONDS = 1  # for processes of a killed postmaster to leave by themselves
_CLEARING_SECONDS = 10  # for all that a crash left to be out of the way
_LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Server:
    """A running embedded server. `adopted` says that it was running already; `data` holds it, its log and its lock."""

    data: Path
    cluster: Path
    install: Path
    user: OsUser
    version: int
    socket: Path
    adopted: bool

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None if it does not run."""
        found = postmaster.find(self.cluster)
        return found.pid if found else None

    def running(self) -> bool:
        found = postmaster.find(self.cluster)
        return found is not None and found.status in {"ready", "standby"}

    @property
    def log(self) -> Path:
        return self.data / "logs" / "postgres.log"

    def url(self, database: str = DATABASE, role: str = APP) -> str:
        """A libpq URL over the socket, for psycopg, DATABASE_URL, psql and pgbench."""
        return (
            f"postgresql://{quote(role, safe='')}@/{quote(database, safe='')}"
            f"?host={quote(str(self.socket), safe='')}&port={places.PORT}"
        )

    def bin(self, name: str) -> Path:
        """A PostgreSQL program of this server's version, such as psql or pgbench. EmbeddedError if there is none."""
        program = self.install / "bin" / name
        if not program.is_file():
            raise EmbeddedError(f"PostgreSQL {self.version} here has no program {name}")
        return program

    def stop(self, mode: str = "fast") -> None:
        """Stop the server and wait until it is gone: `smart`, `fast` or `immediate`. A stopped one stays stopped.

        Raises EmbeddedError if it still runs after 60 seconds.
        """
        if mode not in {"smart", "fast", "immediate"}:
            raise ValueError(f"no such way to stop PostgreSQL: {mode}")
        with places.locked(self.data):
            _stop(self, mode)
            if self.socket != self.cluster and self.socket.is_dir() and not any(self.socket.iterdir()):
                self.socket.rmdir()


def ensure(data: Path, *, version: int = 18, settings: Mapping[str, str] | None = None) -> Server:
    """The server of this data folder, running: adopted if it runs already, else started, else initialised and started.

    `version` counts for a new cluster only: an existing one keeps its own. `settings` (over SETTINGS) hold for a server
    that this call starts. The roles doenda_owner and doenda_app and the database doenda exist afterwards.
    Safe to call from several processes at once and after any of them, or the server, was killed.
    Raises EmbeddedError with what to do.
    """
    data = data.expanduser().resolve()
    cluster = data / "postgres"
    user = osuser.choose(data, cluster)
    places.make_data(data, user)
    wanted = {**SETTINGS, **(settings or {})}
    with places.locked(data):
        if not cluster.exists():
            _initialise(data, cluster, user, version, sync=wanted["fsync"] != "off")
        own_version = _version_of(cluster)
        install = binaries.find(own_version, user, places.default_data().resolve())
        server = Server(data, cluster, install, user, own_version, cluster, adopted=False)
        server = _adopt(server) or _start(server, wanted)
        _make_roles(server)
    return server


def _version_of(cluster: Path) -> int:
    try:
        return int((cluster / "PG_VERSION").read_text())
    except (OSError, ValueError) as strange:
        raise EmbeddedError(f"{cluster} is there but holds no PostgreSQL cluster: move it away") from strange


def _initialise(data: Path, cluster: Path, user: OsUser, version: int, *, sync: bool) -> None:
    """initdb into a folder beside, renamed when done: a cluster is there whole or not at all."""
    install = binaries.find(version, user, places.default_data().resolve())
    for left_over in data.glob(".initdb-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=".initdb-", dir=data))
    user.give(fresh)
    # The builtin provider (from 17) sorts by code point in UTF-8 whatever locales the system has; 16 has plain C.
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else []
    argv: list[str | Path] = [install / "bin" / "initdb", "-D", fresh, "-U", "postgres", "--encoding=UTF8"]
    argv += ["--locale=C", *locale]
    argv += ["--data-checksums", "--auth-local=trust", "--auth-host=reject", *([] if sync else ["--no-sync"])]
    done = user.run(argv, cwd=data)
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise EmbeddedError(f"initdb failed in {data}:\n{done.stdout.decode(errors='replace')}")
    fresh.rename(cluster)
    descriptor = os.open(data, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # else a power cut could undo the renaming, and with it all that was committed since
    finally:
        os.close(descriptor)


def _adopt(server: Server) -> Server | None:
    """The cluster's running server, once it is ready. None if there is none, or it was on its way out and is gone."""
    deadline = time.monotonic() + _START_SECONDS
    while (found := postmaster.find(server.cluster)) and found.status not in {"ready", "standby"}:
        if time.monotonic() > deadline:
            raise EmbeddedError(f"PostgreSQL (process {found.pid}) in {server.cluster} is still {found.status}")
        time.sleep(_POLL_SECONDS)
    if found and not (found.socket_folder / places.SOCKET).exists():
        _stop(server, "fast")  # somebody's clean-up took the socket: nobody can reach it until a restart
        return None
    return replace(server, socket=found.socket_folder, adopted=True) if found else None


def _start(server: Server, settings: Mapping[str, str]) -> Server:
    """Start, and get out of the way what a crash may have left: lock files of nobody's, processes of a dead server.

    Under our lock and with no live server found, those files mean nothing; PostgreSQL itself cannot know that, and
    takes any live process with that id, and a dead one that nobody has waited for, for its own. Its shared memory
    still refuses a second server.
    """
    server = replace(server, socket=places.socket_folder(server.cluster, server.user))
    if server.log.exists() and server.log.stat().st_size > _LOG_BYTES:
        server.log.replace(server.log.with_name("postgres.log.1"))
    began = time.monotonic()
    while said := _try_start(server, settings):
        waited = time.monotonic() - began
        if other := _adopt(server):  # started by the orphaned pg_ctl of a caller that was killed
            return other
        if ("lock file" in said or "PID file" in said) and waited < _CLEARING_SECONDS:
            (server.cluster / "postmaster.pid").unlink(missing_ok=True)
            (server.socket / f"{places.SOCKET}.lock").unlink(missing_ok=True)
        elif "pre-existing shared memory block" in said and waited < _CLEARING_SECONDS:
            if waited > _ORPHAN_SECONDS:
                postmaster.kill_orphans(server.cluster)
        else:
            raise EmbeddedError(f"PostgreSQL did not start; {server.log} says:\n{said[-2000:]}")
        time.sleep(4 * _POLL_SECONDS)
    return server


def _try_start(server: Server, settings: Mapping[str, str]) -> str:
    """Start once and wait until it is ready. Returns nothing, or what PostgreSQL said to its log when it refused."""
    quoted = str(server.socket).replace('"', '""')
    options = {**settings, **_FIXED, "unix_socket_directories": f'"{quoted}"'}
    line = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in options.items())
    argv: list[str | Path] = [server.bin("pg_ctl"), "start", "-s", "-w", "-t", str(_START_SECONDS)]
    with server.log.open("ab") as log:
        before = log.tell()
        done = server.user.run([*argv, "-D", server.cluster, "-o", line], cwd=server.data, output=log)
    if done.returncode == 0:
        return ""
    return server.log.read_bytes()[before:].decode(errors="replace") or f"pg_ctl ended with {done.returncode}"


def _stop(server: Server, mode: str) -> None:
    if postmaster.find(server.cluster) is None:
        return
    argv: list[str | Path] = [server.bin("pg_ctl"), "stop", "-s", "-w", "-t", str(_STOP_SECONDS), "-m", mode]
    done = server.user.run([*argv, "-D", server.cluster], cwd=server.data)
    if left := postmaster.find(server.cluster):
        said = done.stdout.decode(errors="replace").strip()
        raise EmbeddedError(f"PostgreSQL (process {left.pid}) does not stop: {said}")


def _make_roles(server: Server) -> None:
    """Idempotent, also after a crash between any two of its statements."""
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True, connect_timeout=10) as connection:
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        if OWNER not in roles:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(OWNER)))
        if APP not in roles:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP)))
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        if DATABASE not in databases:
            create = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(create.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
