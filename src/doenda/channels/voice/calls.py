"""One call: from the first word to the caller's hanging up. Nothing here hangs up on anybody who is still there.

The session says where the call stands; a page may move it at the same time. So the call watches whether it still
stands where it was said to: what is being said stops, and it goes on from where the page has brought it. Beside a page
the call is patient: somebody reads there.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from doenda.channels.voice.asking import Answer, Asking, Say, ToPerson
from doenda.channels.voice.desk import PAGE, SCREEN, Heard
from doenda.channels.voice.line import House, HungUp, Line, Met, Moved, Parted
from doenda.channels.voice.waiting import Waiting
from doenda.journeys.keypad import AGAIN, PERSON

log = logging.getLogger(__name__)

KEYS_WITHIN = 7.0
"""Seconds of silence after a prompt until it is said again."""
BETWEEN_KEYS = 4.0
BESIDE_PAGE = 90.0
"""Beside a page nothing is said for so long."""
JOINED_WITHIN = 90.0
"""So long is waited, with music, for the text to be opened."""
WORKING_FOR = 2.0
MET_WITHIN, TALK_LOOK = 10.0, 3600.0
OVER_FOR = 20.0
"""After the last word the line stays open so long: to hear it again, or to note a number down."""


class Call:
    """One caller. `address`: of the session, once there is one; `on_session` is told language and address, which the
    service keeps for whoever takes the call over."""

    def __init__(
        self, line: Line, house: House, *, lang: str = "ko", on_session: Callable[[str, str], None] | None = None
    ):
        self.line, self.house, self.lang = line, house, lang
        self.address, self.wanted = "", False
        self._on_session = on_session or (lambda *_: None)

    async def run(self, address: str = "", *, waits: bool = False, talks: bool = False) -> None:
        """Walk until the caller hangs up, or all is said. `address`: of a session to be taken up again; `waits`: the
        call stood in line when whoever served it died; `talks`: it was with an agent, and is still."""
        self.address = address
        met: Met | None = None
        try:
            while True:
                try:
                    if met is None:
                        await self._with_agent() if talks else await self._walk(waits=waits)
                        break
                    now, met = met, None
                    again = await self._talks(now)
                    if again is None:
                        break
                    waits, talks = again, False
                except Met as found:  # from a walk, or from the next agent while the last words of a talk are said
                    met, self.line.holds = found, True
            await self.line.close()
        except HungUp:
            if self.line.holds and await self.line.gone():
                await self.house.let_go(self.line.id, dropped=True)

    async def called(self, wanted: Callable[[], Awaitable[object]]) -> bool:
        """We called: is it somebody who wants it? Then they are in line where they stood. False: nobody said so."""
        said = [await self._words("voice-we-call")]
        try:
            for _ in range(2):
                if (await self.line.say(said, self.lang) or await self.line.key(KEYS_WITHIN)) == "1":
                    break
            else:
                await self.line.close()
                return False
            self.wanted = True  # also if noting it breaks: nobody is asked twice
            if await wanted() is None:
                await self.line.say([await self._words("voice-we-called-late")], self.lang)
                await self.line.close()
                return True
        except HungUp:
            return False
        await self.run(waits=True)
        return True

    async def _walk(self, *, waits: bool) -> None:
        if waits and not await self._waits(self.address):
            return
        here = await self._resumed(self.address) if self.address else await self._opened()
        while here is not None:
            here = await self._step(here)

    async def _with_agent(self) -> None:
        """Whoever took the telephone over brings the talk's other end within moments; if not, the place is kept."""
        self.line.holds = True
        await self.line.key(MET_WITHIN)
        await self._walk(waits=True)

    async def _talks(self, met: Met) -> bool | None:
        """With an agent. Then: True, in line again; False, back to the walk; None, all is said."""
        self.line.talks = met.assignment
        try:
            await self.line.join(met.bridge)
            while True:
                await self.line.key(TALK_LOOK)
        except Parted as parted:
            self.line.talks = False
            if parted.again:
                await self.line.say([await self._words("voice-talk-on")], self.lang)
                return True
        finally:
            self.line.talks = False
        said = [await self._words("voice-talk-over")]
        while True:
            key = await self.line.say(said, self.lang) or await self.line.key(OVER_FOR)
            match key:
                case "1" | "0":  # also who asks for a person, as everywhere
                    await self.house.put_back(met.assignment)
                    return True
                case "#":
                    return False
                case None:
                    return None

    async def _resumed(self, address: str) -> Heard:
        return self._now(await self.house.look(address, self.line.caller))

    async def _opened(self) -> Heard | None:
        while True:
            lines, asking, prompts = await self.house.opening(self.lang, self.line.caller)
            said = await self._ask(asking, lines, prompts)
            if isinstance(said, ToPerson):
                if await self.house.open_now():
                    if await self._waits(""):
                        continue
                    return None
                return await self._begun("") if await self._promised() else None
            if said.outcome == "language":
                self.lang, self.address = "en" if self.lang == "ko" else "ko", ""
                continue
            if said.outcome == PAGE:
                if (found := await self._taken_up()) is not None:
                    return found
                continue
            # Whom a page has joined meanwhile, while they waited for a person, goes on with it.
            here = await self._resumed(self.address) if self.address else await self._begun(self.line.caller)
            return await self._to_screen(here) if said.outcome == SCREEN else here

    async def _taken_up(self) -> Heard | None:
        """Join the page whose digits are keyed. None: back to the first menu (or to a person, whom 0 there calls)."""
        before: tuple[str, ...] = ()
        while True:
            asking, prompts = await self.house.page_digits(self.lang)
            said = await self._ask(asking, before, prompts)
            if isinstance(said, ToPerson) or said.outcome == "back":
                return None
            here = await self.house.take_up(said.values["code"], self.line.caller, self.line.id)
            if here is not None:
                return replace(self._now(here), lines=(await self._words("voice-joined"), *here.lines))
            before = (await self._words("voice-page-wrong"),)

    async def _begun(self, caller: str) -> Heard:
        return self._now(await self.house.begin(self.lang, caller, self.line.id))

    async def _to_screen(self, here: Heard) -> Heard | None:
        """Text the way to the caller's screen, and wait for it with music. Any key goes on by telephone."""
        said = [await self.house.invite(here.address, self.line.caller, self.line.id, self.lang)]
        try:
            async with self.house.watching(self.line, here):
                while True:
                    key = await self.line.say(said, self.lang)
                    if key is None:
                        await self.line.music(on=True)
                        key = await self.line.key(JOINED_WITHIN)
                        await self.line.music(on=False)
                    if key == PERSON:
                        return await self._person(here, ToPerson())
                    if key != AGAIN:
                        return await self._looked(here, "" if key else "voice-not-joined")
        except Moved:
            await self.line.music(on=False)
            return await self._looked(here, "voice-joined")

    async def _looked(self, here: Heard, first: str = "") -> Heard:
        """Where the visit stands now; `first` is said before it, and a key that is pressed meanwhile is its answer."""
        there = self._now(await self.house.look(here.address, self.line.caller))
        return replace(there, lines=(await self._words(first), *there.lines)) if first else there

    def _now(self, here: Heard) -> Heard:
        self.lang = here.lang  # the page may have chosen the other one
        if here.address != self.address:
            self.address = here.address
            self._on_session(self.lang, here.address)
        return here

    async def _step(self, here: Heard) -> Heard | None:
        """Say the step, take its answer; the next one, or None when it is over."""
        if here.busy:
            await self.line.say([await self._words("voice-working")], self.lang)
            await self.line.key(WORKING_FOR)
            return await self._looked(here)
        if here.goal:
            return await self._person(here, ToPerson()) if await self._last(here.lines) else None
        try:
            async with self.house.watching(self.line, here):
                said = await self._ask(Asking(here.keys), here.lines, here.prompts, watch=here)
        except Moved:
            there = await self._looked(here)
            if there.goal == "paid":
                return there  # a receipt speaks for itself
            return await self._looked(here, "voice-moved" if here.screened == there.screened else "voice-joined")
        if isinstance(said, ToPerson):
            return await self._person(here, said)
        if said.outcome == SCREEN:
            return await self._to_screen(here)
        return await self._answered(here, said.outcome, said.values)

    async def _answered(self, here: Heard, outcome: str, values: Mapping[str, str]) -> Heard:
        return self._now(await self.house.answer(here, outcome, values, self.line.caller, self.line.id))

    async def _ask(
        self,
        asking: Asking,
        lines: Sequence[str],
        prompts: Sequence[Sequence[str]],
        *,
        watch: Heard | None = None,
    ) -> Answer | ToPerson:
        keys_told = await self._words("voice-keys")
        say: list[str] = [*lines, *self._prompt(asking, prompts), *([keys_told] if watch else [])]
        while True:
            key = await self.line.say(say, self.lang) if say else None
            said = asking.pressed(key) if key else await self._awaited(asking, watch)
            while said is None:
                said = await self._awaited(asking, watch)
            if isinstance(said, Answer | ToPerson):
                return said
            say = await self._said(said, asking, lines, prompts)

    async def _awaited(self, asking: Asking, watch: Heard | None) -> "Answer | ToPerson | Say | None":
        beside = watch is not None and watch.screened
        within = BETWEEN_KEYS if asking.digits else BESIDE_PAGE if beside else KEYS_WITHIN
        key = await self.line.key(within)
        if key is not None:
            return asking.pressed(key)
        return Say("beside") if beside and not asking.digits else asking.silent()

    async def _said(
        self, what: Say, asking: Asking, lines: Sequence[str], prompts: Sequence[Sequence[str]]
    ) -> list[str]:
        prompt = self._prompt(asking, prompts)
        match what.what:
            case "question":
                return [*(lines if not asking.at else ()), *prompt]
            case "beside":
                return [await self._words("voice-beside")]
            case "silence":
                return [await self._words("voice-silence"), *prompt]
            case "too_long":
                return [await self._words("voice-too-long"), *prompt]
            case _:
                return [await self._words("voice-no-such-key"), *prompt]

    def _prompt(self, asking: Asking, prompts: Sequence[Sequence[str]]) -> list[str]:
        return list(prompts[asking.at]) if asking.at < len(prompts) else []

    async def _person(self, here: Heard, said: ToPerson) -> Heard | None:
        """Somebody is to answer: on the line while people are there, else by the date that the journey promises."""
        if await self.house.open_now():
            return await self._looked(here) if await self._waits(here.address) else None
        if said.unable or not here.keys.person:
            return None if not await self._promised() else self._now(await self.house.look(here.address, ""))
        return await self._answered(here, here.keys.person, {})

    async def _promised(self) -> bool:
        """A person calls back, by a date; whose number is not known is asked on. Does the call go on?"""
        if not self.line.caller:
            return True
        promise = [await self.house.call_back(self.line.caller, self.lang)]
        while await self._last(promise):
            pass  # nobody is there before that
        return False

    async def _waits(self, address: str) -> bool:
        """Stand in line. Does the call go on where it was?"""
        while True:
            waiting = Waiting(self.line, self.house, self.lang, self._begun)
            self.line.holds = True
            back = await waiting.over(address)
            self.line.holds = False
            if back or not await self._last([waiting.promised]):
                return back

    async def _last(self, lines: Sequence[str]) -> bool:
        """The last words. Only silence ends them: a key may have been meant for what was asked before, so that they
        are said again. True: a person is asked for."""
        said = [*lines, await self._words("voice-over")]
        while True:
            key = await self.line.say(said, self.lang) or await self.line.key(OVER_FOR)
            if key is None or key == PERSON:
                return key == PERSON

    async def _words(self, message: str) -> str:
        return await self.house.words(message, self.lang)
