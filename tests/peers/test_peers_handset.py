"""The handset network: acceptance, delivery, receipts, every fault."""

from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Direct, Process, Wire, receiving

from peers.handset import Handset
from peers.http import NoAnswer, Response
from peers.run import serving

TO = "+821012345678"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def call(clock: Clock) -> Direct:
    return Direct(Handset(clock=clock))


def text(call: Any, ident: str = "m1", **changes: object) -> Response:
    message = {"id": ident, "to": TO, "from": "114", "text": "된다통신 미납 52,300원", "kind": "SMS", **changes}
    answered: Response = call("POST", "/v1/messages", message)
    return answered


def inbox(call: Any, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call("GET", f"/_control/inbox{query}").json()
    return found


def fault(call: Any, name: str = "", **more: object) -> None:
    assert call("PUT", "/_control/faults", {"fault": name, **more} if name else {}).status == 200


def test_a_message_is_accepted_and_a_moment_later_delivered(call: Direct, clock: Clock) -> None:
    accepted = text(call)
    assert (accepted.status, accepted.json()["state"]) == (202, "accepted")
    assert call("GET", "/v1/messages/m1").json()["state"] == "accepted"
    clock.advance(0.2)
    delivered = call("GET", "/v1/messages/m1").json()
    assert (delivered["state"], delivered["error"]) == ("delivered", None)
    assert delivered["delivered_at"]
    assert call("GET", "/v1/messages/none").status == 404


def test_the_same_id_is_one_message_and_another_text_is_refused(call: Direct) -> None:
    assert text(call) == text(call)
    assert text(call, text="다른 글").json()["code"] == "DUPLICATED_ID"
    assert len(inbox(call)) == 1


def test_the_inbox_shows_a_numbers_messages_after_the_last_seen(call: Direct) -> None:
    for number in range(3):
        text(call, f"m{number}")
    text(call, "other", to="+821099999999")
    assert [one["n"] for one in inbox(call, "?to=%2B821012345678&after=1")] == [2, 3]
    assert [one["n"] for one in inbox(call, "?to=+821099999999")] == [4]
    assert inbox(call)[0]["text"] == "된다통신 미납 52,300원"
    assert inbox(call)[0]["from"] == "114"


def test_lengths_are_counted_in_bytes_of_cp949(call: Direct) -> None:
    assert text(call, "a", text="가" * 45).status == 202
    assert text(call, "b", text="가" * 45 + "a").json()["code"] == "TEXT_TOO_LONG"
    assert text(call, "c", text="가" * 1000, kind="LMS").status == 202
    assert text(call, "d", text="가" * 1001, kind="LMS").status == 400
    assert text(call, "e", text="😀").json()["code"] == "UNENCODABLE"


@pytest.mark.parametrize(
    "wrong", [{"to": "01012345678"}, {"from": ""}, {"text": ""}, {"kind": "MMS"}, {"id": 3}, {"receipt_url": "ftp://x"}]
)
def test_a_wrong_message_is_refused(call: Direct, wrong: dict[str, object]) -> None:
    message = {"id": "m1", "to": TO, "from": "114", "text": "a", "kind": "SMS", **wrong}
    assert call("POST", "/v1/messages", message).status == 400
    assert inbox(call) == []


def test_down_and_reject_take_nothing(call: Direct) -> None:
    fault(call, "down")
    with pytest.raises(NoAnswer):
        text(call)
    fault(call, "reject")
    assert text(call).status == 422
    assert inbox(call) == []
    fault(call)
    assert text(call).status == 202


def test_timeout_after_and_slow_take_the_message(call: Direct) -> None:
    fault(call, "timeout_after", seconds=4)
    with pytest.raises(NoAnswer) as silence:
        text(call)
    assert silence.value.hold_seconds == 4
    fault(call, "slow", seconds=2)
    assert text(call).delay_seconds == 2
    assert len(inbox(call)) == 1


def test_never_delivered_stays_accepted_and_undeliverable_fails(call: Direct, clock: Clock) -> None:
    fault(call, "never_delivered")
    text(call, "m1")
    fault(call, "undeliverable")
    text(call, "m2")
    fault(call)
    clock.advance(1000)
    assert call("GET", "/v1/messages/m1").json()["state"] == "accepted"
    failed = call("GET", "/v1/messages/m2").json()
    assert (failed["state"], failed["error"], failed["delivered_at"]) == ("failed", "ABSENT_SUBSCRIBER", None)


def test_a_delivery_receipt_is_sent_and_tried_again(call: Direct, clock: Clock) -> None:
    text(call, receipt_url="http://127.0.0.1:9/receipt")
    assert call.peer.due() == pytest.approx(clock() + 0.2)
    clock.advance(0.2)
    (receipt,) = call.peer.tick()
    assert receipt.url == "http://127.0.0.1:9/receipt"
    call.peer.sent(receipt, None)
    clock.advance(1)
    (again,) = call.peer.tick()
    assert again.body == receipt.body
    call.peer.sent(again, 200)
    assert call.peer.due() is None


def test_a_delivery_receipt_arrives_over_http() -> None:
    with receiving() as (receiver, url), serving(Handset()) as server, Wire(server.port) as call:
        text(call, receipt_url=url)
        (receipt,) = receiver.wait(1)
        assert receipt.json()["state"] == "delivered"
        assert receipt.json()["id"] == "m1"


def test_a_kill_loses_no_message(tmp_path: Path) -> None:
    with Process("handset", tmp_path / "j") as process, Wire(process.port) as call:
        first = text(call)
        process.end(9)
    with Process("handset", tmp_path / "j") as process, Wire(process.port) as call:
        assert text(call).body == first.body
        assert len(inbox(call, "?to=%2B821012345678")) == 1
        assert len(call("GET", "/_control/books").json()["messages"]) == 1
