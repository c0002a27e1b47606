"""Words become files that Asterisk plays: spoken by espeak-ng at 8 kHz, once for each text; or a recording of yours.

A recording in `DOENDA_PROMPTS/<lang>/<name>.wav`, where the name is the text's own (its digest is logged when it is
first spoken), is played instead; 8 kHz, 16 bit, one channel.
"""

import hashlib
import logging
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path

from django.conf import settings

log = logging.getLogger(__name__)

RATE = 8000
SPEED = {"ko": "165", "en": "155"}
MOST = 2000


class NoVoice(RuntimeError):
    """Nothing here can speak; the message says what to install."""


def folder() -> Path:
    return Path(settings.DOENDA_PROMPTS)


def digest(text: str, lang: str) -> str:
    """The name of a text's file."""
    return hashlib.sha256(f"{lang}\0{text}".encode()).hexdigest()[:24]


@lru_cache(maxsize=20_000)
def media(text: str, lang: str) -> str:
    """Where Asterisk finds the text spoken: `sound:` and a path without its suffix. Raises NoVoice."""
    name = digest(text, lang)
    recorded, made = folder() / lang / f"{name}.wav", folder() / "spoken" / lang / f"{name}.wav"
    for path in (recorded, made):
        if path.exists():
            return f"sound:{path.with_suffix('')}"
    speak(text, lang, made)
    log.info("spoken %s %s: %s", lang, name, text[:80])
    return f"sound:{made.with_suffix('')}"


def speak(text: str, lang: str, path: Path) -> None:
    """Speak into a file of 8 kHz; whole or not at all. Raises NoVoice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as aside:
        raw, done = Path(aside) / "raw.wav", Path(aside) / "done.wav"
        argv = ["espeak-ng", "-v", lang, "-s", SPEED[lang], "-w", str(raw), "--", text[:MOST]]
        try:
            subprocess.run(argv, check=True, capture_output=True, timeout=30)  # noqa: S603 - our own words
        except FileNotFoundError as error:
            raise NoVoice("espeak-ng is not installed: prompts cannot be spoken") from error
        except subprocess.SubprocessError as error:
            raise NoVoice(f"espeak-ng did not speak: {error}"[:300]) from error
        _at_8_khz(raw, done)
        done.replace(path)


def _at_8_khz(raw: Path, done: Path) -> None:
    """To the telephone's rate: each sample the mean of those that it stands for, which keeps out what would alias."""
    with wave.open(str(raw), "rb") as read:
        if (read.getsampwidth(), read.getnchannels()) != (2, 1):
            raise NoVoice("espeak-ng wrote another format than 16 bit mono")
        rate, frames = read.getframerate(), read.readframes(read.getnframes())
    heard = memoryview(frames).cast("h")
    step = rate / RATE
    made = bytearray()
    for at in range(int(len(heard) / step)):
        first, last = int(at * step), max(int(at * step) + 1, int((at + 1) * step))
        part = heard[first:last]
        made += int(sum(part) / len(part)).to_bytes(2, "little", signed=True)
    with wave.open(str(done), "wb") as write:
        write.setnchannels(1)
        write.setsampwidth(2)
        write.setframerate(RATE)
        write.writeframes(bytes(made))
