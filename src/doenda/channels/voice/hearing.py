"""Was that what was said? What a call heard against the prompts' own files, by normalised correlation.

1.0 is the same sample for sample; through a telephone network 0.9 and more; other words stay far below a half. It is a
far stronger proof than "not silent", and needs no ear.
"""

import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SURE = 0.85
RATE = 8000
LONGEST = 1.5
"""Seconds of a prompt's beginning that are looked for: its end may be cut by the caller's key."""


def samples(path: Path) -> Any:
    """The samples of a wave file of 16 bit."""
    with wave.open(str(path)) as read:
        return np.frombuffer(read.readframes(read.getnframes()), "<i2").astype(float)


def match(heard: Sequence[int], prompt: Path) -> tuple[float, float]:
    """How surely the prompt's beginning was heard, and at which second."""
    said = samples(prompt)
    loud = np.flatnonzero(np.abs(said) > 200)
    said = said[loud[0] if len(loud) else 0 :][: int(LONGEST * RATE)]
    got = np.asarray(heard, dtype=float)
    if len(got) <= len(said) or not len(said):
        return 0.0, 0.0
    size = 1 << (len(got) + len(said) - 1).bit_length()
    found = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(said, size)), size)[: len(got) - len(said)]
    squares = np.concatenate([[0.0], np.cumsum(got * got)])
    energy = (squares[len(said) :] - squares[: -len(said)])[: len(found)]
    sure = found / (np.sqrt(np.maximum(energy, 0) * (said * said).sum()) + 1)
    best = int(sure.argmax())
    return float(sure[best]), best / RATE
