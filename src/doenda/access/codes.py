"""Six-digit codes: with the phone number they open one bill, and nothing else; valid as long as the bill.

Guessing is bounded: `PER_NUMBER` wrong codes an hour for one number (each number holds few codes, so a guess succeeds
with 10^-6 times the codes), `PER_VISITOR` an hour for one network address. Unknown numbers cost and answer the same.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.transaction import atomic

from doenda.access import keys, tries
from doenda.access.models import ShortCode
from doenda.access.tokens import Token
from doenda.kernel import once, randomness

if TYPE_CHECKING:
    from django.db.models import QuerySet

PER_NUMBER = 10
PER_VISITOR = 60


@dataclass(frozen=True)
class Throttled:
    """Too many wrong codes; a person can still be reached."""


def _digits(row: ShortCode) -> str:
    return f"{int.from_bytes(keys.mac(row.key_id, b'code', bytes(row.salt), row.phone.encode())) % 10**6:06d}"


def issue(subject_id: UUID, account_id: UUID, phone: str) -> str:
    """The live code for a subject at a number (E.164), made if there is none; unique among that number's live codes."""
    row = _live.first(subject_id=subject_id, phone=phone)
    if row is not None and keys.known(row.key_id):
        return _digits(row)
    others = ShortCode.objects.filter(phone=phone, revoked_at=None).exclude(subject_id=subject_id)
    taken = {_digits(other) for other in others if keys.known(other.key_id)}
    while True:
        salt = randomness.token_bytes(16)
        row = ShortCode(subject_id=subject_id, account_id=account_id, phone=phone, key_id=keys.newest(), salt=salt)
        if _digits(row) not in taken:
            break
    ShortCode.objects.filter(subject_id=subject_id, phone=phone).exclude(key_id=row.key_id).delete()
    ShortCode.objects.bulk_create([row], ignore_conflicts=True)
    return _digits(_live.one(subject_id=subject_id, phone=phone))


@once.query
def _live(subject_id: once.Open, phone: once.Open) -> "QuerySet[ShortCode]":
    return ShortCode.objects.filter(subject_id=subject_id, phone=phone, revoked_at=None).order_by("pk")[:1]


def find(phone: str, code: str, visitor: str) -> Token | Throttled | None:
    """What the code opens at that number. A wrong one is counted against the number and the visitor's address."""
    with atomic():
        held = tries.hold(f"number:{phone}") >= PER_NUMBER, tries.hold(f"visitor:{visitor}") >= PER_VISITOR
        found = _matching(phone, code)
        if any(held):
            return Throttled()
        if found is None:
            tries.count(f"number:{phone}")
            tries.count(f"visitor:{visitor}")
            return None
    return Token(found.id, "bill", found.subject_id, found.account_id, found.created_at)


def _matching(phone: str, code: str) -> ShortCode | None:
    found: ShortCode | None = None
    for row in ShortCode.objects.filter(phone=phone, revoked_at=None).order_by("-created_at")[:24]:
        try:
            same = hmac.compare_digest(_digits(row), code)
        except keys.KeyRetired:
            continue
        found = row if same else found
    return found
