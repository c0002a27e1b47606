"""The board of planned faults: what is to go wrong, for whom, how often."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from peers.http import Refused

EVERYONE = "*"
BEFORE = ("timeout_before", "error_before")
"""What cuts a request off before it has any effect."""
AFTER = ("timeout_after", "error_after", "slow")
"""What keeps the answer back, or late, once it has had its effect."""


@dataclass(slots=True)
class Fault:
    """One planned fault. `seconds` and `remaining` as far as they were given; `on` names the requests it strikes."""

    name: str
    seconds: float | None = None
    remaining: int | None = None
    on: tuple[str, ...] = ()

    def hold(self, default: float = 30.0) -> float:
        """How long it withholds or delays, in seconds."""
        return default if self.seconds is None else self.seconds

    def document(self) -> dict[str, Any]:
        """As it was put."""
        said: dict[str, Any] = {"fault": self.name}
        if self.seconds is not None:
            said["seconds"] = self.seconds
        if self.remaining is not None:
            said["remaining"] = self.remaining
        if self.on:
            said["on"] = list(self.on)
        return said


@dataclass
class Faults:
    """Faults by key: a method, or `*` for all. A key may carry one fault or a list of them."""

    names: Collection[str]
    keys: Collection[str] = (EVERYONE,)
    usually: tuple[str, ...] = ()  # the requests that a fault strikes when it names none
    board: dict[str, list[Fault]] = field(default_factory=dict)
    changed: bool = False  # since the peer last wrote the board down

    def put(self, document: dict[str, Any]) -> None:
        """Replace all faults. Raises Refused (400) and then changes nothing."""
        board: dict[str, list[Fault]] = {}
        for key, said in document.items():
            if key not in self.keys:
                raise Refused(400, "INVALID_FAULT", f"{key}: one of {', '.join(sorted(self.keys))}")
            board[key] = [self._read(key, one) for one in (said if isinstance(said, list) else [said])]
        self.board, self.changed = board, True

    def _read(self, key: str, said: object) -> Fault:
        if not isinstance(said, dict) or said.get("fault") not in self.names:
            raise Refused(400, "INVALID_FAULT", f"{key}.fault: one of {', '.join(sorted(self.names))}")
        seconds, remaining, on = said.get("seconds"), said.get("remaining"), said.get("on", [])
        if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0):
            raise Refused(400, "INVALID_FAULT", f"{key}.seconds: a number of 0 or more")
        if remaining is not None and (isinstance(remaining, bool) or not isinstance(remaining, int) or remaining < 1):
            raise Refused(400, "INVALID_FAULT", f"{key}.remaining: a whole number of 1 or more")
        if not isinstance(on, list) or not all(isinstance(name, str) for name in on):
            raise Refused(400, "INVALID_FAULT", f"{key}.on: a list of names")
        return Fault(str(said["fault"]), seconds, remaining, tuple(on))

    def document(self) -> dict[str, Any]:
        """The board as it may be put again."""
        said = {key: [fault.document() for fault in faults] for key, faults in self.board.items() if faults}
        return {key: faults[0] if len(faults) == 1 else faults for key, faults in said.items()}

    def put_one(self, said: dict[str, Any]) -> None:
        """Replace the one fault of a peer without keys; {} heals. A board by key is taken as well."""
        self.put({EVERYONE: said} if "fault" in said else said)

    def one(self) -> dict[str, Any]:
        """The one fault, or {}."""
        document = self.document()
        return dict(document[EVERYONE]) if isinstance(document.get(EVERYONE), dict) else document

    def fires(self, names: Collection[str], key: str = EVERYONE, on: str = "") -> Fault | None:
        """The first fault among `names` that strikes the request `on` now, used up by one; the key's own come first."""
        if not self.board:
            return None
        for faults in (self.board.get(one, []) for one in dict.fromkeys((key, EVERYONE))):
            for fault in faults:
                if fault.name in names and (not on or on in (fault.on or self.usually)):
                    self._use(fault, faults)
                    return fault
        return None

    def _use(self, fault: Fault, among: list[Fault]) -> None:
        if fault.remaining is not None:
            fault.remaining -= 1
            self.changed = True
            if fault.remaining == 0:
                among.remove(fault)
