"""Banks as data (`banks.toml`): what customers call them, and which are open. Their hours are no news of any way."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType

from doenda.assurance import hours
from doenda.kernel import clock

SOURCE = Path(__file__).with_name("banks.toml")


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank: its `code` of three digits, its names, and the name of its calendar. Raises ValueError."""

    code: str
    ko: str
    en: str
    calendar: str = "korean_banks"

    def __post_init__(self) -> None:
        if not (len(self.code) == 3 and self.code.isascii() and self.code.isdigit()):
            raise ValueError("a bank's code is three digits")
        if not (self.ko.strip() and self.en.strip()):
            raise ValueError("a bank has a name in both languages")
        hours.named(self.calendar)

    def name(self, lang: str) -> str:
        return self.ko if lang == "ko" else self.en

    def closed_until(self, now: datetime | None = None) -> datetime | None:
        """None while the bank is open (at `now`, or at this moment); else the instant (UTC) at which it opens."""
        return hours.closed_until(hours.named(self.calendar), now or clock.now())


@cache
def banks(source: Path = SOURCE) -> Mapping[str, Bank]:
    """The banks by code, in the order in which customers are shown them. Raises ValueError naming the entry."""
    found: dict[str, Bank] = {}
    for code, entry in tomllib.loads(source.read_text(encoding="utf-8")).items():
        try:
            found[code] = Bank(code, **entry)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{source.name}, {code}: {error}") from error
    return MappingProxyType(found)


def open_now() -> tuple[Bank, ...]:
    """The banks that are open at this moment, in the order in which customers are shown them."""
    now = clock.now()
    return tuple(bank for bank in banks().values() if bank.closed_until(now) is None)


def closed_until(code: str) -> datetime | None:
    """None while the bank is open or unknown to us; else the instant (UTC) at which it opens."""
    bank = banks().get(code)
    return None if bank is None else bank.closed_until()


def name(code: str, lang: str) -> str:
    """What customers call the bank; a bank that is not listed is called by its code, so that a page still has it."""
    bank = banks().get(code)
    return code if bank is None else bank.name(lang)
