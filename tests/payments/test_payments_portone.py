"""PortOne as a provider, against its fake as a class: what every answer means for the money."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from doenda.kernel import net
from doenda.payments.providers.contract import Answer, BackTo, Charge, Moves, Outcome
from doenda.payments.providers.portone.provider import PortOne as Provider
from doenda.payments.providers.portone.wire import quoted
from peers.http import NoAnswer, Request
from peers.portone import PortOne

ORDER = "AAAABBBBCCCCDDDDEEEEFFFF22"
CONFIG: dict[str, Any] = {
    "url": "http://portone.test",
    "secrets": ["portone-secret"],
    "webhook_secrets": ["whsec_cG9ydG9uZS13ZWJob29rLXNlY3JldA=="],
    "store": "store-doenda",
    "channel_keys": {"card": "channel-key-card", "transfer": "channel-key-transfer", "deposit": "channel-key-deposit"},
    "sdk": "http://portone.test/v2/browser-sdk.js",
}
CHARGE = Charge(ORDER, 52_300, "KRW", "card", "9월 이용요금", return_url="http://shop.test/back")
DEPOSIT = replace(CHARGE, method="deposit", bank="004", payer="김민수")
ACCOUNT = BackTo("088", "110123456789", "김민수")


class Wired:
    """The fake behind the net seam. `says` answers instead of it; `calls` is what was sent."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        self.at = 1_800_000_000.0
        self.peer = PortOne(clock=now or (lambda: self.at), base_url=CONFIG["url"])
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
        reply = net.call("control", method, f"{CONFIG['url']}/_control/{path}", json=body)
        assert reply.status == 200, reply.body
        return reply.json()

    def faults(self, **board: object) -> None:
        self.control("PUT", "faults", {"*" if key == "all" else key: value for key, value in board.items()})

    def net(self) -> int:
        return int(self.control("GET", "books")["net"])

    def browse(self, client: Any, decision: str) -> dict[str, str]:
        """What our page's script and then the payer do; the words that come back."""
        address = f"{CONFIG['url']}/checkout?{urlencode(client)}"
        page = net.call("browser", "GET", address)
        if page.status == 200:
            page = net.call("browser", "POST", address, content=f"decision={decision}".encode())
        assert page.status == 303, page.body
        return {name: values[0] for name, values in parse_qs(urlsplit(page.headers["Location"]).query).items()}


@pytest.fixture
def wired() -> Iterator[Wired]:
    made = Wired()
    with net.using(made):
        yield made


@pytest.fixture
def portone(wired: Wired) -> Provider:
    return Provider(CONFIG)


def approved(wired: Wired, portone: Provider, charge: Charge = CHARGE) -> Charge:
    started = portone.start(charge)
    assert started.outcome is Outcome.NEEDS_REDIRECT, started
    back = portone.returned(wired.browse(started.client, "approve"))
    return replace(charge, ref=started.ref, token=back.token)


def paid(wired: Wired, portone: Provider, charge: Charge = CHARGE) -> Charge:
    ready = approved(wired, portone, charge)
    assert portone.confirm(ready, first_try=True).outcome is Outcome.PAID
    return ready


def reply_of(status: int, document: object) -> net.Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return net.Reply(status, {}, body)


def said(answer: Answer) -> tuple[Outcome, str]:
    return answer.outcome, answer.code


def test_it_says_what_it_can_do(portone: Provider) -> None:
    assert portone.methods == {"card": Moves.AT_CONFIRM, "transfer": Moves.AT_CONFIRM, "deposit": Moves.AT_DEPOSIT}
    assert (portone.merchant, portone.returns_amount, portone.takes_part_back) == ("store-doenda", False, True)
    assert portone.script is not None
    assert (portone.script.launcher, portone.script.src) == ("portone", CONFIG["sdk"])
    assert portone.script.origins == ("http://portone.test",)
    wide = Provider(CONFIG | {"origins": ["https://a", "https://b"]}).script
    assert wide is not None
    assert wide.origins == ("https://a", "https://b")


@pytest.mark.parametrize(("method", "words"), [("card", "CARD"), ("transfer", "TRANSFER")])
def test_a_payment_over_the_page_is_paid_by_confirm_and_found_by_our_own_id(
    wired: Wired, portone: Provider, method: str, words: str
) -> None:
    charge = replace(CHARGE, method=method)
    started = portone.start(charge)
    assert (said(started), started.ref, started.redirect_url) == ((Outcome.NEEDS_REDIRECT, "READY"), ORDER, "")
    assert started.client == {
        "storeId": "store-doenda",
        "channelKey": f"channel-key-{method}",
        "paymentId": ORDER,
        "orderName": "9월 이용요금",
        "totalAmount": "52300",
        "currency": "CURRENCY_KRW",
        "payMethod": words,
        "redirectUrl": "http://shop.test/back",
        "forceRedirect": "true",
        "locale": "KO_KR",
    }
    back = portone.returned(wired.browse(started.client, "approve"))
    assert (back.order_id, back.ref, back.amount, back.failed, back.cancelled) == (ORDER, ORDER, "", "", False)
    assert wired.net() == 0
    answer = portone.confirm(replace(charge, ref=ORDER, token=back.token), first_try=True)
    assert answer == Answer(Outcome.PAID, "PAID", ORDER, "", ORDER, 52_300, "KRW", "store-doenda")
    assert replace(portone.inquire(charge), code="PAID") == answer, "the question finds the same"
    assert wired.net() == 52_300


def test_no_secret_stands_in_what_the_browser_is_told(portone: Provider, wired: Wired) -> None:
    told = str(portone.start(CHARGE).client)
    assert not any(secret in told for secret in (*CONFIG["secrets"], *CONFIG["webhook_secrets"]))


def test_every_write_carries_a_quoted_key_which_stays_the_same(wired: Wired, portone: Provider) -> None:
    ready = approved(wired, portone)
    for first in (True, False):
        portone.confirm(ready, first_try=first)
    keys = [c.headers["Idempotency-Key"] for c in wired.calls if c.url.endswith("/confirm")]
    assert (len(keys), len(set(keys))) == (2, 1)
    for key in (*keys, quoted(""), quoted("k" * 400), quoted('a"b\\한글')):
        assert key[0] == key[-1] == '"'
        assert 16 <= len(key) - 2 <= 256
        assert key.isascii()
        assert '"' not in key[1:-1]
    assert quoted('a"') != quoted("a")


def test_a_customer_waits_six_seconds_and_not_the_sixty_of_the_documents(wired: Wired, portone: Provider) -> None:
    portone.confirm(approved(wired, portone), first_try=True)
    assert wired.calls[-1].timeout == 6.0
    ready = replace(approved(wired, portone, replace(CHARGE, order_id="B" * 26)))
    Provider(CONFIG | {"confirm_seconds": 2}).confirm(ready, first_try=True)
    assert wired.calls[-1].timeout == 2.0


def test_a_browser_that_names_another_amount_is_sent_back_unpaid(wired: Wired, portone: Provider) -> None:
    started = portone.start(CHARGE)
    back = portone.returned(wired.browse(dict(started.client) | {"totalAmount": "1"}, "approve"))
    assert (back.failed, back.token, back.cancelled) == ("INFORMATION_MISMATCH", "", False)
    assert portone.inquire(CHARGE).outcome is Outcome.NOT_FOUND
    assert wired.net() == 0


def test_a_payer_who_turns_back_is_recognised(wired: Wired, portone: Provider) -> None:
    back = portone.returned(wired.browse(portone.start(CHARGE).client, "cancel"))
    assert (back.failed, back.cancelled, back.token) == ("PAY_PROCESS_CANCELED", True, "")
    assert said(portone.inquire(CHARGE)) == (Outcome.REFUSED, "PAY_PROCESS_CANCELED")


@pytest.mark.parametrize(
    ("query", "failed", "cancelled"),
    [({"code": "FAILURE_TYPE_PG", "paymentToken": "t"}, "FAILURE_TYPE_PG", False), ({"code": ""}, "FAILED", False),
     ({"code": "x" * 500}, "x" * 60, False), ({"code": "<b>"}, "b", False), ({"code": "한글"}, "FAILED", False),
     ({"code": "USER_CANCEL"}, "USER_CANCEL", True), ({}, "", False), ({"paymentId": "p" * 500}, "", False)],
)  # fmt: skip
def test_whatever_comes_back_is_read(portone: Provider, query: dict[str, str], failed: str, cancelled: bool) -> None:
    back = portone.returned(query)
    assert (back.failed, back.cancelled, back.amount) == (failed, cancelled, "")
    assert len(back.order_id) <= 64
    assert not (back.failed and back.token)


def test_a_return_without_a_token_is_only_asked_about(wired: Wired, portone: Provider) -> None:
    started = portone.start(CHARGE)
    wired.browse(started.client, "approve")
    wired.calls.clear()
    assert portone.confirm(replace(CHARGE, ref=ORDER), first_try=True).outcome is Outcome.NOT_FOUND
    assert [call.method for call in wired.calls] == ["GET"]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [({"amount": 1}, (Outcome.OUR_FAULT, "INFORMATION_MISMATCH")),
     ({"currency": "USD"}, (Outcome.OUR_FAULT, "INFORMATION_MISMATCH")),
     ({"token": "t"}, (Outcome.EXPIRED, "INVALID_PAYMENT_TOKEN")),
     ({"order_id": "B" * 26}, (Outcome.NOT_FOUND, "PAYMENT_NOT_FOUND"))],
)  # fmt: skip
def test_a_wrong_amount_currency_token_or_order_takes_nothing(
    wired: Wired, portone: Provider, wrong: dict[str, Any], expected: tuple[Outcome, str]
) -> None:
    ready = approved(wired, portone)
    assert said(portone.confirm(replace(ready, **wrong), first_try=True)) == expected
    assert wired.net() == 0


def test_what_is_refused_is_unknown_at_first_and_then_asked(wired: Wired, portone: Provider) -> None:
    ready = approved(wired, portone)
    wired.faults(card={"fault": "refuse"})
    assert said(portone.confirm(ready, first_try=True)) == (Outcome.UNKNOWN, "PG_PROVIDER:REJECT_CARD_COMPANY")
    assert said(portone.inquire(ready)) == (Outcome.REFUSED, "REJECT_CARD_COMPANY")


@pytest.mark.parametrize("fault", ["timeout_after", "error_after", "slow", "hidden"])
def test_an_answer_that_does_not_come_is_unknown_and_the_money_is_found(
    wired: Wired, portone: Provider, fault: str
) -> None:
    ready = approved(wired, portone)
    wired.faults(card={"fault": fault, "seconds": 60, "remaining": 1})
    assert portone.confirm(ready, first_try=True).outcome is Outcome.UNKNOWN
    if fault in ("slow", "hidden"):
        again = portone.confirm(ready, first_try=False)
        assert said(again) == (Outcome.UNKNOWN, "IDEMPOTENCY_OUTSTANDING_REQUEST")
    wired.advance(60)
    assert portone.confirm(ready, first_try=False).outcome is Outcome.PAID
    assert portone.inquire(ready).outcome is Outcome.PAID
    assert wired.net() == 52_300


def test_after_the_keys_three_hours_a_retry_still_takes_nothing_twice(wired: Wired, portone: Provider) -> None:
    ready = paid(wired, portone)
    wired.advance(3 * 3600 + 1)
    assert said(portone.confirm(ready, first_try=False)) == (Outcome.UNKNOWN, "ALREADY_PAID")
    assert wired.net() == 52_300


@pytest.mark.parametrize("fault", ["timeout_before", "error_before", "last_step_down"])
def test_what_never_happened_is_not_found_and_never_called_paid(wired: Wired, portone: Provider, fault: str) -> None:
    ready = approved(wired, portone)
    wired.faults(card={"fault": fault})
    assert portone.confirm(ready, first_try=True).outcome is Outcome.UNKNOWN
    wired.faults()
    assert said(portone.inquire(ready)) == (Outcome.NOT_FOUND, "READY")
    assert said(portone.void(ready)) == (Outcome.NOT_FOUND, "READY"), "nothing can be voided: only time makes it sure"
    assert wired.net() == 0


def test_a_deposit_account_is_had_without_a_browser(wired: Wired, portone: Provider) -> None:
    until = datetime.fromtimestamp(wired.at, UTC) + timedelta(days=3)
    answer = portone.start(replace(DEPOSIT, until=until))
    assert (said(answer), answer.ref, answer.amount, answer.client) == (
        (Outcome.NEEDS_DEPOSIT, "VIRTUAL_ACCOUNT_ISSUED"),
        ORDER,
        52_300,
        {},
    )
    assert answer.pay_into is not None
    assert (answer.pay_into.bank, answer.pay_into.holder, answer.pay_into.until) == ("004", "김민수", until)
    assert answer.pay_into.number.isdigit()
    wired.control("POST", "deposits", {"account_number": answer.pay_into.number})
    found = portone.inquire(DEPOSIT)
    assert (found.outcome, found.amount, found.at) == (Outcome.PAID, 52_300, datetime.fromtimestamp(wired.at, UTC))
    wired.control("POST", "undo", {"payment_id": ORDER})
    undone = portone.inquire(DEPOSIT)
    assert (undone.outcome, undone.pay_into) == (Outcome.NEEDS_DEPOSIT, answer.pay_into)


def test_the_account_is_at_the_usual_bank_where_none_is_chosen(wired: Wired, portone: Provider) -> None:
    answer = portone.start(replace(DEPOSIT, bank=""))
    assert answer.pay_into is not None
    assert answer.pay_into.bank == "088"
    other = Provider(CONFIG | {"deposit_bank": "020"}).start(replace(DEPOSIT, bank="", order_id="C" * 26))
    assert other.pay_into is not None
    assert other.pay_into.bank == "020"
    assert said(portone.start(replace(DEPOSIT, bank="999"))) == (Outcome.OUR_FAULT, "BANK_NOT_LISTED")


def test_a_start_that_does_not_succeed_is_our_fault_and_moves_nothing(wired: Wired, portone: Provider) -> None:
    bare = Provider(CONFIG | {"channel_keys": {}})
    assert said(bare.start(CHARGE)) == (Outcome.OUR_FAULT, "NO_CHANNEL")
    other = Provider(CONFIG | {"channel_keys": {"deposit": "unknown"}})
    assert said(other.start(DEPOSIT)) == (Outcome.OUR_FAULT, "CHANNEL_NOT_FOUND")
    wired.faults(deposit={"fault": "refuse", "remaining": 1})
    refused = portone.start(replace(DEPOSIT, order_id="C" * 26))
    assert said(refused) == (Outcome.OUR_FAULT, "PG_PROVIDER:REJECT_ACCOUNT_PAYMENT")
    wired.faults(deposit={"fault": "inquiry_down"})
    assert said(portone.start(replace(DEPOSIT, order_id="D" * 26))) == (Outcome.OUR_FAULT, "ACCOUNT_NOT_SEEN")
    wired.faults(all={"fault": "dead"})
    for charge in (CHARGE, replace(DEPOSIT, order_id="E" * 26)):
        assert said(portone.start(charge)) == (Outcome.OUR_FAULT, "NO_ANSWER")
    wired.says = net.NotSent("refused")
    assert said(portone.start(CHARGE)) == (Outcome.OUR_FAULT, "NOT_REACHED")


def test_an_account_is_closed_once_and_what_was_paid_is_said(wired: Wired, portone: Provider) -> None:
    portone.start(DEPOSIT)
    assert said(portone.void(DEPOSIT)) == (Outcome.GIVEN_BACK, "CLOSED")
    assert said(portone.void(DEPOSIT)) == (Outcome.GIVEN_BACK, "CANCELLED"), "again: it is asked"
    second = replace(DEPOSIT, order_id="B" * 26)
    portone.start(second)
    wired.control("POST", "deposits", {"payment_id": "B" * 26})
    assert portone.void(second).outcome is Outcome.PAID
    third = replace(DEPOSIT, order_id="C" * 26)
    portone.start(third)
    wired.faults(deposit={"fault": "timeout_after", "on": ["close"], "remaining": 1})
    assert said(portone.void(third)) == (Outcome.UNKNOWN, "NO_ANSWER")
    assert portone.void(third).outcome is Outcome.GIVEN_BACK
    assert said(portone.void(replace(DEPOSIT, order_id="Z" * 26))) == (Outcome.NOT_FOUND, "PAYMENT_NOT_FOUND")
