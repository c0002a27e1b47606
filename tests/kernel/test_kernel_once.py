"""A query that is made once gives what the query itself gives, each time anew; a row changes by its key."""

from uuid import UUID

import pytest
from django.db import DatabaseError
from django.db.models import Exists, OuterRef, QuerySet

from doenda.billing.models import Account, AccountRole, Line, Party
from doenda.kernel import clock, once
from doenda.kernel.ids import new_id
from doenda.kernel.models import OutboxRow

pytestmark = pytest.mark.usefixtures("db", "noon")


def account(number: str, lines: int = 0) -> Account:
    made = Account.objects.create(number=number, currency="KRW")
    for place in range(lines):
        Line.objects.create(account=made, number=f"+8210{number[-4:]}{place:04}")
    return made


@once.query
def _lines(account_id: once.Open) -> "QuerySet[Line]":
    return Line.objects.filter(account=account_id).select_related("account").order_by("number")


@once.query
def _known(number: once.Open, currency: once.Open) -> "QuerySet[Account]":
    has_line = Exists(Line.objects.filter(account=OuterRef("pk")))
    return Account.objects.filter(number=number, currency=currency).annotate(has_line=has_line)


@once.query
def _numbers(account_id: once.Open) -> "QuerySet[Line, tuple[UUID, str]]":
    return Line.objects.filter(account_id=account_id).order_by("number").values_list("account_id", "number")


@once.query
def _payload(key: once.Open) -> "QuerySet[OutboxRow]":
    return OutboxRow.objects.filter(kind="test", key=key)


def test_instances_come_with_what_belongs_to_them() -> None:
    one, other = account("A-0001", lines=2), account("A-0002", lines=1)
    for mine, count in ((one, 2), (other, 1), (one, 2)):
        found = _lines(account_id=mine.pk)
        assert found == list(Line.objects.filter(account=mine).order_by("number"))
        assert len(found) == count
        assert {line.account.number for line in found} == {mine.number}
        assert all("account" in line._state.fields_cache for line in found)


def test_annotations_and_tuples_come_as_django_gives_them() -> None:
    account("A-0001", lines=1)
    account("A-0002")
    assert [_known.first(number=each, currency="KRW").has_line for each in ("A-0001", "A-0002")] == [True, False]  # type: ignore[union-attr]
    assert _known.first(number="A-0001", currency="USD") is None
    mine = Account.objects.get(number="A-0001")
    assert _numbers(account_id=mine.pk) == [(mine.pk, "+821000010000")]


def test_json_is_read_and_a_row_changed_meanwhile_is_seen() -> None:
    OutboxRow.objects.create(kind="test", key="k", payload={"n": [1, "둘"]})
    assert [row.payload for row in _payload(key="k")] == [{"n": [1, "둘"]}]
    OutboxRow.objects.filter(key="k").update(payload={"n": 2})
    assert [row.payload for row in _payload(key="k")] == [{"n": 2}]


def test_a_value_that_is_left_out_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError, match="currency"):
        _known(number="A-0001")


def test_a_row_changes_by_its_key_and_only_that_row() -> None:
    row, other = (OutboxRow.objects.create(kind="test", key=key) for key in ("one", "two"))
    now = clock.now()
    row.put(done_at=now, payload={"a": 1}, reason="said")
    for each in (row, OutboxRow.objects.get(key="one")):
        assert (each.done_at, each.payload, each.reason) == (now, {"a": 1}, "said")
    other.refresh_from_db()
    assert (other.done_at, other.payload, other.reason) == (None, {}, "")


def test_a_row_that_is_not_there_cannot_change() -> None:
    with pytest.raises(DatabaseError):
        OutboxRow(id=new_id(), kind="test", key="none").put(reason="x")


def test_a_change_waits_for_nobody_and_is_not_made_on_what_has_moved_on() -> None:
    row = OutboxRow.objects.create(kind="test", key="one", tries=1)
    late = OutboxRow.objects.get(pk=row.pk)
    assert row.put_if({"tries": 1}, tries=2, reason="first")
    assert not late.put_if({"tries": 1}, tries=2, reason="second")
    assert OutboxRow.objects.get(pk=row.pk).reason == "first"


def test_the_oldest_holder_is_asked_for_by_a_query_of_its_own_role() -> None:
    from doenda.billing.accounts import party_of

    mine = account("A-0001")
    holder, payer = (Party.objects.create(kind="person", name=name) for name in ("김", "이"))
    AccountRole.objects.create(account=mine, party=holder, role=AccountRole.Role.HOLDER)
    AccountRole.objects.create(account=mine, party=payer, role=AccountRole.Role.PAYER)
    assert (party_of(mine.pk), party_of(mine.pk, AccountRole.Role.PAYER)) == (holder, payer)
    assert party_of(mine.pk, AccountRole.Role.USER) is None
