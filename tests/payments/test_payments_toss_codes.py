"""Every code and every end of a call of Toss Payments, and its doorbells, as tables."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from doenda.kernel import net
from doenda.payments import banks
from doenda.payments.providers.contract import BackTo, Charge, Outcome
from doenda.payments.providers.toss.codes import CODES, REFUNDS, STATUSES, bank_here, bank_there
from doenda.payments.providers.toss.provider import Toss as Provider

ORDER = "AAAABBBBCCCCDDDDEEEEFFFF22"
CONFIG: dict[str, Any] = {"url": "http://toss.test", "keys": ["planted_sk_7731"], "merchant": "doenda"}
CHARGE = Charge(ORDER, 52_300, "KRW", "card", "이용요금", return_url="http://shop.test/back", ref="tgen_1")
NOW = datetime(2026, 9, 1, tzinfo=UTC)
BACK = BackTo("088", "987654321012", "김민수")
HEADERS = {"TossPayments-Webhook-Transmission-Id": "whtrans_1"}


def document(**changes: object) -> dict[str, Any]:
    return {
        "paymentKey": "tgen_1",
        "orderId": ORDER,
        "mId": "doenda",
        "currency": "KRW",
        "totalAmount": 52_300,
        "balanceAmount": 52_300,
        "status": "DONE",
        "approvedAt": "2026-09-01T09:00:00+09:00",
        "cancels": None,
        **changes,
    }


class Says:
    """Answers every call alike."""

    def __init__(self) -> None:
        self.reply: net.Reply | Exception = net.Reply(200, {}, b"{}")

    def __call__(self, request: net.Request) -> net.Reply:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply

    def put(self, status: int, said: object) -> None:
        self.reply = net.Reply(status, {}, json.dumps(said).encode())


@pytest.fixture
def toss() -> Iterator[Says]:
    made = Says()
    with net.using(made):
        yield made


@pytest.fixture
def terms() -> Provider:
    return Provider(CONFIG)


@pytest.mark.parametrize(("code", "outcome"), CODES.items())
def test_each_code_of_a_confirmation(toss: Says, terms: Provider, code: str, outcome: Outcome) -> None:
    toss.put(400, {"code": code, "message": "m"})
    said = terms.confirm(CHARGE, first_try=True)
    assert (said.outcome, said.code) == (outcome, code)
    for status in (409, 429, 500, 503):
        toss.put(status, {"code": code, "message": "m"})
        assert terms.confirm(CHARGE, first_try=True).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("code", CODES)
def test_a_question_that_is_refused_says_nothing_of_the_money(toss: Says, terms: Provider, code: str) -> None:
    toss.put(400, {"code": code, "message": "m"})
    wanted = Outcome.NOT_FOUND if code == "NOT_FOUND_PAYMENT" else Outcome.UNKNOWN
    assert terms.inquire(CHARGE).outcome is wanted
    assert terms.void(CHARGE).outcome is wanted


@pytest.mark.parametrize(("code", "outcome"), REFUNDS.items())
def test_each_code_of_a_refund(terms: Provider, code: str, outcome: Outcome) -> None:
    def answers(request: net.Request) -> net.Reply:
        if request.method == "GET":
            return net.Reply(200, {}, json.dumps(document()).encode())
        return net.Reply(400, {}, json.dumps({"code": code}).encode())

    with net.using(answers):
        assert terms.refund(CHARGE, amount=300, key="refund-1", reason="r").outcome is outcome


@pytest.mark.parametrize(("status", "outcome"), STATUSES.items())
def test_each_status(toss: Says, terms: Provider, status: str, outcome: Outcome) -> None:
    toss.put(200, document(status=status))
    assert terms.inquire(CHARGE).outcome is outcome


TRANSPORT = [
    (net.NotSent("x"), Outcome.OUR_FAULT, Outcome.UNKNOWN),
    (net.NoAnswer("x"), Outcome.UNKNOWN, Outcome.UNKNOWN),
    *[
        (net.Reply(status, {}, body), Outcome.UNKNOWN, Outcome.UNKNOWN)
        for status in (200, 201, 302, 400, 404, 409, 429, 500, 502, 503)
        for body in (b"", b"<html>", b"[]", b'"x"', b"{}", b'{"code":5}', b'{"code":"NEVER_HEARD_OF"}', b"[" * 100_000)
    ],
    (net.Reply(200, {}, json.dumps(document(status="NEW_STATUS")).encode()), Outcome.UNKNOWN, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("reply", "first", "later"), TRANSPORT)
def test_each_end_of_a_call(
    toss: Says, terms: Provider, reply: net.Reply | Exception, first: Outcome, later: Outcome
) -> None:
    toss.reply = reply
    assert terms.confirm(CHARGE, first_try=True).outcome is first
    assert terms.confirm(CHARGE, first_try=False).outcome is later
    assert terms.inquire(CHARGE).outcome is Outcome.UNKNOWN
    assert terms.void(CHARGE).outcome is Outcome.UNKNOWN
    assert terms.refund(CHARGE, amount=1, key="k", reason="r").outcome is Outcome.UNKNOWN
    for method in ("card", "deposit"):
        assert terms.start(replace(CHARGE, method=method)).outcome is Outcome.OUR_FAULT
    assert terms.transactions(NOW, NOW).code or reply == net.Reply(200, {}, b"[]")


@pytest.mark.parametrize("wrong", [{"totalAmount": 52_301}, {"orderId": "another"}, {"mId": "x"}, {"currency": "USD"}])
def test_a_page_or_an_account_for_something_else_is_not_shown(
    toss: Says, terms: Provider, wrong: dict[str, Any]
) -> None:
    toss.put(200, document(**({"status": "READY", "checkout": {"url": "https://x.test/"}} | wrong)))
    assert terms.start(CHARGE).outcome is Outcome.OUR_FAULT


def test_an_amount_that_is_no_whole_number_is_none(toss: Says, terms: Provider) -> None:
    toss.put(200, document(totalAmount=52_300.9))
    assert terms.inquire(CHARGE).amount is None


def test_a_page_at_a_strange_address_is_not_followed(toss: Says, terms: Provider) -> None:
    toss.put(200, document(status="READY", checkout={"url": "javascript:alert(1)"}))
    assert terms.start(CHARGE).outcome is Outcome.OUR_FAULT


@pytest.mark.parametrize(("refund", "outcome"), [("PENDING", Outcome.UNKNOWN), ("FAILED", Outcome.REFUSED)])
def test_a_refund_that_has_not_arrived_is_not_given_back(
    toss: Says, terms: Provider, refund: str, outcome: Outcome
) -> None:
    account = {"accountNumber": "5", "bankCode": "06", "refundStatus": refund, "expired": False}
    cancels = [{"cancelAmount": 52_300, "cancelReason": "r (refund-1)"}]
    toss.put(200, document(status="CANCELED", balanceAmount=0, virtualAccount=account, cancels=cancels))
    charge = replace(CHARGE, method="deposit")
    assert terms.refund(charge, amount=52_300, key="refund-1", reason="r", back_to=BACK).outcome is outcome
    found = terms.inquire(charge)
    assert (found.outcome, found.given_back) == (Outcome.PAID, 0)


def test_money_that_others_gave_back_at_the_console_is_not_given_twice(toss: Says, terms: Provider) -> None:
    toss.put(
        200, document(status="CANCELED", balanceAmount=0, cancels=[{"cancelAmount": 1, "cancelReason": "by hand"}])
    )
    assert terms.refund(CHARGE, amount=52_300, key="refund-1", reason="r").outcome is Outcome.GIVEN_BACK
    assert terms.refund(CHARGE, amount=300, key="refund-2", reason="r").outcome is Outcome.REFUSED


def bell(said: object) -> bytes:
    return json.dumps(said).encode()


def test_a_status_doorbell_is_unsigned_and_only_a_reason_to_ask(terms: Provider) -> None:
    """Regression: many public adapters invent a signature check, or believe the body."""
    body = bell({"eventType": "PAYMENT_STATUS_CHANGED", "data": document(secret="ps_another")})
    rung = terms.ring(HEADERS | {"Signature": "made up"}, body, NOW)
    assert (rung.transmission, rung.order_id, rung.genuine, rung.secret) == ("whtrans_1", ORDER, None, "")


@pytest.mark.parametrize("status", ["DONE", "EXPIRED", "ABORTED", "CANCELED", "WAITING_FOR_DEPOSIT"])
def test_a_deposit_doorbell_needs_its_secret_whatever_it_claims(terms: Provider, status: str) -> None:
    """Regression: Odoo's adapter exempts EXPIRED and ABORTED from the check of the secret."""
    said = {"createdAt": "2026-09-01T09:00:00", "secret": "ps_1", "status": status, "orderId": ORDER}
    rung = terms.ring(HEADERS, bell(said), NOW)
    assert (rung.order_id, rung.genuine, rung.secret, rung.says) == (ORDER, None, "ps_1", STATUSES[status])
    for wrong in ({"secret": ""}, {"secret": None}, {"secret": 5}):
        assert terms.ring(HEADERS, bell(said | wrong), NOW).genuine is False
    del said["secret"]
    assert terms.ring(HEADERS, bell(said), NOW).genuine is False


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"x"', b"5", b"[" * 100_000, b'{"eventType":"PAYMENT_STATUS_CHANGED"}']
)
def test_a_doorbell_of_bad_form_is_forged(terms: Provider, body: bytes) -> None:
    assert terms.ring({}, body, NOW).genuine is False


def test_a_part_that_went_back_is_asked_about_though_it_is_paid(terms: Provider) -> None:
    """A claim of "paid" would spare the question about an attempt that is paid."""
    body = bell({"eventType": "PAYMENT_STATUS_CHANGED", "data": document(status="PARTIAL_CANCELED")})
    assert terms.ring(HEADERS, body, NOW).says is Outcome.GIVEN_BACK


def test_another_shops_doorbell_and_an_unknown_event_ring_for_nobody(terms: Provider) -> None:
    other = terms.ring(HEADERS, bell({"eventType": "PAYMENT_STATUS_CHANGED", "data": document(mId="other")}), NOW)
    assert (other.order_id, other.genuine, other.says) == ("", None, None)
    rung = terms.ring(HEADERS, bell({"eventType": "BILLING_DELETED", "data": {}}), NOW)
    assert (rung.order_id, rung.genuine) == ("", None)


def test_banks_are_named_as_toss_names_them_and_back() -> None:
    assert (bank_there("004"), bank_there("088"), bank_here("06"), bank_here("20")) == ("06", "88", "004", "020")
    for code in banks.banks():
        assert bank_here(bank_there(code)) == code


def test_no_key_account_or_secret_stands_in_codes_or_logs(
    toss: Says, terms: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    planted = ("planted_sk_7731", "987654321012", "ps_planted", "bkey_planted")
    charge = replace(CHARGE, method="billing", mandate="bkey_planted|customer")
    said: list[object] = []
    with caplog.at_level(logging.DEBUG):
        for reply in (net.NotSent("x"), net.NoAnswer("x"), net.Reply(400, {}, b'{"code":"a 987654321012 ps_planted"}')):
            toss.reply = reply
            said += [terms.confirm(charge, first_try=True), terms.delete_key(charge.mandate)]
            said += [terms.refund(replace(CHARGE, method="deposit"), amount=1, key="k", reason="r", back_to=BACK)]
            said += [terms.inquire(CHARGE), terms.issue_key("a", "c"), terms.transactions(NOW, NOW)]
    for one in planted:
        assert one not in caplog.text
        assert one not in repr(said)
