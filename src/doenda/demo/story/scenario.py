"""The scenario's figures and where they come from (`scenario.toml`). Pure, but for reading the file."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("scenario.toml")
_KNOWN = ("article", "invented")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One field an entry of the file, which says what it means; `sources` by "group.name"."""

    first_day: date
    days: int
    hours: tuple[int, ...]
    opens: int
    closes: int
    broken: frozenset[str]
    breaks_at: int
    only_in_one_browser: frozenset[str]
    other_browsers: float
    works: frozenset[str]
    amounts: tuple[int, ...]
    due: tuple[date, ...]
    english: float
    acts_each_day: float
    phones_first: float
    prefers: Mapping[str, float]
    takes_another: float
    goes_back: float
    reports: float
    tries_again: float
    calls_after: float
    looks_elsewhere: float
    asks_a_store: float
    brings_same_day: float
    daily_text: bool
    names: frozenset[str]
    hold_seconds: float
    lines_a_thousand: float
    talk_seconds: float
    other_callers: float
    agent_tells: float
    store_takes: float
    store_notices: bool
    others_in_need: float
    others_patience: float
    takes_callback: float
    calls_again: float
    sources: Mapping[str, tuple[Any, str]]

    def day(self, at: int) -> date:
        """The date of a day, counted from 0."""
        return self.first_day + timedelta(days=at)


_SETS = ("broken", "only_in_one_browser", "works", "names")


@cache
def load(source: Path = SOURCE) -> Scenario:
    """Raises ValueError for an entry without a source, or a missing or unknown one."""
    found: dict[str, Any] = {}
    sources: dict[str, tuple[Any, str]] = {}
    for group, entries in tomllib.loads(source.read_text(encoding="utf-8")).items():
        for name, entry in entries.items():
            if not str(entry.get("source", "")).startswith(_KNOWN):
                raise ValueError(f"{source.name}: {group}.{name} does not say where it comes from")
            value = entry["value"]
            found[name] = frozenset(value) if name in _SETS else tuple(value) if isinstance(value, list) else value
            sources[f"{group}.{name}"] = value, entry["source"]
    wanted = {field.name for field in fields(Scenario)} - {"sources"}
    if wanted != found.keys():
        raise ValueError(f"{source.name}: {', '.join(sorted(wanted ^ found.keys()))}: missing, or unknown")
    return Scenario(**found, sources=sources)
