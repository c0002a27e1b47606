"""Many rows in one statement say what as many saved rows would."""

from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, transaction

from doenda.kernel import clock, many
from doenda.kernel.ids import new_id
from doenda.kernel.models import FactRow, OutboxRow

pytestmark = pytest.mark.usefixtures("db", "noon")


def said(kind: str) -> list[dict[str, object]]:
    rows = FactRow.objects.filter(kind=kind).order_by("data__n").values()
    return [{name: value for name, value in row.items() if name not in {"id", "kind"}} for row in rows]


def test_inserted_rows_are_what_saving_makes_of_them() -> None:
    accounts = [new_id(), None, new_id()]
    told = [{"n": place, "words": ["“a”", 'b"\\{,}']} for place in range(3)]
    for account_id, data in zip(accounts, told, strict=True):
        FactRow.objects.create(kind="saved", account_id=account_id, data=data, pending=["x", "y"])
    many.insert(FactRow, {"account_id": accounts, "data": told}, kind="many", pending=["x", "y"])
    assert said("many") == said("saved")


def test_keys_are_made_in_the_order_of_the_rows_unless_they_are_given() -> None:
    many.insert(OutboxRow, {"key": ["one", "two"]}, kind="test")
    assert list(OutboxRow.objects.order_by("pk").values_list("key", flat=True)) == ["one", "two"]
    given = new_id()
    many.insert(OutboxRow, {"id": [given], "key": ["three"]}, kind="test")
    assert OutboxRow.objects.get(pk=given).key == "three"


def test_nothing_to_write_writes_nothing() -> None:
    many.insert(OutboxRow, {"key": []}, kind="test")
    many.update(OutboxRow, [], {"key": []})
    assert not OutboxRow.objects.exists()


def test_rows_change_by_their_keys() -> None:
    ids: list[UUID] = [OutboxRow.objects.create(kind="test", key=str(n), tries=7).pk for n in range(3)]
    now = clock.now()
    many.update(OutboxRow, ids[:2], {"reason": ["a", "b"], "payload": [{"n": 1}, {"n": 2}]}, done_at=now)
    rows = OutboxRow.objects.order_by("key").values_list("reason", "payload", "done_at", "tries")
    assert list(rows) == [("a", {"n": 1}, now, 7), ("b", {"n": 2}, now, 7), ("", {}, None, 7)]


def test_what_does_not_fit_is_refused_and_never_cut() -> None:
    with pytest.raises(DataError), transaction.atomic():
        many.insert(OutboxRow, {"key": ["k" * 121]}, kind="test")
    with pytest.raises(DataError), transaction.atomic():
        many.insert(OutboxRow, {"key": ["k"]}, kind="t" * 41)
    with pytest.raises(IntegrityError), transaction.atomic():
        many.insert(OutboxRow, {"key": ["k", "k"]}, kind="test")


def test_a_column_that_is_not_there_or_too_short_is_a_fault_of_ours() -> None:
    with pytest.raises(ValueError, match="sort"):
        many.insert(OutboxRow, {"key": ["k"]}, kind="test", sort="x")
    with pytest.raises(ValueError, match="unequal"):
        many.insert(OutboxRow, {"key": ["k"], "reason": []}, kind="test")
