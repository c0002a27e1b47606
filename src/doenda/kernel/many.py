"""Many rows of one table in one statement: what differs from row to row travels as an array, the rest as one value.

The set-wise twin of `save`: a tenth of what `bulk_create` and `bulk_update` cost, for work that comes by the thousand.
Values are what the model's own fields make of them; the database checks them as ever. Nothing is signalled or cached.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

from doenda.kernel.ids import new_id

_VARCHAR = re.compile(r"varchar\(\d+\)")

type Columns = Mapping[str, Sequence[Any]]


def insert(model: type[models.Model], each: Columns, *, once: bool = False, **same: Any) -> None:
    """New rows: `each` has a list of values by attribute name ("account_id"), `same` is alike in all of them.

    What is not named takes the field's default, once for all; a UUID key is made for each. IntegrityError as ever;
    with `once` a row that a unique index refuses is left out instead.
    """
    count = len(next(iter(each.values())))
    if not count:
        return
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    if any(field.primary_key and field.attname not in each for field in fields):
        each = {"id": [new_id() for _ in range(count)], **each}
    statement, arrays, singles = _insert(model, tuple(field.attname in each for field in fields))
    unknown = (each.keys() | same.keys()) - {field.attname for field in fields}
    if unknown or any(len(column) != count for column in each.values()):
        raise ValueError(f"{model.__name__}: no such columns, or lists of unequal length: {sorted(unknown)}")
    values: list[Any] = []
    for field in singles:
        value = same[field.attname] if field.attname in same else field.get_default()
        values.append(field.get_db_prep_save(value, connection))
    values += [_array(field, each[field.attname]) for field in arrays]
    with connection.cursor() as cursor:
        cursor.execute(statement + " ON CONFLICT DO NOTHING" if once else statement, values)


def update(model: type[models.Model], ids: Sequence[Any], each: Columns, **same: Any) -> None:
    """Change the rows with these keys: `each` has a value for each of them in their order, `same` is alike in all."""
    if not ids:
        return
    known = {field.attname: field for field in model._meta.concrete_fields}
    statement = _update(model, tuple(each), tuple(same))
    values = [known[name].get_db_prep_save(value, connection) for name, value in same.items()]
    values += [list(ids), *(_array(known[name], column) for name, column in each.items())]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _array(field: "models.Field[Any, Any]", column: Sequence[Any]) -> list[Any] | str:
    if isinstance(field, models.JSONField):
        return [json.dumps(value, cls=field.encoder) for value in column]
    if isinstance(field.target_field if isinstance(field, models.ForeignKey) else field, models.UUIDField):
        # As PostgreSQL's own text of an array: the driver would look in each key for what it has to quote.
        return "{" + ",".join("NULL" if value is None else value.hex for value in column) + "}"
    return list(column)


def _type(field: "models.Field[Any, Any]") -> str:
    """As what a value travels: a text too long for its column is refused there, not cut by a cast."""
    return _VARCHAR.sub("text", str(field.db_type(connection)))


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


type _Fields = tuple["models.Field[Any, Any]", ...]


@cache
def _insert(model: type[models.Model], differ: tuple[bool, ...]) -> tuple[str, _Fields, _Fields]:
    """The statement, then the fields of its arrays (its last parameters) and of its single values (its first)."""
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]
    arrays = tuple(field for field, differs in zip(fields, differ, strict=True) if differs)
    singles = tuple(field for field, differs in zip(fields, differ, strict=True) if not differs)
    columns = [str(field.column) for field in (*arrays, *singles)]
    said = _quoted([str(field.column) for field in arrays])
    unnested = ", ".join(f"%s::{_type(field)}[]" for field in arrays)
    values = "".join(f", %s::{_type(field)}" for field in singles)
    statement = (
        f'INSERT INTO "{model._meta.db_table}" ({_quoted(columns)})'  # noqa: S608 - names of our own columns
        f" SELECT u.*{values} FROM unnest({unnested}) AS u ({said})"
    )
    return statement, arrays, singles


@cache
def _update(model: type[models.Model], differ: tuple[str, ...], same: tuple[str, ...]) -> str:
    known = {field.attname: field for field in model._meta.concrete_fields}
    key = model._meta.pk
    changes = [f'"{known[name].column}" = %s' for name in same]
    changes += [f'"{known[name].column}" = u."{known[name].column}"' for name in differ]
    arrays = [f"%s::{_type(field)}[]" for field in (key, *(known[name] for name in differ))]
    columns = _quoted([str(key.column), *(str(known[name].column) for name in differ)])
    return (
        f'UPDATE "{model._meta.db_table}" t SET {", ".join(changes)}'  # noqa: S608 - names of our own columns
        f' FROM unnest({", ".join(arrays)}) AS u ({columns}) WHERE t."{key.column}" = u."{key.column}"'
    )
