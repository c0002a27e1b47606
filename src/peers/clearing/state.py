"""What the clearing house keeps: bank accounts, files taken, what was done of each record, answers given out."""

from dataclasses import dataclass, field
from typing import Any

UNKNOWN, CLOSED, STOPPED, NO_FUNDS, LIMIT, PAID = "0012", "0015", "0018", "0021", "0022", "0000"
STATES = {"open": PAID, "closed": CLOSED, "stopped": STOPPED}


@dataclass(frozen=True, slots=True)
class Accounts:
    """Bank accounts, as lists of bank, number, balance, state ("open", "closed", "stopped") and limit (0: none)."""

    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class File:
    """A file that was taken, named by `day` and `sequence`; `orders`: [serial, kind, bank, account, amount, payer]."""

    ident: str
    form: str
    institution: str
    day: str
    sequence: int
    sha256: str
    records: int
    amount: int
    orders: list[list[Any]]
    clears_at: float | None = None

    def ack(self) -> dict[str, Any]:
        return {
            "file": self.ident,
            "state": "accepted",
            "sha256": self.sha256,
            "records": self.records,
            "amount": self.amount,
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was refused whole, and why."""

    ident: str
    sha256: str
    reason: str
    line: int
    column: str

    def ack(self) -> dict[str, Any]:
        return {
            "file": self.ident,
            "state": "refused",
            "sha256": self.sha256,
            "reason": self.reason,
            "line": self.line,
            "column": self.column,
        }


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was done of a file's records: [serial, code]. The balances follow from it."""

    ident: str
    done: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Returned:
    """A debit that its payer's bank took back."""

    ident: str
    serial: int
    code: str


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that can be fetched: the same bytes for ever. `of` is the file it answers, `content` base 64."""

    number: int
    ident: str
    kind: str
    of: str
    sha256: str
    size: int
    content: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Files are cleared so many seconds after they came; None: at their own hour, or when told to."""

    seconds: float | None


@dataclass
class State:
    """Built up of changes alone. `accounts`: (bank, number) to [balance, state, limit]."""

    accounts: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    carrier: int = 0
    files: dict[str, File | Refusal] = field(default_factory=dict)
    orders: dict[str, dict[int, list[Any]]] = field(default_factory=dict)
    done: dict[str, dict[int, str]] = field(default_factory=dict)
    returned: dict[tuple[str, int], str] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)
    pace: float | None = None

    def apply(self, change: object) -> None:
        match change:
            case Accounts():
                for bank, number, balance, state, limit in change.rows:
                    self.accounts[bank, number] = [balance, state, limit]
            case File():
                self.files[change.ident] = change
                self.orders[change.ident] = {order[0]: order for order in change.orders}
            case Refusal():
                self.files[change.ident] = change
            case Cleared():
                self.done[change.ident] = {}
                for serial, code in change.done:
                    self._carry_out(change.ident, serial, code)
            case Returned():
                self.returned[change.ident, change.serial] = change.code
                self._move(self.orders[change.ident][change.serial], -1)
            case Given():
                self.given.append(change)
            case Pace():
                self.pace = change.seconds
            case _:
                raise TypeError(f"the clearing house keeps no {type(change).__name__}")

    def _carry_out(self, ident: str, serial: int, code: str) -> None:
        self.done[ident][serial] = code
        if code == PAID:
            self._move(self.orders[ident][serial], 1)

    def _move(self, order: list[Any], sign: int) -> None:
        """A debit moves money to the carrier, a refund back; `sign` -1 takes it back."""
        _, kind, bank, number, amount, _ = order
        amount *= sign if kind == "R" else -sign
        self.accounts[bank, number][0] -= amount
        self.carrier += amount

    def verdict(self, order: list[Any]) -> str:
        """The code for a record as the books stand now."""
        _, kind, bank, number, amount, _ = order
        known = self.accounts.get((bank, number))
        if known is None:
            return UNKNOWN
        balance, state, limit = known
        if state != "open":
            return CLOSED if kind == "D" else STATES[state]
        if kind == "D":
            return PAID
        if limit and amount > limit:
            return LIMIT
        return PAID if amount <= balance else NO_FUNDS

    def waiting(self) -> list[File]:
        return [each for each in self.files.values() if isinstance(each, File) and each.ident not in self.done]

    def books(self) -> dict[str, Any]:
        """The house's own truth, for whoever compares: balances, and net won by file and record."""
        taken: dict[str, dict[str, int]] = {}
        for ident, codes in self.done.items():
            orders = self.orders[ident]
            taken[ident] = {
                str(serial): 0 if (ident, serial) in self.returned else orders[serial][4]
                for serial, code in codes.items()
                if code == PAID and orders[serial][1] == "R"
            }
        return {
            "carrier": self.carrier,
            "accounts": [[bank, number, one[0]] for (bank, number), one in self.accounts.items()],
            "taken": taken,
            "files": [each.ack() for each in self.files.values()],
            "given": [[one.number, one.ident, one.kind, one.of] for one in self.given],
        }
