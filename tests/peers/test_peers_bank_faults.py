"""Every fault of the bank, and what is true behind it."""

from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Direct, cancel, confirm, faults, net, opened, order, status

from peers.bank import Bank
from peers.http import NoAnswer


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Direct:
    return Direct(Bank(clock=clock))


def silent(call: Any, *arguments: Any, **named: Any) -> float:
    with pytest.raises(NoAnswer) as caught:
        call(*arguments, **named)
    return caught.value.hold_seconds


@pytest.mark.parametrize(
    ("method", "expected"), [("card", "REJECT_CARD_COMPANY"), ("transfer", "REJECT_ACCOUNT_PAYMENT")]
)
def test_refuse_takes_nothing_and_stays_refused(call: Direct, method: str, expected: str) -> None:
    payment = opened(call, method=method)
    faults(call, **{method: {"fault": "refuse"}})
    refused = confirm(call, payment)
    assert (refused.status, refused.json()["code"]) == (400, expected)
    faults(call)
    assert confirm(call, payment) == refused
    assert confirm(call, payment, "key-2").json()["code"] == expected
    assert (status(call, payment), net(call)) == ("ABORTED", 0)


def test_timeout_before_takes_nothing(call: Direct) -> None:
    payment = opened(call)
    faults(call, card={"fault": "timeout_before", "seconds": 7})
    assert silent(confirm, call, payment) == 7
    assert (status(call, payment), net(call)) == ("IN_PROGRESS", 0)
    faults(call)
    assert confirm(call, payment).status == 200


def test_timeout_after_takes_the_money_and_the_repeat_tells_the_truth(call: Direct) -> None:
    payment = opened(call)
    faults(call, card={"fault": "timeout_after"})
    assert silent(confirm, call, payment) == 30
    assert silent(confirm, call, payment) == 30
    assert (status(call, payment), net(call)) == ("DONE", 52_300)
    faults(call)
    assert confirm(call, payment).json()["status"] == "DONE"
    assert net(call) == 52_300


def test_a_refusal_can_be_withheld_too(call: Direct) -> None:
    payment = opened(call)
    faults(call, card=[{"fault": "refuse"}, {"fault": "timeout_after", "remaining": 1}])
    silent(confirm, call, payment)
    assert (confirm(call, payment).status, status(call, payment), net(call)) == (400, "ABORTED", 0)


def test_errors_before_and_after_look_alike_and_are_not(call: Direct) -> None:
    first, second = opened(call, 1), opened(call, 2)
    faults(call, all={"fault": "error_before"})
    before = confirm(call, first, "k1")
    faults(call, all={"fault": "error_after"})
    after = confirm(call, second, "k2")
    assert before.status == after.status == 500
    assert (status(call, first), status(call, second), net(call)) == ("IN_PROGRESS", "DONE", 52_300)
    faults(call)
    assert confirm(call, first, "k1").status == confirm(call, second, "k2").status == 200


def test_slow_answers_late(call: Direct) -> None:
    faults(call, card={"fault": "slow", "seconds": 3})
    answered = confirm(call, opened(call))
    assert (answered.status, answered.delay_seconds) == (200, 3)


def test_last_step_down_certainly_takes_nothing(call: Direct) -> None:
    payment, paid = opened(call, 1), opened(call, 2)
    confirm(call, paid, "paid")
    faults(call, card={"fault": "last_step_down"})
    down = confirm(call, payment)
    assert (down.status, down.json()["code"], net(call)) == (503, "SERVICE_FAULT", 52_300)
    assert confirm(call, paid, "paid").status == 200, "what was taken is never called untaken"
    faults(call)
    assert confirm(call, payment).status == 200


def test_dead_cuts_everything_but_the_control_door(call: Direct) -> None:
    payment = opened(call)
    faults(call, all={"fault": "dead"})
    assert silent(confirm, call, payment) == 0
    silent(call, "POST", "/v1/payments", order(2))
    silent(call, "GET", "/v1/payments/orders/order-0001")
    silent(call, "GET", f"/pay/{payment['payment_key']}")
    silent(call, "GET", "/v1/transactions")
    assert net(call) == 0
    faults(call)
    assert confirm(call, payment).status == 200


def test_a_fault_of_one_method_leaves_the_other_alone(call: Direct) -> None:
    card, transfer = opened(call, 1), opened(call, 2, method="transfer")
    faults(call, card={"fault": "dead"})
    silent(confirm, call, card)
    silent(call, "POST", "/v1/payments", order(3))
    assert confirm(call, transfer).status == 200


def test_redirect_page_down_and_inquiry_down_leave_the_rest_working(call: Direct) -> None:
    payment = opened(call)
    page = f"/pay/{payment['payment_key']}"
    faults(call, card=[{"fault": "redirect_page_down"}, {"fault": "inquiry_down"}])
    assert call("GET", page).status == call("POST", page, b"decision=approve").status == 503
    assert call("GET", f"/v1/payments/{payment['payment_key']}").status == 503
    assert call("GET", "/v1/payments/orders/order-0001").status == 503
    assert call("GET", "/v1/transactions").status == 200
    assert confirm(call, payment).status == 200


def test_hidden_is_not_found_until_the_money_is_taken(call: Direct, clock: Clock) -> None:
    payment = opened(call)
    faults(call, card={"fault": "hidden", "seconds": 90})
    assert silent(confirm, call, payment) == 30
    faults(call)
    assert call("GET", f"/v1/payments/{payment['payment_key']}").json()["code"] == "NOT_FOUND_PAYMENT"
    assert call("GET", "/v1/payments/orders/order-0001").status == 404
    assert confirm(call, payment).json()["code"] == "IDEMPOTENT_REQUEST_PROCESSING"
    assert confirm(call, payment, "key-2").json()["code"] == "ALREADY_PROCESSED_PAYMENT"
    assert cancel(call, payment).status == 409, "nobody is told that it is void"
    assert "<form" not in call("GET", f"/pay/{payment['payment_key']}").body.decode()
    assert net(call) == 0
    assert call.peer.due() == clock() + 90
    clock.advance(90)
    call.peer.tick()
    assert (status(call, payment), net(call)) == ("DONE", 52_300)
    assert confirm(call, payment).json()["status"] == "DONE"


def test_remaining_counts_down_to_healed(call: Direct) -> None:
    payment = opened(call)
    faults(call, card={"fault": "timeout_before", "seconds": 1, "remaining": 2})
    silent(confirm, call, payment)
    assert call("GET", "/_control/faults").json() == {"card": {"fault": "timeout_before", "seconds": 1, "remaining": 1}}
    silent(confirm, call, payment)
    assert call("GET", "/_control/faults").json() == {}
    assert confirm(call, payment).status == 200


def test_a_fault_strikes_other_requests_only_if_it_names_them(call: Direct) -> None:
    payment = opened(call)
    confirm(call, payment)
    faults(call, card={"fault": "timeout_after"})
    cancel(call, payment, amount=100)
    faults(call, card={"fault": "timeout_after", "on": ["cancel", "create"]})
    silent(cancel, call, payment, "c2", amount=100)
    silent(call, "POST", "/v1/payments", order(2))
    assert call("GET", "/v1/payments/orders/order-0002").json()["status"] == "READY"
    assert net(call) == 52_100


@pytest.mark.parametrize(
    "wrong",
    [{"cash": {"fault": "dead"}}, {"card": {"fault": "tired"}}, {"card": {"fault": "slow", "seconds": -1}},
     {"card": {"fault": "slow", "remaining": 0}}, {"card": 3}, {"card": {"fault": "slow", "on": "confirm"}}],
)  # fmt: skip
def test_a_wrong_board_changes_nothing(call: Direct, wrong: dict[str, object]) -> None:
    faults(call, card={"fault": "dead"})
    assert call("PUT", "/_control/faults", wrong).json()["code"] == "INVALID_FAULT"
    assert call("GET", "/_control/faults").json() == {"card": {"fault": "dead"}}
