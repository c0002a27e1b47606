"""Who lies to the telephone gains nothing, and hears what a stranger hears."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.channels.callers import Caller, call
from tests.channels.doors import PHONE, code_of
from tests.channels.many_ways import ManyWays, many_ways
from tests.contact.lines import agent, assignment, at_work
from tests.contact.lines import call as another_call
from tests.worlds import overdue_bill

from doenda.access import codes
from doenda.billing.models import Bill
from doenda.channels import beside
from doenda.channels.voice import exchange, queueing
from doenda.contact import callbacks, policy, tickets
from doenda.contact.models import Agent, Assignment, Dial, Holding, Ticket
from doenda.contact.queue import entering, serving
from doenda.dunning.models import Hold
from doenda.journeys import sessions as walking
from doenda.journeys.models import Session
from doenda.kernel import clock, leases, sweeps
from doenda.kernel.db import atomic

STRANGER, ANOTHER = "+821000007777", "+821055554444"
WRONG = "135790"


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[ManyWays]:
    with many_ways() as made:
        yield made


def caller(at: int, *script: str | None, number: str = PHONE) -> Caller:
    made = Caller(*script, number=number)
    made.id = f"call-{at}"
    return made


def test_a_forged_number_hears_what_a_strangers_hears_and_costs_as_much(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    heard, asked = [], []
    for number in (STRANGER, PHONE, STRANGER, PHONE):
        made = caller(1, "1", "1", *WRONG, None, number=number)
        with CaptureQueriesContext(connection) as queries:
            call(made)
        heard.append(made.heard)
        asked.append(len(queries))
    assert heard[0] == heard[1] == heard[2] == heard[3]
    assert asked[2] == asked[3], "time tells nothing, either"


def test_digits_are_guessed_in_vain_whatever_numbers_the_calls_come_from(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    code = code_of(bill)
    told: list[list[str]] = []
    for at in range(12):
        made = caller(at, "1", "2", *"01000001234#", *WRONG, None, number=f"+8210555500{at:02}")
        call(made)
        told.append(made.heard)
    right = caller(99, "1", "2", *"01000001234#", *code, None, number="+821055550099")
    call(right)
    assert not any("오만" in said for made in (*told, right.heard) for said in made), "locked, even for the right one"


def test_ten_callers_for_one_account_are_its_customer_and_one_stranger(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    customer = caller(0, "1", "1", *code_of(bill), "0", None)
    forged = [caller(at, "0", None) for at in range(1, 10)]
    for each in (customer, *forged):
        each.hangs_up = False
        call(each)
    assert Ticket.objects.filter(kind="person").count() == 2
    assert Holding.objects.filter(ended_at=None).count() == 10
    at_work("lee")
    at_work("park")
    third = at_work("choi")
    sweeps.run("line")
    assert [offer.call_id for offer in exchange.work().offers] == ["call-0", "call-1"]
    third.refresh_from_db()
    assert third.state == "ready", "nobody else is taken up by it"


def test_a_forged_number_stands_at_no_customers_place_and_is_a_stranger_to_the_agent(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    call(caller(0, "1", "1", *code_of(bill), "0", None))  # hung up: the place is kept
    forger = caller(1, "0", None)
    forger.hangs_up = False
    call(forger)
    found = assignment(at_work())
    [offer] = exchange.work().offers
    assert offer.call_id == "call-1"
    said = exchange.take(found.pk, offer.call_id)
    assert said == ("본인 확인이 안 된 전화예요.",), "nothing of the account"
    assert Ticket.objects.get(account=bill.account_id).state == "away", "the customer's place is theirs"


@pytest.mark.parametrize("number", ["+82601234567", "+8216001234", "+14155550100", "+88216123456", "+825012345678"])
def test_no_machine_rings_a_costly_or_foreign_number_however_it_is_asked(shop: ManyWays, number: str) -> None:
    call(caller(1, "0", "1", None, None, number=number))
    at_work()
    sweeps.run("callbacks")
    assert not Dial.objects.exists()
    assert not Ticket.objects.filter(state="callback").exists()


# --- a forged number, and the customer whose number it is


def stays(made: Caller) -> Caller:
    made.hangs_up = False
    call(made)
    return made


def owner(at: int = 0) -> Bill:
    """Its customer has shown whose account it is, and stands in line."""
    bill = overdue_bill(52_300, phone=PHONE)
    stays(caller(at, "1", "1", *code_of(bill), "0", None))
    return bill


def theirs() -> Ticket:
    """The account's place."""
    return Ticket.objects.get(account__isnull=False)


def asked_by_page(bill: Bill, wanted: str = "morning") -> Ticket:
    """Its customer has asked on a page to be called."""
    ticket, _ = tickets.open_ticket(
        "person",
        key=f"line-{bill.account_id}",
        channel="web",
        lang="ko",
        account_id=bill.account_id,
        bill_id=bill.pk,
        phone=PHONE,
        wanted=wanted,
    )
    ticket.refresh_from_db()
    assert ticket.state == "callback"
    return ticket


def forger_with_an_account(at: int = 9) -> Caller:
    """Calls with the owner's number, and keys the code of an account of their own."""
    own = overdue_bill(41_000, number="B-2", phone=ANOTHER)
    with atomic():
        code = codes.issue(own.pk, own.account_id, ANOTHER)
    return caller(at, "1", "2", *f"0{ANOTHER.removeprefix('+82')}#", *code, "0", "1", None)


def test_a_forged_number_that_asks_to_be_called_takes_nobody_elses_call_out_of_the_line(shop: ManyWays) -> None:
    owner()
    stays(caller(1, "0", None))
    forger = stays(caller(2, "0", "1", None))
    assert "전화드릴게요" in " ".join(forger.heard)
    assert theirs().state == "waiting"
    assert queueing.renew(["call-0", "call-1", "call-2"]) == {"call-0", "call-1"}


def test_an_account_of_the_forgers_own_opens_no_place_of_the_number(shop: ManyWays, noon: clock.Frozen) -> None:
    """The customer had shown nothing yet; the forger's own code made the place the forger's."""
    bill = overdue_bill(52_300, phone=PHONE)
    stays(caller(0, "0", None))
    began = Ticket.objects.get().queued_at
    noon.advance(timedelta(seconds=20))
    stays(forger_with_an_account())
    assert queueing.renew(["call-0", "call-9"]) == {"call-0"}
    shown = entering.enter(channel="call", call_id="call-0", lang="ko", phone=PHONE, account_id=bill.account_id)
    assert (shown.ticket.account_id, shown.ticket.queued_at) == (bill.account_id, began), "their place, and their time"
    noon.advance(timedelta(minutes=30))
    sweeps.run("line leases")
    assert not Ticket.objects.filter(account=None, lost__gt=0).exists(), (
        "who moved to their account's place is not lost"
    )


def test_who_shows_the_account_takes_the_place_along_and_other_calls_of_the_number_stand_in_anew(
    shop: ManyWays, noon: clock.Frozen
) -> None:
    stays(caller(1, "0", None))
    began = Ticket.objects.get().queued_at
    noon.advance(timedelta(seconds=20))
    bill = overdue_bill(52_300, phone=PHONE)
    stays(caller(0, "1", "1", *code_of(bill), "0", None))
    assert theirs().queued_at == began, "it is the account's own number"
    assert queueing.renew(["call-0", "call-1"]) == {"call-0"}
    stays(caller(1, "0", None))
    assert Ticket.objects.get(account=None).queued_at == clock.now()


def test_a_forged_number_changes_no_window_and_stops_no_call_that_its_owner_asked_for(
    shop: ManyWays, settings: Any
) -> None:
    settings.DOENDA_TRUNK_DIAL = "PJSIP/{number}@trunk"
    before = asked_by_page(overdue_bill(52_300, phone=PHONE), "soonest")
    with atomic():
        Agent.objects.filter(pk=agent().pk).update(state="ready")
    for name in (exchange.LEASE, exchange.TRUNK):
        leases.acquire(name, "test", timedelta(minutes=5))
    sweeps.run("callbacks")
    stays(caller(1, "0", None))
    stays(caller(2, "0", "1", None))
    after = theirs()
    assert (after.state, after.window_from, after.window_until) == ("callback", before.window_from, before.window_until)
    assert Dial.objects.get().ended_at is None
    assert exchange.answered(Dial.objects.get().pk, "dial-1") == after.pk


def test_the_date_of_a_call_tells_a_forged_number_nothing(shop: ManyWays, noon: clock.Frozen) -> None:
    """Neither that an account has the number, nor that its owner has asked already, nor for when."""
    asked_by_page(overdue_bill(52_300, phone=PHONE), "evening")
    overdue_bill(41_000, number="B-2", phone=ANOTHER)
    noon.advance(timedelta(minutes=95))
    numbers = (STRANGER, PHONE, ANOTHER)
    heard = [stays(caller(at, "0", "1", None, number=number)).heard for at, number in enumerate(numbers)]
    assert "전화드릴게요" in heard[0][-1]
    assert heard[0] == heard[1] == heard[2]


def test_what_is_said_of_the_wait_tells_a_forged_number_nothing(shop: ManyWays, noon: clock.Frozen) -> None:
    """The owner's better place was said, and that it takes longer than the owner had been told."""
    asked_by_page(overdue_bill(52_300, phone=PHONE), "soonest")
    noon.advance(timedelta(minutes=5))
    for at in range(3):
        another_call(50 + at)
    strangers = stays(caller(1, "0", None, number=STRANGER)).heard
    queueing.let_go("call-1", dropped=False)
    assert stays(caller(2, "0", None)).heard == strangers


def joined(at: int) -> Session:
    """A page that a caller has brought to their own call, on which nothing was shown."""
    session = walking.open_session("enter", channel="voice", lang="ko", call=f"call-{at}").session
    Session.objects.filter(pk=session.pk).update(screened_at=clock.now())
    session.refresh_from_db()
    return session


def test_a_page_beside_a_forged_call_shows_nothing_of_the_place_and_decides_nothing(shop: ManyWays) -> None:
    bill = owner()
    stays(caller(1, "0", None))
    page = joined(1)
    Bill.objects.filter(pk=bill.pk).update(paid=52_300, state="settled", closed_at=clock.now())
    shown = beside.of(page, "ko")
    assert shown is not None
    assert shown.choices == ("call_me",), "that it is paid is nobody's business"
    assert not any("납부가 끝났어요" in line for line in shown.lines)
    beside.choose(page, "enough")
    assert queueing.renew(["call-0", "call-1"]) == {"call-0", "call-1"}
    exchange.take(assignment(at_work()).pk, "call-0")
    shown = beside.of(page, "ko")
    assert shown is not None
    assert not any("이어졌어요" in line for line in shown.lines), "with whom the owner talks"
    queueing.let_go("call-1", dropped=False)
    for what in beside.CHOICES:
        beside.choose(page, what)
    assert queueing.renew(["call-0"]) == {"call-0"}


def test_a_page_whose_call_was_at_a_place_that_became_the_customers_decides_nothing(shop: ManyWays) -> None:
    stays(caller(1, "0", None))
    page = joined(1)
    owner()
    assert theirs().holdings.count() == 2
    shown = beside.of(page, "ko")
    assert shown is not None
    for what in beside.CHOICES:
        beside.choose(page, what)
        callback_is_refused("call-1")
    assert queueing.renew(["call-0"]) == {"call-0"}
    queueing.let_go("call-0", dropped=True)
    shown = beside.of(page, "ko")
    assert shown is not None
    assert (len(shown.lines), shown.choices) == (1, ())


def callback_is_refused(call_id: str) -> None:
    with pytest.raises(callbacks.NotWaiting):
        callbacks.promise("call", call_id)


def test_a_page_beside_a_call_says_the_same_date_as_the_call(shop: ManyWays, noon: clock.Frozen) -> None:
    asked_by_page(overdue_bill(52_300, phone=PHONE))
    stays(caller(1, "0", None))
    page = joined(1)
    beside.choose(page, "call_me")
    said = queueing.place_over("call-1", "ko")
    strangers = stays(caller(2, "0", "1", None, number=STRANGER)).heard[-1]
    assert said
    assert said in strangers


def talks_with(call_id: str, one: Agent) -> None:
    found = assignment(one)
    exchange.take(found.pk, call_id)
    exchange.talked(found.pk)


def test_of_two_calls_by_one_number_the_second_keeps_the_place_when_the_first_was_served(
    shop: ManyWays, noon: clock.Frozen
) -> None:
    """Both have shown nothing: which of them is the customer nobody knows."""
    overdue_bill(52_300, phone=PHONE)
    stays(caller(1, "0", None))
    stays(caller(2, "0", None))
    before = Ticket.objects.get()
    lee = at_work()
    talks_with("call-1", lee)
    serving.finish(assignment(lee).pk, by="user:lee", words="asked for nothing")
    assert Ticket.objects.get().queued_at == before.queued_at
    assert queueing.renew(["call-1", "call-2"]) == {"call-2"}
    sweeps.run("line")
    [offer] = exchange.work().offers
    assert offer.call_id == "call-2"


def test_who_was_served_once_goes_before_nobody_for_it(shop: ManyWays) -> None:
    stays(caller(1, "0", None))
    found = assignment(at_work())
    exchange.take(found.pk, "call-1")
    exchange.put_back(found.pk)
    bill = overdue_bill(52_300, phone=PHONE)
    stays(caller(0, "1", "1", *code_of(bill), "0", None))
    sweeps.run("line")
    [offer] = exchange.work().offers
    assert offer.call_id == "call-0"


def test_a_fault_or_the_end_of_another_call_touches_no_talk_and_the_end_of_the_own_ends_it(shop: ManyWays) -> None:
    stays(caller(1, "0", None))
    stays(caller(2, "0", None))
    lee = at_work()
    exchange.take(assignment(lee).pk, "call-1")
    exchange.broken("call-2")
    queueing.let_go("call-2", dropped=True)
    assert Ticket.objects.get().state == "talking"
    stays(caller(3, "0", None))
    queueing.let_go("call-1", dropped=True)
    assert Ticket.objects.get().state == "wrapping_up"
    assert not exchange.work().offers, "nobody else is brought into the talk"


def test_a_customer_who_drops_after_a_strangers_talk_is_a_lost_contact(shop: ManyWays, noon: clock.Frozen) -> None:
    stays(caller(1, "0", None))
    stays(caller(2, "0", None))
    lee = at_work()
    talks_with("call-1", lee)
    with atomic():
        Agent.objects.update(pause_after="lunch")
    serving.finish(assignment(lee).pk, by="user:lee", words="")
    queueing.let_go("call-2", dropped=True)
    noon.advance(timedelta(minutes=30))
    sweeps.run("line leases")
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.lost) == ("gone", 1)


def test_a_stranger_who_talks_closes_no_customers_place(shop: ManyWays, noon: clock.Frozen) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    asked = asked_by_page(bill)
    stays(caller(1, "0", None))
    talks_with("call-1", at_work())
    noon.advance(policy.current().wrap_up * 2)
    sweeps.run("line leases")
    ticket = theirs()
    assert (ticket.state, ticket.answered_at, ticket.window_until) == ("callback", None, asked.window_until)
    assert Hold.objects.get(account=bill.account_id, kind="ticket").lifted_at is None, "the clock stands on"
    assert not Assignment.objects.filter(ended_at=None).exists()
    assert Ticket.objects.get(account=None).state == "done", "and the stranger's own is over"


def test_an_agent_who_has_made_sure_who_it_is_spares_them_the_callback(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    asked_by_page(bill)
    stays(caller(1, "0", None))
    lee = at_work()
    talks_with("call-1", lee)
    exchange.vouch(assignment(lee).pk)
    serving.finish(assignment(lee).pk, by="user:lee", words="helped")
    assert set(Ticket.objects.values_list("state", flat=True)) == {"done"}
    assert Hold.objects.get(account=bill.account_id, kind="ticket").lifted_at is not None


def test_who_hangs_up_while_the_agent_is_told_of_them_loses_nobody_elses_place(shop: ManyWays) -> None:
    stays(caller(1, "0", None))
    stays(caller(2, "0", None))
    lee = at_work()
    [offer] = exchange.work().offers
    assert offer.call_id == "call-1"
    queueing.let_go("call-1", dropped=True)
    assert exchange.take(offer.assignment, offer.call_id) is None
    lee.refresh_from_db()
    assert lee.state == "ready"
    assert Ticket.objects.get().state == "waiting", "the other call is there still"
