"""Queries that are made once and asked often: Django writes the SQL at the first call, later ones only send values.

For the way of every payment, where making the SQL costs more than running it. The rows come back as the same model
instances (or tuples, of `values_list`), so callers read as they would without it:

    @once.query
    def _open_bills(account_id: Open) -> QuerySet[Bill]:
        return Bill.objects.filter(account_id=account_id, state="open")

    bills = _open_bills(account_id=account.pk)
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import FETCH_ONE, Expression, QuerySet
from django.db.models.query import get_related_populators


class Open(Expression):
    """A value of a query that is left open until it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


@dataclass(frozen=True, slots=True)
class _Made:
    """What Django needs to run it again: the statement, and how a row becomes an instance."""

    sql: str
    params: tuple[Any, ...]
    compiler: Any
    converters: Any
    build: Callable[[Any], Any]


class Query[T]:
    """Call it with the open values by name: a list of rows. Values are passed on as they are (no lists, no JSON)."""

    def __init__(self, make: Callable[..., "QuerySet[Any, T]"]) -> None:
        self._make = make
        self._names = tuple(inspect.signature(make).parameters)
        self._made: _Made | None = None
        self.__doc__ = make.__doc__

    def __call__(self, **values: Any) -> list[T]:
        made = self._made = self._made or self._compiled()
        with connection.cursor() as cursor:
            cursor.execute(made.sql, [values[each.name] if type(each) is Open else each for each in made.params])
            rows = cursor.fetchall()
        if made.converters:
            rows = made.compiler.apply_converters(rows, made.converters)
        return [made.build(row) for row in rows]

    def first(self, **values: Any) -> T | None:
        """The first row, if there is one."""
        return next(iter(self(**values)), None)

    def one(self, **values: Any) -> T:
        """The row that there must be. Raises LookupError if there is none."""
        found = self(**values)
        if not found:
            raise LookupError(f"{self._make.__qualname__}: no such row")
        return found[0]

    def _compiled(self) -> _Made:
        asked = self._make(**{name: Open(name) for name in self._names})
        compiler: Any = asked.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([each for each, _, _ in compiler.select])
        build = _instances(compiler) if asked._fields is None else tuple  # type: ignore[attr-defined]
        return _Made(sql, tuple(params), compiler, converters, build)


def query[T](make: Callable[..., "QuerySet[Any, T]"]) -> Query[T]:
    """Use it as a decorator of a function from open values to a queryset."""
    return Query(make)


def _instances(compiler: Any) -> Callable[[Any], Any]:
    """How a row becomes a model instance with its related ones and annotations, as in Django's own ModelIterable."""
    info, select = compiler.klass_info, compiler.select
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [each[0].target.attname for each in select[first:last]]
    related = get_related_populators(info, select, connection.alias, FETCH_ONE)
    annotations = list(compiler.annotation_col_map.items())

    def build(row: Any) -> Any:
        made = info["model"].from_db(connection.alias, names, row[first:last])
        for each in related:
            each.populate(row, made)
        for name, place in annotations:
            setattr(made, name, row[place])
        return made

    return build
