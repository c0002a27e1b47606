"""Account numbers at rest: sealed under the newest of `DOENDA_SEALING_KEYS`, opened by any of them (rotation).

Fernet of the `cryptography` library: AES-128-CBC with HMAC-SHA256. A key is 32 bytes in URL-safe base 64, made by
`Fernet.generate_key()`. Nothing that was opened may be logged or put into an exception.
"""

from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotOpen(ValueError):
    """No live key opens this: its key was retired too early, or it was changed."""


def seal(content: bytes) -> bytes:
    """Raises ImproperlyConfigured without a key."""
    return _box().encrypt(content)


def open_sealed(sealed: bytes | memoryview) -> bytes:
    """Raises CannotOpen."""
    try:
        return _box().decrypt(bytes(sealed))
    except InvalidToken as error:
        raise CannotOpen("no live key opens this") from error


def reseal(sealed: bytes | memoryview) -> bytes:
    """The same content under the newest key. Raises CannotOpen."""
    try:
        return _box().rotate(bytes(sealed))
    except InvalidToken as error:
        raise CannotOpen("no live key opens this") from error


def _keys() -> tuple[str, ...]:
    keys: tuple[str, ...] = tuple(getattr(settings, "DOENDA_SEALING_KEYS", ()))
    if not keys:
        raise ImproperlyConfigured("DOENDA_SEALING_KEYS: account numbers are kept sealed, so there must be a key")
    return keys


def _box() -> MultiFernet:
    return _made(_keys())


@cache
def _made(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured("DOENDA_SEALING_KEYS: a key is 32 bytes in URL-safe base 64") from None


def under_newest(sealed: bytes | memoryview) -> bool:
    """Does the newest key open it?"""
    try:
        Fernet(_keys()[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True
