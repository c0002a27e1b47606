"""Standing in line by telephone: music, what is true now once a minute, and two keys. Nothing here ends the call."""

from doenda.channels.voice.line import House, Line, PlaceLost
from doenda.channels.voice.queueing import Place
from doenda.journeys.keypad import AGAIN, BACK

TOLD_EVERY = 60.0
"""Seconds of music between two tellings."""
CALL_ME = "1"


class Waiting:
    """One caller's wait. `promised` holds what is to be said to who chose to be called back."""

    def __init__(self, line: Line, house: House, lang: str) -> None:
        self.line, self.house, self.lang = line, house, lang
        self.promised = ""

    async def over(self, address: str) -> bool:
        """Wait; True: back to where the call was. False: a callback was chosen. Raises HungUp, Met."""
        while True:
            try:
                return await self._stands(address)
            except PlaceLost:
                continue

    async def _stands(self, address: str) -> bool:
        place = await self.house.stand(self.line.id, self.lang, self.line.caller, address)
        self.line.in_line = True
        try:
            return await self._waits(place)
        finally:
            self.line.in_line = False

    async def _waits(self, place: Place) -> bool:
        say = list(place.lines)
        while True:
            key = await self._while_music(say)
            say = []
            if key == CALL_ME:
                self.promised = await self.house.call_me(place.ticket, self.lang)
                if self.promised:
                    await self.line.music(on=False)
                    return False
                say = [await self.house.words("voice-wait-no-callback", self.lang)]
            elif key == BACK:
                await self.line.music(on=False)
                await self.house.let_go(self.line.id, dropped=False)
                return True
            elif key == AGAIN:
                say = list(place.lines)
            elif key is None:
                say = list(await self.house.tell(place.ticket, self.lang))

    async def _while_music(self, say: list[str]) -> str | None:
        """Say it if there is anything, then music until a key is pressed or a minute is over."""
        if say:
            await self.line.music(on=False)
            if key := await self.line.say(say, self.lang):
                return key
        await self.line.music(on=True)
        return await self.line.key(TOLD_EVERY)
