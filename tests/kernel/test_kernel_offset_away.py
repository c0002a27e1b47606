"""A process that starts while the database is away does not take the wall's time for the house's."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import override_settings

from doenda.kernel import offset


@pytest.fixture
def movable(committed_db: str) -> Iterator[None]:
    with override_settings(DOENDA_MOVABLE_CLOCK=True):
        offset.forget()
        yield
        offset.forget()


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise OperationalError("the database system is starting up")


def test_an_offset_that_could_not_be_read_at_the_start_is_read_as_soon_as_it_can_be(movable: None) -> None:
    offset.advance(timedelta(days=16))
    offset.forget()
    with connection.execute_wrapper(refuse):
        offset.current()
    assert offset.current() == timedelta(days=16).total_seconds()


def test_the_last_known_offset_holds_while_the_database_is_away(movable: None, monkeypatch: pytest.MonkeyPatch) -> None:
    offset.advance(timedelta(days=16))
    monkeypatch.setattr(offset, "CACHE_SECONDS", 0.0)
    with connection.execute_wrapper(refuse):
        assert offset.current() == timedelta(days=16).total_seconds()
