"""What the switch itself plays: music on hold, made here, and the words for callers while the application is away."""

import array
import logging
import sys
import wave
from math import pi, sin
from pathlib import Path

from doenda.app.asterisk.dialplan import ONE_MOMENT
from doenda.channels.voice import synthesis
from doenda.kernel import texts

log = logging.getLogger(__name__)

RATE = 8000
SECONDS = 20
_CHORDS = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))
_CHORD_SECONDS = 2.5
_LOUD = 3200


def make(data: Path) -> None:
    """Into Asterisk's data folder, what is not there yet. Without a voice here, callers hear the music alone."""
    music = data / "moh/hold.wav"
    if not music.exists():
        music.parent.mkdir(parents=True, exist_ok=True)
        _write(music, chords())
    try:
        for lang in texts.LANGUAGES:
            path = data / "sounds" / lang / f"{ONE_MOMENT}.wav"
            if not path.exists():
                synthesis.speak(texts.say("voice-one-moment", lang), lang, path)
    except synthesis.NoVoice as silent:
        log.warning("callers hear music without words while the application is away: %s", silent)


def chords() -> "array.array[int]":
    """Twenty seconds of soft chords, 16 bit at 8 kHz: music of others would need their leave."""
    made = array.array("h")
    for at in range(RATE * SECONDS):
        second = at / RATE
        chord = _CHORDS[int(second / _CHORD_SECONDS) % len(_CHORDS)]
        swell = 0.5 - 0.5 * sin(2 * pi * (second % _CHORD_SECONDS) / _CHORD_SECONDS + pi / 2)
        made.append(int(_LOUD * swell * sum(sin(2 * pi * tone * second) for tone in chord) / 3))
    return made


def _write(path: Path, samples: "array.array[int]") -> None:
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(RATE)
        made.writeframes(samples.tobytes())
