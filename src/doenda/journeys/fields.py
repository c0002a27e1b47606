"""What customers fill in, read strictly and kindly: spaces, commas and hyphens are forgiven, guesses are not made."""

import re
from collections.abc import Callable, Container, Mapping
from datetime import date

import phonenumbers
from django.conf import settings

from doenda.journeys.steps import SECRET, Ask, Field
from doenda.kernel import clock
from doenda.kernel.money import Money
from doenda.payments.banks import banks

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
        if field.kind == "money":
            return _money(text, currency, most)
        if field.kind == "date":
            return _day(text, past=field.optional).isoformat()
        if field.kind in {"choice", "consent", "bank"}:
            return _one_of(text, banks() if field.kind == "bank" else field.options)
        return _READ[field.kind](text)
    except ValueError as error:
        # What was typed stands in the error: of a secret, nothing is kept.
        raise Invalid(field.name) from (None if field.kind in SECRET else error)


def _one_of(text: str, options: Container[str]) -> str:
    if text not in options:
        raise ValueError(text)
    return text


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())


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


ACCOUNT_DIGITS = range(6, 17)
"""Digits of a bank account's number: what the debit files can carry."""
_APART = re.compile(r"[\s.·-]+")


def account(text: str) -> str:
    """A bank account's number as digits alone, or an IBAN whose check digits are right. Raises ValueError."""
    plain = _APART.sub("", text).upper()
    if plain.isascii() and plain.isdigit() and len(plain) in ACCOUNT_DIGITS:
        return plain
    if _IBAN.fullmatch(plain) and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1:
        return plain
    raise ValueError("no account number")


_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", re.ASCII)
COMPANY_DIGITS = 10
_COMPANY_WEIGHTS = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def birth(text: str) -> str:
    """What the bank compares: a day of birth as six digits (eight are taken too), or a company's ten. ValueError."""
    plain = _APART.sub("", text.replace("/", ""))
    if not (plain.isascii() and plain.isdigit()):
        raise ValueError("no day of birth")
    if len(plain) == COMPANY_DIGITS and _company(plain):
        return plain
    if len(plain) == 8 and date(int(plain[:4]), int(plain[4:6]), int(plain[6:])) <= clock.today():
        return plain[2:]
    if len(plain) == 6 and date(2000, int(plain[2:4]), int(plain[4:])):  # a leap year: any year may have had the day
        return plain
    raise ValueError("no day of birth")


def _company(digits: str) -> bool:
    """The check digit of a Korean company's registration number."""
    total = sum(int(d) * w for d, w in zip(digits, _COMPANY_WEIGHTS, strict=False)) + int(digits[8]) * 5 // 10
    return (10 - total % 10) % 10 == int(digits[9])


_READ: Mapping[str, Callable[[str], str]] = {
    "phone": phone,
    "code": _code,
    "text": _words,
    "account": account,
    "birth": birth,
}
