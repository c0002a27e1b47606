"""What customers fill in, read strictly and kindly: spaces, commas and hyphens are forgiven, guesses are not made."""

from collections.abc import Mapping
from datetime import date

import phonenumbers
from django.conf import settings

from doenda.journeys.steps import Ask, Field
from doenda.kernel import clock
from doenda.kernel.money import Money

MOST = 2000


SHORTEST = 7
"""Digits of a subscriber's number, without the leading zero: shorter ones are services, or typed halfway."""
_COSTLY = {phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST}


class Invalid(ValueError):
    """The field named in the message could not be read."""


def read(step: Ask, raw: Mapping[str, str], *, currency: str, most: int | None) -> dict[str, str]:
    """The step's fields as strings for the session's data: money in minor units, dates in ISO 8601, phones in E.164.

    `most` is the largest amount (minor units) that makes sense. Raises Invalid naming the first field that cannot be
    read.
    """
    return {field.name: _read(field, raw.get(field.name, "")[:MOST].strip(), currency, most) for field in step.fields}


def _read(field: Field, text: str, currency: str, most: int | None) -> str:
    if not text:
        if field.optional:
            return ""
        raise Invalid(field.name)
    try:
        match field.kind:
            case "money":
                return _money(text, currency, most)
            case "date":
                return _day(text, past=field.optional).isoformat()
            case "phone":
                return phone(text)
            case "code":
                return _code(text)
            case "choice" if text in field.options:
                return text
            case "text":
                return " ".join(text.replace("\0", "").split())
    except ValueError as error:
        raise Invalid(field.name) from error
    raise Invalid(field.name)


def _money(text: str, currency: str, most: int | None) -> str:
    minor = Money.parse(text, currency).minor
    if minor <= 0 or (most is not None and minor > most):
        raise ValueError(text)
    return str(minor)


def _day(text: str, *, past: bool) -> date:
    """2026-11-30, 2026.11.30, 2026/11/30 or 20261130; a day to come, or one gone by where `past`."""
    digits = "".join(letter for letter in text if letter.isdigit())
    if len(digits) != 8 or any(not (letter.isdigit() or letter in "-./ 년월일") for letter in text):
        raise ValueError(text)
    day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if (day > clock.today()) if past else (day < clock.today()):
        raise ValueError(text)
    return day


def phone(text: str) -> str:
    """A number that can be dialled, in E.164, at no more than a call's usual price. Raises ValueError."""
    try:
        parsed = phonenumbers.parse(text[:30], settings.DOENDA_COUNTRY)
    except phonenumbers.NumberParseException as error:
        raise ValueError(text[:30]) from error
    possible = phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE
    costly = phonenumbers.number_type(parsed) in _COSTLY
    if not possible or costly or len(str(parsed.national_number)) < SHORTEST:
        raise ValueError(text[:30])
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _code(text: str) -> str:
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        raise ValueError(text)
    return digits
