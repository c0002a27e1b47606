"""Messages as a handset shows them: which parts of a text can be tapped. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

_ADDRESS = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text; `link` is where it leads, if it may be tapped."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """`state` is the handset network's word; `clock` the wall's time at which it was accepted."""

    parts: tuple[Part, ...]
    kind: str
    state: str
    at: datetime
    to: str

    @property
    def arrived(self) -> bool:
        return self.state == "delivered"


def shown(found: dict[str, Any]) -> Message:
    """One message of the handset network's inbox."""
    at = datetime.fromisoformat(str(found["accepted_at"]))
    return Message(parts(str(found["text"])), str(found["kind"]), str(found["state"]), at, str(found["to"]))


def parts(text: str) -> tuple[Part, ...]:
    """The text cut at the addresses in it; only our own customers' pages can be tapped."""
    cut, found = 0, []
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(".,)")
        found.append(Part(text[cut : match.start()]))
        found.append(Part(address, address if address.startswith(f"{settings.DOENDA_BASE_URL}/") else ""))
        cut = match.start() + len(address)
    return tuple(part for part in (*found, Part(text[cut:])) if part.text)
