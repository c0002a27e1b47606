"""The deposit bank: its numbers, what anybody may pay into them, its list, its night, its faults, and its memory."""

import base64
import hashlib
import hmac
import json
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Direct, Process, Wire, faults, receiving

from peers.deposits import Deposits
from peers.http import NoAnswer
from peers.run import serving

KEY = {"Authorization": "Bearer deposit-key"}
N = "088900000000"


class Call(Direct):
    def __call__(self, method: str, path: str, document: object = None, **headers: str) -> Any:
        return super().__call__(method, path, document, **{**KEY, **headers})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Call:
    return Call(Deposits(clock=clock))


def code(response: Any) -> tuple[int, str]:
    return response.status, response.json()["code"]


def opened(call: Any, order: str = "order-1", number: str = N, **more: object) -> Any:
    return call("POST", f"/v1/numbers/{number}/open", {"order_id": order, **more})


def closed(call: Any, order: str = "order-1", number: str = N) -> Any:
    return call("POST", f"/v1/numbers/{number}/close", {"order_id": order})


def deposit(call: Any, amount: int = 52300, number: str = N, **more: object) -> Any:
    asked = {"number": number, "amount": amount, "remitter": "김민수", **more}
    return call("POST", "/_control/deposits", asked)


def listed(call: Any, query: str = "") -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = call("GET", f"/v1/deposits{query}").json()["entries"]
    return entries


def balance(call: Any) -> int:
    return int(call("GET", "/v1/balance").json()["balance"])


def test_without_a_live_key_nothing_is_answered_and_two_keys_live_at_once(call: Call) -> None:
    assert code(call("GET", "/v1/deposits", Authorization="Bearer wrong")) == (401, "UNAUTHORIZED_KEY")
    call("PUT", "/_control/merchant", {"keys": ["new", "deposit-key"]})
    assert call("GET", "/v1/deposits").status == 200
    assert call("GET", "/v1/deposits", Authorization="Bearer new").status == 200


def test_a_number_is_open_for_one_order_and_an_order_once_closed_never_opens_again(call: Call) -> None:
    first = opened(call)
    assert (first.status, first.json()["status"], first.json()["order_id"]) == (200, "OPEN", "order-1")
    assert opened(call).json() == first.json()
    assert code(opened(call, "order-2")) == (409, "NUMBER_IN_USE")
    assert code(closed(call, "order-2")) == (409, "NUMBER_IN_USE")
    assert closed(call).json()["status"] == "CLOSED"
    assert closed(call).json()["status"] == "CLOSED"
    assert code(opened(call)) == (409, "ORDER_CLOSED")
    assert opened(call, "order-2").status == 200
    assert closed(call).json()["status"] == "CLOSED", "of the old order, whoever has it now"
    assert call("GET", f"/v1/numbers/{N}").json()["order_id"] == "order-2"
    assert code(opened(call, number="1")) == (404, "NOT_FOUND_NUMBER")


def test_a_closing_that_overtakes_its_opening_wins(call: Call) -> None:
    assert closed(call).status == 200
    assert code(opened(call)) == (409, "ORDER_CLOSED")


def test_an_open_number_takes_any_amount_within_its_rules_until_its_time_is_over(call: Call, clock: Clock) -> None:
    assert code(deposit(call)) == (409, "NUMBER_CLOSED")
    opened(call, limit=60000, until="2027-01-15T09:00:00+00:00")
    assert code(deposit(call, 60001)) == (409, "ABOVE_LIMIT")
    assert deposit(call, 1).json()["order_id"] == "order-1"
    clock.advance(86_400)
    assert code(deposit(call)) == (409, "NUMBER_CLOSED")
    late = deposit(call, 7, late=True).json()
    assert (late["order_id"], late["amount"]) == (None, 7)
    opened(call, "order-2", amount=500)
    assert code(deposit(call, 499)) == (409, "WRONG_AMOUNT")
    assert code(deposit(call, 100, "no such number", late=True)) == (404, "NOT_FOUND_NUMBER")
    assert balance(call) == 8


def test_the_list_goes_on_from_a_place_and_can_be_of_one_number(call: Call) -> None:
    opened(call)
    opened(call, "order-2", "088900000001")
    for amount in (1, 2, 3):
        deposit(call, amount)
    deposit(call, 9, "088900000001")
    assert [one["amount"] for one in listed(call, "?limit=2")] == [1, 2]
    assert [one["amount"] for one in listed(call, "?after=2")] == [3, 9]
    assert [one["amount"] for one in listed(call, "?number=088900000001")] == [9]
    assert listed(call)[0]["id"] == "D000000001"


def test_a_deposit_goes_back_in_parts_once_a_key_and_never_more_than_came(call: Call) -> None:
    opened(call)
    ident = deposit(call).json()["id"]

    def back(amount: int, key: str, **more: object) -> Any:
        asked = {"amount": amount, "reason": "refund", **more}
        return call("POST", f"/v1/deposits/{ident}/return", asked, Idempotency_Key=key)

    first = back(300, "a")
    assert (first.status, first.json()["returned_amount"]) == (200, 300)
    assert back(300, "a").json() == first.json()
    assert balance(call) == 52000
    assert code(back(52001, "b")) == (400, "NOT_RETURNABLE_AMOUNT")
    assert back(52000, "c").status == 200
    assert code(back(1, "d")) == (400, "ALREADY_RETURNED")
    assert code(back(1, "a")) == (400, "INVALID_IDEMPOTENCY_KEY")
    assert [(one["kind"], one["of"]) for one in listed(call)[1:]] == [("RETURNED", ident)] * 2
    assert balance(call) == 0


def test_cash_from_nobodys_account_goes_back_only_where_it_is_said_to_go(call: Call) -> None:
    opened(call)
    ident = deposit(call, remitter="").json()["id"]
    path = f"/v1/deposits/{ident}/return"
    assert code(call("POST", path, {"reason": "r"})) == (400, "SENDER_UNKNOWN")
    assert call("POST", path, {"reason": "r", "to": {"bank": "004", "number": "1"}}).status == 200


def test_the_bank_may_take_a_whole_deposit_back_once(call: Call) -> None:
    opened(call)
    ident = deposit(call).json()["id"]
    assert call("POST", "/_control/undo", {"id": ident}).status == 200
    assert code(call("POST", "/_control/undo", {"id": ident})) == (409, "ALREADY_RETURNED")
    assert call("GET", f"/v1/deposits/{ident}").json()["status"] == "TAKEN_BACK"
    books = call("GET", "/_control/books").json()
    assert (books["net"], books["taken_back"], books["by_order"]) == (0, 52300, {"order-1": 0})


def test_at_night_everything_waits_until_the_bank_opens(call: Call, clock: Clock) -> None:
    clock.at = 1_413_989_100.0  # 23:45 in Seoul
    opened(call)
    call("PUT", "/_control/hours", {"closed": "23:30-00:30"})
    said = call("GET", "/v1/deposits")
    assert (said.status, said.json()["code"], said.json()["until"][:16]) == (503, "CLOSED", "2014-10-22T15:30")
    assert code(deposit(call)) == (503, "CLOSED")
    clock.advance(1800)
    assert code(opened(call, "order-2")) == (503, "CLOSED")
    clock.advance(1800)
    assert deposit(call).status == 200


@pytest.mark.parametrize("fault", ["dead", "timeout_before", "timeout_after"])
def test_a_silence_is_cut_before_or_after_its_effect(call: Call, fault: str) -> None:
    faults(call, all={"fault": fault, "remaining": 1})
    with pytest.raises(NoAnswer):
        opened(call)
    assert call.peer.state.numbers[N].open == (fault == "timeout_after")
    assert opened(call).status == 200


def test_errors_strike_before_and_after_the_effect_and_inquiries_may_be_down(call: Call) -> None:
    for fault, is_open in (("error_before", False), ("error_after", True)):
        faults(call, all={"fault": fault, "remaining": 1})
        assert opened(call).status == 500
        assert call.peer.state.numbers[N].open == is_open
    faults(call, all={"fault": "inquiry_down", "remaining": 1})
    assert code(call("GET", "/v1/balance")) == (503, "SERVICE_FAULT")
    faults(call, all={"fault": "slow", "seconds": 3, "on": ["look"]})
    assert call("GET", "/v1/balance").delay_seconds == 3


def test_a_hidden_deposit_is_booked_and_listed_late_in_its_old_place(call: Call, clock: Clock) -> None:
    opened(call)
    faults(call, all={"fault": "hidden", "seconds": 60, "remaining": 1})
    ident = deposit(call, 1).json()["id"]
    deposit(call, 2)
    assert [one["n"] for one in listed(call)] == [2]
    assert code(call("GET", f"/v1/deposits/{ident}")) == (404, "NOT_FOUND_DEPOSIT")
    assert balance(call) == 3
    clock.advance(61)
    assert [one["n"] for one in listed(call)] == [1, 2]


def signed(headers: Any, body: bytes, secret: bytes) -> bool:
    """Written from the contract, not from the bank's code."""
    said = f"{headers['Deposit-Transmission-Id']}.{headers['Deposit-Timestamp']}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()
    return f"v1,{digest}" in headers["Deposit-Signature"].split(" ")


def test_a_webhook_says_only_that_a_number_moved_signed_with_every_live_secret(call: Call) -> None:
    call("PUT", "/_control/merchant", {"webhook_url": "http://127.0.0.1:9/hook", "secrets": ["one", "two"]})
    opened(call)
    deposit(call)
    [delivery] = call.peer.tick()
    assert json.loads(delivery.body)["data"] == {"bank": "088", "number": N}
    assert signed(delivery.headers, delivery.body, b"one")
    assert signed(delivery.headers, delivery.body, b"two")
    faults(call, all=[{"fault": "duplicate_webhook"}, {"fault": "forged_webhook"}])
    deposit(call)
    several = call.peer.tick()
    assert [signed(one.headers, one.body, b"one") for one in several] == [True, True, True, False]
    faults(call, all={"fault": "no_webhook"})
    deposit(call)
    assert call.peer.tick() == []


def test_a_wrong_request_names_what_is_wrong(call: Call) -> None:
    for path, asked in [
        (f"/v1/numbers/{N}/open", {"order_id": "x"}),
        (f"/v1/numbers/{N}/open", {"order_id": "order-1", "until": "noon"}),
        (f"/v1/numbers/{N}/open", {"order_id": "order-1", "amount": 1.5}),
        ("/_control/deposits", {"number": N, "amount": 0}),
        ("/_control/deposits", {"number": N, "amount": True}),
    ]:
        assert code(call("POST", path, asked)) == (400, "INVALID_REQUEST")
    for path, asked in [
        ("/_control/hours", {"closed": "25:00-26:00"}),
        ("/_control/merchant", {"keys": []}),
        ("/_control/merchant", {"webhook_url": "ftp://x"}),
    ]:
        assert code(call("PUT", path, asked)) == (400, "INVALID_REQUEST")


def test_new_numbers_join_the_pool(call: Call) -> None:
    assert call("POST", "/_control/numbers", {"bank": "011", "numbers": ["0111", "0112", "0111"]}).status == 200
    assert len(call("GET", "/v1/numbers?after=2500").json()["numbers"]) == 2
    assert call("GET", "/v1/numbers?limit=1").json()["numbers"][0]["number"] == N


def test_over_http_webhooks_arrive_and_after_a_kill_everything_stands_as_it_was(tmp_path: Path) -> None:
    journal = tmp_path / "deposits.journal"
    with receiving() as (receiver, url):
        with Process("deposits", journal) as first, Wire(first.port) as line:
            line("PUT", "/_control/merchant", {"webhook_url": url})
            wire = _with_key(line)
            opened(wire)
            ident = deposit(wire).json()["id"]
            assert wire("POST", f"/v1/deposits/{ident}/return", {"amount": 300, "reason": "r"}).status == 200
            receiver.wait(2)
            before = wire("GET", "/_control/books").json()
            first.end(signal.SIGKILL)
        with Process("deposits", journal) as second, Wire(second.port) as line:
            wire = _with_key(line)
            assert wire("GET", "/_control/books").json() == before
            assert code(opened(wire, "order-2")) == (409, "NUMBER_IN_USE")
            closed(wire)
            assert code(opened(wire)) == (409, "ORDER_CLOSED")


def _with_key(line: Wire) -> Any:
    return lambda method, path, document=None: line(method, path, document, **KEY)


def test_it_serves_in_this_process_too(clock: Clock) -> None:
    with serving(Deposits()) as server, Wire(server.port) as line:
        assert line("GET", "/_control/health").json() == {"ok": True}
