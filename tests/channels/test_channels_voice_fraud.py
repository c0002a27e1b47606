"""Who lies to the telephone gains nothing, and hears what a stranger hears."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.channels.callers import Caller, call
from tests.channels.doors import PHONE, code_of
from tests.channels.many_ways import ManyWays, many_ways
from tests.contact.lines import assignment, at_work
from tests.worlds import overdue_bill

from doenda.channels.voice import exchange
from doenda.contact.models import Dial, Holding, Ticket
from doenda.kernel import clock, sweeps

STRANGER = "+821000007777"
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
        with CaptureQueriesContext(
            connection,
        ) as queries:
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


def test_ten_callers_for_one_account_are_one_place_and_one_agents(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    customer = caller(0, "1", "1", *code_of(bill), "0", None)
    forged = [caller(at, "0", None) for at in range(1, 10)]
    for each in (customer, *forged):
        each.hangs_up = False
        call(each)
    assert Ticket.objects.filter(kind="person").count() == 1
    assert Holding.objects.filter(ended_at=None).count() == 10
    one, other = at_work("lee"), at_work("park")
    sweeps.run("line")
    [offer] = exchange.work().offers
    assert offer.assignment == assignment(one).pk
    assert offer.call_id == "call-0", "the one who has shown whose account it is"
    assert offer.proven
    other.refresh_from_db()
    assert other.state == "ready", "nobody else is taken up by it"


def test_who_stands_at_a_customers_place_by_a_forged_number_is_a_stranger_to_the_agent(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    call(caller(0, "1", "1", *code_of(bill), "0", None))  # hung up: the place is kept
    forger = caller(1, "0", None)
    forger.hangs_up = False
    call(forger)
    found = assignment(at_work())
    [offer] = exchange.work().offers
    assert (offer.call_id, offer.proven) == ("call-1", False)
    said = exchange.take(found.pk, proven=offer.proven)
    assert said == ("본인 확인이 안 된 전화예요.",), "nothing of the account"


@pytest.mark.parametrize("number", ["+82601234567", "+8216001234", "+14155550100", "+88216123456", "+825012345678"])
def test_no_machine_rings_a_costly_or_foreign_number_however_it_is_asked(shop: ManyWays, number: str) -> None:
    call(caller(1, "0", "1", None, None, number=number))
    at_work()
    sweeps.run("callbacks")
    assert not Dial.objects.exists()
    assert not Ticket.objects.filter(state="callback").exists()
