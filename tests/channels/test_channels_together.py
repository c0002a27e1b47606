"""One session on a call and a page: a text leads from one to the other, both move, and a place in line is shared."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from tests.channels.callers import Caller, Pressed, call
from tests.channels.doors import PHONE, code_of
from tests.channels.many_ways import ManyWays, many_ways, paid
from tests.channels.test_channels_voice_calls import DEPOSIT, proves
from tests.contact.lines import assignment, at_work
from tests.contact.lines import call as another_call
from tests.worlds import link, overdue_bill

from doenda.assurance import evidence
from doenda.billing.models import Bill
from doenda.channels import beside
from doenda.channels.voice import exchange
from doenda.channels.voice.line import PlaceLost
from doenda.channels.web.walker import Walker
from doenda.contact.models import Ticket
from doenda.contact.queue import entering
from doenda.journeys import screens
from doenda.journeys import sessions as walking
from doenda.journeys.models import Invitation, Session
from doenda.kernel import clock, leases, outbox, sweeps
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.notices.models import Notice
from doenda.payments.models import Attempt

WEB = "web/card/sandbox"


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[ManyWays]:
    with many_ways() as made:
        proves(DEPOSIT)
        with atomic():
            evidence.record(WEB, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)
        yield made


class Page(Walker):
    """The caller's own browser. `opens` follows the link of the text, and types what was heard."""

    def __init__(self, made: ManyWays) -> None:
        super().__init__()
        self.made = made

    def link(self) -> str:
        while outbox.sweep(50):
            pass
        texts = [each["text"] for each in self.made.control(self.made.handset, "GET", "inbox")]
        links = [found for text in texts for found in re.findall(r"http\S+/v/\w+", text)]
        return links[-1] if links else ""

    def opens(self, caller: Caller, digits: str = "") -> None:
        self.open(self.link())
        assert self.page.step == "web.join"
        self.press("join", {"digits": digits or digits_of(caller)})


def digits_of(caller: Caller) -> str:
    """The digits that the call has said."""
    made = Invitation.objects.latest("created_at")
    assert any("두 숫자" in said for said in caller.heard), caller.heard
    return made.digits


def at_the_bill(*then: Pressed) -> Caller:
    return Caller("1", "1", *code_of(overdue_bill(52_300, phone=PHONE)), *then, number=PHONE)


def test_a_text_brings_the_call_to_the_page_and_what_the_page_does_moves_the_call(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    page = Page(shop)
    caller = Caller(
        "3", lambda: page.opens(caller), None, None, lambda: to_the_bill(page, code_of(bill)), None, None, number=PHONE
    )
    call(caller)
    assert page.page.step == "pay.bill"
    assert any("휴대폰이 이어졌어요" in said for said in caller.heard)
    assert any("오만 이천삼백 원" in said for said in caller.heard), "the caller hears the bill that the page opened"
    assert "함께" in page.page.text


def to_the_bill(page: Page, code: str) -> None:
    page.press("given", {"phone": "010-0000-1234", "code": code})
    assert page.page.step == "pay.bill", page.page.text


def test_what_is_keyed_moves_the_page_and_the_receipt_of_the_page_is_heard(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    page = Page(shop)

    def pays() -> None:
        page.open(f"{settings.DOENDA_BASE_URL}/s/{page.page.url.rpartition('/')[2]}")
        assert page.page.step == "pay.bill", "the page is where the call is"
        page.press("pay")
        page.press("chosen", {"way": WEB})
        page.press("approve")
        page.press("returned")

    caller = Caller("3", lambda: page.opens(caller), None, "1", *code_of(bill), None, pays, None, None, number=PHONE)
    call(caller)
    assert paid(bill)
    assert page.page.step == "pay.paid"
    assert any("오만 이천삼백 원이 납부됐어요" in said for said in caller.heard)
    assert Attempt.objects.get().way == WEB


def test_the_text_alone_joins_nothing_and_is_guessed_at_five_times(shop: ManyWays) -> None:
    """A forged number has the text sent to its owner, who hears no digits: the forger's call learns nothing."""
    overdue_bill(52_300, phone=PHONE)
    page = Page(shop)
    call(Caller("3", None, None, number=PHONE))
    wrong = f"{(int(Invitation.objects.get().digits) + 1) % 100:02}"
    page.open(page.link())
    for _ in range(5):
        page.press("join", {"digits": wrong})
        assert page.page.step == "web.join"
    page.press("join", {"digits": Invitation.objects.get().digits})
    assert page.page.step == "web.joined", "closed, even for the right ones"
    assert not Session.objects.exclude(screened_at=None).exists()


def test_a_link_works_once_and_for_twenty_minutes(shop: ManyWays, noon: clock.Frozen) -> None:
    overdue_bill(52_300, phone=PHONE)
    page = Page(shop)
    caller = Caller("3", lambda: page.opens(caller), None, None, number=PHONE)
    call(caller)
    used = page.link()
    assert page.open(used).step == "web.joined"
    second = Caller("3", None, None, number=PHONE)
    second.id = "call-2"
    call(second)
    late = page.link()
    assert late != used
    noon.advance(screens.GOOD_FOR)
    assert page.open(late).step == "web.joined"
    assert "번호로 들어가기" in page.page.text


def test_strangers_hear_the_same_and_get_no_text(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    heard = []
    for at, number in enumerate((PHONE, "+821099990000")):
        caller = Caller("3", None, "1", None, number=number)
        caller.id = f"call-{at}"
        call(caller)
        heard.append([re.sub(r"두 숫자, .*?, 를", "", said) for said in caller.heard])
    assert heard[0] == heard[1]
    while outbox.sweep(50):
        pass
    assert Notice.objects.filter(kind="screen").count() == 1


@pytest.mark.parametrize("number", ["", "+82215771234", "+14155550100"])
def test_a_screen_is_offered_only_where_a_text_arrives(shop: ManyWays, number: str) -> None:
    caller = Caller("3", None, number=number)
    call(caller)
    assert "휴대폰에서 보면서" not in caller.heard[0]
    assert not Invitation.objects.exists()


def test_nobody_floods_a_number_with_texts(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    for at in range(9):
        caller = Caller("3", None, None, number=PHONE)
        caller.id = f"call-{at}"
        call(caller)
    while outbox.sweep(50):
        pass
    assert Notice.objects.filter(kind="screen").count() == screens.TEXTS_AN_HOUR


def test_beside_a_page_the_call_is_patient(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    page = Page(shop)
    caller = Caller("3", lambda: page.opens(caller), *[None] * 14, number=PHONE)
    call(caller)
    assert not Ticket.objects.exists(), "who reads is not sent to a person for pressing nothing"
    assert "여기 있을게요" in caller.heard[-1]


def test_who_waits_sees_the_place_on_the_page_and_is_called_back_from_there(shop: ManyWays) -> None:
    another_call(7)
    page = Page(shop)
    caller = at_the_bill("0", "2", lambda: page.opens(caller), None, lambda: on_the_page(page), None, None)
    call(caller)
    ticket = Ticket.objects.get(phone=PHONE)
    assert ticket.state == "callback"
    assert "전화드릴게요" in caller.heard[-1]
    assert caller.closed, "and only then the call ends"
    assert "전화드릴게요" in page.open(page.page.url).text


def on_the_page(page: Page) -> None:
    assert "상담원을 기다리고 있어요" in page.page.text
    assert "앞에 1명이 계세요" in page.page.text
    page.press("call_me")
    raise PlaceLost


def test_who_pays_while_waiting_hears_so_and_may_stop_waiting_on_the_page(shop: ManyWays) -> None:
    page = Page(shop)

    def pays() -> None:
        page.press("pay")
        page.press("chosen", {"way": WEB})
        page.press("approve")
        page.press("returned")
        assert page.page.step == "pay.paid"

    def enough() -> None:
        page.press("enough")
        raise PlaceLost

    caller = at_the_bill("0", "2", lambda: page.opens(caller), None, pays, None, enough, None)
    call(caller)
    assert any("그래도 상담원과 이야기하시려면" in said for said in caller.heard)
    assert len([said for said in caller.heard if "그래도 상담원과" in said]) == 1
    assert "기다리지 않기로" in caller.heard[-1]
    ticket = Ticket.objects.get(phone=PHONE)
    assert (ticket.state, ticket.lost) == ("gone", 0), "helped on the screen: no lost contact"


def test_who_shows_the_account_on_the_page_while_waiting_is_known_to_the_agent(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    page = Page(shop)
    whispered: list[str] = []

    def meets() -> None:
        found = assignment(at_work())
        whispered.extend(exchange.take(found.pk, "call-1") or ())

    def shows() -> None:
        page.opens(caller)
        to_the_bill(page, code_of(bill))

    caller = Caller("0", "2", shows, None, None, meets, None, number=PHONE)
    call(caller)
    assert whispered == ["본인 확인된 고객이에요.", "미납 오만 이천삼백 원."]
    ticket = Ticket.objects.get()
    assert (ticket.account_id, ticket.bill_id) == (bill.account_id, bill.pk)


def test_who_paid_and_hung_up_is_no_lost_contact(shop: ManyWays, noon: clock.Frozen) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    entering.enter(channel="call", call_id="c", lang="ko", phone=PHONE, account_id=bill.account_id, bill_id=bill.pk)
    Bill.objects.filter(pk=bill.pk).update(paid=52_300, state="settled", closed_at=clock.now())
    entering.let_go("call", "c", "dropped")
    noon.advance(screens.GOOD_FOR)
    sweeps.run("line leases")
    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.lost) == ("gone", 0)


def test_a_dropped_call_is_told_on_the_page_with_how_long_the_place_is_kept(shop: ManyWays) -> None:
    page = Page(shop)
    caller = at_the_bill("0", "2", lambda: page.opens(caller), None)
    call(caller)
    text = page.open(page.page.url).text
    assert "전화는 끊겼지만 자리는" in text
    page.press("call_me")
    assert Ticket.objects.get(phone=PHONE).state == "callback"


def test_a_forged_choice_beside_the_page_does_nothing(shop: ManyWays) -> None:
    page = Page(shop)
    caller = at_the_bill("0", "2", lambda: page.opens(caller), None)
    call(caller)
    address = page.page.url
    for form in page.page.forms:
        form.fields["f"] = "place/0:forged"
    page.press("call_me")
    assert page.page.status == 400
    assert Ticket.objects.get(phone=PHONE).state == "away"
    step = next(form.fields["f"] for form in page.open(address).forms if not form.action.endswith("place"))
    for form in page.page.forms:
        form.fields["f"] = step
    page.press("call_me")
    assert page.page.status == 400, "a step's form is none of the place's"


def test_the_call_speaks_the_language_that_the_page_has_chosen(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    page = Page(shop)

    def in_english() -> None:
        to_the_bill(page, code_of(bill))
        page.open(f"{page.page.url}?lang=en")
        page.press("pay")

    caller = Caller("3", lambda: page.opens(caller), None, in_english, None, None, number=PHONE)
    made = call(caller)
    assert made.lang == "en"
    assert "We are here while you go on" in caller.heard[-1]


def test_nought_asks_for_a_person_even_while_the_text_is_awaited(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    call(Caller("3", "0", None, number=PHONE))
    assert Ticket.objects.get().channel == "call"


def test_while_no_text_arrives_none_is_offered(shop: ManyWays, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way that does not work to its last step is named to nobody: neither is the way to the screen."""
    monkeypatch.setattr("doenda.notices.reaching.withdrawn", lambda: True)
    caller = Caller("3", "0", None, number=PHONE)
    call(caller)
    assert not any("휴대폰에서 보면서" in said or "휴대폰으로 보시려면" in said for said in caller.heard)
    assert not Invitation.objects.exists()


def test_where_only_a_page_can_pay_the_caller_hears_so_and_not_that_nothing_works(db: None, noon: clock.Frozen) -> None:
    with many_ways():
        with atomic():
            evidence.record(WEB, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)
        caller = at_the_bill("1", None)
        call(caller)
    assert "휴대폰이나 컴퓨터에서는 지금 되는 방법이 있어요" in caller.heard[-1]
    assert "카드" in caller.heard[-1]
    assert "문자로 받기, 일번" in caller.heard[-1].replace("일 번", "일번")
    assert Session.objects.filter(step="method").exists(), "the date need not move: something works"


def test_where_nothing_works_anywhere_the_date_moves_by_telephone_too(db: None, noon: clock.Frozen) -> None:
    with many_ways():
        caller = at_the_bill("1", None)
        call(caller)
    assert "저희 쪽 장애" in caller.heard[-1]
    assert Session.objects.filter(step="promised").exists()


# --- the page was there first


def a_page(shop: ManyWays) -> Page:
    """A page on a bill, while somebody serves the telephone."""
    bill = overdue_bill(52_300, phone=PHONE)
    leases.acquire("voice", "test", screens.GOOD_FOR)
    page = Page(shop)
    page.open(link(bill))
    page.press("pay")
    return page


def digits_on(page: Page) -> str:
    page.press("to_call")
    found = re.search(r"(\d{4}) (\d{4})번을 누르시면", page.page.text)
    assert found is not None, page.page.text
    return found[1] + found[2]


def test_a_call_joins_a_page_that_is_open_by_the_digits_that_it_shows(shop: ManyWays) -> None:
    page = a_page(shop)
    digits = digits_on(page)
    page.press("check")
    assert digits[:4] in page.page.text, "the digits stay while they can be used"
    caller = Caller("4", *digits, None, "#", None, number=PHONE)
    call(caller)
    assert any("휴대폰이 이어졌어요" in said for said in caller.heard)
    assert any("어떻게 내시겠어요" in said for said in caller.heard), "the call is where the page is"
    assert page.open(page.page.url).step == "pay.bill", "and leads it back"
    assert "함께 넘어가고" in page.page.text
    again = Caller("4", *digits, None, number="+821077776666")
    again.id = "call-2"
    call(again)
    assert "찾지 못했어요" in again.heard[-1], "digits are used once"


def test_the_digits_of_pages_are_not_guessed(shop: ManyWays) -> None:
    page = a_page(shop)
    digits = digits_on(page)
    guesses = [f"{(int(digits) + at) % 10**8:08}" for at in range(1, 7)]
    caller = Caller("4", *(key for guess in guesses for key in guess), *digits, None, number=PHONE)
    call(caller)
    assert not any("휴대폰이 이어졌어요" in said for said in caller.heard), "not even the right ones, after five"


def test_the_digits_of_pages_are_not_guessed_by_a_thousand_callers_either(shop: ManyWays) -> None:
    """Numbers can be forged: each call had a budget of its own. The page's own customer is not kept out by it."""
    page = a_page(shop)
    digits = digits_on(page)
    for at in range(screens.WRONG_AN_HOUR):
        assert not screens.take_up("00000000", call=f"call-{at}", caller=f"+8210700{at:05}")
    assert not screens.take_up(digits, call="call-x", caller="+821077770000")
    assert not screens.take_up(digits, call="call-y", caller="")
    assert screens.take_up(digits, call="call-z", caller=PHONE)


def test_who_withholds_the_number_is_counted_by_the_call_and_not_with_all_who_do(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    for at in range(12):
        wrong = Caller("1", *f"0100000{at:04}#", *"135790", None)
        wrong.id = f"call-{at}"
        call(wrong)
    right = Caller("1", *"01000001234#", *code_of(bill), None)
    right.id = "call-99"
    call(right)
    assert any("오만 이천삼백 원" in said for said in right.heard)


def test_a_text_that_was_guessed_at_too_often_is_followed_by_a_new_one(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    page = Page(shop)

    def guesses() -> None:
        page.open(page.link())
        right = Invitation.objects.get().digits
        for _ in range(screens.MOST_TRIES):
            page.press("join", {"digits": f"{(int(right) + 1) % 100:02}"})

    def joins() -> None:
        page.open(page.link())
        assert page.page.step == "web.join", page.page.text
        page.press("join", {"digits": Invitation.objects.get(tries=0).digits})

    visit = walking.open_session("enter", channel="voice", lang="ko", call="call-1")
    assert screens.invite(visit.address, call="call-1", phone=PHONE)
    guesses()
    assert screens.invite(visit.address, call="call-1", phone=PHONE)
    assert Invitation.objects.count() == 2
    joins()
    assert Session.objects.get().screened_at is not None


def test_a_text_opens_the_visit_at_which_the_call_is_and_no_earlier_one(shop: ManyWays) -> None:
    visits = [walking.open_session("enter", channel="voice", lang="ko", call="call-1").address for _ in range(2)]
    digits = [screens.invite(each, call="call-1", phone=PHONE) for each in (*visits, *visits)]
    assert Invitation.objects.count() == 2
    assert digits[:2] == digits[2:]


def test_who_opened_the_page_while_waiting_goes_on_with_it_from_the_first_menu(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    page = Page(shop)
    caller = Caller("0", "2", lambda: page.opens(caller), None, "#", "1", None, number=PHONE)
    call(caller)
    assert Session.objects.count() == 1, "one visit, and the page is beside it"


def test_digits_are_shown_only_where_somebody_answers_the_telephone(shop: ManyWays) -> None:
    page = Page(shop)
    page.open(link(overdue_bill(52_300, phone=PHONE)))
    page.press("pay")
    assert "to_call" not in page.buttons()


def test_the_digits_of_a_page_are_over_after_twenty_minutes(shop: ManyWays, noon: clock.Frozen) -> None:
    page = a_page(shop)
    digits = digits_on(page)
    noon.advance(screens.GOOD_FOR)
    caller = Caller("4", *digits, None, number=PHONE)
    call(caller)
    assert "찾지 못했어요" in caller.heard[-1]
    assert screens.forget(10) == 0
    noon.advance(100 * screens.GOOD_FOR)
    assert screens.forget(10) == 1


def test_what_the_page_does_not_offer_cannot_be_chosen_on_it(shop: ManyWays) -> None:
    """A forged "enough" ended the place of a customer who was waiting still."""
    page = Page(shop)

    def forges() -> None:
        beside.choose(Session.objects.get(screened_at__isnull=False), "enough")
        assert Ticket.objects.get().state == "waiting"

    caller = at_the_bill("0", "2", lambda: page.opens(caller), None, forges, None)
    call(caller)
