"""The control doors of sandbox bank, switch and handset network. One that does not answer is None, no error."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django.conf import settings

from doenda.kernel import net
from doenda.kernel.ids import outside

PEERS = ("bank", "switch", "handset")
TIMEOUT = 1.5
"""Seconds: the page is drawn every two, and a peer that is slow on purpose is slow at its front door only."""


def address(peer: str) -> str:
    return {
        "bank": str(settings.DOENDA_PROVIDERS["sandbox"]["url"]),
        "switch": settings.DOENDA_SWITCH_URL,
        "handset": settings.DOENDA_HANDSET_URL,
    }[peer]


def _ask(peer: str, method: str, path: str, body: object = None) -> Any:
    """The decoded answer, or None if there is none worth having."""
    try:
        reply = net.call(f"{peer} control", method, f"{address(peer)}/_control/{path}", json=body, timeout=TIMEOUT)
        return reply.json() if reply.status == 200 else None
    except (net.NotSent, net.NoAnswer, ValueError):
        return None


def faults(peer: str) -> dict[str, Any] | None:
    """What is planned to go wrong at `peer`, by its key; a peer without keys has one, `*`."""
    found = _ask(peer, "GET", "faults")
    if not isinstance(found, dict):
        return None
    return {"*": found} if "fault" in found else found


def plan(peer: str, board: dict[str, Any]) -> bool:
    """Replace all that is to go wrong at `peer`. False: it did not take it."""
    body = board if peer == "bank" else board.get("*", {})
    return _ask(peer, "PUT", "faults", body) is not None


def inbox(numbers: Sequence[str]) -> list[dict[str, Any]] | None:
    """The messages on these phones (E.164), the newest first."""
    found: list[dict[str, Any]] = []
    for number in numbers:
        messages = _ask("handset", "GET", f"inbox?to={quote(number)}")
        if not isinstance(messages, list):
            return None
        found += messages
    return sorted(found, key=lambda one: -int(one["n"]))


def barrings(line_ids: Sequence[Any]) -> dict[Any, str | None]:
    """What the network really does to these lines; None where it does not say."""
    return {line_id: _barring(_ask("switch", "GET", f"service/{outside(line_id)}")) for line_id in line_ids}


def _barring(found: Any) -> str | None:
    return str(found["barring"]) if isinstance(found, dict) and "barring" in found else None


def taken(order_ids: Sequence[str]) -> dict[str, int] | None:
    """What the bank's own books hold for these orders (minor units, net of what went back)."""
    if not order_ids:
        return {}
    found = _ask("bank", "GET", "books")
    if not isinstance(found, dict):
        return None
    return {order: int(found.get("by_order", {}).get(order, 0)) for order in order_ids}
