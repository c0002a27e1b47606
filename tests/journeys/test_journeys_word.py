"""What is only said does not stop a clock for ever, and leads to a person instead of into a dead end."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from tests.worlds import World, link, overdue_bill, world

from doenda.assurance import by_hand, evidence
from doenda.billing import accounts, bills
from doenda.billing.models import Bill, Line
from doenda.dunning.cases import policy_now
from doenda.dunning.models import Hold, Promise
from doenda.journeys import actions, sessions
from doenda.journeys.models import Session
from doenda.journeys.sessions import Visit
from doenda.kernel import clock
from doenda.kernel.db import atomic

CARD, TRANSFER = "web/card/sandbox", "web/transfer/sandbox"


@pytest.fixture
def made(db: None, noon: clock.Frozen) -> Iterator[World]:
    with world() as there:
        yield there


def visit_of(bill: Bill) -> Visit:
    return sessions.open_session("pay", channel="web", lang="ko", account_id=bill.account_id, bill_id=bill.id)


def says(bill: Bill, action: str = "stop_clock") -> str:
    """One visit in which nothing but the customer's word speaks for a fault: every way works."""
    for way in (CARD, TRANSFER):
        with atomic():
            evidence.record(way, "worked", source_kind="test", source_id=f"{way}{clock.now()}", synthetic=True)
    visit = visit_of(bill)
    session = Session.objects.get(pk=visit.session.pk)
    return actions.run(action, actions.Context(session, {"way": CARD}, visit.address, "1.2.3.4"))[0]


def test_a_date_moves_on_the_customers_word_so_often_and_then_a_person_looks_at_it(
    made: World, noon: clock.Frozen
) -> None:
    bill, said = overdue_bill(), []
    for _ in range(policy_now().said_each_bill + 1):
        said += [says(bill), says(bill)]  # twice a day is once
        noon.advance(timedelta(days=4))
    assert said == ["done"] * 2 * policy_now().said_each_bill + ["person", "person"]
    assert set(Promise.objects.values_list("reason", flat=True)) == {"said"}


def test_our_own_evidence_is_never_spent(made: World, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    for _ in range(policy_now().said_each_bill + 2):
        assert says(bill) in {"done", "person"}
        noon.advance(timedelta(days=4))
    assert says(bill) == "person"
    actions.listed("ways_to_pay", visit_of(bill).session)  # the page names the ways, and then one of them fails
    by_hand.withdraw(CARD, who="kim", reason="no answer")
    assert says(bill) == "done"
    assert Promise.objects.latest("created_at").reason == "fault"


def test_a_report_holds_the_clock_once_a_bill_however_often_it_is_repeated(made: World, noon: clock.Frozen) -> None:
    bill = overdue_bill()
    assert says(bill, "report_fault") == "held"
    until = Hold.objects.get().until
    for _ in range(4):
        noon.advance(timedelta(days=3))
        assert says(bill, "report_fault") == "held_before"
    assert Hold.objects.get().until == until


def test_the_page_of_one_bill_says_that_others_are_overdue_and_keep_the_line_barred(
    made: World, noon: clock.Frozen
) -> None:
    older = overdue_bill(61_000, days=40, number="B-OLD")
    with atomic():
        account = accounts.lock(older.account_id)
        soon = bills.issue(account, "B-NEW", [bills.Item("service", 30_000)], due_date=date(2014, 10, 25))
    page = made.web.get(link(soon).split("8000")[1]).content.decode()
    assert "밀린 요금이 61,000원" in page
    with atomic():
        Line.objects.update(barring="outgoing")
    page = made.web.get(link(soon).split("8000")[1]).content.decode()
    assert "밀린 요금을 모두 내시면 바로 풀어 드려요" in page
    assert "있어요. 내시면 바로 풀어 드려요" not in page
    assert "밀린 요금이" not in made.web.get(link(older).split("8000")[1]).content.decode()


def test_the_due_date_on_the_page_is_the_bills_and_the_fee_has_a_date_of_its_own(
    made: World, noon: clock.Frozen
) -> None:
    bill = overdue_bill(90_000, days=-3)
    page = made.web.get(link(bill).split("8000")[1]).content.decode()
    assert "10월 25일(토)" in page
    assert "10월 31일(금)이 지나면" in page
    assert "최대 60일" in page
