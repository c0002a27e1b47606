"""Every fault of the fake PortOne and what is true behind it; its webhooks; and the peer as a process."""

import base64
import hashlib
import hmac
import http.client
import json
import signal
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Process, receiving
from tests.peers.test_peers_portone import (
    ACCOUNT,
    INSTANT,
    SECRET,
    Api,
    approved,
    cancel,
    code,
    confirm,
    deposit,
    issue,
    page,
    register,
)

from peers.http import NoAnswer
from peers.outgoing import Delivery
from peers.portone import PortOne
from peers.run import serving

HOOK = {"webhook_url": "http://127.0.0.1:9/hook"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Api:
    return Api(PortOne(clock=clock))


@pytest.fixture
def rung(call: Api) -> Api:
    call("PUT", "/_control/merchant", HOOK)
    return call


def silent(call: Any, *arguments: Any, **named: Any) -> float:
    with pytest.raises(NoAnswer) as caught:
        call(*arguments, **named)
    return caught.value.hold_seconds


def test_timeouts_and_errors_before_and_after_look_alike_and_are_not(call: Api) -> None:
    token = approved(call)
    call.faults(card={"fault": "timeout_before", "seconds": 7})
    assert silent(confirm, call, token) == 7
    call.faults(all={"fault": "error_before"})
    assert confirm(call, token).status == 500
    assert (call.status(), call.books()["net"]) == ("READY", 0)
    call.faults(all={"fault": "error_after"})
    assert confirm(call, token).status == 500
    assert (call.status(), call.books()["net"]) == ("PAID", 52_300)
    call.faults(card={"fault": "timeout_after"})
    assert silent(confirm, call, token) == 30
    call.faults()
    assert confirm(call, token).status == 200
    assert call.books()["net"] == 52_300


def test_slow_answers_late_and_meanwhile_the_same_key_is_outstanding(call: Api, clock: Clock) -> None:
    token = approved(call)
    call.faults(card={"fault": "slow", "seconds": 3, "remaining": 1})
    assert confirm(call, token).delay_seconds == 3
    assert code(confirm(call, token)) == (409, "IDEMPOTENCY_OUTSTANDING_REQUEST")
    clock.advance(3)
    assert confirm(call, token).status == 200


@pytest.mark.parametrize(
    ("method", "channel", "expected"),
    [
        ("CARD", "channel-key-card", "REJECT_CARD_COMPANY"),
        ("TRANSFER", "channel-key-transfer", "REJECT_ACCOUNT_PAYMENT"),
    ],
)
def test_refuse_takes_nothing_and_is_the_gateways_word(call: Api, method: str, channel: str, expected: str) -> None:
    token = approved(call, payMethod=method, channelKey=channel)
    call.faults(**{method.lower(): {"fault": "refuse"}})
    refused = confirm(call, token)
    assert code(refused) == (502, "PG_PROVIDER")
    assert refused.json()["pgCode"] == expected
    call.faults()
    assert confirm(call, token) == refused
    document = call("GET", "/payments/order-0001").json()
    assert (document["status"], document["failure"]["pgCode"], call.books()["net"]) == ("FAILED", expected, 0)


def test_no_account_is_issued_where_the_gateway_refuses(call: Api) -> None:
    call.faults(deposit=[{"fault": "refuse", "remaining": 1}, {"fault": "last_step_down", "remaining": 1}])
    assert code(issue(call)) == code(issue(call)) == (502, "PG_PROVIDER")
    assert call("GET", "/payments/order-0001").status == 404
    assert issue(call).status == 200


def test_last_step_down_takes_nothing_and_says_what_the_gateway_said(call: Api) -> None:
    token = approved(call)
    call.faults(card={"fault": "last_step_down"})
    down = confirm(call, token)
    assert (code(down), down.json()["pgCode"]) == ((502, "PG_PROVIDER"), "PROVIDER_ERROR")
    call.faults()
    assert (call.status(), confirm(call, token).status) == ("READY", 200)


def test_dead_cuts_everything_but_the_control_door(call: Api) -> None:
    token = approved(call)
    call.faults(all={"fault": "dead"})
    assert silent(confirm, call, token) == 0
    silent(register, call, "order-0002")
    silent(issue, call, "order-0003")
    silent(call, "GET", "/payments/order-0001")
    silent(call, "GET", "/payment-events-by-cursor")
    silent(call, "GET", page())
    silent(call, "GET", "/v2/browser-sdk.js")
    call.faults(deposit={"fault": "dead"})
    silent(issue, call, "order-0003")
    assert confirm(call, token).status == 200, "another method lives"


def test_page_down_and_inquiry_down_leave_the_rest_working(call: Api) -> None:
    token = approved(call)
    call.faults(card=[{"fault": "redirect_page_down"}, {"fault": "inquiry_down"}])
    assert call("GET", page()).status == call("POST", page(), b"decision=approve").status == 503
    assert call("GET", "/payments/order-0001").status == 503
    assert call("GET", "/payment-events-by-cursor").status == 200
    assert confirm(call, token).status == 200


def test_hidden_is_not_found_until_the_money_is_taken(call: Api, clock: Clock) -> None:
    token = approved(call)
    call.faults(card={"fault": "hidden", "seconds": 90})
    assert silent(confirm, call, token) == 30
    call.faults()
    assert code(call("GET", "/payments/order-0001")) == (404, "PAYMENT_NOT_FOUND")
    assert code(confirm(call, token)) == (409, "IDEMPOTENCY_OUTSTANDING_REQUEST")
    assert code(confirm(call, token, key="another-key-12345")) == (409, "ALREADY_PAID_OR_WAITING")
    assert code(cancel(call)) == (404, "PAYMENT_NOT_FOUND")
    assert code(register(call)) == (409, "ALREADY_PAID_OR_WAITING")
    assert "<form" not in call("GET", page()).body.decode()
    assert call.books()["net"] == 0
    clock.advance(90)
    call.peer.tick()
    assert (call.status(), call.books()["net"]) == ("PAID", 52_300)
    assert confirm(call, token).status == 200


def test_a_cancellation_can_fail_or_wait(call: Api, clock: Clock) -> None:
    confirm(call, approved(call))
    call.faults(card={"fault": "cancel_failed", "remaining": 1})
    assert cancel(call, amount=300).json()["cancellation"]["status"] == "FAILED"
    call.faults(card={"fault": "cancel_requested", "seconds": 120})
    assert cancel(call, "d" * 16, amount=300).json()["cancellation"]["status"] == "REQUESTED"
    assert call.books()["net"] == 52_300
    clock.advance(120)
    call.peer.tick()
    assert call.books()["net"] == 52_000


def test_a_fault_strikes_other_requests_only_if_it_names_them(call: Api) -> None:
    issue(call)
    call.faults(deposit={"fault": "timeout_after", "on": ["close"]})
    issue(call, "order-0002")
    silent(call, "POST", "/payments/order-0001/virtual-account/close")
    assert call.status() == "CANCELLED"


@pytest.mark.parametrize("wrong", [{"cash": {"fault": "dead"}}, {"card": {"fault": "tired"}}, {"card": 3}])
def test_a_wrong_board_changes_nothing(call: Api, wrong: dict[str, object]) -> None:
    call.faults(card={"fault": "dead"})
    assert code(call("PUT", "/_control/faults", wrong)) == (400, "INVALID_FAULT")
    assert call("GET", "/_control/faults").json() == {"card": {"fault": "dead"}}


def signed(headers: Mapping[str, str], body: bytes, secret: str = "portone-webhook-secret") -> bool:
    """Written from the standard, not from the fake's code."""
    lower = {name.lower(): value for name, value in headers.items()}
    said = f"{lower['webhook-id']}.{lower['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()
    return f"v1,{right}" in lower["webhook-signature"].split(" ")


def kinds(deliveries: list[Delivery]) -> list[str]:
    return [json.loads(one.body)["type"] for one in deliveries]


def rings(call: Api) -> list[Delivery]:
    found = call.peer.tick()
    for one in found:
        call.peer.sent(one, 200)
    return found


def test_every_change_is_reported_signed_and_without_amounts(rung: Api, clock: Clock) -> None:
    token = approved(rung)
    assert kinds(rings(rung)) == ["Transaction.Ready"]
    confirm(rung, token)
    (paid,) = rings(rung)
    document = json.loads(paid.body)
    assert (document["type"], sorted(document)) == ("Transaction.Paid", ["data", "timestamp", "type"])
    assert document["data"]["storeId"] == "store-doenda"
    assert sorted(document["data"]) == ["paymentId", "storeId", "transactionId"]
    assert paid.headers["webhook-timestamp"] == str(int(clock()))
    assert signed(paid.headers, paid.body)
    assert paid.timeout == 30
    cancel(rung, amount=300)
    cancel(rung, "d" * 16)
    part, whole = rings(rung)
    assert kinds([part, whole]) == ["Transaction.PartialCancelled", "Transaction.Cancelled"]
    assert json.loads(part.body)["data"]["cancellationId"]
    issue(rung, "order-0002")
    deposit(rung, "order-0002")
    rung("POST", "/_control/undo", {"payment_id": "order-0002"})
    deposit(rung, "order-0002")
    cancel(rung, "e" * 16, "order-0002", refundAccount=ACCOUNT)
    clock.advance(60)
    assert kinds(rings(rung)) == [
        f"Transaction.{kind}"
        for kind in ("VirtualAccountIssued", "Paid", "VirtualAccountIssued", "Paid", "CancelPending", "Cancelled")
    ]
    approved(rung, "order-0003")
    rung("POST", page(paymentId="order-0003"), b"decision=cancel")
    assert kinds(rings(rung)) == ["Transaction.Ready", "Transaction.Failed"]


def test_a_webhook_is_tried_again_five_times_in_341_minutes_and_then_given_up(rung: Api, clock: Clock) -> None:
    issue(rung)
    names = set()
    for minutes in (1, 4, 16, 64, 256):
        (one,) = rung.peer.tick()
        names.add(one.headers["webhook-id"])
        assert signed(one.headers, one.body), "with the time of this try"
        rung.peer.sent(one, 500 if minutes == 4 else None)
        clock.advance(60 * minutes - 0.01)
        assert rung.peer.tick() == []
        clock.advance(0.01)
    (last,) = rung.peer.tick()
    rung.peer.sent(last, None)
    clock.advance(100_000)
    assert (rung.peer.tick(), len(names)) == ([], 1)


def test_while_a_secret_is_changed_both_sign(rung: Api) -> None:
    both = ",".join("whsec_" + base64.b64encode(one).decode() for one in (b"new", b"old"))
    rung("PUT", "/_control/merchant", {"webhook_secrets": both})
    issue(rung)
    (one,) = rings(rung)
    assert signed(one.headers, one.body, "new")
    assert signed(one.headers, one.body, "old")
    assert rung("PUT", "/_control/merchant", {"webhook_secrets": "not base64!"}).status == 400


def test_webhooks_go_wrong_as_they_are_told(rung: Api, clock: Clock) -> None:
    rung.faults(deposit={"fault": "no_webhook"})
    issue(rung)
    assert rings(rung) == []
    rung.faults(deposit={"fault": "duplicate_webhook"})
    issue(rung, "order-0002")
    copies = rings(rung)
    assert (len(copies), len({one.headers["webhook-id"] for one in copies})) == (3, 1)
    rung.faults(deposit={"fault": "late_webhook", "seconds": 40})
    issue(rung, "order-0003")
    assert rings(rung) == []
    clock.advance(40)
    assert len(rings(rung)) == 1
    rung.faults(deposit={"fault": "forged_webhook"})
    issue(rung, "order-0004")
    true, lie, other = rings(rung)
    assert [signed(one.headers, one.body) for one in (true, lie, other)] == [True, False, True]
    assert json.loads(other.body)["data"]["storeId"] == "store-of-somebody-else"


def test_a_webhook_is_sent_again_when_asked_for(rung: Api) -> None:
    assert code(rung("POST", "/payments/none/resend-webhook", {})) == (404, "PAYMENT_NOT_FOUND")
    issue(rung)
    (first,) = rings(rung)
    assert (
        rung("POST", "/payments/order-0001/resend-webhook", {}).json()["webhook"]["id"] == first.headers["webhook-id"]
    )
    (again,) = rings(rung)
    assert again.body == first.body
    missing = rung("POST", "/payments/order-0001/resend-webhook", {"webhookId": "msg_none"})
    assert code(missing) == (404, "WEBHOOK_NOT_FOUND")


def test_a_restart_remembers_everything(tmp_path: Path, clock: Clock) -> None:
    first = Api(PortOne(tmp_path / "j", clock=clock))
    first("PUT", "/_control/merchant", HOOK)
    token = approved(first)
    confirm(first, token)
    issue(first, "order-0002")
    deposit(first, "order-0002")
    cancel(first, "r" * 16, "order-0002", refundAccount=ACCOUNT)
    before = first.books()
    first.peer.close()
    second = Api(PortOne(tmp_path / "j", clock=clock))
    assert second.books() == before
    assert confirm(second, token).status == 200, "also the stored answers"
    assert len(second.peer.tick()) == 5, "and the webhooks that were not received"
    clock.advance(60)
    second.peer.tick()
    assert second.books()["net"] == 52_300, "and the refund on its way"
    second.peer.close()


def test_a_webhook_secret_that_is_not_base64_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTONE_WEBHOOK_SECRETS", "whsec_not base64")
    with pytest.raises(RuntimeError, match="PORTONE_WEBHOOK_SECRETS"):
        PortOne()


def over_http(port: int, method: str, path: str, document: object = None, **headers: str) -> tuple[int, Any]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = None if document is None else json.dumps(document).encode()
    line.request(method, path, body, {"Authorization": f"PortOne {SECRET}", **headers})
    answered = line.getresponse()
    said = answered.read()
    line.close()
    return answered.status, json.loads(said) if said else None


def test_the_process_takes_the_money_once_for_thirty_confirmations_and_survives_a_kill(tmp_path: Path) -> None:
    with Process("portone", tmp_path / "p.jsonl") as process:
        line = http.client.HTTPConnection("127.0.0.1", process.port, timeout=10)
        line.request("GET", page())
        assert line.getresponse().read()
        line.request("POST", page(), b"decision=approve")
        location = str(line.getresponse().getheader("Location"))
        line.close()
        token = location.partition("paymentToken=")[2].partition("&")[0]

        def one(number: int) -> int:
            key = {"Idempotency-Key": f'"key-of-this-try-{number:04}"'}
            return over_http(process.port, "POST", "/payments/order-0001/confirm", {"paymentToken": token}, **key)[0]

        with ThreadPoolExecutor(10) as threads:
            assert sorted(threads.map(one, range(30))) == [200] + [409] * 29
        process.end(signal.SIGKILL)
    with Process("portone", tmp_path / "p.jsonl") as process:
        assert over_http(process.port, "GET", "/_control/health") == (200, {"ok": True})
        assert over_http(process.port, "GET", "/_control/books")[1]["net"] == 52_300
        assert process.end() == (0, "")


def test_webhooks_arrive_over_the_network(tmp_path: Path) -> None:
    with receiving() as (receiver, url), serving(PortOne()) as server:
        assert over_http(server.port, "PUT", "/_control/merchant", {"webhook_url": url})[0] == 200
        assert over_http(server.port, "POST", "/payments/order-0001/instant", INSTANT)[0] == 200
        (got,) = receiver.wait(1)
        assert signed(got.headers, got.body)


def test_it_imports_nothing_of_the_house() -> None:
    assert not any(name.startswith("doenda") for name in vars(sys.modules["peers.portone.truth"]))
