"""Databases for worlds: one throwaway server, one migrated template, and a clone for each process that plays."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connections

from doenda.kernel import embedded

TEMPLATE = "doenda_worlds"
SETTINGS = {**embedded.FAST, "autovacuum": "off", "shared_buffers": "256MB", "plan_cache_mode": "force_generic_plan"}
"""Nothing here outlives its process; no vacuum comes between, and each statement has one plan: one seed meets one
physical order of rows."""


def connect(server_socket: str, database: str) -> None:
    """Have this process use that database, as the application's role and as the owner of its tables."""
    for alias, role in (("default", embedded.APP), ("owner", embedded.OWNER)):
        connections[alias].close()
        place = {"NAME": database, "USER": role, "HOST": server_socket, "PORT": ""}
        connections[alias].settings_dict.update(place)


@contextmanager
def server() -> Iterator[embedded.Server]:
    """A throwaway server with the migrated template; this process is connected to the template."""
    with embedded.throwaway(SETTINGS) as made:
        _run(made, f"CREATE DATABASE {TEMPLATE}")
        connect(str(made.socket), TEMPLATE)
        call_command("migrate", database="owner", verbosity=0)
        _close()
        try:
            yield made
        finally:
            _close()


def clone(made: embedded.Server, name: str) -> str:
    """A copy of the template under this name; nobody may be connected to the template. Its name."""
    _close()
    _run(made, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    return name


def _close() -> None:
    for alias in ("default", "owner"):
        connections[alias].close()


def _run(made: embedded.Server, statement: str) -> None:
    with psycopg.connect(made.url("postgres", embedded.OWNER), autocommit=True) as connection:
        connection.execute(statement)
