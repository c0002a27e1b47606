"""Whoever dies: twenty callers wait and five arrive meanwhile, and nobody is dropped, passed over or forgotten."""

import asyncio
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from uuid import UUID

from tests_voice.conftest import Telephone
from tests_voice.telephones import telephone as rung
from tests_voice.test_voice_line import comes_to_work, nobody_left, off, speech

from doenda.channels.voice import phone
from doenda.channels.voice.hearing import match
from doenda.contact import callbacks, numbers
from doenda.contact.models import Assignment, Dial, Holding, Ticket
from doenda.contact.queue import rows, serving
from doenda.kernel import clock
from doenda.kernel.db import atomic

WAITING, ARRIVING = 20, 5
RETURNS_WITHIN = 20.0
"""Seconds in which the telephone is served again and everybody stands in line: a start of Python on a small machine, a
lease, and the keys of those who arrived."""

__all__ = ["nobody_left"]


def number(at: int) -> str:
    return f"0102345{at:04}"


@asynccontextmanager
async def callers(telephone: Telephone, first: int, many: int) -> AsyncIterator[list[phone.Dialog]]:
    """So many callers, who press 0 as soon as they hear something."""
    async with AsyncExitStack() as stack:
        made = []
        for at in range(first, first + many):
            call = phone.call("15771234", server=telephone.server, caller=number(at))
            made.append(await stack.enter_async_context(call))
            await asyncio.sleep(0.2)
        yield made


async def press_nought(lines: list[phone.Dialog]) -> None:
    await asyncio.gather(*(line.press("0") for line in lines))


async def in_line(lines: list[phone.Dialog], many: int) -> None:
    """They press 0, now and then, until so many stand in line: whoever is held hears music first."""
    for _ in range(6):
        await press_nought(lines)
        for _ in range(15):
            if len(await off(places)) == many:
                return
            await asyncio.sleep(0.2)
    raise AssertionError(f"{len(await off(places))} of {many} stand in line")


async def until(seen: object, seconds: float) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not await off(seen):  # type: ignore[arg-type]
        assert asyncio.get_running_loop().time() < deadline, "it did not come"
        await asyncio.sleep(0.2)


def places() -> list[tuple[UUID, datetime, str]]:
    """Who stands in line, in the order in which they are served."""
    return [(each.pk, each.queued_at, each.phone) for each in rows.in_line(clock.now()) if each.state == "waiting"]


def held() -> int:
    return Holding.objects.filter(ended_at=None, lease_until__gt=clock.now()).count()


def killed(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_killed_with_twenty_waiting_and_five_arriving(telephone: Telephone) -> None:
    async def story() -> None:
        async with callers(telephone, 0, WAITING) as waiting:
            await in_line(waiting, WAITING)
            before = await off(places)
            killed(telephone.serving.pop())
            async with callers(telephone, WAITING, ARRIVING) as arriving:
                assert not any(line.ended.is_set() for line in waiting + arriving)
                begun = asyncio.get_running_loop().time()
                await asyncio.to_thread(telephone.serve)
                await until(lambda: held() >= WAITING, RETURNS_WITHIN)
                await in_line(arriving, WAITING + ARRIVING)
                took = asyncio.get_running_loop().time() - begun
                assert not any(line.ended.is_set() for line in waiting + arriving), "nobody was dropped"
                after = await off(places)
                assert after[:WAITING] == before, "order and times are kept"
                assert took < RETURNS_WITHIN

    asyncio.run(story())


def test_a_standby_takes_over_when_the_one_that_serves_is_killed(telephone: Telephone) -> None:
    async def story() -> None:
        await asyncio.to_thread(telephone.serve, ready="standing by")
        async with callers(telephone, 0, 4) as waiting:
            await in_line(waiting, 4)
            before = await off(places)
            killed(telephone.serving.pop(0))
            begun = asyncio.get_running_loop().time()
            standby = telephone.serving[0].stdout
            assert standby is not None
            assert (await asyncio.to_thread(standby.readline)).strip() == "ready"
            assert asyncio.get_running_loop().time() - begun < RETURNS_WITHIN
            assert not any(line.ended.is_set() for line in waiting)
            async with rung(telephone.asterisk.agent) as desk:
                await off(comes_to_work)
                await asyncio.wait_for(desk.calls.get(), 20)
                first = await off(lambda: Assignment.objects.get(ended_at=None).ticket_id)
                assert first == before[0][0], "the first in line is served first"

    asyncio.run(story())


def test_a_talk_goes_on_while_we_are_dead_and_is_ended_rightly_afterwards(telephone: Telephone) -> None:
    mine = speech("제 말이 들리세요")

    async def story() -> phone.Dialog:
        async with rung(telephone.asterisk.agent) as desk, callers(telephone, 0, 1) as [line]:
            await in_line([line], 1)
            await off(comes_to_work)
            agent = await asyncio.wait_for(desk.calls.get(), 20)
            await agent.listened(most=30)
            await asyncio.sleep(1)
            killed(telephone.serving.pop())
            await line.speak(mine)
            await asyncio.to_thread(telephone.serve)
            await asyncio.sleep(3)
            assert not line.ended.is_set()
            assert not agent.ended.is_set(), "the talk was not touched"
            assert await off(lambda: Ticket.objects.get(closed_at=None).state) == "talking"
            await agent.hang_up()
            await until(lambda: Ticket.objects.filter(closed_at=None, state="wrapping_up").exists(), 10)
            assert not line.ended.is_set()
            return agent

    agent = asyncio.run(story())
    assert match(agent.heard, mine)[0] > 0.9


def test_when_asterisk_dies_the_places_stay_and_customers_are_called_back_in_order(telephone: Telephone) -> None:
    async def story() -> list[str]:
        async with callers(telephone, 0, 3) as waiting:
            await in_line(waiting, 3)
            before = [each for _, _, each in await off(places)]
            await asyncio.to_thread(telephone.asterisk.kill)
            await until(lambda: Ticket.objects.filter(state="away").count() == 3, 60)
        await off(ask_for_callbacks)
        telephone.asterisk.start()  # here: it ends with the thread that started it
        rang: list[str] = []
        async with rung(telephone.asterisk.agent) as desk, rung(telephone.asterisk.trunk) as home:
            await off(comes_to_work)
            for _ in range(3):
                customer = await asyncio.wait_for(home.calls.get(), 40)
                rang.append(await off(lambda: Dial.objects.get(ended_at=None).number))
                await customer.listened(most=20)
                await customer.press("1")
                agent = await asyncio.wait_for(desk.calls.get(), 20)
                await agent.listened(most=20)
                await agent.hang_up()
                await asyncio.sleep(1)
                await customer.hang_up()
                await off(write_up)
        assert rang == before
        return rang

    asyncio.run(story())


def ask_for_callbacks() -> None:
    """The customers asked for it on their page; each number has shown that it is theirs."""
    for ticket in Ticket.objects.filter(state="away"):
        with atomic():
            numbers.prove(ticket.phone, ticket.account_id, "test")
        callbacks.plan(ticket.pk)


def write_up() -> None:
    deadline = clock.monotonic() + 10
    while clock.monotonic() < deadline:
        open_ = Assignment.objects.filter(ended_at=None, ticket__state="wrapping_up").first()
        if open_ is not None:
            serving.finish(open_.pk, by="user:lee", words="helped")
            return
        clock.sleep(0.2)
    raise AssertionError("no talk ended")
