"""The ground that a world stands on: a database that is emptied between worlds, settings, and this process's memory.

What migrations and `ensure_ways` laid down (the furniture) is kept aside once a database, and put back when a world has
changed it. Needs the alias `owner` for the database of `default`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

from doenda.assurance import guidance, ways
from doenda.billing import books
from doenda.dunning import run as collections
from doenda.kernel import clock, ids, randomness
from doenda.kernel.db import atomic
from doenda.payments import providers
from doenda.sim import spares

KEPT = "sim_kept"
FIRST = datetime(2014, 1, 1, tzinfo=UTC)
"""The furniture is older than any world."""
BASE_URL = "http://127.0.0.1:8000"
SWITCH_URL, HANDSET_URL = "http://switch.inside", "http://handset.inside"


class Ground:
    """One database: its tables, and which of them hold furniture. Speaks to it as the superuser, beside the house."""

    def __init__(self, tables: Sequence[str], furniture: Sequence[str], sequences: Sequence[str]) -> None:
        self.tables, self.furniture, self.sequences = tables, furniture, sequences
        self._beside: psycopg.Connection[Any] | None = None
        self._columns: dict[str, list[str]] | None = None
        self._spares = spares.keep()

    def clear(self) -> None:
        """Empty what a world has written; the next one finds the database as if it had been the first.

        Rows are deleted and their files vacuumed away: the same as TRUNCATE, and twenty times as fast where files are
        slow to make (measured: 15 against 350 ms for 28 tables).
        """
        connections["default"].close()  # the next world's house begins with a connection of nobody's
        beside = self._connection()
        filled = [row[0] for row in beside.execute(_filled(self.tables))]
        worn = [name for name in self.furniture if name not in _STILL]
        drop = [name for name in filled if name not in self.furniture] + worn
        if not drop:
            return
        again = [f"INSERT INTO {_quoted(name)} SELECT * FROM {KEPT}.{_quoted(name)}" for name in worn]  # noqa: S608
        begin = [f"SELECT setval('{name}', 1, false)" for name in self.sequences]
        beside.execute("; ".join(f"DELETE FROM {_quoted(name)}" for name in drop))  # noqa: S608
        beside.execute(f"VACUUM (TRUNCATE ON, PARALLEL 0) {', '.join(map(_quoted, drop))}")
        beside.execute("; ".join(again + begin))

    def fingerprint(self) -> str:
        """Of every row of every table, but for columns of bytes: what is sealed draws a chance of its own."""
        beside = self._connection()
        filled = [row[0] for row in beside.execute(_filled(self.tables))]
        if self._columns is None:
            self._columns = dict(beside.execute(_COLUMNS).fetchall())
        asked = [_summed(name, self._columns[name]) for name in filled if name not in _STILL]
        rows = beside.execute(" UNION ALL ".join(asked)).fetchall() if asked else []
        return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()[:16]

    def _connection(self) -> "psycopg.Connection[Any]":
        place = connections["owner"].settings_dict
        if self._beside is None or self._beside.closed or self._beside.info.dbname != place["NAME"]:
            if self._beside is not None:
                self._beside.close()
            named = {"dbname": place["NAME"], "host": place["HOST"], "user": "postgres"}
            self._beside = psycopg.connect(**named, autocommit=True)
            self._beside.execute("SET session_replication_role = replica")  # no order of tables, no guards
        return self._beside

    def close(self) -> None:
        """Let go of the database."""
        if self._beside is not None:
            self._beside.close()
        self._spares.close()


_STILL = ("auth_permission", "django_content_type", "django_migrations", "payments_attemptedge")
"""Furniture that no world changes."""


def _quoted(name: str) -> str:
    return f'"{name}"'


def _filled(tables: Sequence[str]) -> str:
    """The question which of these tables hold anything."""
    asked = (f"SELECT '{name}' AS name, EXISTS (SELECT FROM {_quoted(name)}) AS filled" for name in tables)  # noqa: S608
    return f"SELECT name FROM ({' UNION ALL '.join(asked)}) found WHERE filled"  # noqa: S608


_COLUMNS = """
    SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position) FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type <> 'bytea' GROUP BY table_name
"""


def _summed(name: str, columns: Sequence[str]) -> str:
    """The question for a table's rows as one figure, whatever order they lie in."""
    row = f"ROW({', '.join(map(_quoted, columns))})::text"
    return f"SELECT '{name}', md5(string_agg({row}, ',' ORDER BY {row} COLLATE \"C\")) FROM {_quoted(name)}"  # noqa: S608


def lay(offered: Mapping[str, Any]) -> Ground:
    """Make a freshly migrated database the ground of worlds, in which all these providers are offered."""
    with standing(offered), clock.freeze(FIRST), randomness.seeded("furniture"), atomic():
        ids.start_over()
        ways.ensure_ways()
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        tables = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename")
        sequences = [row[0] for row in cursor.fetchall() if row[0] not in {f"{name}_id_seq" for name in _STILL}]
        cursor.execute(_filled(tables))
        furniture = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"DROP SCHEMA IF EXISTS {KEPT} CASCADE")
        cursor.execute(f"CREATE SCHEMA {KEPT}")
        for name in furniture:
            if name not in _STILL:
                cursor.execute(f"CREATE TABLE {KEPT}.{_quoted(name)} AS TABLE {_quoted(name)}")
    connections["owner"].close()
    return Ground(tables, furniture, sequences)


@contextmanager
def standing(config: Mapping[str, Any], *, sealing: tuple[str, ...] = ()) -> Iterator[None]:
    """This process's settings as a world's house has them; put back at the end, and what was remembered forgotten."""
    wanted = {
        "DOENDA_PROVIDERS": dict(config),
        "DOENDA_OFFERED": list(config),
        "DOENDA_WALKED": [],
        "DOENDA_BASE_URL": BASE_URL,
        "DOENDA_SWITCH_URL": SWITCH_URL,
        "DOENDA_HANDSET_URL": HANDSET_URL,
        "DOENDA_SEALING_KEYS": list(sealing),
        "DOENDA_MOVABLE_CLOCK": False,
    }
    before = {name: getattr(settings, name, None) for name in wanted}
    for name, value in wanted.items():
        setattr(settings, name, value)
    forget()
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
        forget()


def forget() -> None:
    """What a process that dies forgets: what it had read from the database, and its providers' clients."""
    books.forget()
    guidance.forget()
    collections.forget()
    providers.get.cache_clear()
