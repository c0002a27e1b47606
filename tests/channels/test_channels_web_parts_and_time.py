"""More time, a part, an objection, a person: the doors of a bill that is not paid at once."""

from datetime import timedelta

import pytest
from tests.channels.doors import Shop, made_body, stands
from tests.worlds import link, overdue_bill

from doenda.contact import tickets
from doenda.contact.models import Ticket
from doenda.dunning import holds, outlook
from doenda.dunning.models import Promise
from doenda.kernel import clock
from doenda.payments.models import Attempt


def test_a_part_is_paid_and_then_the_rest(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("pay_part")
    assert customer.goes("given", amount="다섯").step == "pay.part"
    assert 'value="다섯"' in made_body(shop), "what was typed must not be lost"
    customer.goes("given", amount="20,000원")
    assert customer.page.step == "pay.method"
    assert "KRW 20,000" in customer.page.text
    customer.at_provider()
    customer.press("approve")
    assert "20,000" in customer.page.text
    assert customer.goes("returned").step == "pay.paid"
    assert "KRW 20,000" in customer.page.text
    assert "32,300" in customer.page.text
    bill.refresh_from_db()
    assert (bill.remaining, bill.state) == (32300, "open")
    assert customer.goes("again").step == "pay.bill"
    assert "KRW 32,300" in customer.page.text
    customer.at_provider("transfer")
    customer.press("approve")
    assert customer.goes("returned").step == "pay.paid"
    bill.refresh_from_db()
    assert bill.state == "settled"
    assert made.books()["net"] == 52300
    assert Attempt.objects.filter(account=bill.account_id, state="paid").count() == 2


def test_after_a_part_was_tried_the_whole_is_said_and_charged_as_the_whole(shop: Shop) -> None:
    made, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("pay_part")
    customer.goes("given", amount="20000")
    customer.at_provider()
    customer.press("cancel")
    customer.goes("other")
    customer.goes("back")
    assert customer.goes("pay").step == "pay.method"
    assert "KRW 52,300" in customer.page.text
    assert "20,000" not in customer.page.text
    customer.at_provider()
    customer.press("approve")
    customer.goes("returned")
    assert made.books()["net"] == 52300


def test_a_day_is_agreed_twice_and_the_third_time_a_person_finds_a_way(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    day = clock.today() + timedelta(days=5)
    for times in (1, 2):
        customer.open(link(bill))
        customer.goes("more_time")
        assert customer.goes("given", date="gestern").step == "pay.date"
        assert customer.goes("given", date=day.isoformat()).step == "pay.promised", times
        stands(bill, timedelta(days=5))
        assert not holds.running(bill.account_id, clock.now() + timedelta(days=7))
    customer.open(link(bill))
    assert customer.goes("more_time").step == "pay.date"
    assert customer.goes("given", date=day.isoformat()).step == "pay.person"
    assert customer.goes("given", phone="010-0000-9999", when="morning").step == "pay.promised"
    assert Ticket.objects.get(account=bill.account_id, kind="person").phone == "+821000009999"
    assert Promise.objects.filter(account=bill.account_id, whose="customer").count() == 2


def test_a_day_too_far_away_leads_to_a_person_at_once(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("more_time")
    assert customer.goes("given", date=(clock.today() + timedelta(days=200)).isoformat()).step == "pay.person"
    assert customer.goes("back").step == "pay.bill"


def test_a_mistake_in_one_form_is_not_blamed_on_another(shop: Shop) -> None:
    _, _, customer = shop
    customer.open(link(overdue_bill()))
    customer.goes("pay_part")
    customer.goes("given", amount="-1")
    assert "aria-invalid" in made_body(shop)
    customer.goes("back")
    for door in ("pay_part", "more_time", "already"):
        customer.goes(door)
        assert "aria-invalid" not in made_body(shop), door
        assert 'value="-1"' not in made_body(shop), door
        customer.goes("back")


@pytest.mark.parametrize("filled", [{"when": ""}, {"when": "2014-10-20", "how": "shop"}])
def test_already_paid_is_looked_for_while_the_clock_stands(shop: Shop, filled: dict[str, str]) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("already")
    assert customer.goes("given", when="2015-01-01").step == "pay.already", "nobody has paid tomorrow"
    assert customer.goes("given", **filled).step == "pay.promised"
    ticket = Ticket.objects.get(account=bill.account_id, kind="already_paid")
    stands(bill, ticket.answer_by - clock.now() - timedelta(minutes=1))
    assert outlook.of(bill.account_id, bill_id=bill.id).held_for == "claim"


def test_not_mine_is_looked_into_and_words_are_kept_as_words(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("not_mine")
    assert customer.goes("given", why="nonsense").step == "pay.dispute"
    words = "<script>alert(1)</script>\0 제 번호가\r\n아니에요"
    assert customer.goes("given", why="not_my_line", words=words).step == "pay.promised"
    ticket = Ticket.objects.get(account=bill.account_id, kind="dispute")
    assert ticket.words == "not_my_line: <script>alert(1)</script> 제 번호가 아니에요"
    stands(bill, ticket.answer_by - clock.now() - timedelta(minutes=1))


def test_a_person_calls_back_and_the_place_in_line_is_kept(shop: Shop) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    queued = []
    for _ in range(2):
        customer.open(link(bill))
        customer.goes("person")
        assert customer.goes("given", phone="12", when="soonest").step == "pay.person"
        assert 'value="12"' in made_body(shop)
        assert customer.goes("given", phone="010 0000 1234", when="soonest").step == "pay.promised"
        queued.append(Ticket.objects.get(account=bill.account_id, kind="person").queued_at)
    assert queued[0] == queued[1]
    stands(bill)


def test_an_answer_that_we_owe_keeps_the_clock_standing_until_we_give_it(shop: Shop, noon: clock.Frozen) -> None:
    _, _, customer = shop
    bill = overdue_bill()
    customer.open(link(bill))
    customer.goes("person")
    customer.goes("given", phone="010 0000 1234", when="soonest")
    for _ in range(4):
        ticket = Ticket.objects.get(account=bill.account_id, kind="person")
        noon.set(ticket.answer_by - timedelta(minutes=1))
        tickets.stand_by(100)
        stands(bill, timedelta(minutes=2))
    tickets.answer(ticket.id, by="user:kim", words="agreed")
    assert not holds.running(bill.account_id, clock.now() + timedelta(seconds=1))
    noon.advance(timedelta(days=9))
    assert tickets.stand_by(100) == 0
