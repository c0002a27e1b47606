"""The commit seam: where others may act before a transaction begins, and where a test makes the process die: then,
or just before or just after a commit is durable.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NoReturn

from django.db import OperationalError
from psycopg import errors

type When = Literal["begin", "before", "after"]


class Crash(BaseException):
    """The process died here. A BaseException, so that no handler of errors survives it."""


_watchers: list[Callable[[When, Any], None]] = []


def point(when: When, wrapper: Any) -> None:
    for watcher in _watchers:
        watcher(when, wrapper)


@contextmanager
def watching(watcher: Callable[[When, Any], None]) -> Iterator[None]:
    """Call `watcher` before each transaction begins, and before and after its commit; it may raise Crash through `die`.

    At "begin" no transaction is open, so it may also let somebody else act on the same connection.
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def die(wrapper: Any) -> NoReturn:
    """Drop the connection as a dying process would, then crash.

    The raw connection goes first, and the wrapper is told so: otherwise leaving the atomic block masks the crash with
    an error of its own.
    """
    if wrapper.connection is not None:
        wrapper.connection.close()
        wrapper.closed_in_transaction = not wrapper.autocommit
        if wrapper.autocommit:  # before it began, there is no block to clean up after us
            wrapper.connection = None
    raise Crash


def cut(wrapper: Any) -> NoReturn:
    """Drop the connection and say so as the driver does: the process lives, and does not know whether a commit that
    was under way is durable (before it: it is not; after it: it is, and its acknowledgement is lost)."""
    if wrapper.connection is not None:
        wrapper.connection.close()
    raise OperationalError("the connection was lost") from errors.ConnectionFailure("the connection was lost")


@contextmanager
def unacknowledged() -> Iterator[None]:
    """Of the commits from here on, the answer to every other one is lost, from the first: so each is tried twice."""
    seen = 0

    def watch(when: When, wrapper: Any) -> None:
        nonlocal seen
        if when == "after":
            seen += 1
            if seen % 2:
                cut(wrapper)

    with watching(watch):
        yield


@contextmanager
def crash(when: When, *, at_commit: int = 1) -> Iterator[None]:
    """Die at the n-th commit from here, `before` or `after` it."""
    seen = 0

    def watch(now: When, wrapper: Any) -> None:
        nonlocal seen
        if now == when:
            seen += 1
            if seen == at_commit:
                die(wrapper)

    with watching(watch):
        yield
