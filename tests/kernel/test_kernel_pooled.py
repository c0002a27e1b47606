"""A pool does not give out connections whose server died while they lay idle."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from psycopg_pool import ConnectionPool

from doenda.app.settings import database_of
from doenda.kernel.database import pooled


@pytest.fixture
def conninfo(committed_db: str) -> str:
    known = connections["default"].get_connection_params()
    return psycopg.conninfo.make_conninfo(
        dbname=known["dbname"], user=known["user"], host=known["host"], port=known.get("port")
    )


@pytest.fixture
def pool(conninfo: str) -> Iterator["ConnectionPool[psycopg.Connection[tuple[int]]]"]:
    with ConnectionPool(
        conninfo,
        min_size=1,
        max_size=4,
        timeout=8.0,
        check=pooled.check,
        reconnect_timeout=pooled.RECONNECT_SECONDS,
        connection_class=psycopg.Connection[tuple[int]],
        kwargs={"autocommit": True},
    ) as made:
        made.wait()
        yield made


def end_backends(conninfo: str) -> int:
    """What becomes of every other connection when the server dies."""
    with psycopg.connect(conninfo, autocommit=True) as other:
        ended = other.execute(
            "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(ended[0]) if ended else 0


def test_connections_that_died_idle_are_thrown_away_and_nobody_meets_an_error(
    conninfo: str, pool: "ConnectionPool[psycopg.Connection[tuple[int]]]"
) -> None:
    held = [pool.getconn() for _ in range(4)]
    for one in held:
        pool.putconn(one)
    assert end_backends(conninfo) >= 4
    for _ in range(4):
        with pool.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_living_connection_is_given_out_again(
    conninfo: str, pool: "ConnectionPool[psycopg.Connection[tuple[int]]]"
) -> None:
    with pool.connection() as first:
        first.execute("SELECT 1")
    with pool.connection() as second:
        assert second is first


def test_the_house_looks_at_every_connection_that_it_takes_from_its_pool() -> None:
    options = database_of("postgresql://app@/doenda?host=/nowhere", 16)["OPTIONS"]
    assert isinstance(options, dict)
    assert options["pool"]["check"] is pooled.check
    assert options["pool"]["reconnect_timeout"] <= 10
