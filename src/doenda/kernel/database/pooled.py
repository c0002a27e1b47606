"""Connections that a pool has kept: one whose server has died meanwhile is not given to anybody."""

import select
from typing import Any

from psycopg import OperationalError

RECONNECT_SECONDS = 8.0
"""How long one effort to connect again lasts: as long as anybody waits for a connection. The pool pauses twice as long
after each failed try of an effort (5 minutes of it unless told), so it would sleep on for minutes when the server is
back; this one ends, and the next request begins another."""


def check(connection: Any) -> None:
    """Raise OperationalError if the server has hung up. Costs no round trip: an idle connection has nothing to read
    but its end, or the server's last words."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
    if waiting.poll(0):
        connection.close()
        raise OperationalError("the server has closed this connection")
