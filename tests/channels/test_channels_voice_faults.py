"""What breaks for a moment, in the database, in Asterisk or in our own code, leaves no living caller with nobody."""

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, cast

import pytest
from django.db import OperationalError, connection
from tests.channels.doors import PHONE
from tests.contact.lines import agent, assignment, at_work
from tests.worlds import overdue_bill

from doenda.channels.voice import desk, exchange, persisting, queueing, synthesis
from doenda.channels.voice.ari import AriError, Channel, Connected, Destroyed, Digit, Gone, Started
from doenda.channels.voice.ari.events import Played
from doenda.channels.voice.beside import BesideCalls
from doenda.channels.voice.service import Service
from doenda.contact import policy, tickets
from doenda.contact.models import Agent, Dial, Ticket
from doenda.kernel import clock, leases, sweeps
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
    monkeypatch.setattr(persisting, "GONE_WITHIN", 0.2)
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


def failing(monkeypatch: pytest.MonkeyPatch, where: Any, name: str, times: int) -> list[int]:
    """Let a function fail so often; how often it was asked."""
    real, asked = getattr(where, name), [0]

    def broken(*args: Any, **named: Any) -> Any:
        asked[0] += 1
        if asked[0] <= times:
            raise BROKEN
        return real(*args, **named)

    monkeypatch.setattr(where, name, broken)
    return asked


def test_a_fault_of_the_database_while_standing_in_line_is_not_told_and_costs_no_place(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, queueing, "stand", 2)

    async def script(asterisk: Asterisk) -> None:
        asterisk.rings_in()
        asterisk.presses("0")
        await until(lambda: "c-1" in asterisk.music_on)
        asterisk.presses("0")
        await asyncio.sleep(0.5)
        asterisk.presses("0")
        await until(lambda: asterisk.heard("얼마나 기다리실지"))

    asterisk = telephone(script)
    assert not asterisk.heard("저희 쪽에 문제가")
    assert Ticket.objects.get().state == "waiting", "one place, and no second ticket"


@pytest.mark.parametrize("command", ["play", "music", "answer"])
def test_a_command_that_asterisk_does_not_answer_once_is_no_silence(quick: None, command: str) -> None:
    async def script(asterisk: Asterisk) -> None:
        asterisk.troubles[command] = [AriError(0, "no answer")]
        asterisk.rings_in()
        await until(lambda: asterisk.heard("요금 듣고 내기") or asterisk.music_on)
        asterisk.presses("0")
        await asyncio.sleep(0.4)
        asterisk.presses("0")
        await until(lambda: asterisk.heard("얼마나 기다리실지"))

    assert telephone(script).heard("얼마나 기다리실지")


def test_a_command_that_finds_nobody_while_the_caller_is_there_is_no_end_of_the_call(quick: None) -> None:
    async def script(asterisk: Asterisk) -> None:
        asterisk.troubles["play"] = [Gone(404, "for a moment")]
        asterisk.rings_in()
        await until(lambda: asterisk.heard("요금 듣고 내기"))

    telephone(script)


def test_what_stays_broken_is_said_and_a_person_calls_back(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, queueing, "stand", 99)

    async def script(asterisk: Asterisk) -> None:
        asterisk.rings_in()

        async def presses() -> None:
            while True:
                asterisk.presses("0")
                await asyncio.sleep(0.1)

        task = asyncio.create_task(presses())
        await until(lambda: "c-1" not in asterisk.there)
        task.cancel()
        await until(lambda: not asterisk.service.lines)

    asterisk = telephone(script)
    assert asterisk.heard("저희 쪽에 문제가")
    assert asterisk.heard("전화드릴게요")
    assert Ticket.objects.get().phone == PHONE


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


def test_a_fault_of_ours_in_the_middle_of_a_talk_tells_the_caller_and_keeps_the_place(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, exchange, "transfer", 1)

    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        bridge = await connected(asterisk)
        leg = next(each for each in asterisk.there if each.startswith("leg-"))
        asterisk.presses("*", leg)
        asterisk.presses("1", leg)
        await until(lambda: asterisk.heard("지금 받을 수 있는 분이", leg))
        assert asterisk.there["c-1"] == bridge, "both go on talking"
        await asyncio.sleep(0.3)  # it is said to its end
        asterisk.troubles["play"] = [AriError(500, "no")]
        asterisk.presses("*", leg)
        asterisk.presses("9", leg)
        await until(lambda: asterisk.heard("다른 상담원에게 이어"))

    telephone(script)


def test_a_bridge_that_ended_the_moment_the_caller_came_to_it_parts_them(quick: None) -> None:
    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        real = asterisk.join

        async def join(bridge: str, channel: str) -> None:
            if channel == "c-1":
                raise Gone(404, "no such bridge")
            await real(bridge, channel)

        cast(Any, asterisk).join = join
        await aside(at_work)
        await until(lambda: asterisk.heard("상담이 끝났어요"))
        asterisk.presses("1")
        await until(lambda: "c-1" in asterisk.music_on)

    telephone(script)
    assert Ticket.objects.get().closed_at is None


def test_a_fault_when_the_caller_is_put_through_brings_them_back_into_the_line(quick: None) -> None:
    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        real = asterisk.join
        failed: list[str] = []

        async def join(bridge: str, channel: str) -> None:
            if channel == "c-1" and not failed:
                failed.append(channel)
                raise AriError(0, "no answer")
            await real(bridge, channel)

        cast(Any, asterisk).join = join
        await aside(at_work)
        await until(lambda: failed and "c-1" in asterisk.music_on)
        while not asterisk.there.get("c-1", ""):
            await aside(partial(sweeps.run, "line"))
            await asyncio.sleep(0.1)

    telephone(script)
    assert Ticket.objects.get().state == "talking", "the next offer has reached them"


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


def test_who_is_called_back_is_not_left_in_silence_by_a_fault(
    quick: None, noon: clock.Frozen, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, exchange, "answered", 1)

    async def script(asterisk: Asterisk) -> None:
        await aside(to_be_called)
        await until(lambda: any(each.startswith("dial-") for each in asterisk.there))
        dial = next(each for each in asterisk.there if each.startswith("dial-"))
        await until(lambda: asterisk.heard("전화를 부탁하신", dial))
        asterisk.presses("1", dial)
        await until(lambda: asterisk.heard("전화를 부탁하신", dial) > 1)
        asterisk.presses("1", dial)
        await until(lambda: dial in asterisk.music_on)

    telephone(script)
    assert Ticket.objects.get().state in ("waiting", "offered")


def test_a_call_of_ours_that_may_ring_although_nobody_heard_so_is_ended(quick: None, noon: clock.Frozen) -> None:
    async def script(asterisk: Asterisk) -> None:
        asterisk.troubles["originate"] = [AriError(0, "no answer")]
        await aside(to_be_called)
        await until(lambda: asterisk.did["originate"])
        await until(lambda: asterisk.did["hang_up"])
        while not await aside(lambda: Dial.objects.exclude(ended_at=None).exists()):
            await asyncio.sleep(0.05)

    assert not telephone(script).there


def test_who_answers_a_call_that_nobody_wants_any_more_hears_so(quick: None) -> None:
    async def script(asterisk: Asterisk) -> None:
        asterisk.there["dial-x"] = ""
        channel = Channel("dial-x", args=("dial", "x"))
        asterisk.tell(Connected(1, {"dial-x": channel}, {}))
        await until(lambda: asterisk.heard("전화를 부탁하신", "dial-x"))
        asterisk.presses("1", "dial-x")
        await until(lambda: asterisk.heard("필요 없다고", "dial-x"))
        await until(lambda: "dial-x" not in asterisk.there)

    telephone(script)


def test_an_agents_note_is_kept_through_a_fault(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, exchange, "talked", 2)

    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        await connected(asterisk)
        leg = next(each for each in asterisk.there if each.startswith("leg-"))
        await asterisk.hang_up(leg)
        await until(lambda: asterisk.heard("상담이 끝났어요"))

    telephone(script)
    assert Ticket.objects.get().state == "wrapping_up"
    assert assignment(Agent.objects.get()).talked_until is not None


def test_providers_that_hang_take_neither_words_nor_the_line_nor_the_lease(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One pool had them all: eight hanging payments were silence for everybody, and then the lease was lost."""
    hangs = threading.Event()
    monkeypatch.setattr(desk, "answer", lambda *_: hangs.wait(30))

    async def run() -> None:
        house = BesideCalls()
        stuck = [asyncio.create_task(house.answer(cast(Any, None), "", {}, "", "")) for _ in range(40)]
        await asyncio.sleep(0.1)
        try:
            async with asyncio.timeout(15):
                assert await house.lease(partial(exchange.mine, "here"))
                assert await house.renew([]) == frozenset()
                assert await house.media(["여보세요"], "ko")
                assert not await house.waits("c-1")
        finally:
            hangs.set()
            await asyncio.gather(*stuck)
            house.close()

    asyncio.run(run())
