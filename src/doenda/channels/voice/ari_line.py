"""A caller's end of the telephone, on a channel of Asterisk."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from doenda.channels.voice.ari import Ari, Channel, Destroyed, Digit, Ended, Event, Gone
from doenda.channels.voice.ari.client import NO_SUCH_CHANNEL
from doenda.channels.voice.ari.events import Played
from doenda.channels.voice.beside import BesideCalls
from doenda.channels.voice.line import HungUp, Interruption, Met, Moved, Parted, PlaceLost
from doenda.contact import numbers

type Told = Event | Interruption

GONE_WITHIN = 2.0
"""Seconds: how long after the last word, or a "not there", Asterisk's own word that the caller has gone may take."""

_NAMES = 3
"""What is said has one of so many names by turns, so that whoever comes after us can stop it."""

KEYS = frozenset("0123456789*#")
"""A telephone's keys. A to D, which speech can be mistaken for, are nobody's answer."""


class AriLine:
    """A caller's channel. `events` is filled by the service's reader; `adopted`: it was there before this process."""

    def __init__(self, ari: Ari, house: BesideCalls, channel: Channel, *, adopted: bool = False) -> None:
        self._ari, self._house, self.channel, self.adopted = ari, house, channel, adopted
        self.id, self.caller = channel.id, numbers.shown(channel.caller)
        self.events: asyncio.Queue[Told] = asyncio.Queue()
        self.in_line = self.holds = False
        self.talks: UUID | bool = False
        self.watching: object = None
        self.left = False
        self._said = 0

    async def hush(self) -> None:
        """Stop what whoever served this end before us was saying when it died."""
        for at in range(_NAMES):
            await self._ari.stop(f"say-{self.id}-{at}")

    async def say(self, texts: Sequence[str], lang: str) -> str | None:
        playback = f"say-{self.id}-{self._said % _NAMES}"
        self._said += 1
        try:
            await self._ari.play(self.channel.id, playback, await self._house.media(texts, lang), lang=lang)
        except Gone as error:
            raise HungUp from error
        try:
            while True:
                match await self._next(None):
                    case Played(playback=ended) if ended == playback:
                        return None
                    case Digit(digit=digit) if digit in KEYS:
                        await self._ari.stop(playback)
                        return digit
        except (Met, Parted, PlaceLost, Moved):
            await self._ari.stop(playback)
            raise

    async def key(self, within: float) -> str | None:
        until = asyncio.get_running_loop().time() + within
        while (left := until - asyncio.get_running_loop().time()) > 0:
            match await self._next(left):
                case Digit(digit=digit) if digit in KEYS:
                    return digit
                case None:
                    return None
        return None

    async def music(self, *, on: bool) -> None:
        if not on:
            await self._ari.music_off(self.channel.id)
            return
        try:
            await self._ari.music(self.channel.id)
        except Gone as error:
            raise HungUp from error

    async def join(self, bridge: str) -> None:
        await self._ari.music_off(self.channel.id)
        try:
            await self._ari.join(bridge, self.channel.id)
        except Gone as error:
            raise (HungUp if error.status == NO_SUCH_CHANNEL else Parted) from error

    def tell(self, what: Told) -> None:
        """Let whoever serves this end know."""
        self.left = self.left or isinstance(what, Ended | Destroyed)
        self.events.put_nowait(what)

    async def gone(self) -> bool:
        """By Asterisk's own word, which may follow a command's "not there" by moments."""
        until = asyncio.get_running_loop().time() + GONE_WITHIN
        while not self.left and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.05)
        return self.left

    async def close(self) -> None:
        await self._ari.hang_up(self.channel.id)

    async def _next(self, within: float | None) -> Told | None:
        try:
            event = await asyncio.wait_for(self.events.get(), within)
        except TimeoutError:
            return None
        if isinstance(event, Ended | Destroyed):
            raise HungUp
        if isinstance(event, Met):
            raise event
        if isinstance(event, Parted) and self.talks is not False and event.assignment in (None, self.talks):
            raise event
        if isinstance(event, PlaceLost) and self.in_line:
            raise event
        if isinstance(event, Moved) and event.watch is not None and event.watch is self.watching:
            self.watching = None
            raise event
        return event
