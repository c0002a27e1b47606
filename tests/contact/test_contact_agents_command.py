"""A centre whose agents have a telephone and no screen works by `doenda agents`."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from tests.contact.lines import call

from doenda.access.models import User
from doenda.contact.models import Agent, Assignment
from doenda.kernel import clock, sweeps

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _lee(noon: clock.Frozen) -> None:
    User.objects.create(username="lee")


def agents(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command("agents", *args, stdout=out, **options)
    return out.getvalue()


def test_an_agent_is_employed_comes_to_work_and_gets_whoever_waits() -> None:
    call(1, lang="en")
    agents("employ", "lee", "--langs", "ko", "en", "--skills", "counter")
    agents("ready", "lee")
    assert Assignment.objects.get().agent.user.username == "lee"
    assert "lee              offered" in agents()
    assert "en ko counter" in agents()


def test_who_has_a_telephone_only_is_not_taken_for_gone(noon: clock.Frozen) -> None:
    agents("employ", "lee")
    agents("ready", "lee", "--hours", "4")
    noon.advance(timedelta(hours=3))
    sweeps.run("line leases")
    assert Agent.objects.get().state == "ready"
    noon.advance(timedelta(hours=1))
    sweeps.run("line leases")
    assert Agent.objects.get().state == "out", "the shift is over"


def test_a_pause_and_the_end_of_work() -> None:
    agents("employ", "lee")
    agents("ready", "lee")
    agents("pause", "lee", "--reason", "lunch")
    assert (Agent.objects.get().state, Agent.objects.get().reason) == ("paused", "lunch")
    agents("out", "lee")
    assert Agent.objects.get().state == "out"


@pytest.mark.parametrize("wrong", [["ready", "nobody"], ["ready", "lee"], ["pause"], ["employ", ""]])
def test_what_cannot_be_done_is_said(wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        agents(*wrong)


def test_no_shift_lasts_for_days() -> None:
    agents("employ", "lee")
    with pytest.raises(CommandError):
        agents("ready", "lee", "--hours", "100")
