"""What a review found: leases that run out under a slow sender, kinds that starve each other, deadlines that add up."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from doenda.kernel import clock, facts, jobs, net, outbox, sweeps
from doenda.kernel.models import OutboxRow


@pytest.fixture
def kinds() -> Iterator[tuple[str, str]]:
    names = ("test-slow", "test-quick")
    yield names
    for name in names:
        outbox._handlers.pop(name, None)


def put(kind: str, key: str = "1") -> None:
    with transaction.atomic():
        outbox.put(kind, key, {})


def test_a_sender_whose_lease_ran_out_does_not_let_go_of_anothers(
    db: None, kinds: tuple[str, str], noon: clock.Frozen
) -> None:
    """Two senders are the provider's matter (one key); a third one would be ours."""
    kind, _ = kinds
    outbox.handles(kind, lease=10)(lambda row: outbox.Sent())
    put(kind)
    first = outbox.claim()
    assert first is not None
    noon.advance(timedelta(seconds=11))
    second = outbox.claim()
    assert second is not None
    outbox._note(first, outbox.Again(0, "not yet"))
    assert outbox.claim() is None
    outbox._note(first, outbox.Parked("never"))
    assert OutboxRow.objects.get().parked_at is None


def test_an_effect_whose_end_was_not_committed_backs_off_like_any_other(
    db: None, kinds: tuple[str, str], noon: clock.Frozen
) -> None:
    kind, _ = kinds

    @outbox.handles(kind)
    def send(row: OutboxRow) -> outbox.Outcome:
        with transaction.atomic():
            outbox.finish(row)
            raise OperationalError("the connection is gone")

    put(kind)
    sweeps.run("outbox")
    row = OutboxRow.objects.get()
    assert (row.done_at, row.lease_until) == (None, None)
    assert row.due_at > noon.instant
    assert "the connection is gone" in row.reason


def test_a_thousand_effects_to_a_dead_side_delay_another_kind_by_one_try(db: None, kinds: tuple[str, str]) -> None:
    """A gateway that hangs must not keep a paid customer's line barred for hours."""
    slow, quick = kinds
    order: list[str] = []

    def send(row: OutboxRow) -> outbox.Outcome:
        order.append(row.kind)
        return outbox.Sent()

    outbox.handles(slow)(send)
    outbox.handles(quick)(send)
    for number in range(20):
        put(slow, str(number))
    put(quick)
    assert outbox.sweep(4) == 4
    assert quick in order[:2]


def test_a_sweep_looks_at_the_other_kinds_again_while_one_takes_its_time(
    db: None, kinds: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = kinds
    order: list[str] = []
    monotonic = [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: monotonic[0])

    @outbox.handles(slow)
    def send_slowly(row: OutboxRow) -> outbox.Outcome:
        order.append(slow)
        monotonic[0] += 10
        if len(order) == 3:
            put(quick)
        return outbox.Sent()

    @outbox.handles(quick)
    def send(row: OutboxRow) -> outbox.Outcome:
        order.append(quick)
        return outbox.Sent()

    for number in range(10):
        put(slow, str(number))
    assert sweeps.run("outbox") == 11
    assert order.index(quick) <= 4


def test_one_sweep_that_hangs_leaves_threads_for_the_others(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker's threads are few, and the clock asks for every sweep again while an earlier run still waits."""
    go_on, under_way = threading.Event(), threading.Semaphore(0)

    def hangs(name: str) -> int:
        under_way.release()
        assert go_on.wait(10)
        return 1

    monkeypatch.setattr(sweeps, "run", hangs)
    threads = [threading.Thread(target=jobs.run_sweep, args=("inquiries",)) for _ in range(jobs.AT_ONCE)]
    for thread in threads:
        thread.start()
        assert under_way.acquire(timeout=10)
    began = time.monotonic()
    assert jobs.run_sweep("inquiries") == 0
    assert time.monotonic() - began < 5
    go_on.set()
    for thread in threads:
        thread.join()
    assert jobs.run_sweep("inquiries") == 1


def test_a_call_ends_at_its_deadline_though_each_part_of_it_is_in_time() -> None:
    """A charge's lease counts on it: six seconds to connect, six to send and six to read are eighteen."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_slowly() -> None:
            caller, _ = server.accept()
            with caller:
                caller.recv(65536)
                time.sleep(0.7)
                caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
                time.sleep(2)

        thread = threading.Thread(target=answer_slowly, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(net.NoAnswer):
            net.call("slow", "GET", f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=1.0)
        assert time.monotonic() - began < 1.5
        thread.join()


def test_what_the_sweeps_look_for_every_second_is_found_by_an_index(db: None, kinds: tuple[str, str]) -> None:
    outbox.handles(kinds[0])(lambda row: outbox.Sent())
    with CaptureQueriesContext(connection) as seen:
        outbox.sweep(1)
        facts.sweep(1)
    looked = [query["sql"] for query in seen.captured_queries if query["sql"].startswith("SELECT")]
    assert looked
    for sql in looked:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("EXPLAIN " + sql)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "Seq Scan" not in plan, f"{sql}\n{plan}"
        assert "outbox_due_kind" in plan or "fact_pending" in plan, plan
