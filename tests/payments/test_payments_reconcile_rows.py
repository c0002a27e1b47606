"""Rows of reconciliation: what the database itself holds to."""

import pytest
from django.db import IntegrityError, transaction

from doenda.kernel import clock, ids
from doenda.payments.models import ReconLine, ReconRun

pytestmark = pytest.mark.django_db


def line(**changed: object) -> ReconLine:
    said: dict[str, object] = {
        "run_id": ids.new_id(),
        "source": "statement:KR1",
        "ident": "1",
        "kind": "in",
        "amount": 52300,
        "currency": "KRW",
        "at": clock.now(),
        "state": "parked",
        "reason": "NOT_IN_LEDGER",
        "owner": "desk",
        "due_at": clock.now(),
    }
    return ReconLine.objects.create(**(said | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"reason": ""},
        {"owner": ""},
        {"due_at": None},
        {"amount": 0},
        {"kind": "up"},
        {"state": "matched"},
        {"state": "settled_by_hand", "handled_by": "agent:kim"},
        {"state": "lost"},
    ],
)
def test_a_line_that_ends_nowhere_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        line(**changed)


def test_a_source_tells_a_line_once_and_matches_a_fact_once() -> None:
    line(state="matched", fact_kind="payment", fact_id="sandbox:1")
    line(source="statement:KR2", state="matched", fact_kind="payment", fact_id="sandbox:1")
    for again in ({}, {"ident": "2", "state": "matched", "fact_kind": "payment", "fact_id": "sandbox:1"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            line(**again)


@pytest.mark.parametrize("changed", [{"amount": 1}, {"reference": "x"}, {"probe": True}, {"told": {"a": 1}}])
def test_what_was_told_stays_as_it_was_told(changed: dict[str, object]) -> None:
    line()
    with pytest.raises(IntegrityError, match="stays as it was told"), transaction.atomic():
        ReconLine.objects.update(**changed)


def test_a_parked_line_may_find_its_fact_and_then_keeps_it() -> None:
    line()
    ReconLine.objects.update(state="matched", fact_kind="payment", fact_id="1")
    for changed in ({"state": "parked"}, {"fact_id": "2"}):
        with pytest.raises(IntegrityError, match="settled stays so"), transaction.atomic():
            ReconLine.objects.update(**changed)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReconLine.objects.all().delete()


def test_a_run_says_the_difference_that_its_totals_have() -> None:
    ReconRun.objects.create(source="feed:toss", their_total=5, our_total=3, difference=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReconRun.objects.create(source="feed:toss", their_total=5, our_total=3)
