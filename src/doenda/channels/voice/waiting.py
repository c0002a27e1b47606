"""Standing in line by telephone: music, what is true now once a minute, and three keys. Nothing here ends the call.

Meanwhile the caller's page may go on: who has paid there hears so and may stay; who chose there to be called back, or
to wait no more, is told and let go.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from doenda.channels.voice.desk import Heard
from doenda.channels.voice.line import House, Line, Moved, PlaceLost
from doenda.channels.voice.queueing import Place
from doenda.journeys.keypad import AGAIN, BACK

TOLD_EVERY = 60.0
"""Seconds of music between two tellings."""
CALL_ME, SHOW_ME = "1", "2"


async def renew(house: House, lines: Sequence[Line]) -> None:
    """Whoever holds a place is there still; whose place was lost meanwhile (we were away too long) stands in anew."""
    holding = [line for line in lines if line.holds]
    held = await house.renew([line.id for line in holding]) if holding else frozenset[str]()
    for line in holding:
        if line.in_line and line.id not in held:
            line.tell(PlaceLost())


class Waiting:
    """One caller's wait. `begun`: begins the visit of a caller who has none yet; `promised`: what is to be said to who
    chose to wait no more."""

    def __init__(self, line: Line, house: House, lang: str, begun: Callable[[str], Awaitable[Heard]]) -> None:
        self.line, self.house, self.lang = line, house, lang
        self.promised = ""
        self._begun = begun
        self._here: Heard | None = None
        self._paid = False

    async def over(self, address: str) -> bool:
        """Wait; True: back to where the call was. False: it is over, and `promised`. Raises HungUp, Met."""
        if address:
            self._here = await self.house.look(address, self.line.caller)
        while True:
            try:
                return await self._stands()
            except PlaceLost:
                self.promised = await self.house.place_over(self.line.id, self.lang)
                if self.promised:
                    await self.line.music(on=False)
                    return False

    async def _stands(self) -> bool:
        place = await self.house.stand(self.line.id, self.lang, self.line.caller, self._address())
        self.line.in_line = True
        try:
            say = list(place.lines)
            while True:
                try:
                    async with self._watched():
                        found = await self._waits(place, say)
                    if isinstance(found, bool):
                        return found
                    say = found
                except Moved:
                    shown = self._shows_account()
                    say = await self._news()
                    if self._shows_account() != shown:  # the page has shown whose account it is: the place is theirs
                        place = await self.house.stand(self.line.id, self.lang, self.line.caller, self._address())
        finally:
            self.line.in_line = False

    def _address(self) -> str:
        return self._here.address if self._here is not None else ""

    def _shows_account(self) -> bool:
        return self._here is not None and self._here.journey != "enter"

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[None]:
        if self._here is None or self._here.busy:
            yield
            return
        async with self.house.watching(self.line, self._here):
            yield

    async def _news(self) -> list[str]:
        """What the page did meanwhile, where it matters to who waits."""
        assert self._here is not None
        before, self._here = self._here, await self.house.look(self._here.address, self.line.caller)
        said = [await self._words("voice-joined")] if self._here.screened and not before.screened else []
        if not self._paid and (paid := await self.house.paid_meanwhile(self._here.address)):
            self._paid = True
            said.append(paid)
        return said

    async def _waits(self, place: Place, say: list[str]) -> bool | list[str]:
        """`over`; or what to say, once there is a visit that is to be watched from then on."""
        while True:
            key = await self._while_music(say)
            say = []
            if key == CALL_ME:
                self.promised = await self.house.call_me(self.line.id, self.lang)
                if self.promised:
                    await self.line.music(on=False)
                    return False
                say = [await self._words("voice-wait-no-callback")]
            elif key == SHOW_ME and place.can_text:
                unwatched = self._here is None
                say = [await self._shown()]
                if unwatched:
                    return say
            elif key == BACK:
                await self.line.music(on=False)
                await self.house.let_go(self.line.id, dropped=False)
                return True
            elif key == AGAIN:
                say = list(place.lines)
            elif key is None:
                now = await self.house.tell(self.line.id, place.ticket, self.lang)
                say = list(now.lines)
                if now.over:
                    return await self._closed(say, promised=now.promised)

    async def _closed(self, say: list[str], *, promised: bool) -> bool:
        """Nobody answers any more today. Whom nobody can call back hears so, and goes on by the keys."""
        await self.line.music(on=False)
        if promised:
            self.promised = " ".join(say)
        else:
            await self.line.say(say, self.lang)
        return not promised

    async def _shown(self) -> str:
        """Text the way to the caller's screen; what is to be said."""
        if self._here is None:
            self._here = await self._begun(self.line.caller)
        return await self.house.invite(self._here.address, self.line.caller, self.line.id, self.lang)

    async def _while_music(self, say: list[str]) -> str | None:
        """Say it if there is anything, then music until a key is pressed or a minute is over."""
        if say:
            await self.line.music(on=False)
            if key := await self.line.say(say, self.lang):
                return key
        await self.line.music(on=True)
        return await self.line.key(TOLD_EVERY)

    async def _words(self, message: str) -> str:
        return await self.house.words(message, self.lang)
