"""What our ARI client does, asked of a world: the fake in `make test`, a real Asterisk in `make test-voice`."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import wraps
from typing import Any

import pytest
from tests.channels.ari_world import WITHIN, Heard, World, Worlds, client

from doenda.channels.voice.ari import (
    AriError,
    Connected,
    Destroyed,
    Digit,
    Ended,
    Gone,
    Played,
    Replaced,
    Started,
)

type Behaviour = Callable[[World, Heard], Coroutine[Any, Any, None]]


def behaviour(body: Behaviour) -> Callable[[Worlds], None]:
    """A test with a world and a client that is connected to it."""

    @wraps(body)
    def test(worlds: Worlds) -> None:
        async def run() -> None:
            async with AsyncExitStack() as stack:
                world = await stack.enter_async_context(worlds())
                heard = await stack.enter_async_context(client(world))
                await heard.connected()
                async with asyncio.timeout(60):
                    await body(world, heard)

        asyncio.run(run())

    del test.__wrapped__  # pytest would ask for the body's arguments
    return test


async def answered(world: World, heard: Heard) -> tuple[Any, str]:
    """A caller whose call was answered, and the channel's id."""
    since = len(heard.events)
    caller = await world.ring_in()
    started = await heard.first(Started, since)
    await heard.ari.answer(started.channel.id)
    return caller, started.channel.id


async def until(look: Callable[[], Any], within: float = WITHIN) -> None:
    async with asyncio.timeout(within):
        while not look():
            await asyncio.sleep(0.02)


@behaviour
async def test_a_caller_comes_with_what_was_dialled_and_from_where(world: World, heard: Heard) -> None:
    caller = await world.ring_in("15771234", "01012345678")
    started = await heard.first(Started)
    assert started.args == ("inbound", "15771234")
    assert started.channel.caller == "01012345678"
    assert started.channel.app == world.app
    assert not caller.hung_up.is_set()


@behaviour
async def test_what_is_played_ends_and_a_key_cuts_it_short(world: World, heard: Heard) -> None:
    caller, channel = await answered(world, heard)
    await heard.ari.play(channel, "p-1", [world.short])
    assert (await heard.first(Played, playback="p-1")).state == "done"
    assert not await heard.ari.stop("p-1"), "what has ended is not there: no error"
    await heard.ari.play(channel, "p-2", [world.long])
    await asyncio.sleep(0.3)
    begun = time.monotonic()
    await caller.press("5")
    assert (await heard.first(Digit, channel=channel)).digit == "5"
    assert await heard.ari.stop("p-2")
    played = await heard.first(Played, playback="p-2")
    assert played.channel_id == channel
    assert time.monotonic() - begun < 1.5
    assert not heard.ari._playing


@behaviour
async def test_a_sound_that_is_missing_is_told_not_waited_for(world: World, heard: Heard) -> None:
    _, channel = await answered(world, heard)
    await heard.ari.play(channel, "p-3", ["sound:/nowhere/at/all"])
    assert (await heard.first(Played, playback="p-3")).state == "failed"


@behaviour
async def test_when_the_caller_hangs_up_commands_say_that_it_is_gone(world: World, heard: Heard) -> None:
    caller, channel = await answered(world, heard)
    await caller.hang_up()
    await heard.first(Ended, channel=channel)
    assert (await heard.first(Destroyed, channel=channel)).cause == 16
    assert not await heard.ari.hang_up(channel)
    assert not await heard.ari.music_off(channel)
    with pytest.raises(Gone):
        await heard.ari.answer(channel)
    with pytest.raises(Gone):
        await heard.ari.play(channel, "p-4", [world.short])
    assert not heard.ari._playing


@behaviour
async def test_we_hang_up_only_by_saying_so(world: World, heard: Heard) -> None:
    caller, channel = await answered(world, heard)
    assert await heard.ari.hang_up(channel)
    async with asyncio.timeout(WITHIN):
        await caller.hung_up.wait()
    await heard.first(Destroyed, channel=channel)


@behaviour
async def test_held_callers_are_in_the_bridge_and_out_of_it_again(world: World, heard: Heard) -> None:
    await heard.ari.bridge("hold-1", "holding", "hold")
    _, one = await answered(world, heard)
    _, two = await answered(world, heard)
    for channel in (one, two):
        await heard.ari.join("hold-1", channel)
    found = await heard.ari.reconcile()
    assert found.bridges["hold-1"] == ("hold", frozenset({one, two}))
    assert {one, two} <= set(found.channels)
    assert await heard.ari.leave("hold-1", one)
    assert not await heard.ari.leave("hold-1", one), "it is in no bridge: no error"
    await heard.ari.bridge("hold-1", "holding", "hold")
    assert (await heard.ari.reconcile()).bridges["hold-1"][1] == {two}, "made again it is the same one"
    assert await heard.ari.end_bridge("hold-1")
    assert not await heard.ari.end_bridge("hold-1")


@behaviour
async def test_the_ticket_is_told_with_every_event_of_its_channel(world: World, heard: Heard) -> None:
    caller, channel = await answered(world, heard)
    await heard.ari.set_variable(channel, "DOENDA_SESSION", "T-17")
    since = len(heard.events)
    await caller.press("1")
    digit = await heard.first(Digit, since, channel=channel)
    assert digit.channel.variables["DOENDA_SESSION"] == "T-17"
    assert (await heard.ari.reconcile()).channels[channel].variables["DOENDA_SESSION"] == "T-17"


@behaviour
async def test_whom_we_dial_starts_when_they_answer_under_the_id_that_we_gave(world: World, heard: Heard) -> None:
    made = await heard.ari.originate("out-1", world.answers, "callback", "T-18", caller="15771234", timeout=10)
    assert made.id == "out-1"
    started = await heard.first(Started, channel="out-1")
    assert started.args == ("callback", "T-18")
    again = await heard.ari.originate("out-1", world.answers, "callback", "T-18", caller="15771234")
    assert again.id == "out-1"
    assert "out-1" in (await heard.ari.reconcile()).channels
    await heard.ari.hang_up("out-1")
    await heard.first(Destroyed, channel="out-1")


@behaviour
async def test_whom_we_dial_and_do_not_reach_is_told_with_the_cause(world: World, heard: Heard) -> None:
    await heard.ari.originate("out-2", world.busy, "callback", caller="15771234", timeout=10)
    assert (await heard.first(Destroyed, channel="out-2")).cause == 17
    assert not [event for event in heard.events if isinstance(event, Started)]
    with pytest.raises(AriError):
        await heard.ari.originate("out-3", "PJSIP/nobody-at-all", caller="15771234")


@behaviour
async def test_a_ringing_phone_is_let_go(world: World, heard: Heard) -> None:
    await heard.ari.originate("out-4", world.rings, "callback", caller="15771234", timeout=30)
    assert await heard.ari.hang_up("out-4")
    await heard.first(Destroyed, channel="out-4")


@behaviour
async def test_after_a_cut_it_connects_again_and_finds_who_stayed_who_went_and_who_came(
    world: World, heard: Heard
) -> None:
    stays, staying = await answered(world, heard)
    goes, going = await answered(world, heard)
    await heard.ari.set_variable(staying, "DOENDA_SESSION", "T-19")
    world.wire.cut()
    await until(lambda: not heard.ari.ready.is_set())
    with pytest.raises(AriError) as unknown:
        await heard.ari.answer(staying)
    assert unknown.value.status == 0
    await goes.hang_up()
    await stays.press("9")
    comes = await world.ring_in("114", "01087654321")
    await asyncio.sleep(1)
    since = len(heard.events)
    world.wire.open = True
    found = await heard.connected(2)
    assert heard.ari.ready.is_set()
    assert staying in found.channels
    assert found.channels[staying].variables["DOENDA_SESSION"] == "T-19"
    assert found.channels[staying].args == ("inbound", "15771234")
    assert going not in found.channels
    came = await heard.first(Started, since)
    assert came.args == ("inbound", "114", "held"), "it was held meanwhile, and comes by itself"
    assert not stays.hung_up.is_set()
    assert not comes.hung_up.is_set()
    assert not [each for each in heard.events if isinstance(each, Digit)], "what was pressed meanwhile is lost"
    await stays.press("1")
    await heard.first(Digit, since, channel=staying)


@behaviour
async def test_what_ended_during_a_cut_is_told_as_lost_and_what_still_plays_is_not(world: World, heard: Heard) -> None:
    _, one = await answered(world, heard)
    _, two = await answered(world, heard)
    await heard.ari.play(one, "p-5", [world.short])
    await heard.ari.play(two, "p-6", [world.long])
    world.wire.cut()
    await asyncio.sleep(1)
    world.wire.open = True
    await heard.connected(2)
    ended = await heard.first(Played, playback="p-5")
    assert (ended.channel_id, ended.state) == (one, "lost")
    assert (await heard.first(Played, playback="p-6")).state == "done"


@behaviour
async def test_a_second_client_takes_all_over_and_the_first_stops(world: World, heard: Heard) -> None:
    caller, channel = await answered(world, heard)
    async with client(world) as second:
        found = await second.connected()
        assert channel in found.channels
        await until(lambda: isinstance(heard.ended, Replaced))
        assert not heard.ari.ready.is_set()
        await caller.press("3")
        assert (await second.first(Digit, channel=channel)).digit == "3"
        late = await world.ring_in("15881234")
        assert (await second.first(Started)).args == ("inbound", "15881234")
        await asyncio.sleep(1)
        assert second.ari.ready.is_set(), "the first one's end is not the second's"
        assert second.ari.epoch == 1
        assert not late.hung_up.is_set()
        assert not caller.hung_up.is_set()


@behaviour
async def test_a_wrong_password_is_never_ready(world: World, heard: Heard) -> None:
    world.password += "x"
    async with client(world) as wrong:
        await asyncio.sleep(0.5)
        assert not wrong.ari.ready.is_set()
        assert wrong.ended is None
        assert "refused" in wrong.ari._trouble
    assert heard.ari.ready.is_set(), "and nobody else is disturbed"
    assert not [each for each in heard.events if isinstance(each, Connected) and each.epoch > 1]
