"""Tickets: one place in line, a date that we keep or renew, a clock that stands until we have answered."""

from datetime import timedelta

import pytest
from tests.worlds import overdue_bill, world

from doenda.billing.models import Bill
from doenda.contact import hours, tickets
from doenda.contact.models import Ticket
from doenda.dunning import holds
from doenda.kernel import clock, facts
from doenda.kernel.db import atomic


@pytest.fixture
def bill(db: None, noon: clock.Frozen) -> Bill:
    with world():
        return overdue_bill()


def open_one(bill: Bill, kind: str = "person") -> tuple[Ticket, bool]:
    return tickets.open_ticket(
        kind, key=f"{kind}-{bill.id}", channel="web", lang="ko", account_id=bill.account_id, bill_id=bill.id
    )


@pytest.mark.parametrize("kind", Ticket.Kind.values)
def test_a_ticket_stops_the_clock_until_its_date(bill: Bill, kind: str) -> None:
    ticket, made = open_one(bill, kind)
    assert made
    assert ticket.answer_by == hours.answer_by(kind, clock.now())
    assert holds.running(bill.account_id, ticket.answer_by - timedelta(seconds=1))


def test_asking_again_keeps_the_place(bill: Bill, noon: clock.Frozen) -> None:
    first, _ = open_one(bill)
    noon.advance(timedelta(hours=1))
    again, made = open_one(bill)
    assert (again.id, again.queued_at, made) == (first.id, first.queued_at, False)


def test_once_answered_the_clock_runs_and_asking_again_is_a_new_ticket(bill: Bill) -> None:
    ticket, _ = open_one(bill)
    tickets.answer(ticket.id, by="user:kim", words="we have talked")
    assert not holds.running(bill.account_id)
    other, made = open_one(bill)
    assert made
    assert other.id != ticket.id


def test_an_answer_given_twice_keeps_the_first(bill: Bill) -> None:
    ticket, _ = open_one(bill)
    tickets.answer(ticket.id, by="user:kim", words="first")
    assert tickets.answer(ticket.id, by="user:lee", words="second").answer == "first"


@pytest.mark.parametrize("kind", ["person", "dispute", "already_paid"])
def test_a_date_that_we_miss_is_renewed_before_the_clock_could_run(bill: Bill, noon: clock.Frozen, kind: str) -> None:
    ticket, _ = open_one(bill, kind)
    for _ in range(3):
        ticket.refresh_from_db()
        noon.set(ticket.answer_by - timedelta(minutes=2))
        assert tickets.stand_by(100) == 1
        assert tickets.stand_by(100) == 0
        noon.set(ticket.answer_by)
        assert holds.running(bill.account_id)
    tickets.answer(ticket.id, by="user:kim", words="at last")
    assert not holds.running(bill.account_id)


def test_a_report_promises_days_and_no_more(bill: Bill, noon: clock.Frozen) -> None:
    ticket, _ = open_one(bill, "report")
    noon.set(ticket.answer_by + timedelta(seconds=1))
    assert tickets.stand_by(100) == 0
    assert not holds.running(bill.account_id)


def test_an_unknown_outcome_that_became_known_needs_no_person(bill: Bill, noon: clock.Frozen) -> None:
    with atomic():
        facts.record("payments.person_owns", bill.account_id, {"attempt": "x", "reason": "a day"})
    ticket = Ticket.objects.get(kind="unknown_outcome")
    noon.set(ticket.answer_by)
    tickets.stand_by(100)
    ticket.refresh_from_db()
    assert ticket.answered_by == "system"


def test_a_strangers_ticket_holds_nothing_and_there_is_a_limit(bill: Bill) -> None:
    for n in range(3):
        tickets.open_ticket("person", key=f"callback-{n}", channel="web", lang="en", phone=f"+8210{n:08d}")
    assert tickets.strangers_lately() == 3
    assert not holds.running(bill.account_id)
    assert tickets.stand_by(100) == 0
