"""Our ARI client against the fake; the same behaviours are asked of a real Asterisk in tests_voice."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.channels.ari_behaviours import *  # noqa: F403
from tests.channels.ari_world import Caller, Wire, World, Worlds
from tests.channels.fake_ari import PASSWORD, FakeAri, Leg

from doenda.channels.voice.ari import Ari, Away, Ended, Started, Unknown, events


class FakeCaller:
    def __init__(self, fake: FakeAri, leg: Leg) -> None:
        self._fake, self._leg, self.hung_up = fake, leg, leg.hung_up

    async def press(self, digit: str) -> None:
        await self._fake.press(self._leg, digit)

    async def hang_up(self) -> None:
        await self._fake.ends(self._leg)


class FakeWorld:
    short, long = "sound:short", "sound:long"
    answers, busy, rings = "PJSIP/1@trunk", "PJSIP/2@trunk", "PJSIP/3@trunk"

    def __init__(self, fake: FakeAri, wire: Wire) -> None:
        self.fake, self.wire, self.url, self.password, self.app = fake, wire, wire.url, PASSWORD, fake.app
        fake.phones = {self.answers: "answer", self.busy: "busy", self.rings: "ring"}

    async def ring_in(self, dialled: str = "15771234", caller: str = "01012345678") -> Caller:
        return FakeCaller(self.fake, self.fake.ring_in(dialled, caller))


@asynccontextmanager
async def fake_world() -> AsyncIterator[World]:
    async with FakeAri().running() as fake, Wire(fake.url).running() as wire:
        yield FakeWorld(fake, wire)


@pytest.fixture
def worlds() -> Worlds:
    return fake_world


def test_an_event_that_nobody_uses_and_fields_that_nobody_knows_are_no_errors() -> None:
    assert events.read('{"type": "ChannelUnheardOf", "channel": {"id": "1"}}') == Unknown("ChannelUnheardOf")
    told = {"type": "StasisStart", "args": [], "channel": {"id": "1", "of_tomorrow": 1}, "of_tomorrow": 1}
    assert events.read(json.dumps(told)) == Started(events.Channel("1"), ())
    assert isinstance(events.read('{"type": "StasisEnd", "channel": {"id": "1", "dialplan": null}}'), Ended)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{}", '{"type": "StasisStart"}', '{"type": "StasisEnd", "channel": 1}']
)
def test_what_is_no_event_is_told_apart(text: str) -> None:
    with pytest.raises(events.NotAnEvent):
        events.read(text)


def test_an_asterisk_that_is_not_there_was_certainly_not_told() -> None:
    async def run() -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
            async with Ari(url, user="doenda", password=PASSWORD, app="doenda") as ari:
                with pytest.raises(Away):
                    await ari.hang_up("17.1")

    asyncio.run(run())
