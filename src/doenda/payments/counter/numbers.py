"""Numbers that people read out and type: slips with a check digit, receipts, a terminal's approval. Pure rules."""

import re

from doenda.kernel import randomness

SLIP = 10
# Damm's table: one digit wrong, or two neighbours exchanged, never gives a valid number (H. M. Damm, 2004).
_TABLE = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)


def check_digit(digits: str) -> str:
    """The digit that, put behind them, makes `digits` valid."""
    state = 0
    for digit in digits:
        state = int(_TABLE[state][int(digit)])
    return str(state)


def fresh_slip() -> str:
    """Nine digits by chance (the first is no 0: it is not taken for a telephone number) and their check digit."""
    digits = f"{1 + randomness.below(9)}{randomness.digits(8)}"
    return digits + check_digit(digits)


def slip(text: str) -> str | None:
    """The slip number in what somebody typed, with or without blanks and hyphens; None if it cannot be one."""
    digits = re.sub(r"[\s-]", "", text)
    right = len(digits) == SLIP and digits.isascii() and digits.isdigit() and check_digit(digits) == "0"
    return digits if right else None


def shown(number: str) -> str:
    """A slip as it is printed: 12345-67890."""
    return f"{number[:5]}-{number[5:]}"


def receipt(store: str, year: int, number: int) -> str:
    """A receipt's number as it is printed, and as the ledger's fact names it."""
    return f"{store}-{year}-{number:06d}"


def approval(text: str) -> str:
    """A card terminal's approval number. Raises ValueError for anything else: above all, for a card's own number."""
    if not re.fullmatch(r"[0-9A-Z]{4,12}", text):  # a card's number has 13 digits and more
        raise ValueError("an approval number has 4 to 12 digits or capital letters")
    return text
