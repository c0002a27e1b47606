"""The keys behind links and codes: the newest signs, every listed one verifies, so that a key can be rotated."""

import hashlib
import hmac

from django.conf import settings


class KeyRetired(LookupError):
    """The row was signed with a key that is no longer configured."""


def newest() -> str:
    return next(reversed(settings.DOENDA_LINK_KEYS))


def known(key_id: str) -> bool:
    return key_id in settings.DOENDA_LINK_KEYS


def mac(key_id: str, *parts: bytes) -> bytes:
    """HMAC-SHA-256 over length-prefixed parts. Raises KeyRetired."""
    key = settings.DOENDA_LINK_KEYS.get(key_id)
    if key is None:
        raise KeyRetired(key_id)
    message = b"".join(len(part).to_bytes(4) + part for part in parts)
    return hmac.digest(key.encode(), message, hashlib.sha256)
