"""What a bench stands on: a migrated database that keeps its promises at COMMIT, and pgbench beside it."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.core.management import call_command
from django.db import connections

from doenda.app.settings import database_of
from doenda.kernel import embedded

PGBENCH = "doenda_pgbench"
SCALE = 16
CLIENTS = 16


@dataclass(frozen=True)
class Ground:
    """`url` is what processes use, `owner` who may define tables there; `pgbench` is the program, if there is one."""

    url: str
    owner: str
    pgbench: str | None

    @property
    def env(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url, "DATABASE_OWNER_URL": self.owner}

    def promises(self) -> dict[str, str]:
        """The server's settings without which a figure would mean nothing."""
        with psycopg.connect(self.owner) as connection:
            rows = connection.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')"
            )
            return {str(name): str(value) for name, value in rows}

    def analyze(self) -> None:
        """Let the planner know the rows, as autovacuum would after a while."""
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute("ANALYZE")

    def postmaster(self) -> int | None:
        """The server's first process; None for one that is not on this machine."""
        with psycopg.connect(self.owner) as connection:
            stat = Path(f"/proc/{connection.info.backend_pid}/stat")
            here = stat.exists() and "postgres" in stat.read_text()
            return int(stat.read_text().rpartition(")")[2].split()[1]) if here else None


@contextmanager
def ground(database: str | None, owner: str | None) -> Iterator[Ground]:
    """A throwaway server, or the migrated database that `database` names; Django here uses it. It keeps the rows."""
    with ExitStack() as stack:
        if database is None:
            server = stack.enter_context(embedded.throwaway())
            made = Ground(server.url(), server.url(role=embedded.OWNER), str(server.bin("pgbench")))
        else:
            made = Ground(database, owner or database, shutil.which("pgbench"))
        stack.callback(_point_django(made))
        if database is None:
            call_command("migrate", database="owner", verbosity=0)
        yield made


def _point_django(made: Ground) -> Callable[[], None]:
    """Use these databases in this process. Returns what closes every connection to them."""

    def close() -> None:
        for alias in connections:
            connections[alias].close()

    close()
    for alias, url in (("default", made.url), ("owner", made.owner)):
        connections[alias].settings_dict.update(database_of(url, 0))
    return close


class Pgbench:
    """`pgbench -s 16 -M prepared -c 16 -j 2` in a database of its own on the same server."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        parts = urlsplit(ground.owner)
        self.url = urlunsplit(parts._replace(path=f"/{PGBENCH}"))
        self._run("-i", "-s", str(SCALE), "-q", self.url)

    def tps(self, seconds: float) -> float:
        """Transactions a second over `seconds`, the connecting not counted."""
        options = ["-s", str(SCALE), "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(seconds)))]
        said = self._run(*options, self.url)
        found = re.search(r"tps = ([\d.]+)", said)
        if found is None:
            raise RuntimeError(f"pgbench said no figure:\n{said[-2000:]}")
        return float(found[1])

    def _run(self, *options: str) -> str:
        if self.ground.pgbench is None:
            raise RuntimeError("pgbench is not on the PATH: install PostgreSQL's client programs")
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own program
            [self.ground.pgbench, *options], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"pgbench failed:\n{done.stderr[-2000:]}")
        return done.stdout


@contextmanager
def pgbench(ground: Ground) -> Iterator[Pgbench]:
    """pgbench's tables, made and removed. Raises RuntimeError with pgbench's own words."""
    with psycopg.connect(ground.owner, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {PGBENCH}")
        connection.execute(f"CREATE DATABASE {PGBENCH}")
    try:
        yield Pgbench(ground)
    finally:
        with psycopg.connect(ground.owner, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {PGBENCH}")
