"""Lists of any length may be asked for: a day of a large carrier has more payments than a statement has parameters."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from doenda.billing.models import Account, AccountRole
from doenda.kernel.models import OutboxRow

MANY = 70_000


def test_more_keys_than_a_statement_has_parameters(db: None) -> None:
    row = OutboxRow.objects.create(kind="k", key="wanted")
    ids = [uuid.uuid4() for _ in range(MANY)]
    assert list(OutboxRow.objects.filter(pk__in=[*ids, row.pk])) == [row]
    assert not OutboxRow.objects.filter(pk__in=ids).exists()
    assert list(OutboxRow.objects.exclude(pk__in=ids)) == [row]


@pytest.mark.parametrize("found", [["wanted"], [None, "wanted"], []])
def test_texts_and_nothing_at_all(db: None, found: list[str | None]) -> None:
    OutboxRow.objects.create(kind="k", key="wanted")
    keys = [f"other {each}" for each in range(MANY)]
    assert OutboxRow.objects.filter(key__in=[*keys, *found]).count() == ("wanted" in found)


def test_over_a_relation(db: None) -> None:
    assert not AccountRole.objects.filter(account__in=[uuid.uuid4() for _ in range(MANY)]).exists()
    assert not Account.objects.filter(roles__pk__in=[uuid.uuid4() for _ in range(MANY)]).exists()


def test_a_short_list_stays_a_list(db: None) -> None:
    with CaptureQueriesContext(connection) as asked:
        list(OutboxRow.objects.filter(key__in=["a", "b"]))
    assert " IN (" in asked[0]["sql"]
