"""Plain questions to the house's database: one statement a check, for a world that is small."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True)
class Violation:
    """What does not hold. `invariant`: its number ("I3"); `words` name what it is about."""

    invariant: str
    words: str
    step: int | None = None

    def __str__(self) -> str:
        return f"{self.invariant}: {self.words}"


def rows(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The answer, row by row; nothing is written."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
