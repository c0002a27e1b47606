"""Which numbers a machine of ours may ring: the account's own, or one that proved itself, at home, at a usual price.

Anybody can type a number into a page: dialling it would let strangers be rung at our cost, or us pay their premium.
"""

from uuid import UUID

import phonenumbers
from django.conf import settings
from django.db.models import Q

from doenda.billing.models import AccountRole, Line
from doenda.contact.models import ProvenNumber
from doenda.contact.rules.callback import Range, Refused, range_of
from doenda.kernel.db import atomic

_SHORTEST = 7
"""Digits of a subscriber's number at the least; less is a service's."""
UNPROVEN = "unproven"
"""The one refusal that says nothing of the number itself: nobody has shown yet whose it is."""


def may_dial(number: str, account_id: UUID | None) -> Range:
    """The number's range, for what it costs. Raises Refused, whose word says why."""
    found = range_of(number, settings.DOENDA_COUNTRY)
    if not (is_own(number, account_id) or _proved(number, account_id)):
        raise Refused(UNPROVEN)
    return found


def shown(number: str) -> str:
    """A caller's number as the network shows it, in E.164; a short one as it is, "" where it is withheld or none."""
    digits = number.strip()
    if not digits.removeprefix("+").isdigit() or not digits.isascii():
        return ""
    if len(digits) < _SHORTEST:
        return digits
    try:
        parsed = phonenumbers.parse(digits, settings.DOENDA_COUNTRY)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(parsed):
        return ""
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def dialable(number: str) -> bool:
    """Whether it is in a range that is dialled at all, whosever it is."""
    try:
        range_of(number, settings.DOENDA_COUNTRY)
    except Refused:
        return False
    return True


def is_mobile(number: str) -> bool:
    """Whether a text can reach it: a mobile number of the country, whosever it is."""
    try:
        return range_of(number, settings.DOENDA_COUNTRY) == "mobile"
    except Refused:
        return False


def is_own(number: str, account_id: UUID | None) -> bool:
    """Whether it is a line of the account that is not lost, or the number of a person with a role on it."""
    if account_id is None:
        return False
    if Line.objects.filter(account=account_id, number=number).exists():
        return not Line.objects.filter(account=account_id, number=number, lost=True).exists()
    return AccountRole.objects.filter(account=account_id, party__phone=number).exists()


def _proved(number: str, account_id: UUID | None) -> bool:
    return ProvenNumber.objects.filter(Q(account=account_id) | Q(account=None), number=number).exists()


def prove(number: str, account_id: UUID | None, how: str) -> None:
    """Somebody who has this number showed it: typed the code that was sent to it, or answered our call and confirmed.

    A caller's number that the network shows is no proof: it can be forged.
    """
    with atomic():
        ProvenNumber(account_id=account_id, number=number, how=how).insert(once=True)
