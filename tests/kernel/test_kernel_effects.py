"""Outbox, facts, the network seam, the write guard, the grants: how effects leave and how nothing is lost."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction

from doenda.kernel import clock, facts, net, outbox, sweeps, texts
from doenda.kernel.database import seam
from doenda.kernel.database.base import WriteOutsideTransaction
from doenda.kernel.database.grants import append_only_tables
from doenda.kernel.db import durable
from doenda.kernel.models import FactRow, OutboxRow


@pytest.fixture
def kind() -> Iterator[str]:
    """A kind of effect of this test's own; what the handler answers stands in `answers`."""
    name = "test-effect"
    yield name
    outbox._handlers.pop(name, None)


def put(kind: str, key: str = "1") -> None:
    with transaction.atomic():
        outbox.put(kind, key, {})


def test_an_effect_is_sent_once_and_a_second_decision_is_the_same_effect(db: None, kind: str) -> None:
    sent: list[str] = []

    @outbox.handles(kind)
    def send(row: OutboxRow) -> outbox.Outcome:
        sent.append(row.key)
        return outbox.Sent()

    put(kind)
    put(kind)
    assert sweeps.run("outbox") == 1
    assert sweeps.run("outbox") == 0
    assert sent == ["1"]


def test_an_effect_that_fails_is_tried_again_later_and_later(db: None, kind: str, noon: clock.Frozen) -> None:
    tried: list[int] = []

    @outbox.handles(kind)
    def send(row: OutboxRow) -> outbox.Outcome:
        tried.append(row.tries)
        raise OSError("the other side is down")

    put(kind)
    for _ in range(40):
        sweeps.run("outbox")
        noon.advance(timedelta(seconds=30))
    row = OutboxRow.objects.get()
    assert row.done_at is None
    assert "the other side is down" in row.reason
    assert 10 < len(tried) < 40


def test_one_that_can_never_succeed_is_parked_with_its_reason(db: None, kind: str, noon: clock.Frozen) -> None:
    outbox.handles(kind)(lambda row: outbox.Parked("no such number"))
    put(kind)
    sweeps.run("outbox")
    noon.advance(timedelta(days=1))
    assert sweeps.run("outbox") == 0
    assert OutboxRow.objects.get().reason == "no such number"


def test_a_claimed_effect_waits_for_its_claimer_and_falls_to_the_sweep_when_it_died(
    db: None, kind: str, noon: clock.Frozen
) -> None:
    tries: list[int] = []

    @outbox.handles(kind, lease=10)
    def send(row: OutboxRow) -> outbox.Outcome:
        tries.append(row.tries)
        return outbox.Sent()

    with transaction.atomic():
        outbox.put(kind, "1", {}, claimed=True)
    assert sweeps.run("outbox") == 0
    noon.advance(timedelta(seconds=11))
    assert sweeps.run("outbox") == 1
    assert tries == [2]


def test_an_effect_outside_the_deciding_transaction_is_refused(committed_db: str) -> None:
    with pytest.raises(RuntimeError, match="in the transaction that decides it"):
        outbox.put("anything", "1", {})


def test_a_crash_between_commit_and_sending_loses_nothing(committed_db: str, kind: str) -> None:
    sent: list[str] = []

    @outbox.handles(kind)
    def send(row: OutboxRow) -> outbox.Outcome:
        sent.append(row.key)
        return outbox.Sent()

    with pytest.raises(seam.Crash), seam.crash("after"):
        put(kind)
    connection.close()
    assert sweeps.run("outbox") == 1
    with pytest.raises(seam.Crash), seam.crash("before"):
        put(kind, "2")
    connection.close()
    assert sweeps.run("outbox") == 0
    assert sent == ["1"]


def test_a_subscriber_that_fails_is_told_again_and_undoes_nothing(db: None, noon: clock.Frozen) -> None:
    told: list[str] = []

    def flaky(fact: facts.Fact) -> None:
        told.append(fact.kind)
        if len(told) == 1:
            FactRow.objects.create(kind="half-done")
            raise ValueError("not yet")

    facts.subscribes("test.happened", name="test.flaky")(flaky)
    try:
        with transaction.atomic():
            facts.record("test.happened", None, {})
        row = FactRow.objects.get(kind="test.happened")
        assert row.pending == ["test.flaky"]
        assert not FactRow.objects.filter(kind="half-done").exists()
        noon.advance(timedelta(seconds=5))
        assert sweeps.run("facts") == 1
        row.refresh_from_db()
        assert row.pending == []
    finally:
        facts._subscribers.pop("test.happened")


def test_of_facts_told_together_one_that_fails_costs_the_others_nothing(db: None, noon: clock.Frozen) -> None:
    told: list[str] = []

    def picky(fact: facts.Fact) -> None:
        FactRow.objects.create(kind="half-done")
        if fact.data["n"] == 3:
            raise ValueError("not this one")
        told.append(f"{fact.account_id}-{fact.data['n']}")
        FactRow.objects.filter(kind="half-done").delete()

    facts.subscribes("test.many", name="test.picky")(picky)
    try:
        people = [UUID(int=n % 3 + 1) for n in range(2 * facts.TOGETHER + 5)]
        with transaction.atomic():
            facts.record_many("test.many", [(who, {"n": n}) for n, who in enumerate(people)])
        assert sweeps.run("facts") == len(people)
        assert len(told) == len(people) - 1
        assert told[: facts.TOGETHER - 1] == sorted(told[: facts.TOGETHER - 1], key=lambda each: each[:36])
        (left,) = FactRow.objects.filter(kind="test.many").exclude(pending=[])
        assert (left.data["n"], left.tries) == (3, 1)
        assert not FactRow.objects.filter(kind="half-done").exists()
    finally:
        facts._subscribers.pop("test.many")


def test_no_call_leaves_the_house_inside_a_transaction(db: None) -> None:
    with pytest.raises(net.InsideTransaction), transaction.atomic():
        net.call("bank", "GET", "http://127.0.0.1:9/")


def test_a_refused_connection_is_told_from_a_lost_answer() -> None:
    with pytest.raises(net.NotSent):
        net.call("nobody", "GET", "http://127.0.0.1:9/", timeout=2)


def test_a_write_outside_a_transaction_is_refused(committed_db: str) -> None:
    with pytest.raises(WriteOutsideTransaction):
        connection.cursor().execute("INSERT INTO kernel_clockoffset (id, seconds) VALUES (1, 0)")


def test_a_lost_answer_to_commit_runs_the_same_work_again(committed_db: str) -> None:
    runs = 0

    def work() -> int:
        nonlocal runs
        runs += 1
        OutboxRow.objects.bulk_create([OutboxRow(kind="k", key="same")], ignore_conflicts=True)
        if runs == 1:
            connection.connection.close()
        return runs

    assert durable(work) == 2
    assert OutboxRow.objects.filter(kind="k").count() == 1


@pytest.mark.parametrize(("lost", "runs"), [("after", 1), ("before", 2)])
def test_what_is_done_once_is_done_again_only_if_the_server_knows_nothing_of_it(
    committed_db: str, lost: seam.When, runs: int
) -> None:
    said: list[int] = []

    def work() -> int:
        OutboxRow(kind="k", key=str(len(said))).insert()
        said.append(len(said) + 1)
        return said[-1]

    def watch(when: seam.When, wrapper: Any) -> None:
        if when == lost and len(said) == 1:
            seam.cut(wrapper)

    with seam.watching(watch):
        assert durable(work, once=True) == runs
    assert OutboxRow.objects.filter(kind="k").count() == 1


@pytest.mark.parametrize("table", append_only_tables())
def test_processes_cannot_rewrite_what_is_only_added_to(db: None, table: str) -> None:
    with connection.cursor() as cursor:
        column = connection.introspection.get_table_description(cursor, table)[0].name
    for statement in (f'DELETE FROM "{table}"', f'UPDATE "{table}" SET {column} = {column}', f'TRUNCATE "{table}"'):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


def test_every_text_of_every_room_reads_in_both_languages() -> None:
    assert texts.ids("ko") == texts.ids("en")


def test_a_text_that_is_missing_or_lacks_an_argument_is_an_error() -> None:
    with pytest.raises(texts.TextMissing):
        texts.say("no-such-text", "ko")
    with pytest.raises(texts.TextBroken):
        texts.say("pay-bill", "ko")
