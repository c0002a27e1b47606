"""One payment at a time in this very process: how often it speaks to the database, and where its time goes."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client

from doenda.app.benches.pay_bank import bank
from doenda.app.benches.pay_rows import Return
from doenda.kernel import net
from doenda.kernel.database import seam


@dataclass
class Payment:
    """What one payment said to the database. Beside its statements each transaction costs a BEGIN and a COMMIT."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    writes: int = 0
    seconds: float = 0.0
    database_seconds: float = 0.0

    @property
    def round_trips(self) -> int:
        return len(self.statements) + 2 * self.commits


def watch(returns: Sequence[Return]) -> list[Payment]:
    """Pay them one after the other, and listen in. The first ones warm caches and prepared statements up."""
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    with net.using(bank):
        return [_watch(each) for each in returns]


def _watch(each: Return) -> Payment:
    seen = Payment()

    def listen(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        begun = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            seen.database_seconds += perf_counter() - begun
            seen.statements.append(" ".join(str(sql).split()))

    def commit(when: seam.When, wrapper: Any) -> None:
        seen.commits += when == "after"

    client = Client()
    with connection.execute_wrapper(listen), seam.watching(commit):
        begun = perf_counter()
        answer = client.post(f"/s/{each.address}", each.body, content_type="application/x-www-form-urlencoded")
        seen.seconds = perf_counter() - begun
    if answer.status_code != 303:
        raise RuntimeError(f"a payment alone was answered {answer.status_code}")
    return seen


def median_ms(seconds: Sequence[float]) -> float:
    return round(1000 * statistics.median(seconds), 2)
