"""Link tokens (design rule 11): 130 bits, the HMAC of a random row id, stored only as a hash.

The same live link is rendered again whenever a text is sent, so that no message has to be stored with it.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from doenda.access import keys
from doenda.access.models import LinkToken
from doenda.kernel import clock

LENGTH = 26


@dataclass(frozen=True, slots=True)
class Token:
    """What a link or a code opens: `subject_id` for `purpose`, of `account_id`. `id` is the row's."""

    id: UUID
    purpose: str
    subject_id: UUID
    account_id: UUID
    issued_at: datetime


def _text(row: LinkToken) -> str:
    return base64.b32encode(keys.mac(row.key_id, b"link", row.id.bytes))[:LENGTH].decode()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def issue(purpose: str, subject_id: UUID, account_id: UUID) -> str:
    """The live link's text, made if there is none. In the caller's transaction."""
    key_id = keys.newest()
    live = {"purpose": purpose, "subject_id": subject_id, "key_id": key_id, "revoked_at": None}
    row = LinkToken.objects.filter(**live).first()
    if row is None:
        row = LinkToken(account_id=account_id, **live)
        row.digest = _digest(_text(row))
        LinkToken.objects.bulk_create([row], ignore_conflicts=True)
        row = LinkToken.objects.get(**live)
    return _text(row)


def find(text: str) -> Token | None:
    """What the link opens, or None: unknown, revoked and malformed are the same answer."""
    if len(text) != LENGTH:
        return None
    row = LinkToken.objects.filter(digest=_digest(text), revoked_at=None).first()
    return None if row is None else Token(row.id, row.purpose, row.subject_id, row.account_id, row.created_at)


def revoke(subject_id: UUID) -> int:
    """End every link to the subject. Returns how many there were."""
    return LinkToken.objects.filter(subject_id=subject_id, revoked_at=None).update(revoked_at=clock.now())
