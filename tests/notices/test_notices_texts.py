"""Every notice in every language, as it would leave."""

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from tests.notices.notices_world import Customer, new_customer

from doenda.access import codes, tokens
from doenda.assurance.guidance import OfferedWay, method_name
from doenda.billing.models import Line
from doenda.kernel import clock, texts
from doenda.notices import wording
from doenda.notices.kinds import KINDS
from doenda.notices.models import Notice

PARAMS: dict[str, dict[str, Any]] = {
    "suspension_notice": {"effective": "2014-11-11", "step": "outgoing", "longest_days": 60},
    "reminder": {"fee": 1046, "fee_after": "2014-10-31"},
    "full_suspension_notice": {"effective": "2014-12-02"},
    "late_fee": {"fee": 1046},
    "promise_due": {"until": "2014-11-03"},
    "promise_made": {"until": "2014-11-03"},
    "fault_mended": {"until": "2014-11-03T14:59:00+00:00"},
    "receipt": {"amount": 52300, "currency": "KRW"},
    "unknown_outcome": {"amount": 52300},
    "unknown_settled": {"amount": 52300},
    "refused_later": {"amount": 52300},
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
    asked = KINDS[kind].asks
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
    assert ("http" in text.body) == (links and KINDS[kind].opens)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_short_text_has_eighty_bytes_and_no_link(speaker: Customer, kind: str) -> None:
    notice = speaker.told(kind, **PARAMS.get(kind, {}))
    found = wording.debt(notice, speaker.account)
    args = wording.arguments(notice, found, speaker.party.phone, WAYS)
    short = texts.say(f"notice-{kind.replace('_', '-')}", notice.lang, part="sms", **args)
    assert len(wording.carried(short).encode("cp949")) <= wording.SHORT_BYTES, short
    assert "http" not in short


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if KINDS[kind].asks))
@pytest.mark.parametrize("links", [True, False])
def test_only_ways_from_guidance_are_named(speaker: Customer, settings: Any, kind: str, links: bool) -> None:
    settings.DOENDA_NOTICE_LINKS = links
    lang = speaker.party.language
    for way, other in (WAYS, WAYS[::-1]):
        body = text_of(speaker, kind, (way,)).body
        assert method_name(other.method, lang) not in body
        if links or KINDS[kind].full:
            assert method_name(way.method, lang) in body


@pytest.mark.parametrize("kind", sorted(kind for kind in KINDS if not KINDS[kind].asks))
def test_what_does_not_ask_for_money_names_no_way(speaker: Customer, kind: str) -> None:
    for lang in texts.LANGUAGES:
        assert not any(method_name(way.method, lang) in text_of(speaker, kind).body for way in WAYS)


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
        "114(다른 전화에서는 02-2014-1023)",
        "지금 되는 방법: 카드, 실시간 계좌이체",
    ):
        assert part in text.body


def test_the_short_reminder_is_a_single_sms(customer: Customer, settings: Any) -> None:
    settings.DOENDA_NOTICE_LINKS = False
    text = text_of(customer, "reminder")
    code = text.body.rsplit("→", 1)[1]
    assert text.kind == "SMS"
    assert text.body == f"된다통신 미납 52,300원. 납부일 10/20(월) 지남. 납부 114/02-2014-1023→{code}"
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
