"""A telephone in this process: our service on an Asterisk that can be broken, with real threads and a real database."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

import pytest
from django.db import OperationalError, connection
from tests.channels.doors import PHONE
from tests.contact.lines import agent, at_work
from tests.worlds import overdue_bill

from doenda.channels.voice import ari_line, exchange, persisting, queueing, synthesis
from doenda.channels.voice.ari import Channel, Destroyed, Digit, Gone, Started
from doenda.channels.voice.ari.events import Played
from doenda.channels.voice.beside import BesideCalls
from doenda.channels.voice.service import Service
from doenda.contact import policy, tickets
from doenda.contact.models import Agent
from doenda.kernel import leases, sweeps
from doenda.kernel.db import atomic

BROKEN = OperationalError("the connection is closed")
INBOUND = ("inbound", "15771234")


class Asterisk:
    """What our client does, in this process. `troubles`: what each command raises next; `said`: what each channel
    heard; `there`: the channels that live, with the bridge in which they are."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.ready.set()
        self.said: list[tuple[str, str]] = []
        self.music_on: set[str] = set()
        self.there: dict[str, str] = {}
        self.bridges: set[str] = set()
        self.troubles: dict[str, list[Exception]] = {}
        self.did: Counter[str] = Counter()
        self.service: Service

    def _do(self, what: str, channel: str = "") -> None:
        self.did[what] += 1
        if self.troubles.get(what):
            raise self.troubles[what].pop(0)
        if channel and channel not in self.there:
            raise Gone(404, "no such channel")

    async def answer(self, channel: str) -> None:
        self._do("answer", channel)

    async def play(self, channel: str, playback: str, media: list[str], *, lang: str = "ko") -> None:
        self._do("play", channel)
        self.said += [(channel, each) for each in media]
        asyncio.get_running_loop().call_later(0.02, self.tell, Played(playback, channel, "done"))

    async def stop(self, playback: str) -> bool:
        self._do("stop")
        return True

    async def music(self, channel: str) -> None:
        self._do("music", channel)
        self.music_on.add(channel)

    async def music_off(self, channel: str) -> bool:
        self.music_on.discard(channel)
        return True

    async def set_variable(self, channel: str, name: str, value: str) -> None:
        self._do("set_variable", channel)

    async def hang_up(self, channel: str) -> bool:
        self._do("hang_up")
        if channel in self.there:
            del self.there[channel]
            self.tell(Destroyed(Channel(channel), 16))
        return True

    async def originate(self, channel: str, endpoint: str, *args: str, caller: str, timeout: int = 30) -> Channel:
        self._do("originate")
        self.there[channel] = ""
        made = Channel(channel, args=args)
        asyncio.get_running_loop().call_later(0.02, self.tell, Started(made, args))
        return made

    async def bridge(self, bridge: str, kind: str, name: str = "") -> None:
        self._do("bridge")
        self.bridges.add(bridge)

    async def join(self, bridge: str, channel: str) -> None:
        self._do("join", channel)
        if bridge not in self.bridges:
            raise Gone(404, "no such bridge")
        self.there[channel] = bridge

    async def leave(self, bridge: str, channel: str) -> bool:
        self.there[channel] = ""
        return True

    async def end_bridge(self, bridge: str) -> bool:
        self.bridges.discard(bridge)
        return True

    def tell(self, event: Any) -> None:
        self.service._heard(event)

    # --- what people do

    def rings_in(self, channel: str = "c-1", caller: str = PHONE) -> Channel:
        self.there[channel] = ""
        made = Channel(channel, caller=caller, args=INBOUND)
        self.tell(Started(made, INBOUND))
        return made

    def presses(self, key: str, channel: str = "c-1") -> None:
        self.tell(Digit(Channel(channel), key))

    def heard(self, word: str, channel: str = "c-1") -> int:
        return sum(word in each for at, each in self.said if at == channel)


@pytest.fixture
def quick(committed_db: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """Words instead of sounds, and pauses that no test waits for; in opening hours, with a trunk."""
    monkeypatch.setattr(synthesis, "media", lambda text, lang: f"sound:{text}")
    monkeypatch.setattr(persisting, "PAUSES", (0.05, 0.05, 0.05))
    monkeypatch.setattr(ari_line, "GONE_WITHIN", 0.2)
    monkeypatch.setattr(queueing, "open_now", lambda: True)
    settings.DOENDA_TRUNK_DIAL, settings.DOENDA_AGENT_DIAL = "PJSIP/{number}@trunk", "PJSIP/{agent}"
    yield
    connection.close()


def telephone(script: Callable[[Asterisk], Awaitable[None]]) -> Asterisk:
    """Run the service with the script beside it."""

    async def run() -> Asterisk:
        made, house = Asterisk(), BesideCalls()
        made.service = Service(cast(Any, made), house)
        floor = asyncio.create_task(made.service.floor.run())
        try:
            await asyncio.wait_for(script(made), 60)
        except TimeoutError:
            raise AssertionError(f"heard {made.said}, music for {made.music_on}, there: {made.there}") from None
        finally:
            tasks = [floor, *made.service._tasks, *made.service.floor._tasks.values()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            house.close()
        return made

    return asyncio.run(run())


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.02)


async def aside[T](work: Callable[[], T]) -> T:
    """The database, beside the loop."""

    def do() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(do)


def failing(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, times: int, error: Exception = BROKEN) -> list[int]:
    """Let a function fail so often; how often it was asked."""
    real, asked = getattr(where, name), [0]

    def broken(*args: Any, **named: Any) -> Any:
        asked[0] += 1
        if asked[0] <= times:
            raise error
        return real(*args, **named)

    monkeypatch.setattr(where, name, broken)
    return asked


async def in_line(asterisk: Asterisk) -> None:
    asterisk.rings_in()
    await until(lambda: asterisk.heard("요금 듣고 내기"))
    asterisk.presses("0")
    await until(lambda: "c-1" in asterisk.music_on)


async def connected(asterisk: Asterisk) -> str:
    """An agent comes to work and answers; the bridge in which both are."""
    await aside(at_work)
    await until(lambda: asterisk.there.get("c-1", ""))
    return asterisk.there["c-1"]


def to_be_called() -> None:
    """A customer has asked to be called, an agent is free, and the telephone can ring."""
    bill = overdue_bill(52_300, phone=PHONE)
    tickets.open_ticket(
        "person", key="k", channel="web", lang="ko", account_id=bill.account_id, bill_id=bill.pk, phone=PHONE
    )
    with atomic():
        Agent.objects.filter(pk=agent().pk).update(state="ready")
    for name in (exchange.LEASE, exchange.TRUNK):
        leases.acquire(name, "test", policy.current().desk_lease * 10)
    sweeps.run("callbacks")
