"""Loop texts: the gateway is withdrawn when they stop arriving, and comes back by them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from tests.notices.smpp_world import house
from tests.notices.smsc import until

from doenda.assurance import standing
from doenda.assurance.rule import Name
from doenda.kernel import clock, outbox
from doenda.kernel.models import OutboxRow
from doenda.probes import loops, rounds, schedules

SMPP = "sms/text/smpp"
LOOP = "+821000000000"


@contextmanager
def worker() -> Iterator[None]:
    """Sends what is due, in a thread of its own."""
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.02):
            outbox.sweep(10)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)


@pytest.fixture
def loop(committed_db: str, settings: Any, noon: clock.Frozen) -> None:
    settings.DOENDA_LOOP_NUMBER = LOOP


def test_a_loop_text_that_is_received_proves_the_gateway(loop: None, settings: Any) -> None:
    with house(settings) as made, worker():
        assert loops.ways() == [SMPP]
        assert SMPP in rounds.ways()
        run = rounds.walk(SMPP)
        assert (run.outcome, run.steps[-1]) == ("worked", "delivered")
        assert standing.word(SMPP) is Name.PROVEN
        [taken] = made.centre.took
        assert taken.destination_addr == "821000000000"
        assert bytes(taken.short_message).decode("utf-16-be").startswith("된다: 문자 발송 확인")
        due = schedules.due(SMPP, clock.now(), amount=0)
        assert (due - clock.now()).total_seconds() == 300, "a quarter of its lease: a loop text costs a text"


def test_the_gateway_is_withdrawn_when_loop_texts_stop_and_comes_back_by_them(
    loop: None, settings: Any, noon: clock.Frozen
) -> None:
    with house(settings) as made, worker():
        assert loops.walk(SMPP).outcome == "worked"
        made.centre.receipts = "none"
        for _ in range(3):
            run = loops.walk(SMPP, patience=0.3)
            assert run.trouble == "no delivery receipt in time; accepted"
            noon.advance(timedelta(seconds=30))
        assert standing.word(SMPP) is Name.WITHDRAWN
        assert loops.ways() == [SMPP], "what is withdrawn is walked all the same: that is how it comes back"
        made.centre.receipts = "after"
        noon.advance(timedelta(seconds=180))
        words = []
        while standing.word(SMPP) is not Name.PROVEN:
            assert loops.walk(SMPP).outcome == "worked"
            noon.advance(timedelta(seconds=30))
            words.append(standing.word(SMPP))
            assert len(words) < 20
        assert Name.HALF_OPEN in words


@pytest.mark.parametrize(("state", "told"), [("UNDELIV", "not delivered: UNDELIV 000")])
def test_a_loop_text_that_is_not_delivered_speaks_against_it(state: str, told: str, loop: None, settings: Any) -> None:
    with house(settings, state=state), worker():
        run = loops.walk(SMPP)
        assert (run.outcome, run.trouble) == ("failed_by_provider", told)


def test_a_dead_worker_or_line_is_told_by_name_and_leaves_no_text_behind(loop: None, settings: Any) -> None:
    with house(settings) as made:
        assert loops.walk(SMPP, patience=0.2).trouble == "no worker handed it over"
        made.line.open = False
        made.line.cut()
        until(lambda: made.keeper.trouble)
        with worker():
            run = loops.walk(SMPP, patience=4.0)
        assert run.trouble.startswith("not handed over: no bind: ")
        assert not OutboxRow.objects.filter(kind="loop", done_at=None).exists()
        assert not made.centre.took


def test_without_a_number_of_our_own_nothing_is_sent_to_it(committed_db: str, settings: Any) -> None:
    with house(settings):
        settings.DOENDA_LOOP_NUMBER = ""
        assert loops.ways() == []
        assert SMPP not in rounds.ways()
