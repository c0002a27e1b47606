"""Every notice in every language, as it would leave."""

import re
from datetime import date
from typing import Any

import pytest
from django.db import transaction
from tests.notices.notices_world import Customer, new_bill, new_customer

from doenda.access import codes, tokens
from doenda.assurance.guidance import OfferedWay, method_name
from doenda.billing.models import Bill, Line
from doenda.kernel import clock, texts, words
from doenda.notices import wording
from doenda.notices.kinds import KINDS
from doenda.notices.models import Notice

PARAMS: dict[str, dict[str, Any]] = {
    "suspension_notice": {"effective": "2014-11-11", "step": "outgoing", "longest_days": 60},
    "reminder": {"fee": 1046, "fee_after": "2014-10-31"},
    "full_suspension_notice": {"effective": "2014-12-02", "step": "both", "longest_days": 60},
    "late_fee": {"fee": 1046},
    "promise_due": {"until": "2014-11-03"},
    "promise_made": {"until": "2014-11-03"},
    "fault_mended": {"until": "2014-11-03T14:59:00+00:00"},
    "misled": {"failed": ["deposit"]},
    "receipt": {"amount": 52300, "currency": "KRW"},
    "unknown_outcome": {"amount": 52300},
    "unknown_settled": {"amount": 52300},
    "refused_later": {"amount": 52300},
    "overpaid": {"amount": 52300, "back": "asked"},
    "refunded": {"amount": 52300},
    "payment_undone": {"amount": 52300},
    "debit_due": {"amount": 52300, "day": "2014-10-31"},
    "debit_failed": {"amount": 52300, "next": "2014-11-10"},
    "screen": {"screen": "00000000-0000-0000-0000-000000000001"},
    "ticket": {"answer_by": "2014-10-23T05:20:00+00:00"},
}
WAYS = (
    OfferedWay("web/card/sandbox", "card", "web", True, "sandbox"),
    OfferedWay("web/transfer/sandbox", "transfer", "web", True, "sandbox"),
)


@pytest.fixture(params=["ko", "en"])
def speaker(request: pytest.FixtureRequest, db: None, noon: clock.Frozen) -> Customer:
    return new_customer(lang=request.param)


def text_of(customer: Customer, kind: str, ways: tuple[OfferedWay, ...] | None = None, **params: Any) -> wording.Text:
    notice: Notice = customer.told(kind, **(PARAMS.get(kind, {}) | params))
    asked = KINDS[kind].asks or KINDS[kind].names
    return wording.compose(
        notice,
        wording.debt(notice, customer.account),
        customer.party.phone,
        (WAYS if ways is None else ways) if asked else (),
    )


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("links", [True, False])
def test_every_notice_renders_and_fits(speaker: Customer, settings: Any, kind: str, links: bool) -> None:
    settings.DOENDA_NOTICE_LINKS = links
    text = text_of(speaker, kind)
    assert "{" not in text.body
    assert "None" not in text.body
    assert "?" not in text.body.split("://")[0]
    assert len(text.body.encode("cp949")) <= wording.LONG_BYTES
    assert ("http" in text.body) == ((links and KINDS[kind].opens) or kind == "screen")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_short_text_has_eighty_bytes_and_no_link(speaker: Customer, kind: str) -> None:
    notice = speaker.told(kind, **PARAMS.get(kind, {}))
    found = wording.debt(notice, speaker.account)
    args = wording.arguments(notice, found, speaker.party.phone, WAYS)
    short = texts.say(f"notice-{kind.replace('_', '-')}", notice.lang, part="sms", **args)
    assert len(wording.carried(short).encode("cp949")) <= wording.SHORT_BYTES, short
    assert "http" not in short


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if KINDS[kind].asks or KINDS[kind].names))
@pytest.mark.parametrize("links", [True, False])
def test_only_ways_from_guidance_are_named(speaker: Customer, settings: Any, kind: str, links: bool) -> None:
    settings.DOENDA_NOTICE_LINKS = links
    lang = speaker.party.language
    for way, other in (WAYS, WAYS[::-1]):
        body = text_of(speaker, kind, (way,)).body
        assert method_name(other.method, lang) not in body
        if links or KINDS[kind].full:
            assert method_name(way.method, lang) in body


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not (KINDS[kind].asks or KINDS[kind].names)))
def test_what_does_not_ask_for_money_names_no_way(speaker: Customer, kind: str) -> None:
    for lang in texts.LANGUAGES:
        assert not any(method_name(way.method, lang) in text_of(speaker, kind).body for way in WAYS)


def test_who_is_told_that_a_way_fails_is_told_when_nothing_works(speaker: Customer) -> None:
    body = text_of(speaker, "misled", ()).body
    assert method_name("deposit", speaker.party.language) in body
    assert not any(method_name(way.method, speaker.party.language) in body for way in WAYS)
    assert "http" not in body, "there is nothing to open"


def test_the_lawful_notice_says_all_that_law_asks(customer: Customer, settings: Any) -> None:
    settings.DOENDA_NOTICE_LINKS = False
    text = text_of(customer, "suspension_notice")
    assert text.kind == "LMS"
    for part in (
        "미납 요금: 52,300원",
        "이유:",
        "11월 11일(화)부터 발신정지",
        "기간: 내실 때까지, 최대 60일이에요.",
        "11월 10일(월)까지 내시면",
        "이미 내셨거나 금액이 다르면 알려 주세요. 정지를 미뤄 드려요.",
        "127.0.0.1:8000에서 이 휴대폰 번호와 여섯 자리 번호",
        "지금 되는 방법: 카드, 실시간 계좌이체",
    ):
        assert part in text.body


def test_the_short_reminder_is_a_single_sms(customer: Customer, settings: Any) -> None:
    settings.DOENDA_NOTICE_LINKS = False
    text = text_of(customer, "reminder")
    code = text.body.rsplit("→", 1)[1]
    assert text.kind == "SMS"
    assert text.body == f"된다통신 미납 52,300원. 납부일 10/20(월) 지남. 납부 127.0.0.1:8000→{code}"
    assert len(code) == 6


def test_the_link_and_the_code_open_this_bill(customer: Customer, settings: Any) -> None:
    settings.DOENDA_NOTICE_LINKS = True
    body = text_of(customer, "reminder").body
    found = tokens.find(body.split("/p/")[1][:26])
    assert found is not None
    assert found.subject_id == customer.bill.pk
    opened = codes.find(customer.party.phone, body.split("번호 ")[-1][:6], "test")
    assert isinstance(opened, tokens.Token)
    assert opened.subject_id == customer.bill.pk


def test_a_receipt_for_a_barred_line_says_that_it_is_coming_back(customer: Customer) -> None:
    assert "정지" not in text_of(customer, "receipt").body
    with transaction.atomic():
        Line.objects.update(barring=Line.Barring.OUTGOING)
        Bill.objects.update(paid=52_300, state="settled", closed_at=clock.now())
    notice = Notice.objects.get()
    text = wording.compose(notice, wording.debt(notice, customer.account), customer.party.phone, ())
    assert "정지가 풀리면" in text.body


def test_what_cp949_lacks_is_replaced(db: None) -> None:
    assert wording.carried("₩52,300 – café\u00a0된다 😀") == "￦52,300 - cafe 된다 ?"


def test_both_languages_hold_the_same_messages() -> None:
    mine = {one for one in texts.ids("ko") if one.startswith(("notice-", "way-"))}
    assert mine == {one for one in texts.ids("en") if one.startswith(("notice-", "way-"))}
    assert {f"notice-{kind.replace('_', '-')}" for kind in KINDS} <= mine
    assert all(texts.has(f"notice-{kind.replace('_', '-')}", "en", "sms") for kind in KINDS)


def test_a_reminder_announces_the_late_fee_until_its_day_has_passed(customer: Customer, settings: Any) -> None:
    settings.DOENDA_NOTICE_LINKS = True
    announced = "10월 31일(금)이 지나면 연체가산금 1,046원이 한 번 붙어요."
    assert announced in text_of(customer, "reminder").body
    with clock.freeze(clock.at(date(2014, 11, 1), 12)):
        assert announced not in text_of(customer, "reminder").body


def test_the_day_before_a_step_is_the_last_day_to_pay(customer: Customer) -> None:
    args = wording.arguments(
        customer.told("suspension_notice", effective=date(2014, 11, 1)),
        wording.Debt(customer.bill, customer.bill.money),
        customer.party.phone,
        WAYS,
    )
    assert (args["effective"], args["last_day"]) == ("11월 1일(토)", "10월 31일(금)")


VOICE = OfferedWay("voice/card/sandbox", "card", "voice", True, "sandbox")


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if KINDS[kind].opens))
def test_the_telephone_is_named_as_a_way_to_pay_only_while_it_is_proven(
    customer: Customer, settings: Any, kind: str
) -> None:
    settings.DOENDA_NOTICE_LINKS = False

    def ways_to_pay(ways: tuple[OfferedWay, ...]) -> str:
        return text_of(customer, kind, ways).body.split("이미 내셨거나")[0].replace("112·119·114에는", "")

    assert not re.search(r"(?<!\d)114(?!\d)", ways_to_pay(WAYS)), "a code to type in may well hold 114"
    assert "127.0.0.1:8000" in ways_to_pay(WAYS)
    if KINDS[kind].asks:
        notice = Notice.objects.get()
        said = wording.compose(notice, wording.debt(notice, customer.account), customer.party.phone, (VOICE,))
        assert "114" in said.body


@pytest.mark.parametrize(("barring", "said"), [("none", "아직 61,000원 있어요"), ("outgoing", "61,000원도 내시면")])
def test_a_receipt_promises_no_line_that_other_bills_keep_barred(customer: Customer, barring: str, said: str) -> None:
    new_bill(customer.account, "B-2", 61_000, date(2014, 9, 20))
    with transaction.atomic():
        Line.objects.update(barring=barring)
        Bill.objects.filter(pk=customer.bill.pk).update(paid=52_300, state="settled", closed_at=clock.now())
    notice = customer.told("receipt", amount=52_300)
    found = wording.debt(notice, customer.account)
    args = wording.arguments(notice, found, customer.party.phone, ())
    whole, short = texts.say("notice-receipt", "ko", **args), texts.say("notice-receipt", "ko", part="sms", **args)
    assert "61,000원" in whole
    assert "61,000원" in short
    assert "곧 정지가 풀려요" not in whole
    assert len(short.encode("cp949")) <= wording.SHORT_BYTES
    assert said in whole or said in short


def test_a_notice_about_several_bills_says_how_many_and_that_all_are_meant(customer: Customer) -> None:
    new_bill(customer.account, "B-2", 61_000, date(2014, 9, 20))
    body = text_of(customer, "suspension_notice").body
    assert "미납 요금: 113,300원 (청구서 2건)" in body.replace("원(청", "원 (청")
    assert "까지 모두 내시면 정지되지 않아요" in body


def test_the_notice_of_full_suspension_tells_its_longest_time(customer: Customer) -> None:
    assert "최대 60일" in text_of(customer, "full_suspension_notice").body


@pytest.mark.parametrize("until", ["2014-11-03T15:00:00+00:00", "2014-11-03T14:59:00+00:00"])
def test_midnight_is_the_end_of_the_day_before(customer: Customer, until: str) -> None:
    assert "11월 3일(월)까지로" in text_of(customer, "fault_mended", until=until).body


def test_of_several_lines_the_text_says_which_one_is_back(customer: Customer) -> None:
    assert "****" not in text_of(customer, "restored").body
    with transaction.atomic():
        line = Line.objects.create(account=customer.account, number="+821077776666")
    notice = customer.told("restored", key="second", line=line.pk)
    body = wording.compose(notice, wording.debt(notice, customer.account), customer.party.phone, ()).body
    assert words.masked_phone(line.number) in body


def test_what_was_refused_later_promises_no_way_that_nobody_has_proven(customer: Customer) -> None:
    assert "이제 다시 내실 수 있어요" not in text_of(customer, "refused_later").body
