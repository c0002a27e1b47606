"""Rows of the ground floor: the clock's offset, the outbox, the facts, leases."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, connection, models
from psycopg.types.json import Jsonb

from doenda.kernel import clock
from doenda.kernel.ids import new_id


class Row(models.Model):
    """What every row of the house has: a UUIDv7 and the instant it was made."""

    id: "models.UUIDField[UUID, UUID]" = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at: "models.DateTimeField[datetime, datetime]" = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def insert(self, *, once: bool = False) -> bool:
        """Write the row, which must be new: IntegrityError if it is not; with `once`, False and nothing is written.

        For rows that every payment writes: the statement is made once, at a third of what `bulk_create` costs.
        """
        statement, columns = _insert(type(self), " ON CONFLICT DO NOTHING" if once else "")
        with connection.cursor() as cursor:
            cursor.execute(statement, [sent(getattr(self, name)) for name, sent in columns])
            return bool(cursor.rowcount)

    def put(self, **values: Any) -> None:
        """Set these attributes (by name: "account_id") and write them. DatabaseError if the row is not there.

        As `save(update_fields=...)`, by a statement that is made once.
        """
        if not self.put_if({}, **values):
            raise DatabaseError(f"no row {self.pk} to change")

    def put_if(self, still: dict[str, Any], **values: Any) -> bool:
        """The same if the row still has the values of `still`. False, and nothing is written, if it has not."""
        statement, sent = _change(type(self), tuple(values), tuple(still))
        written = [
            as_sent(value) for as_sent, value in zip(sent, (*values.values(), self.id, *still.values()), strict=True)
        ]
        for name, value in values.items():
            setattr(self, name, value)
        with connection.cursor() as cursor:
            cursor.execute(statement, written)
            return bool(cursor.rowcount)


type _Sent = Callable[[Any], Any]


def _sent(field: "models.Field[Any, Any]") -> _Sent:
    """How a value of the field travels: the driver knows our types; JSON says that it is, and a text is one."""
    if isinstance(field, models.JSONField):
        dumps = partial(json.dumps, cls=field.encoder)
        return lambda value: None if value is None else Jsonb(value, dumps)
    if isinstance(field, models.CharField | models.TextField):
        return lambda value: value if value is None or isinstance(value, str) else str(value)
    return lambda value: value


@cache
def _insert(model: type[Row], end: str) -> tuple[str, tuple[tuple[str, _Sent], ...]]:
    fields = model._meta.concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    columns = tuple((field.attname, _sent(field)) for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({marks}){end}', columns  # noqa: S608


@cache
def _change(model: type[Row], names: tuple[str, ...], still: tuple[str, ...]) -> tuple[str, tuple[_Sent, ...]]:
    known = {field.attname: field for field in model._meta.concrete_fields}
    changes = ", ".join(f'"{known[name].column}" = %s' for name in names)
    where = " AND ".join(f'"{known[name].column}" = %s' for name in ("id", *still))
    sent = tuple(_sent(known[name]) for name in (*names, "id", *still))
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE {where}', sent  # noqa: S608


class ClockOffset(models.Model):
    """One row, in demo and simulation only: how far the house's clock runs ahead of the wall's. It only grows."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    seconds = models.FloatField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="clock_one_row"),
            models.CheckConstraint(condition=models.Q(seconds__gte=0), name="clock_forward"),
        ]


class OutboxRow(Row):
    """One effect on the outside world, written in the transaction that decided it, retried until confirmed."""

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=120)
    payload = models.JSONField(default=dict)
    account_id = models.UUIDField(null=True)
    due_at = models.DateTimeField(default=clock.now)
    lease_until = models.DateTimeField(null=True)
    tries = models.IntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    reason = models.TextField(default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "key"], name="outbox_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["kind", "due_at", "id"],
                name="outbox_due_kind",
                condition=models.Q(done_at=None, parked_at=None),
            ),
            models.Index(fields=["account_id", "created_at"], name="outbox_account"),
        ]


class FactRow(Row):
    """Something that happened in a room, for the rooms above it. `pending`: subscribers that have yet to see it."""

    kind = models.CharField(max_length=60)
    account_id = models.UUIDField(null=True)
    data = models.JSONField(default=dict)
    pending = ArrayField(models.CharField(max_length=60), default=list)
    tries = models.IntegerField(default=0)
    retry_at = models.DateTimeField(default=clock.now)
    reason = models.TextField(default="")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["retry_at", "id"], name="fact_pending", condition=~models.Q(pending=[])),
            models.Index(fields=["account_id", "created_at"], name="fact_account"),
        ]


class Lease(models.Model):
    """Which process does a work of which there is one; see `leases`."""

    name = models.CharField(max_length=60, primary_key=True)
    holder = models.CharField(max_length=80)
    until = models.DateTimeField()
