"""The peers as processes and servers: many connections, silence, a kill, the journal, a clean end."""

import http.client
import json
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.peers.peer_tools import (
    SRC,
    Clock,
    Direct,
    Process,
    Wire,
    cancel,
    confirm,
    faults,
    net,
    opened,
    receiving,
    status,
)

from peers.bank import Bank
from peers.handset import Handset
from peers.http import NoAnswer
from peers.journal import Journal, JournalDamaged
from peers.run import serving
from peers.switch import Switch


def test_fifty_parallel_confirmations_with_different_keys_take_the_money_once(tmp_path: Path) -> None:
    with Process("bank", tmp_path / "bank.jsonl") as process, Wire(process.port) as call:
        payment = opened(call)
        start = threading.Barrier(50)

        def one(number: int) -> int:
            with Wire(process.port) as mine:
                start.wait(10)
                return confirm(mine, payment, f"key-{number}").status

        with ThreadPoolExecutor(50) as threads:
            codes = sorted(threads.map(one, range(50)))
        assert codes == [200] + [409] * 49
        assert net(call) == 52_300


def test_fifty_parallel_confirmations_with_one_key_get_one_answer() -> None:
    bank = Bank()
    call = Direct(bank)
    payment = opened(call)
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: confirm(call, payment).body, range(50)))
    assert len(set(answers)) == 1
    assert net(call) == 52_300


def test_sixty_four_kept_open_connections_are_served(tmp_path: Path) -> None:
    with Process("bank", tmp_path / "bank.jsonl", "--no-fsync") as process:
        lines = [Wire(process.port) for _ in range(64)]

        def walk(number: int) -> int:
            call = lines[number]
            for turn in range(3):
                assert confirm(call, opened(call, number * 10 + turn), f"k{number}-{turn}").status == 200
            return 3

        with ThreadPoolExecutor(64) as threads:
            assert sum(threads.map(walk, range(64))) == 192
        assert net(lines[0]) == 192 * 52_300
        for line in lines:
            line.line.close()


def test_after_a_kill_the_bank_knows_everything_it_answered(tmp_path: Path) -> None:
    journal = tmp_path / "bank.jsonl"
    with Process("bank", journal) as process, Wire(process.port, timeout=1) as call:
        paid, voided, silent_, hidden = (opened(call, number) for number in (1, 2, 3, 4))
        call("PUT", "/_control/merchant", {"webhook_url": "http://127.0.0.1:9/hook"})
        first = confirm(call, paid, "k1")
        part = cancel(call, paid, "c1", amount=300)
        cancel(call, voided)
        faults(call, card={"fault": "timeout_after"})
        with pytest.raises(TimeoutError):
            confirm(call, silent_, "k3")
        faults(call, card={"fault": "hidden", "seconds": 2})
        with pytest.raises(TimeoutError):
            confirm(call, hidden, "k4")
        faults(call, card={"fault": "slow", "seconds": 0, "remaining": 9})
        process.end(signal.SIGKILL)
    with journal.open("ab") as torn:
        torn.write(b'[["Payment",{"payment_key":"half')
    with Process("bank", journal) as process, Wire(process.port) as call:
        assert call("GET", "/_control/faults").json() == {"card": {"fault": "slow", "seconds": 0, "remaining": 9}}
        assert confirm(call, paid, "k1").body == first.body
        assert cancel(call, paid, "c1", amount=300).body == part.body
        assert confirm(call, silent_, "k3").json()["status"] == "DONE"
        assert status(call, voided) == "ABORTED"
        deadline = time.monotonic() + 5
        while status(call, hidden) != "DONE" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert net(call) == 3 * 52_300 - 300
        assert [one["n"] for one in call("GET", "/v1/transactions").json()] == [1, 2, 3, 4]
        assert process.end() == (0, "")
    assert all(json.loads(line) for line in journal.read_text().splitlines())


def test_a_webhook_that_a_kill_interrupted_is_sent_after_the_restart(tmp_path: Path) -> None:
    journal = tmp_path / "bank.jsonl"
    with receiving() as (receiver, url):
        with Process("bank", journal) as process, Wire(process.port) as call:
            call("PUT", "/_control/merchant", {"webhook_url": url})
            faults(call, all={"fault": "late_webhook", "seconds": 1})
            confirm(call, opened(call))
            process.end(signal.SIGKILL)
        assert receiver.got == []
        with Process("bank", journal):
            (hook,) = receiver.wait(1)
    assert json.loads(hook.body)["data"]["status"] == "DONE"


@pytest.mark.parametrize("name", ["bank", "switch", "handset"])
def test_a_peer_ends_cleanly_although_clients_hold_connections_open(tmp_path: Path, name: str) -> None:
    with Process(name, tmp_path / "j.jsonl") as process, Wire(process.port) as call:
        assert call("GET", "/_control/health").status == 200
        began = time.monotonic()
        assert process.end() == (0, "")
        assert time.monotonic() - began < 2


def test_two_processes_cannot_write_one_journal(tmp_path: Path) -> None:
    with Process("switch", tmp_path / "j.jsonl"), pytest.raises(RuntimeError, match="another process"):
        Switch(tmp_path / "j.jsonl")


def test_a_damaged_journal_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "j").write_text('[]\n{"half\n[]\n')
    journal = Journal(tmp_path / "j")
    with pytest.raises(JournalDamaged, match="line 2"):
        list(journal.replay())
    journal.close()


def test_a_withheld_answer_is_cut_and_the_connection_with_it() -> None:
    with serving(Bank()) as server, Wire(server.port) as call:
        payment = opened(call)
        faults(call, card={"fault": "timeout_after", "seconds": 0.3})
        began = time.monotonic()
        with pytest.raises(http.client.RemoteDisconnected):
            confirm(call, payment)
        assert 0.25 < time.monotonic() - began < 3
        faults(call, card={"fault": "slow", "seconds": 0.3})
        began = time.monotonic()
        assert confirm(call, payment).status == 200
        assert time.monotonic() - began > 0.25
        faults(call, all={"fault": "dead"})
        with pytest.raises(http.client.RemoteDisconnected):
            call("GET", "/v1/transactions")


def test_a_withheld_answer_holds_nobody_else_up() -> None:
    with serving(Bank()) as server, Wire(server.port) as call, Wire(server.port, timeout=0.2) as other:
        first, second = opened(call, 1), opened(call, 2, method="transfer")
        faults(call, card={"fault": "timeout_before", "seconds": 60})
        with pytest.raises(TimeoutError):
            confirm(other, first, "k1")
        assert confirm(call, second, "k2").status == 200


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"nonsense\r\n\r\n", b"HTTP/1.1 400"),
        (b"POST /v1/payments HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 411"),
        (b"POST /v1/payments HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"HTTP/1.1 413"),
        (b"POST /v1/payments HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 400"),
        (b"GET /_control/health HTTP/1.0\r\n\r\n", b"HTTP/1.1 200"),
    ],
)
def test_odd_requests_get_a_clear_answer(sent: bytes, answered: bytes) -> None:
    with serving(Bank()) as server, socket.create_connection(("127.0.0.1", server.port), 5) as line:
        line.sendall(sent)
        assert line.recv(4096).startswith(answered)


def test_a_confirmation_is_decided_in_well_under_a_millisecond(tmp_path: Path) -> None:
    bank = Bank(Journal(tmp_path / "j", fsync=False))
    call = Direct(bank)
    payments = [opened(call, number) for number in range(300)]
    took = []
    for payment in payments:
        began = time.perf_counter()
        confirm(call, payment, payment["order_id"])
        took.append(time.perf_counter() - began)
    bank.close()
    assert sorted(took)[150] < 0.001


@pytest.mark.parametrize("kind", [Bank, Switch, Handset])
def test_a_peer_runs_without_http_on_a_clock_of_the_callers(kind: Any) -> None:
    clock = Clock()
    peer = kind(clock=clock)
    assert peer.now() == clock.at
    assert peer.due() is None
    assert peer.tick() == []


def test_the_peers_import_nothing_but_the_standard_library() -> None:
    for path in (SRC / "peers").rglob("*.py"):
        imports = [line.split()[1] for line in path.read_text().splitlines() if line.startswith(("import ", "from "))]
        assert all(name.partition(".")[0] in {"peers", *sys.stdlib_module_names} for name in imports), path


def test_no_answer_carries_how_long_the_line_is_held() -> None:
    assert NoAnswer(3).hold_seconds == 3
