"""`doenda voice`: every call of one Asterisk, in one process; what it takes up after a crash stands in the channels.

A call's session address is a channel variable, so that another process, or this one after its death, goes on where the
caller stands: the caller hears the step once more, and nobody was dropped.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial

from doenda.channels.voice import desk, exchange, waiting
from doenda.channels.voice.ari import Ari, AriError, Channel, Connected, Destroyed, Ended, Event, Started
from doenda.channels.voice.ari.client import of_channel
from doenda.channels.voice.ari_line import AriLine
from doenda.channels.voice.beside import BesideCalls
from doenda.channels.voice.calls import Call
from doenda.channels.voice.dialler import Dialler
from doenda.channels.voice.floor import Floor
from doenda.channels.voice.persisting import Persisting, told
from doenda.kernel.ids import inside

log = logging.getLogger(__name__)

SESSION = "DOENDA_SESSION"
"""The channel variable that holds the session's address, and the language before it: "ko:ADDRESS"."""
RENEWED_EVERY = 8.0
"""Seconds: how often it is said which calls are there still (their places' leases are longer)."""


class Service:
    """All calls of one application. `lines`: the callers' ends, `ends`: everybody's."""

    def __init__(self, ari: Ari, house: BesideCalls | None = None) -> None:
        self.ari, self.house = ari, house or BesideCalls()
        self.lines: dict[str, AriLine] = {}
        self.ends: dict[str, AriLine] = {}
        self.dialler = Dialler(ari, self.house, self.ends)
        self._persisting = Persisting(ari)
        self.floor = Floor(ari, self.house, self.dialler, self.lines, self._persisting, self.apologize)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """For ever. Raises ari.Replaced when another process took over. Calls stay as they are when it ends."""
        self._beside(self._renew())
        self._beside(self.floor.run())
        try:
            async for event in self.ari.events():
                self._heard(event)
        finally:
            for task in self._tasks:
                task.cancel()

    def _heard(self, event: Event) -> None:
        match event:
            case Connected():
                self._reconciled(event)
            case Started(channel=channel, args=("inbound", *_)):
                self._begin(channel)
            case Started(channel=channel, args=("leg" | "dial", *_)):
                self.dialler.answered(channel)
            case Destroyed(channel=channel, cause=cause):
                self.dialler.gone(channel.id, cause)
                self._tell(event)
            case _:
                self._tell(event)

    def _beside(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEWED_EVERY)
            if not self.ari.ready.is_set():
                continue  # whether they are there still is not known: their places' leases decide
            try:
                await waiting.renew(self.house, list(self.lines.values()))
            except Exception:
                log.exception("places in line were not renewed")

    def _tell(self, event: Event) -> None:
        end = self.ends.get(of_channel(event) or "")
        if end is None:
            return
        end.tell(event)
        if isinstance(event, Ended | Destroyed):
            self.ends.pop(end.id, None)

    def _reconciled(self, found: Connected) -> None:
        """After each connect: who has gone meanwhile, and who is there whom nobody serves."""
        for gone in self.ends.keys() - found.channels.keys():
            end = self.ends.pop(gone)
            end.tell(Ended(end.channel))
        talking = {each for name, members in found.bridges.values() if name.startswith("talk-") for each in members}
        adopted = 0
        for channel in found.channels.values():
            if channel.id not in self.lines and channel.args[:1] in (("inbound",), ("dial",)):
                self._beside(self._adopt(channel, talks=channel.id in talking))
                adopted += 1
        self.dialler.found(each for each in found.channels.values() if each.args[:1] == ("leg",))
        log.info("connected (%s): %s callers, %s of them taken over", found.epoch, len(found.channels), adopted)

    async def _adopt(self, channel: Channel, *, talks: bool) -> None:
        """A customer whom we called is a caller once they have said that they want it; till then the floor's."""
        if channel.args[0] == "dial":
            waits = list[bool]()

            async def ask() -> None:
                waits.append(await self.house.waits(channel.id))

            await told(ask)
            if waits == [False]:
                self.dialler.answered(channel)
                return
        self._begin(channel, adopted=True, talks=talks)

    def _begin(self, channel: Channel, *, adopted: bool = False, talks: bool = False) -> None:
        known = self.lines.get(channel.id)
        if known is not None and not known.left:
            return  # who has left and comes again, while their last service still ends, is served anew
        line = self.lines[channel.id] = self.ends[channel.id] = AriLine(self.ari, self.house, channel, adopted=adopted)
        self._beside(self._call(line, talks=talks))

    async def _call(self, line: AriLine, *, talks: bool = False) -> None:
        """Serve a caller until they are gone, whatever breaks meanwhile: at the last they hear that it is us."""
        lang, _, address = line.channel.variables.get(SESSION, "").partition(":")
        begun = [self._new(line, lang or "ko", address)]
        try:
            if not await self._persisting.serve(line, partial(self._walked, line, begun, talks=talks)):
                while not await self._persisting.serve(line, partial(self.apologize, line, begun[-1].lang)):
                    log.error("%s hears music until somebody serves the call", line.id)
        finally:
            if self.lines.get(line.id) is line:
                del self.lines[line.id]
                self.floor.left(line.id)
        await self._costed(line.channel)

    async def _walked(self, line: AriLine, begun: list[Call], *, talks: bool) -> None:
        """From where the call stands by the rows. `begun`: this caller's calls so far, a new one for each fault."""
        before, first = begun[-1], len(begun) == 1
        adopted = line.adopted or not first
        if not first:
            self.floor.left(line.id)
            await self.house.line(partial(exchange.broken, line.id))
        waits = adopted and await self.house.waits(line.id)
        if not (before.address or waits):
            await self.ari.answer(line.id)
        if adopted:
            await line.hush()
        begun.append(self._new(line, before.lang, before.address))
        try:
            await begun[-1].run(before.address, waits=waits, talks=talks and waits and first)
        except desk.NoSession:  # over since then: from the beginning
            begun.append(self._new(line, before.lang))
            await begun[-1].run()

    def _new(self, line: AriLine, lang: str, address: str = "") -> Call:
        made = Call(line, self.house, lang=lang, on_session=partial(self._keep, line.channel))
        made.address = address
        return made

    async def _costed(self, channel: Channel) -> None:
        """Of a call that we made and that was taken over from another process: whoever began it cannot say any more."""
        if channel.args[0] == "dial":
            await told(partial(self.house.line, partial(exchange.costed, inside(channel.args[1]), None)))

    async def apologize(self, line: AriLine, lang: str) -> None:
        """What broke is on our side: the caller hears so, and that no money moved; a person calls back."""
        said = [await self.house.words("voice-ours", lang)]
        if line.caller:
            said.append(await self.house.call_back(line.caller, lang))
        await line.say(said, lang)
        await line.close()

    def _keep(self, channel: Channel, lang: str, address: str) -> None:
        self._beside(self._set(channel.id, f"{lang}:{address}"))

    async def _set(self, channel: str, value: str) -> None:
        try:
            await self.ari.set_variable(channel, SESSION, value)
        except AriError as error:
            log.warning("the session of %s was not kept: %s", channel, error)
