"""The line as its supervisors see it: from rows, so that a restart forgets nothing."""

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from tests.contact.lines import at_work, call, offered_to, serve

from doenda.contact.queue import agents, entering, estimates
from doenda.kernel import clock

pytestmark = pytest.mark.usefixtures("db")


def shown() -> dict[str, Any]:
    out = StringIO()
    call_command("line", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_who_stands_who_works_and_who_was_lost(noon: clock.Frozen) -> None:
    """qpanel#113 and #249: abandoned calls are listed, and figures survive a restart."""
    one = at_work()
    first, second = call(1), call(2)
    agents.ready(one.pk)
    noon.advance(timedelta(seconds=45))
    entering.let_go("call", "call-2", "gone")
    call(3)
    found = shown()
    assert offered_to(one) == first.ticket
    figures = found["figures"]
    assert (figures["line.waiting"], figures["line.away"], figures["line.offered"]) == (1, 1, 1)
    assert (figures["agents.offered"], figures["waits.gone"]) == (1, 1)
    assert [(row["position"], row["state"]) for row in found["line"]] == [(1, "waiting")]
    assert [row["waited_s"] for row in found["lost"]] == [45]
    entering.resume(second.ticket.pk, channel="page", call_id="p")
    assert shown()["lost"] == []  # who is back is not lost


def test_customers_who_wait_while_nobody_works_are_no_good_state(noon: clock.Frozen) -> None:
    assert shown()["ok"]
    call(1)
    with pytest.raises(SystemExit):
        shown()
    noon.advance(timedelta(hours=7))  # closed: nobody is expected
    assert shown()["ok"]


def test_how_well_waits_were_told_is_shown(noon: clock.Frozen) -> None:
    one = at_work()
    waiting = call(1)
    estimates.tell(waiting.ticket.pk, "call")
    agents.ready(one.pk)
    serve(one)
    figures = shown()["figures"]
    assert figures["waits.served"] == 1
    assert (figures["told.coverage"], figures["told.rmse_s"]) == (1.0, 0.0)
