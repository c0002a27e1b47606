"""Processes die and act at the same moment: each debit is still recalled or bound, and posted once."""

import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.db import connection
from tests.payments.debit_tools import (
    DebitWorld,
    attempt_of,
    customer,
    debit_world,
    item_of,
    number_of,
    results,
    to_cut_off,
)

from doenda.app import stage
from doenda.app.drills import debit as drill
from doenda.billing import books
from doenda.kernel import clock
from doenda.kernel.database import seam
from doenda.payments import providers
from doenda.payments.debit import answers, files, home, instruct
from doenda.payments.debit.models import DebitAnswer, DebitFile, DebitItem
from doenda.payments.models import Attempt
from doenda.payments.moves import charge_of
from doenda.payments.providers.contract import Outcome

MONDAY = date(2014, 10, 27)


@pytest.fixture
def world(committed_db: str, noon: clock.Frozen, settings: Any) -> Iterator[DebitWorld]:
    with debit_world(settings) as made:
        noon.set(clock.at(MONDAY, 9))
        yield made


def test_a_recall_and_the_cut_off_at_the_same_moment_never_both_win(world: DebitWorld, noon: clock.Frozen) -> None:
    bills = [customer(index) for index in range(1, 13)]
    noon.set(clock.at(MONDAY, 12))
    instruct.run("KRW")
    charges = [charge_of(attempt_of(bill)) for bill in bills]
    noon.set(clock.at(MONDAY, 16, 30))
    said: dict[str, Outcome] = {}
    start = threading.Barrier(4)

    def recall(mine: list[Any]) -> None:
        start.wait(10)
        for each in mine:
            said[each.order_id] = providers.get("debit").void(each).outcome
        connection.close()

    def build() -> None:
        start.wait(10)
        files.sweep(100)
        connection.close()

    threads = [threading.Thread(target=recall, args=(charges[n::3],)) for n in range(3)]
    threads.append(threading.Thread(target=build))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    files.sweep(100)
    assert set(said.values()) <= {Outcome.GIVEN_BACK, Outcome.PENDING}
    bound = DebitItem.objects.filter(state="filed").count()
    assert bound == sum(outcome is Outcome.PENDING for outcome in said.values())
    assert sum(file.records for file in DebitFile.objects.all()) == bound


@pytest.mark.parametrize("at", range(1, 40, 3))
def test_results_survive_a_death_at_any_commit(
    world: DebitWorld, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(answers, "BATCH", 2)
    bills = [customer(index, 900 + index) for index in range(1, 8)]
    for index in range(1, 8):
        world.money(number_of(index), 100 if index == 3 else 5_000)
    to_cut_off(noon)
    seen = 0

    def watch(when: str, wrapper: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            seam.die(wrapper)

    with seam.watching(watch):
        try:
            results(world, noon)
        except seam.Crash:
            connection.close()
    for _ in range(3):
        answers.poll(100)
        home.bring(100)
    for bill in bills:
        bill.refresh_from_db()
        poor = bill.amount == 903
        assert (bill.paid, attempt_of(bill).state) == ((0, "refused") if poor else (bill.amount, "paid"))
        assert item_of(bill).home_at is not None
    assert books.trial().ok
    taken = DebitAnswer.objects.get()
    assert (taken.accepted, taken.report["PAID"], taken.report["parked"]) == (True, 6, 0)
    assert taken.done_at is not None
    assert not Attempt.objects.filter(state="instructed").exists()


def test_the_drill_of_a_whole_cycle_holds_in_small(committed_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(stage, "database", lambda **_: nullcontext())
    result = drill.run(mandates=300)
    assert result.ok, result.failures
    assert result.figures["mismatches"] == 0
    assert (result.figures["unknown"], result.figures["missing"], result.figures["duplicates_ignored"]) == (20, 20, 1)
    assert result.figures["no_funds"] + result.figures["closed"] >= 25
