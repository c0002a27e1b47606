"""The test database: one throwaway PostgreSQL a run, migrated once as the owner, used as `doenda_app`.

`db` (pytest-django's) rolls each test back; `committed_db` gives a test a database of its own with real commits.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from hypothesis import settings as hypothesis_settings
from tests import planted

from doenda.kernel import clock, embedded

hypothesis_settings.register_profile("doenda", deadline=None)  # speed is a benchmark, never a timed test
hypothesis_settings.load_profile("doenda")

TEMPLATE, ROLLED_BACK = "doenda_template", "doenda_test"


@pytest.fixture(scope="session", autouse=True)
def watched_log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No log of this run, nor of a process that it starts, holds a secret, a card or an account number of a test."""
    for name, value in planted.secrets_of(settings.DOENDA_PROVIDERS):
        planted.plant(name, value)
    yield from planted.watching(tmp_path_factory.mktemp("watched"))


class TestServer:
    def __init__(self, server: embedded.Server) -> None:
        self.server = server
        self.clones = 0

    def run(self, *statements: str, role: str = "doenda_owner") -> None:
        import psycopg

        with psycopg.connect(self.server.url("postgres", role), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def use(self, database: str) -> None:
        for alias, role in (("default", "doenda_app"), ("owner", "doenda_owner")):
            connections[alias].close()
            connections[alias].settings_dict.update(NAME=database, USER=role, HOST=str(self.server.socket), PORT="")

    def clone(self) -> str:
        self.clones += 1
        name = f"doenda_clone_{self.clones}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return name


@pytest.fixture(scope="session")
def test_server(django_db_blocker: Any) -> Iterator[TestServer]:
    with embedded.throwaway({**embedded.FAST, "autovacuum": "off"}) as server, django_db_blocker.unblock():
        made = TestServer(server)
        made.run(f"CREATE DATABASE {TEMPLATE}")
        made.use(TEMPLATE)
        call_command("migrate", database="owner", verbosity=0)
        made.use(TEMPLATE)
        for alias in connections:
            connections[alias].close()
        made.run(f"CREATE DATABASE {ROLLED_BACK} TEMPLATE {TEMPLATE}")
        made.use(ROLLED_BACK)
        yield made
        for alias in connections:
            connections[alias].close()


@pytest.fixture(scope="session")
def django_db_setup(test_server: TestServer) -> None:
    """pytest-django's hook: our server stands in for the one that it would make."""


@pytest.fixture
def committed_db(test_server: TestServer, django_db_blocker: Any) -> Iterator[str]:
    """A database of this test's own, with real commits; removed afterwards."""
    with django_db_blocker.unblock():
        name = test_server.clone()
        test_server.use(name)
        try:
            yield name
        finally:
            test_server.use(ROLLED_BACK)
            # as the superuser: one of the server's own processes may be looking at the database
            test_server.run(f"DROP DATABASE {name} WITH (FORCE)", role="postgres")


@pytest.fixture
def noon() -> Iterator[clock.Frozen]:
    """Wednesday 22 October 2014, noon in Seoul: the clock stands still."""
    from datetime import date

    with clock.freeze(clock.at(date(2014, 10, 22), 12)) as frozen:
        yield frozen
