"""Primary keys: UUID version 7 (RFC 9562), in time order inside, 26 letters of A-Z2-7 outside.

The outside form is base 32 without padding: valid as the providers' order ids, readable over a phone, and without
a digit that looks like a letter.
"""

import base64
import binascii
import threading
from datetime import datetime
from uuid import UUID

from doenda.kernel import clock, randomness

_last = threading.local()


def new_id() -> UUID:
    """A fresh id; later ones sort after earlier ones of the same process (48 bits ms, 12 bits within, 62 random)."""
    at = int(clock.now().timestamp() * 1000 * 4096)  # 1/4096 ms: fills the 12 bits that RFC 9562 method 3 allows
    at = max(at, getattr(_last, "value", 0) + 1)
    _last.value = at
    milliseconds, fraction = divmod(at, 4096)
    tail = int.from_bytes(randomness.token_bytes(8)) & ((1 << 62) - 1)
    return UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | tail)


def earliest(at: datetime) -> UUID:
    """The least id of that instant: rows made since then have greater ones, and the primary key finds them."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def start_over() -> None:
    """Forget the last id (simulations, whose clock begins anew in one process)."""
    _last.value = 0


def outside(value: UUID) -> str:
    return base64.b32encode(value.bytes).decode().rstrip("=")


def inside(text: str) -> UUID:
    """The id behind 26 letters. Raises ValueError for anything else, also for a second spelling of the same id."""
    try:
        value = UUID(bytes=base64.b32decode(text + "======"))
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"not an id: {text[:40]!r}") from error
    if outside(value) != text:
        raise ValueError(f"not an id: {text[:40]!r}")
    return value
