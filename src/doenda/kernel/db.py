"""Transactions: the one way to write, and what to do when a commit's answer is lost."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.db.transaction import atomic

__all__ = ["atomic", "durable"]

log = logging.getLogger(__name__)
_RETRIED = {"40001", "40P01"}


def durable[T](work: Callable[[], T], *, tries: int = 3) -> T:
    """Run `work` in a transaction and return only when it is known to be committed.

    `work` must be idempotent by its own keys: when the answer to COMMIT is lost, or the transaction was chosen as a
    deadlock's victim, it runs again and writes the same keys again (design rule 5). Must not be nested.
    """
    for attempt in range(1, tries + 1):
        try:
            with atomic(durable=True):
                return work()
        except (OperationalError, InterfaceError) as error:
            state = getattr(error.__cause__, "sqlstate", None)
            if attempt == tries or not (state is None or state in _RETRIED or state.startswith(("08", "57P"))):
                raise
            log.warning("transaction tried again after %s", state or "a lost connection")
            connection.close()
    raise AssertionError("unreachable")
