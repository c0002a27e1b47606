"""The clearing house keeps its own books: files in, answers out, money moved once; and it fails as it is told."""

import hashlib
import signal
from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import Clock, Direct, Process, Wire

from peers.clearing import Clearing, cms
from peers.http import NoAnswer

KEY = "clearing-proof"
AUTH = {"Authorization": "Bearer clearing-key"}
DAY = "2014-10-28"
NAME = "EB21-20141028-01"


def record(serial: int, amount: int, *, kind: str = "R", number: str = "1100001", payer: str = "P1") -> bytes:
    line = f"{kind}{serial:08d}{'9912345678':<10}0880000{number:<16}{amount:013d}{'':<36}{payer:<20}{'':<5}1"
    return (line + "0" * 16).encode("cp949").ljust(150)


def file(*records: bytes, sequence: int = 1, day: str = "141028") -> bytes:
    top = f"H00000000{'9912345678':<10}EB21{day[2:]}{day}0040000{'1234567890':<16}{sequence:02d}".encode().ljust(150)
    debits = [int(each[42:55]) for each in records if each[:1] == b"R"]
    backs = [int(each[42:55]) for each in records if each[:1] == b"D"]
    end = (
        f"T99999999{'9912345678':<10}EB21{day[2:]}{len(records):08d}{len(debits):08d}{sum(debits):013d}{0:08d}{0:013d}"
        f"{len(backs):08d}{sum(backs):013d}"
    )
    content = top + b"".join(records) + end.encode().ljust(140)
    return content + cms.proof(content, KEY)


class House:
    """A clearing house without HTTP, one account with 60,000 won."""

    def __init__(self, journal: Path | None = None) -> None:
        self.clock = Clock()
        self.clock.at = 1_414_400_000.0  # 27 October 2014, 17:53 in Seoul
        self.peer = Clearing(journal, clock=self.clock)
        self.call = Direct(self.peer)
        if not self.peer.state.accounts:
            self.account("1100001", 60_000)

    def account(self, number: str, balance: int, **more: Any) -> None:
        one = {"bank": "088", "number": number, "balance": balance, **more}
        assert self.call("POST", "/_control/accounts", {"accounts": [one]}).status == 200

    def put(self, content: bytes, name: str = NAME) -> Any:
        return self.call("PUT", f"/v1/files/{name}", content, **AUTH)

    def get(self, path: str) -> Any:
        return self.call("GET", path, **AUTH)

    def faults(self, *names: str, **more: Any) -> None:
        self.call("PUT", "/_control/faults", {"*": [{"fault": name, **more} for name in names]})

    def clear(self) -> None:
        self.call("POST", "/_control/clear", {"day": "2099-01-01"})

    def books(self) -> Any:
        return self.get("/_control/books").json()

    def answer(self, number: int = 1) -> bytes:
        found: bytes = self.get(f"/v1/answers/{number}").body
        return found


def codes(content: bytes) -> list[tuple[bytes, bytes]]:
    """Outcome and code of each record of an answer."""
    lines = [content[at : at + 150] for at in range(150, len(content) - 150, 150)]
    return [(line[68:69], line[69:73]) for line in lines]


def test_a_file_is_acknowledged_with_what_it_held() -> None:
    house = House()
    content = file(record(1, 900), record(2, 1_100))
    said = house.put(content).json()
    digest = hashlib.sha256(content).hexdigest()
    assert said == {"file": NAME, "state": "accepted", "sha256": digest, "records": 2, "amount": 2_000}
    assert house.put(content).json() == said
    assert house.get(f"/v1/files/{NAME}").json() == said
    assert house.put(file(record(1, 901))).status == 409
    assert house.get("/v1/files/EB21-20141029-01").status == 404


def test_the_wrong_key_gets_nothing() -> None:
    house = House()
    assert house.call("PUT", f"/v1/files/{NAME}", file(record(1, 900)), Authorization="Bearer other").status == 401
    assert house.call("GET", "/v1/answers", Authorization="").status == 401


@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"", "record"),
        (file(record(1, 900))[:-1], "record"),
        (file(record(1, 900))[:-10] + b"0000000000", "mac"),
        (file(record(2, 900)), "serial"),
        (file(record(1, 0)), "amount"),
        (file(record(1, 900), sequence=2), "file"),
        (file(record(1, 900), day="141029"), "file"),
    ],
)
def test_a_wrong_file_is_refused_whole_and_stays_refused(content: bytes, column: str) -> None:
    house = House()
    said = house.put(content).json()
    assert (said["state"], said["column"]) == ("refused", column)
    assert house.put(content).json() == said
    house.clear()
    assert house.books()["carrier"] == 0


def test_clearing_moves_money_once_and_says_so_record_by_record() -> None:
    house = House()
    house.account("1100002", 100)
    house.account("1100003", 10_000, state="closed")
    house.account("1100004", 10_000, limit=500)
    house.account("1100005", 10_000, state="stopped")
    numbers = ("1100001", "1100002", "1100003", "1100004", "1100005", "7777777")
    house.put(file(*(record(n, 900, number=number) for n, number in enumerate(numbers, 1))))
    house.clear()
    house.clear()
    wanted = [(b"Y", b"0000"), (b"N", b"0021"), (b"N", b"0015"), (b"N", b"0022"), (b"N", b"0018"), (b"N", b"0012")]
    assert codes(house.answer()) == wanted
    books = house.books()
    assert (books["carrier"], books["taken"]) == (900, {NAME: {"1": 900}})
    assert ["088", "1100001", 59_100] in books["accounts"]


def test_a_balance_is_not_spent_twice_within_one_file() -> None:
    house = House()
    house.put(file(record(1, 40_000), record(2, 40_000)))
    house.clear()
    assert codes(house.answer()) == [(b"Y", b"0000"), (b"N", b"0021")]


def test_a_refund_record_moves_money_back() -> None:
    house = House()
    house.put(file(record(1, 900)))
    house.put(file(record(1, 400, kind="D"), sequence=2), "EB21-20141028-02")
    house.clear()
    assert house.books()["carrier"] == 500
    assert codes(house.answer(2)) == [(b"Y", b"0000")]


def test_files_are_cleared_at_three_in_the_morning_after_their_day_or_at_the_pace_that_was_set() -> None:
    house = House()
    house.put(file(record(1, 900)))
    house.clock.at = 1_414_519_199.0
    house.peer.tick()
    assert not house.peer.state.given
    house.clock.at = 1_414_519_200.0  # the 29th, 03:00
    house.peer.tick()
    assert len(house.peer.state.given) == 1
    house.call("PUT", "/_control/pace", {"seconds": 5})
    house.put(file(record(1, 900), sequence=2), "EB21-20141028-02")
    house.clock.advance(5)
    house.peer.tick()
    assert len(house.peer.state.given) == 2


def test_a_return_takes_the_money_back_once_and_is_answered_by_a_file_of_its_own() -> None:
    house = House()
    house.put(file(record(1, 900)))
    house.clear()
    asked = {"day": "2014-11-10", "returns": [{"file": NAME, "serial": 1, "code": "0061"}]}
    assert house.call("POST", "/_control/returns", asked).status == 200
    assert house.call("POST", "/_control/returns", asked).status == 409
    assert house.call("POST", "/_control/returns", {"returns": [{"file": NAME, "serial": 9}]}).status == 400
    assert house.books()["carrier"] == 0
    line = house.answer(2)[150:300]
    assert (line[:9], line[68:73], line[117:133]) == (b"R00000001", b"N0061", b"1410280100000001")


def test_answers_are_listed_and_fetched_in_pieces() -> None:
    house = House()
    house.put(file(*(record(n, 1) for n in range(1, 8_001))))
    house.clear()
    [listed] = house.get("/v1/answers?after=0").json()["answers"]
    assert house.get("/v1/answers?after=1").json() == {"answers": []}
    content, piece = b"", b"-"
    while piece:
        piece = house.get(f"/v1/answers/1?offset={len(content)}").body
        content += piece
    assert (len(content), hashlib.sha256(content).hexdigest()) == (listed["bytes"], listed["sha256"])
    assert house.get("/v1/answers/2").status == 404


@pytest.mark.parametrize("fault", ["timeout_before", "error_before", "timeout_after", "error_after", "garbage", "dead"])
def test_a_cut_file_has_its_effect_once_whatever_was_heard(fault: str) -> None:
    house = House()
    house.faults(fault, remaining=1)
    content = file(record(1, 900))
    try:
        first = house.put(content)
        assert first.status == 500 or b"maintenance" in first.body
    except NoAnswer:
        pass
    known = NAME in house.peer.state.files
    assert known == (fault in {"timeout_after", "error_after", "garbage"})
    assert house.put(content).json()["state"] == "accepted"
    house.clear()
    assert house.books()["carrier"] == 900


def test_slow_is_only_slow_and_a_suspended_carrier_is_refused() -> None:
    house = House()
    house.faults("slow", seconds=7, remaining=1)
    assert house.put(file(record(1, 900))).delay_seconds == 7
    house.faults("refuse_file")
    assert house.put(file(record(1, 900), sequence=2), "EB21-20141028-02").json()["state"] == "refused"


@pytest.mark.parametrize(
    ("fault", "records"),
    [("missing_record", 1), ("unknown_record", 3), ("amount_changed", 2), ("unlisted_code", 2), ("other_payer", 2)],
)
def test_faults_of_single_records_leave_a_file_that_is_right_in_itself(fault: str, records: int) -> None:
    house = House()
    house.put(file(record(1, 900), record(2, 900)))
    house.faults(fault, remaining=1)
    house.clear()
    content = house.answer()
    assert len(content) == 150 * (2 + records)
    assert content[-10:] == cms.proof(content[:-10], KEY)
    assert int(content[-150:][27:35]) == records
    assert house.books()["carrier"] == 1_800


@pytest.mark.parametrize("fault", ["wrong_sum", "wrong_count", "short_record", "not_cp949", "wrong_day", "forged"])
def test_faults_of_whole_files_change_them_and_nothing_else(fault: str) -> None:
    house = House()
    house.put(file(record(1, 900)))
    house.faults(fault, remaining=1)
    house.clear()
    spoiled = house.answer()
    other = House()
    other.put(file(record(1, 900)))
    other.clear()
    assert spoiled != other.answer()
    assert house.books()["carrier"] == 900


def test_a_file_delivered_twice_has_the_same_bytes_and_a_withheld_one_is_not_listed() -> None:
    house = House()
    house.put(file(record(1, 900)))
    house.faults("duplicate_file", remaining=1)
    house.clear()
    first, second = house.get("/v1/answers").json()["answers"]
    assert first["sha256"] == second["sha256"]
    house.faults("no_answers")
    assert house.get("/v1/answers").json() == {"answers": []}


@pytest.mark.parametrize(
    "wrong",
    [
        ("POST", "accounts", {"accounts": "all"}),
        ("POST", "accounts", {"accounts": [{"bank": "088", "number": "1", "balance": "much"}]}),
        ("POST", "accounts", {"accounts": [{"bank": "088", "number": "1", "balance": 1, "state": "odd"}]}),
        ("PUT", "pace", {"seconds": -1}),
        ("PUT", "faults", {"*": {"fault": "nonsense"}}),
        ("POST", "returns", {"day": DAY, "returns": []}),
    ],
)
def test_the_control_door_refuses_nonsense(wrong: tuple[str, str, dict[str, Any]]) -> None:
    method, path, body = wrong
    assert House().call(method, f"/_control/{path}", body).status == 400


def test_its_books_survive_a_kill(tmp_path: Path) -> None:
    journal = tmp_path / "clearing.journal"
    with Process("clearing", journal) as running, Wire(running.port) as call:
        one = {"bank": "088", "number": "1100001", "balance": 60_000}
        call("POST", "/_control/accounts", {"accounts": [one]})
        assert call("PUT", f"/v1/files/{NAME}", file(record(1, 900)), **AUTH).json()["state"] == "accepted"
        call("POST", "/_control/clear", {"day": DAY})
        before = call("GET", "/_control/books").json()
        running.end(signal.SIGKILL)
    with Process("clearing", journal) as again, Wire(again.port) as call:
        assert call("GET", "/_control/books").json() == before
        call("POST", "/_control/clear", {"day": DAY})
        assert call("GET", "/_control/books").json() == before
        assert call("GET", "/_control/health").json() == {"ok": True}
