"""Toss Payments as a provider, against its fake as a class: what every answer means for the money."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doenda.kernel import net
from doenda.payments.providers.contract import BackTo, Charge, FeedLine, Outcome
from doenda.payments.providers.toss.provider import Toss as Provider
from peers.http import NoAnswer, Request
from peers.toss import Toss

ORDER = "AAAABBBBCCCCDDDDEEEEFFFF22"
CONFIG: dict[str, Any] = {"url": "http://toss.test", "keys": ["test_sk_doenda"], "merchant": "doenda"}
CHARGE = Charge(ORDER, 52_300, "KRW", "card", "9월 이용요금", return_url="http://shop.test/back?a=1")
DEPOSIT = replace(CHARGE, method="deposit", bank="004", payer="김민수")
ACCOUNT = BackTo("088", "110-123-456789", "김민수")


class Wired:
    """The fake behind the net seam. `says` answers instead of it; `calls` is what was sent."""

    def __init__(self) -> None:
        self.at = 1_800_000_000.0
        self.peer = Toss(clock=lambda: self.at, base_url=CONFIG["url"])
        self.calls: list[net.Request] = []
        self.says: net.Reply | Exception | None = None

    def __call__(self, request: net.Request) -> net.Reply:
        self.calls.append(request)
        if isinstance(self.says, Exception):
            raise self.says
        if self.says is not None:
            return self.says
        address = urlsplit(request.url)
        path = address.path + (f"?{address.query}" if address.query else "")
        try:
            said = self.peer.handle(Request(request.method, path, dict(request.headers), request.content))
        except NoAnswer as silence:
            raise net.NoAnswer(str(silence)) from silence
        if said.delay_seconds > request.timeout:
            raise net.NoAnswer("too slow")
        return net.Reply(said.status, dict(said.headers), said.body)

    def advance(self, seconds: float) -> None:
        self.at += seconds
        self.peer.tick()

    def control(self, method: str, path: str, body: object = None) -> Any:
        content = b"" if body is None else json.dumps(body).encode()
        said = self.peer.handle(Request(method, f"/_control/{path}", {}, content))
        assert said.status == 200, said.body
        return said.json()

    def fault(self, **board: object) -> None:
        self.control("PUT", "faults", board)

    def press(self, address: str, decision: str = "approve") -> dict[str, str]:
        """What the payer brings back from the page."""
        said = self.peer.handle(Request("POST", urlsplit(address).path, {}, f"decision={decision}".encode()))
        assert said.status == 303
        return dict(parse_qsl(urlsplit(said.headers["Location"]).query))

    def taken(self) -> int:
        return int(self.control("GET", "books")["net"])

    def sent(self, path: str) -> list[net.Request]:
        return [one for one in self.calls if one.url.endswith(path) and one.method == "POST"]


@pytest.fixture
def toss() -> Iterator[Wired]:
    made = Wired()
    with net.using(made):
        yield made


@pytest.fixture
def terms() -> Provider:
    return Provider(CONFIG)


def approved(toss: Wired, terms: Provider, charge: Charge = CHARGE) -> Charge:
    began = terms.start(charge)
    toss.press(began.redirect_url)
    return replace(charge, ref=began.ref)


def paid(toss: Wired, terms: Provider, charge: Charge = CHARGE) -> Charge:
    asked = approved(toss, terms, charge)
    assert terms.confirm(asked, first_try=True).outcome is Outcome.PAID
    return asked


def deposited(toss: Wired, terms: Provider) -> Charge:
    began = terms.start(DEPOSIT)
    assert began.pay_into
    toss.control("POST", "deposits", {"account_number": began.pay_into.number, "amount": DEPOSIT.amount})
    return replace(DEPOSIT, ref=began.ref)


@pytest.mark.parametrize("method", ["card", "transfer"])
def test_a_page_without_scripts_then_confirm_takes_the_money_once(toss: Wired, terms: Provider, method: str) -> None:
    charge = replace(CHARGE, method=method)
    began = terms.start(charge)
    assert began.outcome is Outcome.NEEDS_REDIRECT
    assert b"<script" not in toss.peer.handle(Request("GET", urlsplit(began.redirect_url).path)).body
    came = terms.returned(toss.press(began.redirect_url))
    assert (came.order_id, came.ref, came.amount, came.failed) == (ORDER, began.ref, "52300", "")
    asked = replace(charge, ref=came.ref)
    done = terms.confirm(asked, first_try=True)
    assert done.outcome is Outcome.PAID
    assert (done.order_id, done.amount, done.currency, done.merchant, done.given_back) == (
        *(ORDER, 52_300, "KRW", "doenda"),
        0,
    )
    assert terms.confirm(asked, first_try=False) == done == terms.inquire(asked)
    assert toss.taken() == 52_300


def test_a_page_that_was_cancelled_comes_back_as_cancelled(toss: Wired, terms: Provider) -> None:
    came = terms.returned(toss.press(terms.start(CHARGE).redirect_url, "cancel"))
    assert (came.failed, came.cancelled) == ("PAY_PROCESS_CANCELED", True)
    assert terms.inquire(CHARGE).outcome is Outcome.REFUSED
    assert terms.returned({"code": "<script>"}).failed == "FAILED"


def test_the_deadlines_of_the_page_and_of_the_confirmation_are_expiries(toss: Wired, terms: Provider) -> None:
    asked = approved(toss, terms)
    toss.advance(601)
    assert terms.confirm(asked, first_try=True).outcome is Outcome.EXPIRED
    assert terms.inquire(asked).outcome is Outcome.EXPIRED
    # An earlier request may have been carried out: of that a "too late" says nothing.
    assert terms.confirm(asked, first_try=False).outcome is Outcome.UNKNOWN


def test_a_confirmation_is_repeated_with_the_same_key_after_every_error(toss: Wired, terms: Provider) -> None:
    """Regression: public adapters send a new idempotency key after an error, and take the money twice."""
    asked = approved(toss, terms)
    for fault in ("timeout_before", "error_before", "error_after", "timeout_after"):
        toss.fault(card={"fault": fault, "remaining": 1})
        assert terms.confirm(asked, first_try=False).outcome is Outcome.UNKNOWN
    assert terms.confirm(asked, first_try=False).outcome is Outcome.PAID
    assert {one.headers["Idempotency-Key"] for one in toss.sent("/confirm")} == {f"confirm-{ORDER}"}
    assert toss.taken() == 52_300


def test_what_is_carried_out_later_is_unknown_and_then_not_found_and_then_paid(toss: Wired, terms: Provider) -> None:
    asked = approved(toss, terms)
    toss.fault(card={"fault": "hidden", "seconds": 60})
    assert terms.confirm(asked, first_try=True).outcome is Outcome.UNKNOWN
    again = terms.confirm(asked, first_try=False)
    assert (again.outcome, again.code) == (Outcome.UNKNOWN, "IDEMPOTENT_REQUEST_PROCESSING")
    assert terms.inquire(asked).outcome is Outcome.NOT_FOUND
    assert terms.void(asked).outcome is Outcome.NOT_FOUND
    toss.advance(61)
    assert terms.inquire(asked).outcome is Outcome.PAID


def test_a_refusal_and_a_provider_error_are_told_apart(toss: Wired, terms: Provider) -> None:
    asked = approved(toss, terms)
    toss.fault(card={"fault": "last_step_down", "remaining": 1})
    said = terms.confirm(asked, first_try=True)
    assert (said.outcome, said.code) == (Outcome.UNKNOWN, "PROVIDER_ERROR")
    toss.fault(card={"fault": "refuse"})
    assert terms.confirm(asked, first_try=False).outcome is Outcome.REFUSED
    assert terms.inquire(asked).outcome is Outcome.REFUSED
    assert toss.taken() == 0


def test_an_account_waits_takes_its_deposit_and_waits_again_when_the_bank_takes_it_back(
    toss: Wired, terms: Provider
) -> None:
    until = datetime.fromtimestamp(toss.at, UTC) + timedelta(days=3)
    began = terms.start(replace(DEPOSIT, until=until))
    assert began.outcome is Outcome.NEEDS_DEPOSIT
    assert began.secret
    assert began.pay_into
    assert (began.pay_into.bank, began.pay_into.holder, began.pay_into.until) == ("004", "김민수", until)
    body = json.loads(toss.calls[0].content)
    assert body["bank"] == "06"  # Toss's own number for KB Kookmin
    meant = {"account_number": began.pay_into.number}
    toss.control("POST", "deposits", meant | {"amount": 52_300})
    toss.advance(3600)
    found = terms.inquire(DEPOSIT)
    assert (found.outcome, found.at) == (Outcome.PAID, datetime.fromtimestamp(toss.at - 3600, UTC))
    toss.control("POST", "undo", meant)
    assert terms.inquire(DEPOSIT).outcome is Outcome.NEEDS_DEPOSIT
    assert toss.taken() == 0


def test_a_deposit_deadline_passes_silently_and_the_question_finds_it(toss: Wired, terms: Provider) -> None:
    terms.start(DEPOSIT)
    toss.advance(169 * 3600)
    assert terms.inquire(DEPOSIT).outcome is Outcome.EXPIRED


def test_a_void_closes_an_account_that_waits_and_never_pays_back(toss: Wired, terms: Provider) -> None:
    terms.start(DEPOSIT)
    assert terms.void(DEPOSIT).outcome is Outcome.GIVEN_BACK
    assert terms.inquire(DEPOSIT).given_back == 0
    assert terms.void(DEPOSIT).outcome is Outcome.GIVEN_BACK
    other = replace(DEPOSIT, order_id=ORDER[:-1] + "3")
    began = terms.start(other)
    assert began.pay_into
    toss.control("POST", "deposits", {"account_number": began.pay_into.number, "amount": 52_300})
    assert terms.void(other).outcome is Outcome.PAID
    assert toss.taken() == 52_300


def test_a_session_cannot_be_cancelled_at_toss_and_only_time_makes_it_sure(toss: Wired, terms: Provider) -> None:
    asked = approved(toss, terms)
    assert terms.void(asked).outcome is terms.inquire(asked).outcome is Outcome.NOT_FOUND
    assert not toss.sent("/cancel")
    toss.advance(601)
    assert terms.void(asked).outcome is Outcome.GIVEN_BACK
    done = paid(toss, terms, replace(CHARGE, order_id=ORDER[:-1] + "4"))
    assert terms.void(done).outcome is Outcome.PAID
    assert not toss.sent("/cancel")


def test_a_refund_is_given_back_once_in_parts_under_its_own_key(toss: Wired, terms: Provider) -> None:
    asked = paid(toss, terms)
    first = terms.refund(asked, amount=300, key="refund-1", reason="overpaid")
    assert first.outcome is Outcome.GIVEN_BACK
    assert terms.refund(asked, amount=300, key="refund-1", reason="overpaid").outcome is Outcome.GIVEN_BACK
    assert toss.taken() == 52_000
    found = terms.inquire(asked)
    assert (found.outcome, found.given_back) == (Outcome.PAID, 300)
    assert terms.refund(asked, amount=60_000, key="refund-2", reason="x").outcome is Outcome.REFUSED
    assert terms.refund(asked, amount=52_000, key="refund-3", reason="all").outcome is Outcome.GIVEN_BACK
    assert terms.inquire(asked).outcome is Outcome.GIVEN_BACK
    assert toss.taken() == 0


def test_a_refund_is_not_repeated_after_toss_forgot_the_key_or_under_a_new_api_key(toss: Wired) -> None:
    terms = Provider(CONFIG)
    asked = paid(toss, terms)
    toss.fault(card={"fault": "timeout_after", "on": ["cancel"], "remaining": 1})
    assert terms.refund(asked, amount=300, key="refund-1", reason="r").outcome is Outcome.UNKNOWN
    toss.advance(16 * 86_400)
    toss.control("PUT", "merchant", {"keys": "test_sk_new,test_sk_doenda"})
    rotated = Provider(CONFIG | {"keys": ["test_sk_new", "test_sk_doenda"]})
    assert rotated.refund(asked, amount=300, key="refund-1", reason="r").outcome is Outcome.GIVEN_BACK
    assert toss.taken() == 52_000


def test_a_deposit_goes_back_to_an_account_that_must_be_named(toss: Wired, terms: Provider) -> None:
    asked = deposited(toss, terms)
    sent = len(toss.calls)
    said = terms.refund(asked, amount=52_300, key="refund-1", reason="r")
    assert (said.outcome, said.code, len(toss.calls)) == (Outcome.REFUSED, "NO_REFUND_ACCOUNT", sent)
    terms.refund(asked, amount=52_300, key="refund-1", reason="r", back_to=ACCOUNT)
    account = json.loads(toss.sent("/cancel")[0].content)["refundReceiveAccount"]
    assert account == {"bank": "88", "accountNumber": "110123456789", "holderName": "김민수"}
    toss.advance(120)
    done = terms.refund(asked, amount=52_300, key="refund-1", reason="r", back_to=ACCOUNT)
    assert done.outcome is Outcome.GIVEN_BACK
    assert len(toss.sent("/cancel")) == 1
    assert toss.taken() == 0


def test_a_newer_key_that_is_not_valid_yet_is_followed_by_the_older_one(toss: Wired) -> None:
    """Regression: an SDK that knows one key stands still while keys are exchanged."""
    terms = Provider(CONFIG | {"keys": ["test_sk_not_yet", "test_sk_doenda"]})
    assert terms.start(CHARGE).outcome is Outcome.NEEDS_REDIRECT
    assert len(toss.calls) == 2
    terms.inquire(CHARGE)
    assert len(toss.calls) == 4, "the newest is asked first every time"
    wrong = Provider(CONFIG | {"keys": ["test_sk_a", "test_sk_b"]})
    said = wrong.confirm(replace(CHARGE, ref="x"), first_try=True)
    assert (said.outcome, said.code) == (Outcome.OUR_FAULT, "UNAUTHORIZED_KEY")
    assert wrong.inquire(CHARGE).outcome is Outcome.UNKNOWN
    user = base64.b64decode(toss.calls[0].headers["Authorization"].partition(" ")[2])
    assert user == b"test_sk_not_yet:"


def test_a_kept_card_is_issued_charged_and_forgotten(toss: Wired, terms: Provider) -> None:
    kept = terms.issue_key("auth-1", "customer-1")
    assert (kept.outcome, len(kept.shown)) == (Outcome.PAID, 2)
    assert "|" not in repr(kept)
    assert "bkey" not in repr(kept)
    charge = replace(CHARGE, method="billing", mandate=kept.mandate, name="")
    assert terms.start(charge).outcome is Outcome.PENDING
    assert not toss.sent("/v1/payments")
    toss.fault(billing={"fault": "timeout_after", "remaining": 1})
    assert terms.confirm(charge, first_try=True).outcome is Outcome.UNKNOWN
    assert terms.confirm(charge, first_try=False).outcome is Outcome.PAID
    assert terms.inquire(charge).outcome is Outcome.PAID
    assert toss.taken() == 52_300
    assert terms.delete_key(kept.mandate).outcome is Outcome.GIVEN_BACK
    assert terms.delete_key(kept.mandate).outcome is Outcome.GIVEN_BACK
    later = replace(charge, order_id=ORDER[:-1] + "5")
    assert terms.confirm(later, first_try=True).outcome is Outcome.REFUSED
    sent = len(toss.calls)
    assert terms.confirm(replace(later, mandate=""), first_try=True).code == "NO_BILLING_KEY"
    assert len(toss.calls) == sent


def test_the_feeds_are_read_page_by_page_to_the_end(toss: Wired) -> None:
    terms = Provider(CONFIG | {"page": 2})
    for number in range(3):
        done = paid(toss, terms, replace(CHARGE, order_id=f"{ORDER}{number}"))
    terms.refund(done, amount=300, key="refund-1", reason="r")
    now = datetime.fromtimestamp(toss.at, UTC)
    since, until = now - timedelta(days=1), now + timedelta(days=5)
    lines: list[FeedLine] = []
    cursor = ""
    for _ in range(5):
        page = terms.transactions(since, until, cursor)
        assert page.code == ""
        lines += page.lines
        if not (cursor := page.cursor):
            break
    assert [(one.kind, one.amount) for one in lines] == [("paid", 52_300)] * 3 + [("given_back", 300)]
    assert {one.currency for one in lines} == {"KRW"}
    first = terms.settlements(since, until)
    second = terms.settlements(since, until, first.cursor)
    assert [one.amount for one in (*first.lines, *second.lines)] == [52_300] * 3 + [-300]
    assert all(0 < one.fee < one.amount for one in first.lines)
    toss.says = net.Reply(429, {}, b'{"code":"TOO_MANY_REQUESTS"}')
    assert terms.transactions(since, until).code == "TOO_MANY_REQUESTS"
    assert terms.settlements(since, until).code == "TOO_MANY_REQUESTS"
