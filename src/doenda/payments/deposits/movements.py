"""One movement at the deposit bank as both its list and its statement file tell it (pure).

Its identity is the bank's own number for it, within the code of the bank that holds the account: the list and the
statement carry the same number, so a line counts once whoever brings it first, and two equal deposits of the same
minute stay two. A statement without the bank's number is refused: nobody could tell a second delivery from a second
deposit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DEPOSIT, RETURNED, TAKEN_BACK = "deposit", "returned", "taken_back"
KINDS = {"DEPOSIT": DEPOSIT, "RETURNED": RETURNED, "TAKEN_BACK": TAKEN_BACK}


class NotAMovement(ValueError):
    """The bank's list holds something that cannot be read as a movement of ours; says which field."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Minor units; `of` names the deposit that was returned or taken back; `order_id` for whom the number was open."""

    bank: str
    ident: str
    kind: str
    number: str
    amount: int
    currency: str
    at: datetime
    remitter: str = ""
    of: str = ""
    order_id: str = ""
    day_only: bool = False

    @property
    def says(self) -> tuple[str, str, int, str, str]:
        """What two tellings of one movement must agree on."""
        return self.kind, self.number, self.amount, self.currency, self.of


def read(entry: Mapping[str, Any], merchant: str) -> Movement:
    """One entry of the bank's list. Raises NotAMovement."""
    try:
        found = Movement(
            bank=_text(entry["bank"], 10),
            ident=_text(entry["id"], 80),
            kind=KINDS[entry["kind"]],
            number=_text(entry["number"], 40),
            amount=entry["amount"],
            currency=_text(entry["currency"], 3),
            at=datetime.fromisoformat(entry["at"]),
            remitter=str(entry.get("remitter") or "").replace("\0", "")[:60],
            of=_text(entry.get("of") or "", 80),
            order_id=_text(entry.get("order_id") or "", 64),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotAMovement(f"{type(error).__name__} {error}"[:80]) from error
    if type(found.amount) is not int or found.amount <= 0:
        raise NotAMovement("amount")
    if entry.get("merchant") != merchant or found.at.tzinfo is None or (found.kind != DEPOSIT) != bool(found.of):
        raise NotAMovement("merchant, at or of")
    return found


def _text(said: object, most: int) -> str:
    if not isinstance(said, str) or len(said) > most or "\0" in said:
        raise ValueError("not a short text")
    return said
