"""The line for real: callers wait with music, agents' telephones ring, customers are called back, whoever dies."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests.worlds import overdue_bill
from tests_voice.conftest import Telephone
from tests_voice.telephones import telephone as rung
from tests_voice.test_voice_calls import LONG_ENOUGH, NUMBER, PHONE, SURE, code_of, hears, to_the_bill, waits_for

from doenda.access.models import User
from doenda.channels.voice import phone, synthesis
from doenda.channels.voice.hearing import match
from doenda.contact.models import Agent, Assignment, Dial, Holding, Ticket
from doenda.contact.queue import agents
from doenda.kernel import clock
from doenda.kernel.db import atomic


@pytest.fixture(autouse=True)
def nobody_left(house: object) -> Iterator[None]:
    """The line of one test is not that of the next."""
    yield
    with atomic():
        now = clock.now()
        Assignment.objects.filter(ended_at=None).update(ended_at=now, end="left")
        Dial.objects.filter(ended_at=None).update(ended_at=now, end="withdrawn")
        Holding.objects.filter(ended_at=None, waited_until=None).update(waited_until=now, end="gone")
        Holding.objects.filter(ended_at=None).update(ended_at=now)
        Ticket.objects.filter(closed_at=None).update(state="gone", closed_at=now, kept_until=None)
        Agent.objects.update(state="out")


def comes_to_work(name: str = "lee") -> Agent:
    with atomic():
        user, _ = User.objects.get_or_create(username=name)
    made = agents.employ(user.pk, langs=["ko", "en"])
    agents.ready(made.pk, shift_until=clock.now() + timedelta(hours=8))
    with atomic():
        Agent.objects.filter(pk=made.pk).update(seen_until=clock.now() + timedelta(hours=8))
    return made


def speech(words: str) -> Path:
    """What somebody says, as a wave file."""
    return Path(synthesis.media(words, "ko").removeprefix("sound:") + ".wav")


async def off[T](work: Callable[[], T]) -> T:
    """Beside the calls, so that they go on."""

    def do() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(do)


def test_a_caller_waits_with_music_and_talks_with_an_agent_both_ways(telephone: Telephone) -> None:
    bill = overdue_bill(52_300, number="L-1", phone=PHONE, days=5)
    code = code_of(bill)
    mine, yours = speech("안녕하세요 요금을 못 내고 있어요"), speech("네 제가 도와 드릴게요")

    async def calls() -> tuple[phone.Dialog, phone.Dialog]:
        async with (
            rung(telephone.asterisk.agent) as desk,
            phone.call("15771234", server=telephone.server, caller=NUMBER) as line,
        ):
            await to_the_bill(line, code)
            await line.press("0")
            await asyncio.sleep(2 * LONG_ENOUGH)
            await off(comes_to_work)
            agent = await asyncio.wait_for(desk.calls.get(), 15)
            await agent.listened(most=30)
            await asyncio.sleep(1.0)
            await line.speak(mine)
            await agent.speak(yours)
            await asyncio.sleep(1.0)
            await agent.hang_up()
            await hears(line, telephone.prompt("voice-talk-over"))
            assert not line.ended.is_set(), "the agent hung up; the caller is still there"
            return line, agent

    line, agent = asyncio.run(calls())
    assert match(agent.heard, telephone.prompt("voice-whisper-known"))[0] > SURE
    assert match(agent.heard, mine)[0] > SURE, telephone.said()
    assert match(line.heard, yours)[0] > SURE
    assert match(line.heard, telephone.prompt("voice-talk-over"))[0] > SURE
    assert match(line.heard, telephone.prompt("voice-whisper-known"))[0] < 0.5, "the whisper is the agent's alone"
    waits_for(lambda: Ticket.objects.filter(account=bill.account, state="wrapping_up").exists())
