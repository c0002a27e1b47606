"""What can be made to go wrong from the demo page, in words. Pure. (These are faults, not ways to pay.)"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that a peer knows, and what it does."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Preset:
    """One tap: a fault as somebody would tell it. `remaining` None: until healed."""

    name: str
    words: str
    peer: str
    key: str
    fault: str
    seconds: float | None = None
    remaining: int | None = None

    @property
    def said(self) -> dict[str, Any]:
        return document(self.fault, self.seconds, self.remaining)


BANK = (
    Fault("last_step_down", "the last step says: service fault (no money moves)"),
    Fault("timeout_after", "takes the money, and never answers"),
    Fault("timeout_before", "takes nothing, and never answers"),
    Fault("hidden", "knows of nothing, then takes the money later"),
    Fault("refuse", "the customer's card or account is refused"),
    Fault("error_before", "answers 500 without taking"),
    Fault("error_after", "takes the money, answers 500"),
    Fault("slow", "takes the money, answers slowly"),
    Fault("dead", "cuts every connection"),
    Fault("redirect_page_down", "its own page is down"),
    Fault("inquiry_down", "does not say what became of a payment"),
    Fault("no_webhook", "never calls back"),
    Fault("duplicate_webhook", "calls back three times"),
    Fault("late_webhook", "calls back late"),
    Fault("forged_webhook", "somebody forges its calls"),
)
SWITCH = (
    Fault("lie", "says yes, does nothing"),
    Fault("down", "cuts every connection"),
    Fault("timeout_after", "does it, and never answers"),
    Fault("timeout_before", "does nothing, never answers"),
    Fault("error", "answers 500"),
    Fault("async", "says: later"),
    Fault("slow", "answers slowly"),
)
HANDSET = (
    Fault("never_delivered", "accepts texts that never arrive"),
    Fault("undeliverable", "reports that texts could not be delivered"),
    Fault("reject", "refuses texts"),
    Fault("down", "cuts every connection"),
    Fault("timeout_after", "accepts, and never answers"),
    Fault("slow", "answers slowly"),
)
KNOWN = {"bank": BANK, "switch": SWITCH, "handset": HANDSET}
KEYS = {"*": "everything", "card": "cards", "transfer": "transfers"}

PRESETS = (
    Preset("story", "Transfers fail at the last step, as in the story", "bank", "transfer", "last_step_down"),
    Preset("silence", "The bank falls silent; half a minute later the money is taken", "bank", "*", "hidden", 30),
    Preset("bank_dead", "The bank is dead", "bank", "*", "dead"),
    Preset("switch_lies", "The switch says yes and does nothing", "switch", "*", "lie"),
    Preset("no_texts", "Texts never arrive", "handset", "*", "never_delivered"),
)


def preset(name: str) -> Preset | None:
    return next((one for one in PRESETS if one.name == name), None)


def known(peer: str, key: str, fault: str) -> bool:
    """Does `peer` take this fault under this key?"""
    keys = KEYS if peer == "bank" else {"*": ""}
    return key in keys and any(one.name == fault for one in KNOWN.get(peer, ()))


def document(fault: str, seconds: float | None, remaining: int | None) -> dict[str, Any]:
    """As peers are told."""
    said: dict[str, Any] = {"fault": fault}
    if seconds is not None:
        said["seconds"] = seconds
    if remaining is not None:
        said["remaining"] = remaining
    return said


def described(peer: str, board: dict[str, Any]) -> list[str]:
    """A board in words, a line for each fault."""
    names = {one.name: one.words for one in KNOWN[peer]}
    lines = []
    for key, planned in board.items():
        for one in planned if isinstance(planned, list) else [planned]:
            where = f"{KEYS.get(key, key)}: " if peer == "bank" else ""
            left = one.get("remaining")
            times = "" if left is None else f" ({left} more)" if left > 1 else " (once more)"
            lines.append(f"{where}{names.get(one['fault'], one['fault'])}{times}")
    return lines
