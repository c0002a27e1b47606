"""A call walks the same journey as a page: from the greeting to the receipt, in both languages, whatever is pressed."""

import re
from collections.abc import Iterator

import pytest
from tests.channels.callers import Caller, Here, call, drive
from tests.channels.doors import PHONE, code_of
from tests.channels.many_ways import ManyWays, many_ways, paid
from tests.worlds import overdue_bill

from doenda.assurance import evidence
from doenda.assurance.models import Offer
from doenda.billing.models import Bill
from doenda.channels.voice.calls import Call
from doenda.channels.voice.readings import digits
from doenda.journeys import sessions
from doenda.journeys.models import Session
from doenda.kernel import clock
from doenda.kernel.db import atomic
from doenda.kernel.ids import new_id, outside
from doenda.payments.models import Attempt

DEPOSIT = "voice/deposit/deposit"


@pytest.fixture
def shop(db: None, noon: clock.Frozen) -> Iterator[ManyWays]:
    with many_ways() as made:
        proves(DEPOSIT, "voice/store/counter")
        yield made


def proves(*slugs: str) -> None:
    for slug in slugs:
        with atomic():
            evidence.record(slug, "worked", source_kind="test", source_id=outside(new_id()), synthetic=True)


def opened(bill: Bill) -> list[str]:
    """From the greeting to the bill: the calling number, and the six digits of the text."""
    return ["1", "1", *code_of(bill)]


def pays_in(made: ManyWays) -> None:
    given = Attempt.objects.get(state="needs_deposit").details["pay_into"]
    made.pay_in(given["number"], Attempt.objects.get(state="needs_deposit").amount)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_caller_pays_an_overdue_bill_with_an_account_number(shop: ManyWays, lang: str) -> None:
    bill = overdue_bill(52_300, phone=PHONE)

    def brings() -> str:
        pays_in(shop)
        return "1"

    caller = Caller(*opened(bill), "1", "1", brings, None, number=PHONE)
    call(caller, lang=lang)
    assert paid(bill)
    whole = " ".join(caller.heard)
    assert (
        "오만 이천삼백 원이 납부됐어요" if lang == "ko" else "We received fifty-two thousand three hundred won"
    ) in whole
    number = Attempt.objects.get(state="paid").details["pay_into"]["number"]
    said = digits(number, lang).replace(",", "").replace(" ", "")
    assert whole.replace(",", "").replace(" ", "").count(said) >= 2, "the number is said twice"
    assert Session.objects.filter(channel="voice", step="paid").count() == 1
    assert Attempt.objects.get().way == DEPOSIT
    assert not re.search(r"\d", whole), "nothing is left to the synthesiser's guess"
    assert caller.closed is False, "the caller hung up, not we"


@pytest.mark.parametrize("key", ["1", "#", "9"])
def test_a_key_that_meets_the_receipt_cuts_neither_it_nor_the_call(shop: ManyWays, key: str) -> None:
    """Who presses "I have paid in" just as the receipt begins has not asked for the end."""
    bill = overdue_bill(52_300, phone=PHONE)

    def brings() -> str:
        pays_in(shop)
        return "1"

    caller = Caller(*opened(bill), "1", "1", brings, key, None, None, number=PHONE)
    call(caller)
    assert paid(bill)
    assert caller.heard[-2] == caller.heard[-1], "all of it is said again"
    assert "납부됐어요" in caller.heard[-1]
    assert caller.closed, "and silence ends it"


def test_a_person_is_there_after_the_receipt_as_everywhere(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)

    def brings() -> str:
        pays_in(shop)
        return "1"

    caller = Caller(*opened(bill), "1", "1", brings, "0", None, number=PHONE)
    made = call(caller)
    assert not caller.closed
    assert made.line.music_on, "they stand in line"  # type: ignore[attr-defined]


def test_the_cost_comes_first_and_the_amount_only_after_the_code(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    caller = Caller("1", "1", *"000000", None, number=PHONE)
    call(caller)
    assert caller.heard[0].startswith("이 통화에는")
    assert "오만" not in " ".join(caller.heard)
    assert bill.number not in " ".join(caller.heard)
    assert "맞지 않아요" in caller.heard[-1]


def test_strangers_hear_what_customers_hear(shop: ManyWays) -> None:
    overdue_bill(52_300, phone=PHONE)
    heard = []
    for number in (PHONE, "+821099990000"):
        caller = Caller("1", "1", *"000000", None, "*", number=number)
        call(caller)
        heard.append(caller.heard)
    assert heard[0] == heard[1]


def test_codes_cannot_be_guessed_by_calling(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    right = code_of(bill)
    for _ in range(12):
        call(Caller("1", "1", *"000001", None, number=PHONE))
    caller = Caller("1", "1", *right, None, number=PHONE)
    call(caller)
    assert "오만" not in " ".join(caller.heard), "locked"


def test_the_offer_to_change_the_language_is_said_in_the_other_one_and_kept(shop: ManyWays) -> None:
    caller = Caller("2", "1", None, number=PHONE)
    call(caller)
    assert "For English" in caller.heard[0]
    assert "tariff" in caller.heard[1]
    assert Session.objects.get().lang == "en"


def test_only_proven_ways_are_named_and_what_was_named_is_kept(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    caller = Caller(*opened(bill), "1", None, number=PHONE)
    call(caller)
    assert "가상계좌 입금, 일번" in caller.heard[-1].replace("일 번", "일번")
    assert "카드" not in caller.heard[-1]
    assert set(Offer.objects.filter(medium="voice").values_list("way_id", flat=True)) == {
        DEPOSIT,
        "voice/store/counter",
    }


def test_a_caller_asks_for_time_and_gets_it(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    caller = Caller(*opened(bill), "3", *"1031", "#", None, number=PHONE)
    call(caller)
    assert "시월 삼십일 일 금요일까지 기다릴게요" in " ".join(caller.heard)


def test_what_a_page_does_meanwhile_moves_the_call(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    addresses: list[str] = []

    def on_the_page() -> None:
        address = addresses[-1]
        visit = sessions.look(address)
        sessions.answer(address, step=visit.state.step, version=visit.state.version, outcome="more_time", channel="web")

    caller = Caller(*opened(bill), None, on_the_page, None, None, number=PHONE)
    drive(Call(caller, Here(), on_session=lambda _, at: addresses.append(at)).run())
    assert any("휴대폰에서 다음으로" in said and "언제까지 내실 수 있어요" in said for said in caller.heard)


def test_another_process_takes_the_call_up_where_it_stood(shop: ManyWays) -> None:
    bill = overdue_bill(52_300, phone=PHONE)
    first = call(Caller(*opened(bill), "1", None, number=PHONE))
    second = Caller("1", None, number=PHONE)
    call(second, address=first.address)
    assert "어떻게 내시겠어요" in second.heard[0]
    assert Session.objects.filter(step="account").exists()
