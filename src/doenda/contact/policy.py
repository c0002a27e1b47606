"""How the line is kept: dated policy data of the installation's country (design rule 10)."""

import tomllib
from dataclasses import dataclass
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from doenda.contact.rules.order import Rises
from doenda.contact.rules.telling import Bounds

FOLDER = Path(__file__).with_name("policies")


@dataclass(frozen=True, slots=True)
class Money:
    """What calls may cost, in minor units: `reserved` is set aside for a call when it is dialled, by range."""

    most_a_day: int
    a_minute: dict[str, int]
    reserved_minutes: int

    def reserved(self, found: str) -> int:
        return self.a_minute[found] * self.reserved_minutes


@dataclass(frozen=True, slots=True)
class CallBack:
    """`pauses` in seconds, one for each try after the first; `quiet_from` to `quiet_until` spans midnight."""

    pauses: tuple[float, ...]
    ring: timedelta
    lease: timedelta
    window: timedelta
    quiet_from: time
    quiet_until: time
    windows: dict[str, int]
    money: Money


@dataclass(frozen=True, slots=True)
class Policy:
    version: str
    valid_from: date
    place_kept: timedelta
    holding_lease: timedelta
    lost_for: timedelta
    rises: Rises
    offer: timedelta
    wrap_up: timedelta
    desk_lease: timedelta
    transfers: dict[str, str]
    history: timedelta
    lately: timedelta
    bounds: Bounds
    callback: CallBack


def load(source: Path) -> Policy:
    """A policy from its file. Raises ValueError naming file and place."""
    data = tomllib.loads(source.read_text(encoding="utf-8"))
    try:
        made = _made(data)
    except KeyError as error:
        raise ValueError(f"{source.name}: {error} is missing") from error
    ours = made.callback
    if made.rises.lost_a_step < 1 or made.rises.after <= 0 or min(made.offer, made.holding_lease) <= timedelta(0):
        raise ValueError(f"{source.name}: a step or a lease is nothing")
    if len(ours.pauses) + 1 != data["callback"]["attempts"]:
        raise ValueError(f"{source.name}: every attempt but the first needs its pause")
    if ours.quiet_until >= ours.quiet_from or ours.money.most_a_day < 0:
        raise ValueError(f"{source.name}: the quiet hours or the money make no sense")
    return made


def _made(data: dict[str, Any]) -> Policy:
    line, agents, told = data["line"], data["agents"], data["estimates"]
    return Policy(
        version=data["version"],
        valid_from=data["valid_from"],
        place_kept=timedelta(minutes=line["place_kept_minutes"]),
        holding_lease=timedelta(seconds=line["holding_lease_seconds"]),
        lost_for=timedelta(days=line["lost_days"]),
        rises=Rises(line["lost_a_step"], line["rise_minutes"] * 60.0, line["most_priority"]),
        offer=timedelta(seconds=agents["offer_seconds"]),
        wrap_up=timedelta(seconds=agents["wrap_up_seconds"]),
        desk_lease=timedelta(seconds=agents["desk_lease_seconds"]),
        transfers=dict(agents["transfers"]),
        history=timedelta(minutes=told["window_minutes"]),
        lately=timedelta(minutes=told["overtaking_minutes"]),
        bounds=Bounds(told["offer_callback_seconds"], told["overload_minutes"] * 60.0),
        callback=_callback(data["callback"]),
    )


def _callback(data: dict[str, Any]) -> CallBack:
    money = data["money"]
    return CallBack(
        pauses=tuple(minutes * 60.0 for minutes in data["pause_minutes"]),
        ring=timedelta(seconds=data["ring_seconds"]),
        lease=timedelta(seconds=data["lease_seconds"]),
        window=timedelta(hours=data["window_hours"]),
        quiet_from=time.fromisoformat(data["quiet_from"]),
        quiet_until=time.fromisoformat(data["quiet_until"]),
        windows=dict(data["windows"]),
        money=Money(
            money["most_a_day"],
            {"mobile": money["mobile_a_minute"], "landline": money["landline_a_minute"]},
            money["reserved_minutes"],
        ),
    )


@cache
def current() -> Policy:
    """The policy of the carrier's country."""
    return load(FOLDER / f"{settings.DOENDA_COUNTRY.lower()}.toml")
