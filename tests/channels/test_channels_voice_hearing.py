"""The ear of synthetic callers: what was said is found wherever it stands, however loud; other words are not."""

import wave
from pathlib import Path

import numpy as np
import pytest

from doenda.channels.voice import hearing
from doenda.channels.voice.phone import Message, _linear


def spoken(path: Path, seed: int, seconds: float = 2.0) -> Path:
    """Something like speech: noise that swells, which is never twice the same."""
    chance = np.random.default_rng(seed)
    count = int(seconds * hearing.RATE)
    swell = np.abs(np.sin(np.arange(count) / hearing.RATE * 6 + seed))
    made = (chance.normal(0, 3000, count) * swell).clip(-30000, 30000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(hearing.RATE)
        file.writeframes(made.tobytes())
    return path


@pytest.mark.parametrize("loudness", [0.2, 1.0])
def test_a_prompt_is_found_at_its_second_and_another_is_not(tmp_path: Path, loudness: float) -> None:
    one, other = spoken(tmp_path / "one.wav", 1), spoken(tmp_path / "other.wav", 2)
    chance = np.random.default_rng(3)
    heard = chance.normal(0, 30, 6 * hearing.RATE)
    heard[3 * hearing.RATE : 5 * hearing.RATE] += hearing.samples(one) * loudness
    sure, at = hearing.match(heard.astype(int).tolist(), one)
    assert sure > hearing.SURE
    assert at == pytest.approx(3.0, abs=0.1)
    assert hearing.match(heard.astype(int).tolist(), other)[0] < 0.3


def test_a_prompt_cut_short_by_a_key_is_known_by_its_beginning(tmp_path: Path) -> None:
    one = spoken(tmp_path / "one.wav", 1, seconds=4.0)
    heard = [0] * 4000 + hearing.samples(one)[: int(1.8 * hearing.RATE)].astype(int).tolist() + [0] * 4000
    assert hearing.match(heard, one)[0] > hearing.SURE


@pytest.mark.parametrize("heard", [[], [0] * 100, [0] * 80_000])
def test_silence_and_nothing_at_all_are_not_the_prompt(tmp_path: Path, heard: list[int]) -> None:
    assert hearing.match(heard, spoken(tmp_path / "one.wav", 1))[0] < 0.1


def test_the_law_of_the_telephone_is_decoded_as_the_standard_says() -> None:
    """ITU-T G.711, table 2: the ends and the middle of µ-law."""
    assert (_linear(0xFF), _linear(0x7F), _linear(0x80), _linear(0x00)) == (0, 0, 32124, -32124)
    assert all(_linear(code) == -_linear(code | 0x80) for code in range(0x80))


def test_what_comes_over_the_wire_is_read_and_rubbish_raises_nothing() -> None:
    message = Message.read(b"SIP/2.0 200 OK\r\nVia: a\r\nVia: b\r\nTo: <sip:x>;tag=1\r\n\r\nv=0\r\n")
    assert (message.status, message.vias, message.headers["to"]) == (200, ["a", "b"], "<sip:x>;tag=1")
    assert Message.read(b"\xff\x00 nonsense").status == 0
    assert Message.read(b"").status == 0
