"""Every fault of the fake Toss and what is true behind it; its webhooks; and the peer as a process."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Process, Wire, receiving
from tests.peers.test_peers_toss import (
    BACK_TO,
    ORDER,
    Api,
    approved,
    basic,
    cancel,
    charge,
    code,
    confirm,
    create,
    deposit,
    issue,
    kept,
    page,
    press,
)

from peers.http import NoAnswer
from peers.outgoing import Delivery
from peers.run import serving
from peers.toss import Toss

HOOK = {"webhook_url": "http://127.0.0.1:9/hook"}
ID, TIME = "tosspayments-webhook-transmission-id", "tosspayments-webhook-transmission-time"
COUNT = "tosspayments-webhook-transmission-retried-count"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Api:
    return Api(Toss(clock=clock))


@pytest.fixture
def rung(call: Api) -> Api:
    call("PUT", "/_control/merchant", HOOK)
    return call


def silent(call: Any, *arguments: Any, **named: Any) -> float:
    with pytest.raises(NoAnswer) as caught:
        call(*arguments, **named)
    return caught.value.hold_seconds


def rings(call: Api) -> list[Delivery]:
    found = call.peer.tick()
    for one in found:
        call.peer.sent(one, 200)
    return found


def said(deliveries: list[Delivery]) -> list[tuple[str, str]]:
    """The event and the status of each."""
    bodies = [json.loads(one.body) for one in deliveries]
    return [(one.get("eventType", "DEPOSIT"), one.get("data", one)["status"]) for one in bodies]


def test_timeouts_and_errors_before_and_after_look_alike_and_are_not(call: Api) -> None:
    payment = approved(call)
    call.faults(card={"fault": "timeout_before", "seconds": 7})
    assert silent(confirm, call, payment) == 7
    call.faults(all={"fault": "error_before"})
    assert confirm(call, payment).status == 500
    assert (call.status(), call.books()["net"]) == ("IN_PROGRESS", 0)
    call.faults(all={"fault": "error_after"})
    assert confirm(call, payment).status == 500
    assert (call.status(), call.books()["net"]) == ("DONE", 52_300)
    call.faults(card={"fault": "timeout_after"})
    assert silent(confirm, call, payment) == 30
    call.faults()
    assert confirm(call, payment).status == 200
    assert call.books()["net"] == 52_300


def test_slow_answers_late_and_meanwhile_the_same_key_is_processing(call: Api, clock: Clock) -> None:
    payment = approved(call)
    call.faults(card={"fault": "slow", "seconds": 3, "remaining": 1})
    assert confirm(call, payment).delay_seconds == 3
    assert code(confirm(call, payment)) == (409, "IDEMPOTENT_REQUEST_PROCESSING")
    clock.advance(3)
    assert confirm(call, payment).status == 200


@pytest.mark.parametrize(
    ("method", "word", "expected"),
    [("card", "CARD", "REJECT_CARD_COMPANY"), ("transfer", "TRANSFER", "REJECT_ACCOUNT_PAYMENT")],
)
def test_refuse_takes_nothing_ever(call: Api, method: str, word: str, expected: str) -> None:
    payment = approved(call, method=word)
    call.faults(**{method: {"fault": "refuse"}})
    refused = confirm(call, payment)
    assert code(refused) == (403, expected)
    call.faults()
    assert confirm(call, payment) == refused
    assert code(confirm(call, payment, "another key")) == (403, expected)
    found = call("GET", "/v1/payments/orders/order-0001").json()
    assert (found["status"], found["failure"]["code"], call.books()["net"]) == ("ABORTED", expected, 0)


def test_last_step_down_is_a_400_that_says_nothing_of_the_money_and_takes_none(call: Api) -> None:
    payment = approved(call)
    call.faults(card={"fault": "last_step_down", "remaining": 1})
    assert code(confirm(call, payment)) == (400, "PROVIDER_ERROR")
    assert call.books()["net"] == 0
    assert confirm(call, payment).status == 200, "the same key is tried again"


def test_no_account_is_issued_and_no_card_charged_where_it_is_refused(call: Api) -> None:
    call.faults(deposit=[{"fault": "refuse", "remaining": 1}, {"fault": "last_step_down", "remaining": 1}])
    assert {code(issue(call)), code(issue(call))} == {(403, "REJECT_ACCOUNT_PAYMENT"), (400, "PROVIDER_ERROR")}
    card = kept(call)
    call.faults(billing={"fault": "refuse", "remaining": 1})
    assert code(charge(call, card)) == (403, "REJECT_CARD_COMPANY")
    assert (call.status(), call.books()["net"]) == ("ABORTED", 0)


def test_dead_cuts_everything_but_the_control_door(call: Api) -> None:
    payment = approved(call)
    call.faults(all={"fault": "dead"})
    assert silent(confirm, call, payment) == 0
    silent(call, "POST", "/v1/payments", ORDER)
    silent(issue, call)
    silent(call, "GET", "/v1/payments/orders/order-0001")
    silent(call, "GET", "/v1/transactions")
    silent(call, "GET", page(payment))
    call.faults(deposit={"fault": "dead"})
    silent(issue, call)
    assert call("GET", "/_control/health").json() == {"ok": True}
    assert confirm(call, payment).status == 200, "another method lives"


def test_page_down_and_inquiry_down_leave_the_rest_working(call: Api) -> None:
    payment = approved(call)
    call.faults(card=[{"fault": "redirect_page_down"}, {"fault": "inquiry_down"}])
    assert call("GET", page(payment)).status == call("POST", page(payment), b"decision=approve").status == 503
    assert call("GET", "/v1/payments/orders/order-0001").status == 503
    assert confirm(call, payment).status == 200


def test_hidden_is_not_found_until_the_money_is_taken(call: Api, clock: Clock) -> None:
    payment = approved(call)
    call.faults(card={"fault": "hidden", "seconds": 90})
    assert silent(confirm, call, payment) == 30
    call.faults()
    assert code(call("GET", "/v1/payments/orders/order-0001")) == (404, "NOT_FOUND_PAYMENT")
    assert code(confirm(call, payment)) == (409, "IDEMPOTENT_REQUEST_PROCESSING")
    assert code(confirm(call, payment, "another")) == (400, "ALREADY_PROCESSED_PAYMENT")
    assert code(cancel(call, payment)) == (404, "NOT_FOUND_PAYMENT")
    assert "<form" not in call("GET", page(payment)).body.decode()
    assert call.books()["net"] == 0
    clock.advance(90)
    call.peer.tick()
    assert (call.status(), call.books()["net"]) == ("DONE", 52_300)
    assert confirm(call, payment).json()["status"] == "DONE"


def test_a_hidden_charge_of_a_kept_card_counts_once(call: Api, clock: Clock) -> None:
    card = kept(call)
    call.faults(billing={"fault": "hidden", "seconds": 90, "remaining": 1})
    silent(charge, call, card)
    assert code(call("GET", "/v1/payments/orders/order-0001")) == (404, "NOT_FOUND_PAYMENT")
    assert code(charge(call, card)) == (409, "IDEMPOTENT_REQUEST_PROCESSING")
    clock.advance(90)
    call.peer.tick()
    assert charge(call, card).json()["status"] == "DONE"
    assert call.books()["net"] == 52_300


def test_a_refund_to_an_account_can_fail(call: Api, clock: Clock) -> None:
    issued = issue(call).json()
    deposit(call, issued)
    call.faults(deposit={"fault": "refund_failed", "remaining": 1})
    failed = cancel(call, issued, cancelAmount=300, refundReceiveAccount=BACK_TO).json()
    assert failed["virtualAccount"]["refundStatus"] == "FAILED"
    clock.advance(600)
    call.peer.tick()
    assert call.books()["net"] == 52_300
    cancel(call, issued, "c2", cancelAmount=400, refundReceiveAccount=BACK_TO)
    clock.advance(60)
    found = call("GET", "/v1/payments/orders/order-0001").json()
    assert (found["virtualAccount"]["refundStatus"], call.books()["net"]) == ("PARTIAL_FAILED", 51_900)


def test_a_fault_strikes_other_requests_only_if_it_names_them(call: Api) -> None:
    payment = approved(call)
    call.faults(card={"fault": "timeout_after", "on": ["cancel"]})
    assert confirm(call, payment).status == 200
    silent(cancel, call, payment)
    assert call.status() == "CANCELED"


@pytest.mark.parametrize("wrong", [{"cash": {"fault": "dead"}}, {"card": {"fault": "tired"}}, {"card": 3}])
def test_a_wrong_board_changes_nothing(call: Api, wrong: dict[str, object]) -> None:
    call.faults(card={"fault": "dead"})
    assert code(call("PUT", "/_control/faults", wrong)) == (400, "INVALID_FAULT")
    assert call("GET", "/_control/faults").json() == {"card": {"fault": "dead"}}


def test_a_payment_reports_its_end_unsigned_and_with_the_whole_payment(rung: Api, clock: Clock) -> None:
    payment = approved(rung)
    assert rings(rung) == [], "neither READY nor IN_PROGRESS is reported"
    confirm(rung, payment)
    (done,) = rings(rung)
    document = json.loads(done.body)
    assert sorted(document) == ["createdAt", "data", "eventType"]
    assert document["data"] == rung("GET", "/v1/payments/orders/order-0001").json()
    assert document["createdAt"] == "2027-01-15T17:00:00.000000"
    assert sorted(done.headers) == sorted(["Content-Type", ID, TIME, COUNT]), "no signature"
    assert (done.headers[COUNT], done.timeout) == ("0", 10)
    cancel(rung, payment, cancelAmount=300)
    cancel(rung, payment, "c2")
    changed = "PAYMENT_STATUS_CHANGED"
    reported = rings(rung)
    assert said(reported) == [(changed, "PARTIAL_CANCELED"), (changed, "CANCELED")]
    assert [len(json.loads(one.body)["data"]["cancels"]) for one in reported] == [1, 2]
    press(rung, create(rung, orderId="order-0002"), "cancel")
    create(rung, orderId="order-0003")
    clock.advance(1800)
    assert said(rings(rung)) == [(changed, "ABORTED"), (changed, "EXPIRED")]


def test_of_a_virtual_account_two_events_arrive_and_of_its_deadline_none(rung: Api, clock: Clock) -> None:
    issued = issue(rung, validHours=1).json()
    assert rings(rung) == []
    deposit(rung, issued)
    changed, flat = rings(rung)
    assert said([changed, flat]) == [("PAYMENT_STATUS_CHANGED", "DONE"), ("DEPOSIT", "DONE")]
    document = json.loads(flat.body)
    assert sorted(document) == ["createdAt", "orderId", "secret", "status", "transactionKey"]
    assert (document["secret"], document["orderId"]) == (issued["secret"], "order-0001")
    assert changed.headers[ID] != flat.headers[ID]
    rung("POST", "/_control/undo", {"payment_key": issued["paymentKey"]})
    assert said(rings(rung)) == [("DEPOSIT", "WAITING_FOR_DEPOSIT")]
    clock.advance(3600)
    assert rings(rung) == [], "a passed deadline sends nothing"


def test_a_charge_of_a_kept_card_reports_no_success(rung: Api) -> None:
    card = kept(rung)
    charge(rung, card)
    assert rings(rung) == []


def test_a_webhook_is_tried_again_seven_times_with_its_id_and_a_count(rung: Api, clock: Clock) -> None:
    confirm(rung, approved(rung))
    names, counts = set(), []
    for minutes in (1, 4, 16, 64, 256, 1024, 4096):
        (one,) = rung.peer.tick()
        names.add(one.headers[ID])
        counts.append(one.headers[COUNT])
        rung.peer.sent(one, 500 if minutes == 4 else None)
        clock.advance(60 * minutes - 0.01)
        assert rung.peer.tick() == []
        clock.advance(0.01)
    (last,) = rung.peer.tick()
    rung.peer.sent(last, None)
    clock.advance(1_000_000)
    assert (rung.peer.tick(), len(names)) == ([], 1)
    assert [*counts, last.headers[COUNT]] == list("01234567")


def test_webhooks_go_wrong_as_they_are_told(rung: Api, clock: Clock) -> None:
    rung.faults(card={"fault": "no_webhook"})
    confirm(rung, approved(rung))
    assert rings(rung) == []
    rung.faults(card={"fault": "duplicate_webhook"})
    confirm(rung, approved(rung, orderId="order-0002"), "k2")
    copies = rings(rung)
    assert (len(copies), len({one.headers[ID] for one in copies})) == (3, 1)
    rung.faults(card={"fault": "late_webhook", "seconds": 40})
    confirm(rung, approved(rung, orderId="order-0003"), "k3")
    assert rings(rung) == []
    clock.advance(40)
    assert len(rings(rung)) == 1
    rung.faults(deposit={"fault": "forged_webhook"})
    issued = issue(rung, orderId="order-0004").json()
    rings(rung)
    deposit(rung, issued)
    _, true, more, other, lie = rings(rung)
    assert json.loads(true.body)["secret"] == issued["secret"] != json.loads(lie.body)["secret"]
    assert json.loads(more.body)["data"]["totalAmount"] == 53_300
    assert json.loads(other.body)["data"]["mId"] == "somebody-else"


def test_without_an_address_nothing_is_sent(call: Api) -> None:
    confirm(call, approved(call))
    assert call.peer.tick() == []
    assert call("PUT", "/_control/merchant", {"webhook_url": "file:///x"}).status == 400


def test_a_restart_remembers_everything(tmp_path: Path, clock: Clock) -> None:
    first = Api(Toss(tmp_path / "j", clock=clock))
    first("PUT", "/_control/merchant", HOOK)
    payment, open_one = approved(first), approved(first, orderId="order-0002")
    done = confirm(first, payment)
    cancel(first, payment, cancelAmount=300)
    issued, card = issue(first, orderId="order-0003").json(), kept(first)
    deposit(first, issued)
    cancel(first, issued, "c2", cancelAmount=300, refundReceiveAccount=BACK_TO)
    first.faults(transfer={"fault": "dead"})
    books = first.books()
    first.peer.close()
    again = Api(Toss(tmp_path / "j", clock=clock))
    assert again.books() == books
    assert again("GET", "/_control/faults").json() == {"transfer": {"fault": "dead"}}
    assert confirm(again, payment).json() == done.json(), "the stored answer, not what is true now"
    assert len(rings(again)) == 6
    clock.advance(600)
    again.peer.tick()
    assert again.status("order-0002") == "EXPIRED", open_one
    assert again.books()["net"] == 2 * 52_300 - 600
    assert charge(again, card, orderId="order-0004").status == 200
    again.peer.close()


def test_over_http_a_payer_pays_and_the_webhook_arrives() -> None:
    with receiving() as (receiver, url), serving(Toss()) as server, Wire(server.port) as wire:
        named = {"Authorization": basic()}
        assert wire("PUT", "/_control/merchant", {"webhook_url": url}).status == 200
        payment = wire("POST", "/v1/payments", ORDER, **named).json()
        assert payment["checkout"]["url"].startswith(f"{server.url}/checkout/")
        back = wire("POST", page(payment), b"decision=approve")
        assert (back.status, back.headers["Location"].split("?")[0]) == (303, "http://127.0.0.1:1/back")
        body = {"paymentKey": payment["paymentKey"], "orderId": "order-0001", "amount": 52_300}
        assert wire("POST", "/v1/payments/confirm", body, **named).json()["status"] == "DONE"
        (rung,) = receiver.wait(1)
        assert json.loads(rung.body)["data"]["orderId"] == "order-0001"
        assert rung.header(ID)


def test_the_process_survives_a_kill(tmp_path: Path) -> None:
    named = {"Authorization": basic(), "Idempotency_Key": "key-1"}
    with Process("toss", tmp_path / "j") as process, Wire(process.port) as wire:
        payment = wire("POST", "/v1/payments", ORDER, **named).json()
        assert wire("POST", "/v1/payments", ORDER).status == 401
        wire("POST", page(payment), b"decision=approve")
        body = {"paymentKey": payment["paymentKey"], "orderId": "order-0001", "amount": 52_300}
        first = wire("POST", "/v1/payments/confirm", body, **named)
        assert first.json()["status"] == "DONE"
        process.end(signal.SIGKILL)
    assert "test_sk" not in (tmp_path / "j").read_text()
    with Process("toss", tmp_path / "j") as process, Wire(process.port) as wire:
        assert wire("POST", "/v1/payments/confirm", body, **named).body == first.body
        assert wire("GET", "/_control/books").json()["net"] == 52_300
        assert process.end() == (0, "")
