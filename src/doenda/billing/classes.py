"""Item classes as policy data, and how a part payment covers them. Pure: reads its policy file once, no database."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

POLICIES = Path(__file__).parent / "policies"
LATE_FEE = "late_fee"
OTHER = "other"

type FeeRule = Literal["percent_once", "none"]


class PolicyBroken(ValueError):
    """The policy file says something that cannot be; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class ItemClass:
    """One class of bill items. `text_id` names its words; `own` classes are made by us and refused in files."""

    name: str
    late_fee: FeeRule
    may_bar: bool
    order: int
    own: bool = False

    @property
    def text_id(self) -> str:
        return f"bill-class-{self.name}"


@dataclass(frozen=True)
class ClassPolicy:
    """The classes that hold from `since` on."""

    version: int
    since: date
    classes: Mapping[str, ItemClass]

    @property
    def order(self) -> tuple[str, ...]:
        """Names of the classes in the order in which payments cover them."""
        return tuple(sorted(self.classes, key=lambda name: (self.classes[name].order, name)))

    @property
    def in_files(self) -> frozenset[str]:
        """The classes that a file may bring."""
        return frozenset(name for name, each in self.classes.items() if not each.own)


@cache
def versions(country: str = "KR") -> tuple[ClassPolicy, ...]:
    """Every version of a country's classes, oldest first. Raises PolicyBroken."""
    path = POLICIES / f"{country.lower()}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        found = [_version(entry) for entry in data["version"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PolicyBroken(f"{path.name}: {error}") from error
    found.sort(key=lambda each: each.since)
    if not found or len({each.since for each in found}) != len(found):
        raise PolicyBroken(f"{path.name}: needs at least one version, each from another day")
    return tuple(found)


def _version(entry: dict[str, Any]) -> ClassPolicy:
    classes = {}
    for name, fields in entry["classes"].items():
        made = ItemClass(name=name, **fields)
        if made.late_fee not in {"percent_once", "none"}:
            raise ValueError(f"{name}.late_fee: {made.late_fee!r}")
        classes[name] = made
    for needed in (LATE_FEE, OTHER):
        if needed not in classes:
            raise ValueError(f"the class {needed} is missing")
    return ClassPolicy(int(entry["version"]), entry["since"], classes)


def policy(on: date, country: str = "KR") -> ClassPolicy:
    """The version that holds on a day; the oldest one for days before it."""
    known = versions(country)
    return next((each for each in reversed(known) if each.since <= on), known[0])


def allocate(items_by_class: Mapping[str, int], paid: int, order: Sequence[str]) -> dict[str, int]:
    """What remains of each class (minor units) after `paid` covered them in `order`; classes not in it come last.

    Classes with nothing left are not in the answer. Raises ValueError for a negative amount or more paid than owed.
    """
    if paid < 0 or any(amount < 0 for amount in items_by_class.values()):
        raise ValueError("amounts to allocate are not negative")
    rank = {name: place for place, name in enumerate(order)}
    remaining: dict[str, int] = {}
    for name in sorted(items_by_class, key=lambda each: (rank.get(each, len(rank)), each)):
        covered = min(paid, items_by_class[name])
        paid -= covered
        if items_by_class[name] > covered:
            remaining[name] = items_by_class[name] - covered
    if paid:
        raise ValueError(f"{paid} more paid than the items come to")
    return remaining
