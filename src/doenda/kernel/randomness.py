"""Chance: from the operating system, or from a seed where a test or simulation says so."""

import random
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

type Chance = random.Random
"""A stream of chance that follows from its seed alone."""

_seeded: random.Random | None = None


def stream(seed: int | str) -> Chance:
    """A stream of its own, beside `seeded` (simulations: one a step)."""
    return random.Random(seed)  # noqa: S311 - never used for secrets


@contextmanager
def seeded(seed: int | str) -> Iterator[random.Random]:
    """Everything random in here follows from `seed` (tests, simulation, sample data)."""
    global _seeded  # noqa: PLW0603 - the one seam for chance
    before, _seeded = _seeded, random.Random(seed)  # noqa: S311 - never used for secrets
    try:
        yield _seeded
    finally:
        _seeded = before


def token_bytes(size: int) -> bytes:
    return secrets.token_bytes(size) if _seeded is None else _seeded.randbytes(size)


def below(limit: int) -> int:
    """An integer in 0 … limit-1."""
    return secrets.randbelow(limit) if _seeded is None else _seeded.randrange(limit)


def digits(count: int) -> str:
    return f"{below(10**count):0{count}d}"


def uniform(low: float, high: float) -> float:
    return low + (high - low) * below(2**53) / 2**53


def choice[T](of: Sequence[T]) -> T:
    return of[below(len(of))]
