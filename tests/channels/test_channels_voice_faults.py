"""What breaks for a moment, in the database, in Asterisk or in our own code, leaves no living caller with nobody."""

import asyncio
import threading
from functools import partial
from typing import Any, cast

import pytest
from tests.channels.doors import PHONE
from tests.channels.telephones import (
    INBOUND,
    Asterisk,
    aside,
    connected,
    failing,
    in_line,
    telephone,
    to_be_called,
    until,
)
from tests.contact.lines import assignment, at_work

from doenda.channels.voice import desk, exchange, persisting, queueing
from doenda.channels.voice.ari import AriError, Channel, Connected, Ended, Gone
from doenda.channels.voice.beside import BesideCalls
from doenda.contact.models import Agent, Dial, Ticket
from doenda.kernel import clock, sweeps


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
    failing(monkeypatch, queueing, "stand", 99, RuntimeError("a mistake of ours"))

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
        await until(lambda: asterisk.heard("자리는 남아 있어요", dial))
        assert asterisk.heard("전화를 부탁하신", dial) == 1, "nobody is asked twice"

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


# --- who comes back, who is taken over, who is far along


def test_who_leaves_and_comes_again_while_the_last_service_ends_is_served(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialplan offers a channel again that the application let go of."""
    monkeypatch.setattr(persisting, "PAUSES", (0.6, 0.6, 0.6))

    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        asterisk.troubles["music"] = [AriError(0, "no answer")]
        asterisk.presses("*")
        await until(lambda: not asterisk.troubles["music"])
        asterisk.tell(Ended(Channel("c-1", caller=PHONE, args=INBOUND)))
        await asyncio.sleep(0.1)
        before = len(asterisk.said)
        asterisk.rings_in()
        await until(lambda: len(asterisk.said) > before or "c-1" in asterisk.music_on)
        await asyncio.sleep(1.5)
        assert "c-1" in asterisk.service.lines

    telephone(script)


def test_a_passing_not_there_in_line_keeps_the_place(quick: None) -> None:
    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        asterisk.troubles["music"] = [Gone(409, "for a moment")]
        asterisk.presses("*")
        await until(lambda: not asterisk.troubles["music"])
        await until(lambda: "c-1" in asterisk.music_on)
        await asyncio.sleep(0.5)

    telephone(script)
    assert Ticket.objects.get().state == "waiting"


def test_a_customer_whose_callback_is_taken_over_in_a_fault_of_the_database_hears_us(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, queueing, "waits", 1)

    async def script(asterisk: Asterisk) -> None:
        asterisk.there["dial-x"] = ""
        asterisk.tell(Connected(1, {"dial-x": Channel("dial-x", args=("dial", "x"))}, {}))
        await until(lambda: asterisk.heard("전화를 부탁하신", "dial-x"))

    telephone(script)


def test_who_was_called_back_and_walks_the_bill_is_not_asked_again_after_a_fault(
    quick: None, noon: clock.Frozen
) -> None:
    async def script(asterisk: Asterisk) -> None:
        await aside(to_be_called)
        await until(lambda: any(each.startswith("dial-") for each in asterisk.there))
        dial = next(each for each in asterisk.there if each.startswith("dial-"))
        await until(lambda: asterisk.heard("전화를 부탁하신", dial))
        asterisk.presses("1", dial)
        await until(lambda: dial in asterisk.music_on)
        asterisk.presses("#", dial)
        await until(lambda: asterisk.heard("요금 듣고 내기", dial))
        asterisk.troubles["play"] = [AriError(0, "no answer")]
        asterisk.presses("9", dial)
        await until(lambda: asterisk.heard("요금 듣고 내기", dial) > 1)
        assert asterisk.heard("전화를 부탁하신", dial) == 1

    telephone(script)


def test_a_database_that_is_away_for_long_sends_nobody_away_who_waits(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = failing(monkeypatch, queueing, "stand", 9)

    async def script(asterisk: Asterisk) -> None:
        asterisk.rings_in()
        for _ in range(12):
            await asyncio.sleep(0.3)
            asterisk.presses("0")
        await until(lambda: asked[0] > 9)
        await until(lambda: asterisk.heard("자리는 남아 있어요"))

    assert not telephone(script).heard("저희 쪽에 문제가")


def test_faults_with_good_service_between_them_are_not_added_up(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisting, "WELL_AFTER", 0.3)

    async def script(asterisk: Asterisk) -> None:
        await in_line(asterisk)
        for _ in range(5):
            await asyncio.sleep(1.0)
            asterisk.troubles["music"] = [AriError(0, "no answer")]
            asterisk.presses("*")
            await until(lambda: not asterisk.troubles["music"])
        await asyncio.sleep(1.0)

    asterisk = telephone(script)
    assert "c-1" in asterisk.there
    assert not asterisk.heard("저희 쪽에 문제가")
