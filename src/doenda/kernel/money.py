"""Money: an integer of minor units and an ISO 4217 code. Never a float, never two currencies in one sum."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import total_ordering

from babel.core import UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision, is_currency

_PATTERNS = {("ko", "KRW"): "#,##0원"}
LIMIT = 10**15
"""No single amount is larger (in minor units): it fits a bigint with room for sums."""


def exponent(currency: str) -> int:
    """Digits after the point: 0 for KRW, 2 for EUR. Raises ValueError for a code that ISO 4217 does not know."""
    if len(currency) != 3 or not is_currency(currency):
        raise ValueError(f"not a currency code of ISO 4217: {currency[:10]!r}")
    return get_currency_precision(currency)


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency`: Money(52300, "KRW") is 52,300 won, Money(5000, "EUR") is 50 euros."""

    minor: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other).minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other).minor

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not mix")
        return other

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    @staticmethod
    def of_decimal(value: Decimal, currency: str) -> "Money":
        """Exact, or ValueError: 50.001 EUR and 0.5 KRW are refused, as are NaN and sums beyond `LIMIT`."""
        places = exponent(currency)
        if not value.is_finite():
            raise ValueError(f"not an amount: {value}")
        if abs(value) >= Decimal(LIMIT).scaleb(-places):
            raise ValueError(f"amount too large: {value}")
        minor = value.scaleb(places)
        if minor != minor.to_integral_value():
            raise ValueError(f"{value} has more than {places} decimals, which {currency} does not")
        return Money(int(minor), currency)

    @staticmethod
    def parse(text: str, currency: str) -> "Money":
        """An amount as a person or a file writes it: "52,300", "52300원", " 50.00 ". Raises ValueError."""
        cleaned = text.strip().removesuffix("원").removeprefix("₩").replace(",", "").strip()
        if len(cleaned) > 24 or not cleaned.isascii() or any(letter in "eE_" for letter in cleaned):
            raise ValueError(f"not an amount: {text[:40]!r}")
        try:
            return Money.of_decimal(Decimal(cleaned), currency)
        except InvalidOperation as error:
            raise ValueError(f"not an amount: {text[:40]!r}") from error


def words(money: Money, lang: str) -> str:
    """As people of that language write it: "52,300원", "₩52,300"."""
    try:
        return format_currency(
            money.decimal,
            money.currency,
            format=_PATTERNS.get((lang, money.currency)),
            locale=lang,
            currency_digits=True,
        )
    except UnknownLocaleError as error:
        raise ValueError(f"no such language: {lang!r}") from error


def ascii_words(money: Money) -> str:
    """For screens that cannot show every script: "KRW 52,300" (browsers.md, pitfall 5)."""
    return f"{money.currency} {money.decimal:,}"
