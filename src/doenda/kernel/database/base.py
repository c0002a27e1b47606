"""Django's PostgreSQL backend with the commit seam and the guard of rule 16."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base

from doenda.kernel.database import lists, seam

PREPARED_MAX = 300
"""Statements that a connection keeps prepared: more than the house has on its usual ways, so that none is evicted."""
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|COPY\s[^(]*\bFROM)\b", re.IGNORECASE)

lists.install()


class WriteOutsideTransaction(RuntimeError):
    """A durable write outside `atomic` is a commit point that nobody named."""


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.DOENDA_STRICT and self.alias != "owner":  # migrations write as they like
            self.execute_wrappers.append(self._refuse_loose_writes)

    def _configure_connection(self, connection: Any) -> bool:
        connection.prepared_max = PREPARED_MAX
        return bool(super()._configure_connection(connection))  # type: ignore[misc]

    def _set_autocommit(self, autocommit: bool) -> None:
        if not autocommit:
            seam.point("begin", self)
            self.ensure_connection()  # whoever acted meanwhile may have died, and its connection with it
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _commit(self) -> None:
        seam.point("before", self)
        super()._commit()  # type: ignore[misc]
        seam.point("after", self)

    def _refuse_loose_writes(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if not self.in_atomic_block and _WRITES.match(str(sql)):
            raise WriteOutsideTransaction(f"outside a transaction: {str(sql)[:120]}")
        return execute(sql, params, many, context)
