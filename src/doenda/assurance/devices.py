"""Kinds of device, and what can be finished on them: data (`devices.toml`) that says where each entry is known from.

A browser's own name is a hint and no proof. It decides what is offered on a page and beside which others a failure is
counted; whoever forges it changes nothing for anybody else but by failures that really happened at a provider.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

SOURCE = Path(__file__).with_name("devices.toml")
PLAIN = "plain"
_LONGEST = 400
_AT = "@"

type Finishes = Literal["yes", "doubtful", "no"]


@dataclass(frozen=True, slots=True)
class Device:
    """One kind; `devices.toml` says what each field means. Raises ValueError for one without a source."""

    name: str
    words: tuple[str, ...]
    source: str
    looked_at: date
    lacks: frozenset[str] = frozenset()
    common: bool = False
    walker: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(word.lower() for word in self.words))
        object.__setattr__(self, "lacks", frozenset(self.lacks))
        if not (self.name.isidentifier() and self.words and all(self.words) and self.source):
            raise ValueError("a device needs a name, words to know it by, and a source")


@dataclass(frozen=True, slots=True)
class Limit:
    """What a kind of device cannot finish, or not surely. Raises ValueError."""

    method: str
    provider: str
    device: str
    finishes: Finishes
    source: str
    looked_at: date

    def __post_init__(self) -> None:
        if self.finishes not in ("doubtful", "no") or not self.source:
            raise ValueError("a limit is doubtful or no, and has a source")


@dataclass(frozen=True, slots=True)
class Table:
    """The whole of the data: kinds by name, in the order in which they are recognised, and their limits."""

    kinds: Mapping[str, Device]
    limits: Mapping[tuple[str, str, str], Limit]


def read(source: Path = SOURCE) -> Table:
    """Read and check the data. Raises ValueError naming the entry."""
    found = tomllib.loads(source.read_text(encoding="utf-8"))
    kinds: dict[str, Device] = {}
    limits: dict[tuple[str, str, str], Limit] = {}
    for number, entry in enumerate(found.get("devices", ()), 1):
        try:
            kind = Device(**entry)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{source.name}, device {number}: {error}") from error
        kinds[kind.name] = kind
    for number, entry in enumerate(found.get("limits", ()), 1):
        try:
            limit = Limit(**entry)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{source.name}, limit {number}: {error}") from error
        if limit.device not in kinds:
            raise ValueError(f"{source.name}, limit {number}: no device {limit.device!r}")
        limits[limit.method, limit.provider, limit.device] = limit
    return Table(kinds, limits)


@cache
def table() -> Table:
    """The data of this installation."""
    return read()


@lru_cache(maxsize=1024)
def recognised(user_agent: str) -> str:
    """The name of the kind of device that a browser says it is; "" for one that is not known."""
    said = user_agent[:_LONGEST].lower()
    return next((kind.name for kind in table().kinds.values() if any(word in said for word in kind.words)), "")


def lacks(device: str) -> frozenset[str]:
    """The capabilities that a kind of device has not."""
    kind = table().kinds.get(device)
    return kind.lacks if kind else frozenset()


def finishes(way: str, capabilities: frozenset[str], device: str) -> Finishes:
    """Can the way be finished on that kind, as far as is known beforehand? Of a kind that is not known: yes."""
    if capabilities & lacks(device):
        return "no"
    _, method, provider = way.split("/")
    limit = table().limits.get((method, provider, device))
    return limit.finishes if limit else "yes"


def common() -> tuple[str, ...]:
    """The kinds that many customers hold."""
    return tuple(kind.name for kind in table().kinds.values() if kind.common)


def cell(way: str, device: str) -> str:
    """The slug under which a way on one kind of device is judged by itself."""
    return f"{way}{_AT}{device}"


def parts(slug: str) -> tuple[str, str]:
    """The way of a slug, and its kind of device ("" for the way itself)."""
    way, _, device = slug.partition(_AT)
    return way, device
