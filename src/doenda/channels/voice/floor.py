"""The floor of the call centre: agents are rung for callers, customers are called back, as the line's rows say.

Every half second the rows are looked at (one query), and what nobody here works on yet is begun, whoever began it
before. An agent who answers hears who it is, while the caller hears music; then both talk. Nothing is said to the
caller before: announcements never hold a connection up.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any
from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db import Error

from doenda.channels.voice import exchange
from doenda.channels.voice.ari import Ari
from doenda.channels.voice.ari_line import AriLine
from doenda.channels.voice.beside import BesideCalls
from doenda.channels.voice.calls import Call
from doenda.channels.voice.dialler import BUSY, REJECTED, SILENT, Dialler
from doenda.channels.voice.exchange import Offer, Ring
from doenda.channels.voice.line import HungUp, Met, Parted
from doenda.channels.voice.persisting import Persisting, told
from doenda.kernel.ids import new_id, outside

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
TRANSFER, VOUCH, CHOSEN_WITHIN = "*", "#", 4.0
_ENDS = {BUSY: "busy", SILENT: "silent", 18: "silent"}


class Floor:
    """`callers`: the ends of those who called or were called, by channel; `sorry`: what is said to one of them, in a
    language, when nothing else helps."""

    def __init__(
        self,
        ari: Ari,
        house: BesideCalls,
        dialler: Dialler,
        callers: dict[str, AriLine],
        persisting: Persisting,
        sorry: Callable[[AriLine, str], Awaitable[None]],
    ) -> None:
        self._ari, self._house, self._dialler, self._callers = ari, house, dialler, callers
        self._persisting, self._sorry = persisting, sorry
        self._agents: dict[UUID, tuple[str, AriLine]] = {}
        self._met: set[UUID] = set()
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._ringing: set[UUID] = set()

    async def run(self) -> None:
        """For ever, while this process has the telephone."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY)
                if not self._ari.ready.is_set():
                    continue
                try:
                    await self._look()
                except Exception:
                    log.exception("the floor was not looked at")
        finally:
            for task in self._tasks.values():
                task.cancel()

    async def _look(self) -> None:
        work = await self._house.line(exchange.work)
        for offer in work.offers:
            if offer.assignment not in self._tasks and offer.call_id in self._callers:
                self._begin(offer.assignment, self._leg(offer))
        for ring in work.rings:
            if ring.dial not in self._tasks:
                self._ringing.add(ring.dial)
                self._begin(ring.dial, self._ring(ring))
        for dial in self._ringing - {ring.dial for ring in work.rings}:
            self._ringing.discard(dial)
            await self._dialler.stop(f"dial-{dial}")
        wanted = {f"leg-{each.assignment}" for each in work.offers} | {f"dial-{each.dial}" for each in work.rings}
        for line in self._dialler.strays(wanted):
            log.warning("%s was answered, and nobody wants it any more", line.id)
            self._begin(new_id(), self._stray(line))

    def _begin(self, key: UUID, work: Coroutine[Any, Any, None]) -> None:
        task = self._tasks[key] = asyncio.create_task(work)
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    def left(self, call_id: str) -> None:
        """The caller is gone: the agent is told."""
        for caller, agent in self._agents.values():
            if caller == call_id:
                agent.tell(Parted())

    # --- an agent for a caller

    async def _leg(self, offer: Offer) -> None:
        name = f"leg-{offer.assignment}"
        try:
            agent = await self._answered(offer, name)
            if agent is None:
                return
            self._agents[offer.assignment] = (offer.call_id, agent)
            again = await self._served(offer, agent)
            if again is not None and (caller := self._callers.get(offer.call_id)) is not None:
                caller.tell(Parted(offer.assignment, again=again))
        except Exception:
            log.exception("the talk of %s", outside(offer.assignment))
            await self._told(exchange.put_back, offer.assignment)
            if offer.assignment in self._met and (caller := self._callers.get(offer.call_id)) is not None:
                caller.tell(Parted(offer.assignment, again=True))
        self._agents.pop(offer.assignment, None)
        self._met.discard(offer.assignment)
        await told(partial(self._ari.end_bridge, f"talk-{offer.assignment}"))
        await told(partial(self._ari.hang_up, name))

    async def _told(self, what: Callable[..., object], *args: object, **named: object) -> None:
        await told(partial(self._house.line, partial(what, *args, **named)))

    async def _answered(self, offer: Offer, name: str) -> AriLine | None:
        """The agent's end. None: not answered, and the caller stands where they stood."""
        if offer.talking:
            agent = self._dialler.adopted(name)
            if agent is None:
                await self._told(exchange.put_back, offer.assignment)
            return agent
        endpoint = settings.DOENDA_AGENT_DIAL.format(agent=offer.agent)
        rung = await self._dialler.ring(
            name, endpoint, "leg", outside(offer.assignment), caller=settings.DOENDA_CALL, within=offer.ring_for
        )
        if isinstance(rung, int):
            refused = rung in (BUSY, REJECTED)
            await self._told(exchange.not_taken, offer.assignment, refused=refused)
            return None
        return rung

    async def _served(self, offer: Offer, agent: AriLine) -> bool | None:
        """Whisper, talk, and what follows. Does the caller stand in line again? None: they never met."""
        agent.talks = True
        try:
            if not offer.talking:
                who = await self._house.line(partial(exchange.take, offer.assignment, offer.call_id))
                if who is None or offer.call_id not in self._callers:
                    await self._house.line(partial(exchange.not_there, offer.assignment))
                    await agent.say([await self._house.words("voice-whisper-gone", exchange.AGENTS)], exchange.AGENTS)
                    return None
                await agent.say(who, exchange.AGENTS)
            caller = self._callers.get(offer.call_id)
            if caller is None:  # gone between the whisper and now
                await self._told(exchange.not_there, offer.assignment)
                return None
            bridge = f"talk-{offer.assignment}"
            await self._ari.bridge(bridge, "mixing")
            await self._ari.join(bridge, agent.id)
            caller.tell(Met(bridge, offer.assignment))
            self._met.add(offer.assignment)
            if await self._transferred(offer, agent, bridge):
                return True
        except (HungUp, Parted):
            if offer.assignment not in self._met:  # the agent hung up on the whisper
                await self._told(exchange.put_back, offer.assignment)
                return None
        await self._told(exchange.talked, offer.assignment)
        return False

    async def _transferred(self, offer: Offer, agent: AriLine, bridge: str) -> bool:
        """Until one of both hangs up (HungUp, Parted). `*` and a key: somebody else goes on with the same place, or
        (`#`) the agent has made sure who it is."""
        while True:
            if await agent.key(3600.0) != TRANSFER:
                continue
            key = await agent.key(CHOSEN_WITHIN)
            if key is None:
                continue
            try:
                if key == VOUCH:
                    await self._house.line(partial(exchange.vouch, offer.assignment))
                elif await self._house.line(partial(exchange.transfer, offer.assignment, key)):
                    return True
            except Error:  # both go on talking
                log.exception("what an agent asked for in the talk of %s", outside(offer.assignment))
                key = ""
            await self._ari.leave(bridge, agent.id)
            told = "voice-whisper-vouched" if key == VOUCH else "voice-whisper-nobody"
            await agent.say([await self._house.words(told, exchange.AGENTS)], exchange.AGENTS)
            await self._ari.join(bridge, agent.id)

    # --- a customer who asked to be called

    async def _ring(self, ring: Ring) -> None:
        name = f"dial-{ring.dial}"
        national = phonenumbers.format_number(
            phonenumbers.parse(ring.number, None), phonenumbers.PhoneNumberFormat.NATIONAL
        )
        digits = "".join(each for each in national if each.isdigit())
        endpoint = settings.DOENDA_TRUNK_DIAL.format(number=ring.number, national=digits)
        rung = await self._dialler.ring(
            name, endpoint, "dial", outside(ring.dial), caller=settings.DOENDA_CALL, within=ring.ring_for
        )
        if isinstance(rung, int):
            await self._told(exchange.not_reached, ring.dial, _ENDS.get(rung, "failed"))
            return
        begun = asyncio.get_running_loop().time()
        self._callers[name] = rung
        call = Call(rung, self._house, lang=ring.lang)
        try:
            if not await self._persisting.serve(rung, partial(self._called, call, rung, ring)):
                while not await self._persisting.serve(rung, partial(self._sorry, rung, ring.lang)):
                    log.error("%s hears music until somebody serves the call", name)
        finally:
            self._callers.pop(name, None)
            self.left(name)
        await self._told(exchange.costed, ring.dial, asyncio.get_running_loop().time() - begun)

    async def _called(self, call: Call, line: AriLine, ring: Ring) -> None:
        """A machine that answers presses no key: it is nobody, and is rung again later. `call`: the same after a fault:
        who has said that they want it is not asked again."""
        self._ringing.discard(ring.dial)
        wanted = partial(self._house.line, partial(exchange.answered, ring.dial, line.id))
        if call.wanted or await self._house.waits(line.id):
            self.left(line.id)
            await self._house.line(partial(exchange.broken, line.id))
            waits = await self._house.waits(line.id) or (not call.address and await wanted() is not None)
            await call.run(call.address, waits=waits)
            return
        if not await call.called(wanted):
            await self._told(exchange.not_wanted, ring.dial)

    async def _stray(self, line: AriLine) -> None:
        """Whoever answered a call that nobody wants any more hears so, and no silence."""
        if line.channel.args[:1] == ("dial",):

            async def wanted() -> None:
                return None

            if await self._persisting.serve(line, partial(Call(line, self._house).called, wanted)):
                return
        await told(partial(self._ari.hang_up, line.id))
