"""A synthetic caller proves the way by hearing the receipt, and by nothing less; a call that breaks is a finding."""

import array
import asyncio
import wave
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from doenda.channels.voice import desk, hearing, phone, synthesis, walker
from doenda.channels.web.walker import Walk
from doenda.kernel import words
from doenda.kernel.money import Money

DUE = Money(52_300, "KRW")
PAY_INTO = "110-222-333"
RECEIPT = desk.say("pay-paid", "ko", amount=words.amount(DUE, "ko"))


class Sounds:
    """Each text has a sound of its own, as unlike the others as two sentences are."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def media(self, text: str, lang: str) -> str:
        stem = self.folder / f"{zlib.crc32(text.encode())}-{lang}"
        with wave.open(f"{stem}.wav", "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(hearing.RATE)
            file.writeframes(self.samples(text))
        return f"sound:{stem}"

    def samples(self, text: str) -> bytes:
        chance = np.random.default_rng(zlib.crc32(text.encode()))
        return chance.normal(0, 3000, 2 * hearing.RATE).clip(-30000, 30000).astype("<i2").tobytes()


class Line:
    """The other side says its next sentence at each press, and those of `after_hand` at the presses after the deposit;
    where these are over it hangs up, while the key is still being pressed."""

    def __init__(self, sounds: Sounds, says: list[str], after_hand: list[str]) -> None:
        self.sounds, self.says, self.after_hand = sounds, iter(says), iter(after_hand)
        self.heard: array.array[int] = array.array("h")
        self.ended = asyncio.Event()
        self.deposited = False

    def say(self, text: str) -> None:
        self.heard.frombytes(self.sounds.samples(text))

    async def press(self, keys: str) -> None:
        if self.ended.is_set():
            raise phone.Ended("the call ended while keys were pressed")
        text = next(self.after_hand if self.deposited else self.says, None)
        if text is None:
            self.ended.set()
            raise phone.Ended("the call ended while keys were pressed")
        self.say(text)

    async def listened(self, *, most: float) -> float:
        return 0.0


@pytest.fixture
def sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sounds:
    made = Sounds(tmp_path)
    monkeypatch.setattr(synthesis, "media", made.media)
    monkeypatch.setattr(walker, "HEARD_WITHIN", 1.0)
    monkeypatch.setattr(walker, "PAID_WITHIN", 1.0)
    monkeypatch.setattr(walker, "RECEIPT_WITHIN", 0.2)
    monkeypatch.setattr(walker, "LISTEN", 0.01)
    return made


@pytest.fixture
def walks(sounds: Sounds, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Walk]:
    def walked(*after_hand: str, at_once: str = "", before: int = 6) -> Walk:
        asked = ("enter-code", "enter-code-field-code")
        says = [*(desk.say(text, "ko") for text in asked), "the bill", desk.say("pay-method", "ko"), "the account"]
        line = Line(sounds, says[:before], list(after_hand))
        line.say(desk.say("voice-cost", "ko"))

        @asynccontextmanager
        async def call(*_: object, **__: object) -> AsyncIterator[Line]:
            yield line

        def hand(number: str, amount: int) -> None:
            assert (number, amount) == (PAY_INTO, DUE.minor)
            line.deposited = True
            if at_once:
                line.say(at_once)

        monkeypatch.setattr(phone, "call", call)
        given = lambda: (PAY_INTO, DUE, "the account")  # noqa: E731
        return walker.pay("123456", number="+82212345678", key="1", lang="ko", given=given, hand=hand)

    return walked


def test_whoever_hears_the_receipt_has_walked_to_the_end(walks: Callable[..., Walk]) -> None:
    walk = walks(RECEIPT)
    assert (walk.outcome, walk.trouble) == ("paid", "")
    assert walk.steps[-3:] == ("voice.method", "voice.account", "voice.paid")


def test_a_receipt_said_before_the_key_counts_although_the_call_ends_at_the_key(walks: Callable[..., Walk]) -> None:
    walk = walks(at_once=RECEIPT)
    assert (walk.outcome, walk.trouble) == ("paid", "")


def test_a_receipt_that_takes_several_looks_is_waited_for(walks: Callable[..., Walk]) -> None:
    assert walks("not yet", "not yet", RECEIPT).outcome == "paid"


@pytest.mark.parametrize("said", [(), ("not yet",), ("not yet", "another sum")])
def test_a_call_that_ends_without_the_receipt_is_no_proof_and_raises_nothing(
    walks: Callable[..., Walk], said: tuple[str, ...]
) -> None:
    walk = walks(*said)
    assert walk.outcome == "account"
    assert "paid was not heard (the line was cut)" in walk.trouble


@pytest.mark.parametrize(("before", "reached"), [(0, "greeting"), (2, "digits"), (4, "method")])
def test_a_call_that_is_cut_on_the_way_stands_at_the_step_that_was_heard_last(
    walks: Callable[..., Walk], before: int, reached: str
) -> None:
    walk = walks(before=before)
    assert walk.outcome == reached
    assert "ended" in walk.trouble
