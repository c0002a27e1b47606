"""What Asterisk tells, as values; what we do not use is `Unknown`, and never an error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Channel:
    """One leg of a call. `caller`: the number that it says it comes from. `args`: of the dialplan's `Stasis()`."""

    id: str
    name: str = ""
    state: str = ""
    caller: str = ""
    dialled: str = ""
    created: str = ""
    app: str = ""
    args: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Started:
    """A channel came to the application."""

    channel: Channel
    args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """A channel left the application: hung up, or sent elsewhere."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Destroyed:
    """A channel is gone. `cause`: Q.850's number (16 normal, 17 busy, 18 no user responding, 19 no answer)."""

    channel: Channel
    cause: int


@dataclass(frozen=True, slots=True)
class Digit:
    """A key was pressed."""

    channel: Channel
    digit: str


@dataclass(frozen=True, slots=True)
class Played:
    """A playback ended. `state`: done, failed (a file that is not there), or lost (it ended without our hearing)."""

    playback: str
    channel_id: str
    state: str


@dataclass(frozen=True, slots=True)
class Connected:
    """Not Asterisk's: the connection stands (again). `epoch` counts them; `channels`: all that are in the application
    now, `bridges`: bridge id → (name, the channels in it)."""

    epoch: int
    channels: Mapping[str, Channel]
    bridges: Mapping[str, tuple[str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event that nothing here uses."""

    type: str


type Event = Started | Ended | Destroyed | Digit | Played | Connected | Unknown


class NotAnEvent(ValueError):
    """What came is no event."""


def read(text: str) -> Event:
    """One message of the events' connection. Raises NotAnEvent for what is none; an unknown type is none of that."""
    try:
        raw = json.loads(text)
        kind = raw["type"]
        match kind:
            case "StasisStart":
                return Started(channel(raw["channel"]), tuple(raw.get("args", ())))
            case "StasisEnd":
                return Ended(channel(raw["channel"]))
            case "ChannelDestroyed":
                return Destroyed(channel(raw["channel"]), int(raw.get("cause", 0)))
            case "ChannelDtmfReceived":
                return Digit(channel(raw["channel"]), str(raw["digit"]))
            case "PlaybackFinished":
                played = raw["playback"]
                return Played(played["id"], str(played.get("target_uri", "")).partition(":")[2], played["state"])
            case _:
                return Unknown(str(kind))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAnEvent(text[:200]) from error


def channel(raw: Mapping[str, Any]) -> Channel:
    """A channel as ARI writes it. Raises KeyError without an id."""
    plan = raw.get("dialplan") or {}
    data = str(plan.get("app_data") or "").split(",") if plan.get("app_name") == "Stasis" else []
    return Channel(
        id=raw["id"],
        name=raw.get("name", ""),
        state=raw.get("state", ""),
        caller=(raw.get("caller") or {}).get("number", ""),
        dialled=plan.get("exten", ""),
        created=raw.get("creationtime", ""),
        app=data[0] if data else "",
        args=tuple(data[1:]),
        variables=dict(raw.get("channelvars") or {}),
    )
