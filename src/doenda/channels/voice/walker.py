"""A walk by telephone, from outside: a real SIP call, keys, and an ear for whether the right thing was said.

Nothing short of hearing the receipt is a proof. What is to be heard is known from the texts; the number to pay into is
known from our own books, and counts only when it was heard as well.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection

from doenda.channels.voice import desk, hearing, phone, synthesis
from doenda.channels.web.walker import Hand, Walk
from doenda.kernel import clock, words
from doenda.kernel.money import Money

FIRST = "ko"
"""The language in which every call begins."""
HEARD_WITHIN = 25.0
RECEIPT_WITHIN = 8.0
PAID_WITHIN = 60.0
LISTEN = 0.4
_BACK = 8000
"""Samples before the last key that are listened to again: a prompt may begin while it is pressed."""


class NotHeard(RuntimeError):
    """What should have been said was not; the message names it."""


@dataclass
class Walker:
    """One call of a synthetic caller. `number`: as the network shows it; `key`: which way it chooses."""

    server: tuple[str, int]
    number: str
    lang: str
    steps: list[str] = field(default_factory=list)
    _from: int = 0

    async def pay(self, code: str, key: str, given: Callable[[], tuple[str, Money, str]], hand: Hand) -> None:
        """To the receipt. `given`: the number to pay into, the money, and what is said of it, once there is one.

        Raises NotHeard, phone.NotAnswered, phone.Ended.
        """
        async with phone.call(_dialled(), server=self.server, caller=self.number) as line:
            await self._hears(line, "greeting", desk.say("voice-cost", FIRST), lang=FIRST)
            if self.lang != FIRST:
                await self._press(line, "2")
                await self._hears(line, "greeting", desk.say("voice-cost", self.lang))
            await self._press(line, "1")
            await self._hears(line, "code", desk.say("enter-code", self.lang))
            await self._press(line, "1")
            await self._hears(line, "digits", desk.say("enter-code-field-code", self.lang))
            await self._press(line, code)
            await line.listened(most=HEARD_WITHIN * 2)  # the bill: in words that only the bill knows
            self.steps.append("bill")
            await self._press(line, "1")
            await self._hears(line, "method", desk.say("pay-method", self.lang))
            await self._press(line, key)
            number, money, said = await _beside(given)
            await self._hears(line, "account", said, within=HEARD_WITHIN * 2)
            self._from = len(line.heard)
            await _beside(lambda: hand(number, money.minor))
            await self._paid(line, desk.say("pay-paid", self.lang, amount=words.amount(money, self.lang)))

    async def _paid(self, line: phone.Dialog, receipt: str) -> None:
        """It may be said before the key, at it, or while it is pressed: all that is heard since the deposit counts."""
        until = clock.monotonic() + PAID_WITHIN
        while True:
            with contextlib.suppress(phone.Ended):
                await line.press("1")
            try:
                await self._hears(line, "paid", receipt, within=RECEIPT_WITHIN)
            except NotHeard:
                if line.ended.is_set() or clock.monotonic() > until:
                    raise
            else:
                return

    async def _press(self, line: phone.Dialog, keys: str) -> None:
        self._from = len(line.heard)
        await line.press(keys)

    async def _hears(
        self, line: phone.Dialog, step: str, text: str, within: float = HEARD_WITHIN, lang: str = ""
    ) -> None:
        prompt = Path((await _beside(lambda: synthesis.media(text, lang or self.lang))).removeprefix("sound:") + ".wav")
        until, best, on = clock.monotonic() + within, 0.0, True
        while on:
            await asyncio.sleep(LISTEN)
            on = clock.monotonic() < until and not line.ended.is_set()
            sure, _ = await _beside(partial(hearing.match, line.heard[max(0, self._from - _BACK) :], prompt))
            best = max(best, sure)
            if best > hearing.SURE:
                self.steps.append(step)
                return
        why = "the line was cut" if line.ended.is_set() else f"best {best:.2f}"
        raise NotHeard(f"{step} was not heard ({why})")


def _dialled() -> str:
    return re.sub(r"\D", "", settings.DOENDA_CALL) or "114"


async def _beside[T](work: Callable[[], T]) -> T:
    def do() -> T:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(do)


def pay(
    code: str, *, number: str, key: str, lang: str, given: Callable[[], tuple[str, Money, str]], hand: Hand
) -> Walk:
    """Walk one bill by telephone, to its receipt. Call it outside any event loop; it raises nothing of the call."""
    host, _, port = settings.DOENDA_SIP_ADDRESS.partition(":")
    begun, made = clock.monotonic(), Walker((host, int(port or 5060)), number, lang)
    outcome, trouble = "paid", ""
    try:
        asyncio.run(made.pay(code, key, given, hand))
    except (NotHeard, phone.NotAnswered, phone.Ended, TimeoutError, OSError, LookupError) as error:
        outcome, trouble = made.steps[-1] if made.steps else "unreachable", f"{type(error).__name__}: {error}"[:200]
    return Walk(outcome, tuple(f"voice.{step}" for step in made.steps), clock.monotonic() - begun, "", trouble)
