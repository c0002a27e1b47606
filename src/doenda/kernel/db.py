"""Transactions: the one way to write, and what to do when a commit's answer is lost."""

import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.db.transaction import atomic

__all__ = ["atomic", "durable"]

log = logging.getLogger(__name__)
_RETRIED = {"40001", "40P01"}
_LOOKS, _PAUSE = 50, 0.1
"""For 5 seconds a server may still hold a transaction for running whose client is gone."""


def durable[T](work: Callable[[], T], *, tries: int = 3, once: bool = False) -> T:
    """Run `work` in a transaction and return only when it is known to be committed.

    `work` must be idempotent by its own keys: when the answer to COMMIT is lost, or the transaction was chosen as a
    deadlock's victim, it runs again and writes the same keys again (design rule 5). Must not be nested.

    `once`: where a second run would say something else than the first (a person's act that is done, a count), the
    server is asked first what became of it, and a transaction that is committed is not run again. One more round trip.
    """
    left: tuple[int, T] | None = None
    for attempt in range(1, tries + 1):
        try:
            if left is not None and _committed(left[0]):
                return left[1]
            left = None
            with atomic(durable=True):
                said = work()
                if once:
                    left = _ident(), said
            return said
        except (OperationalError, InterfaceError) as error:
            state = getattr(error.__cause__, "sqlstate", None)
            if attempt == tries or not (state is None or state in _RETRIED or state.startswith(("08", "57P"))):
                raise
            log.warning("transaction tried again after %s", state or "a lost connection")
            connection.close()
    raise AssertionError("unreachable")


def _ident() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _committed(ident: int) -> bool:
    """What became of a transaction whose COMMIT was not answered. Raises OperationalError if it does not end."""
    for _ in range(_LOOKS):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_xact_status(%s::text::xid8)", [str(ident)])
            (status,) = cursor.fetchone()
        if status != "in progress":
            return bool(status == "committed")
        time.sleep(_PAUSE)
    raise OperationalError("what became of a transaction is not known")
