"""The network switch: commands, every fault, and what the network really does."""

import time
from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Direct, Process, Wire

from peers.http import NoAnswer, Response
from peers.switch import Switch

LINE = "+821012345678"
SERVICE = "/tmf-api/ServiceActivationAndConfiguration/v4/service/%2B821012345678"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Direct:
    switch = Direct(Switch(clock=clock))
    assert switch("POST", "/_control/services", {"ids": [LINE, "l2"]}).json() == {"created": 2, "services": 2}
    return switch


def bar(call: Any, value: str, case: str = "case-1") -> Response:
    said = [{"name": "barring", "value": value}, {"name": "reason", "value": "unpaid"}, {"name": "case", "value": case}]
    answered: Response = call("PATCH", SERVICE, {"serviceCharacteristic": said})
    return answered


def said(response: Response) -> str:
    listed = response.json()["serviceCharacteristic"]
    return str(next(one["value"] for one in listed if one["name"] == "barring"))


def truth(call: Any) -> str:
    return str(call("GET", f"/_control/service/{LINE.replace('+', '%2B')}").json()["barring"])


def fault(call: Any, name: str = "", **more: object) -> None:
    assert call("PUT", "/_control/faults", {"fault": name, **more} if name else {}).status == 200


def test_a_line_is_barred_and_freed_and_the_history_tells_it(call: Direct, clock: Clock) -> None:
    assert said(call("GET", SERVICE)) == "none"
    barred = bar(call, "outgoing")
    assert (barred.status, said(barred), barred.json()["state"], barred.json()["id"]) == (
        200,
        "outgoing",
        "active",
        LINE,
    )
    clock.advance(60)
    assert said(bar(call, "none", "case-2")) == "none"
    book = call("GET", "/_control/books").json()["services"][LINE]
    assert book["barring"] == "none"
    assert [(one["value"], one["case"], one["reason"]) for one in book["history"]] == [
        ("outgoing", "case-1", "unpaid"),
        ("none", "case-2", "unpaid"),
    ]


def test_a_repeated_command_changes_nothing(call: Direct) -> None:
    assert bar(call, "both").body == bar(call, "both").body
    assert len(call("GET", "/_control/books").json()["services"][LINE]["history"]) == 1
    assert call("POST", "/_control/services", {"ids": [LINE, "l2", "l3"]}).json() == {"created": 1, "services": 3}
    assert truth(call) == "both"


def test_unknown_services_and_wrong_commands_get_tm_forums_error(call: Direct) -> None:
    unknown = call("GET", "/tmf-api/ServiceActivationAndConfiguration/v4/service/nobody")
    assert unknown.status == 404
    assert {"code", "reason", "message"} <= unknown.json().keys()
    assert bar(call, "sideways").status == 400
    assert call("PATCH", SERVICE, {"serviceCharacteristic": 3}).status == 400
    assert truth(call) == "none"


@pytest.mark.parametrize(
    ("name", "after"), [("down", "none"), ("timeout_before", "none"), ("timeout_after", "outgoing")]
)
def test_silence_hides_whether_it_was_done(call: Direct, name: str, after: str) -> None:
    fault(call, name)
    with pytest.raises(NoAnswer):
        bar(call, "outgoing")
    assert truth(call) == after
    fault(call)
    assert said(bar(call, "outgoing")) == "outgoing"


def test_an_error_applies_nothing(call: Direct) -> None:
    fault(call, "error", remaining=1)
    assert bar(call, "outgoing").status == 500
    assert truth(call) == "none"
    assert call("GET", "/_control/faults").json() == {}


def test_slow_answers_late(call: Direct) -> None:
    fault(call, "slow", seconds=2)
    assert bar(call, "outgoing").delay_seconds == 2
    assert call("GET", "/_control/faults").json() == {"fault": "slow", "seconds": 2}


def test_a_lie_is_found_by_asking_again(call: Direct) -> None:
    fault(call, "lie")
    assert said(bar(call, "outgoing")) == "outgoing"
    assert said(call("GET", SERVICE)) == truth(call) == "none"


@pytest.mark.parametrize("prefix", ["", "/tmf-api/ServiceActivationAndConfiguration/v4"])
def test_async_is_done_later_and_a_monitor_tells_when(call: Direct, clock: Clock, prefix: str) -> None:
    fault(call, "async", seconds=5)
    accepted = bar(call, "outgoing")
    monitor = accepted.json()["monitor"]
    assert (accepted.status, monitor["state"], said(accepted)) == (202, "InProgress", "none")
    assert call("GET", f"{prefix}/monitor/{monitor['id']}").json()["state"] == "InProgress"
    clock.advance(5)
    assert call("GET", f"{prefix}/monitor/{monitor['id']}").json()["state"] == "Completed"
    assert truth(call) == "outgoing"


def test_a_kill_forgets_nothing_and_finishes_what_was_under_way(tmp_path: Path) -> None:
    with Process("switch", tmp_path / "j") as process, Wire(process.port) as call:
        call("POST", "/_control/services", {"ids": [LINE]})
        bar(call, "outgoing")
        fault(call, "async", seconds=0.2)
        bar(call, "both")
        process.end(9)
    switch = Direct(Switch(tmp_path / "j"))
    deadline = time.monotonic() + 5
    while truth(switch) != "both" and time.monotonic() < deadline:
        time.sleep(0.05)
    history = switch("GET", "/_control/books").json()["services"][LINE]["history"]
    assert [one["value"] for one in history] == ["outgoing", "both"]
    assert switch("GET", "/_control/faults").json() == {"fault": "async", "seconds": 0.2}
    switch.peer.close()
