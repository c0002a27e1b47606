"""Connections that outlive the processes of a world: a death costs a rollback, not a new server process.

What a process loses with its connection is its open transaction, and that is rolled back; the house keeps nothing else
in a session. The server's side, with its caches and prepared statements, is the next process's. Without this a death
costs about as much as a whole short world.
"""

from typing import Any, NoReturn

import psycopg
from django.db import OperationalError, connections
from psycopg import errors

from doenda.kernel.database import seam

MOST = 4


class Spares:
    """Stands between Django's connection and psycopg, for one alias."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper
        self._kept: list[psycopg.Connection[Any]] = []
        self._connect = wrapper.get_new_connection

    def _give(self, parameters: dict[str, Any]) -> Any:
        """A connection that nobody uses, else a new one."""
        self._connected(parameters)
        return self._kept.pop() if self._kept else self._connect(parameters)

    def _connected(self, parameters: dict[str, Any]) -> None:
        """Let go of those that lead to another database."""
        for each in self._kept[:]:
            if each.closed or each.info.dbname != parameters["dbname"]:
                each.close()
                self._kept.remove(each)

    def _take(self) -> None:
        """In place of closing."""
        raw = self._wrapper.connection
        if raw is None or raw.closed:
            return
        raw.rollback()
        if len(self._kept) < MOST:
            self._kept.append(raw)
        else:
            raw.close()

    def lose(self) -> None:
        """The connection is gone, and what was open with it."""
        self._take()
        self._wrapper.connection = _Gone()

    def close(self) -> None:
        """Keep no more."""
        wrapper = self._wrapper
        wrapper.close()
        del wrapper.get_new_connection, wrapper._close, wrapper.spares
        for each in self._kept:
            each.close()
        self._kept.clear()


class _Gone:
    """What is left of a connection that was lost: whatever is asked of it fails as with psycopg."""

    closed = True

    def rollback(self) -> NoReturn:
        raise psycopg.OperationalError("the connection is closed")

    cursor = commit = rollback

    def close(self) -> None:
        """Nothing is left to close."""


def keep(alias: str = "default") -> Spares:
    """From now on connections of the alias are kept instead of closed, until `close`."""
    wrapper: Any = connections[alias]
    wrapper.close()
    made = Spares(wrapper)
    wrapper.get_new_connection, wrapper._close, wrapper.spares = made._give, made._take, made
    return made


def die(wrapper: Any) -> NoReturn:
    """As `seam.die`: the process is gone, and its transaction with it."""
    spares: Spares | None = getattr(wrapper, "spares", None)
    if spares is None or wrapper.connection is None:
        seam.die(wrapper)
    spares.lose()
    wrapper.closed_in_transaction = not wrapper.autocommit
    if wrapper.autocommit:
        wrapper.connection = None
    raise seam.Crash


def cut(wrapper: Any) -> NoReturn:
    """As `seam.cut`: the connection is gone, and the process is told so."""
    spares: Spares | None = getattr(wrapper, "spares", None)
    if spares is None or wrapper.connection is None:
        seam.cut(wrapper)
    spares.lose()
    raise OperationalError("the connection was lost") from errors.ConnectionFailure("the connection was lost")
