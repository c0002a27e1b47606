"""What a person does with lines that wait: say that one is a movement of ours, post its money, or dismiss it.

Money that came in and that the ledger has not is posted through the door for payments taken elsewhere, under the lock
of its account, and once: its fact is named by the line. Above the policy's limit two persons agree on the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from doenda.access import audit
from doenda.billing import accounts
from doenda.billing.imports import elsewhere
from doenda.billing.models import Account, Bill, ExternalFact
from doenda.kernel import clock
from doenda.kernel.db import durable
from doenda.kernel.ids import outside
from doenda.payments import staff
from doenda.payments.reconciliation import policy, storing
from doenda.payments.reconciliation.models import ReconLine
from doenda.payments.reconciliation.rules import FactKey

S = ReconLine.State
STATEMENT = "statement:"


class NotAllowed(ValueError):
    """This cannot be done with the line, or not by this person; the message says why."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line that waits. `source` shows only the last four of an account of ours; amounts in minor units."""

    line_id: UUID
    source: str
    kind: str
    amount: int
    currency: str
    at: datetime
    reference: str
    reason: str
    owner: str
    due_at: datetime
    suggestion: dict[str, Any]
    asked_by: str
    probe: bool


@dataclass(frozen=True, slots=True)
class Handled:
    """What an act came to. `done` False: somebody else has to ask for the same, as it is above the limit."""

    done: bool
    fact: FactKey | None = None
    posted: int = 0


def waiting(limit: int = 1000, source: str = "") -> list[Waiting]:
    """The lines that wait, the most urgent first."""
    rows = ReconLine.objects.filter(state=S.PARKED, source__startswith=source).order_by("due_at", "pk")
    return [_waiting(row) for row in rows[:limit]]


def _waiting(row: ReconLine) -> Waiting:
    assert row.due_at is not None
    return Waiting(
        row.pk,
        shown(row.source),
        row.kind,
        row.amount,
        row.currency,
        row.at,
        row.reference,
        row.reason,
        row.owner,
        row.due_at,
        dict(row.suggestion),
        row.asked_by,
        row.probe,
    )


def shown(source: str) -> str:
    """A source as it is listed."""
    kind, _, name = source.partition(":")
    return f"{kind}:…{name[-4:]}" if f"{kind}:" == STATEMENT and len(name) > 4 else source


def accept(line_id: UUID, *, by: str, bill: str = "") -> Handled:
    """The line is what its suggestion says; or it pays the bill of this number. Raises NotAllowed.

    A movement that the ledger has already is only tied to the line; money that it has not is posted: to the bill that
    is meant, as far as it owes it, and else as the account's credit.
    """
    staff.require(by, "refund")
    return durable(lambda: _accept(line_id, by, bill), once=True)


def _accept(line_id: UUID, by: str, bill_number: str) -> Handled:
    meant = _account_of(line_id, bill_number)
    account = accounts.lock(meant) if meant else None
    line = _locked(line_id)
    if not line.source.startswith(STATEMENT):
        raise NotAllowed("what a provider's list says is asked of the provider, never posted by hand")
    fact = None if bill_number else _same_fact(line)
    if fact is None and account is None:
        raise NotAllowed("nobody knows what it is for: name the bill that it pays")
    if not _agreed(line, by, f"accept {bill_number}".strip()):
        return Handled(done=False)
    if fact is not None:
        _close(line, by, fact, account)
        return Handled(done=True, fact=fact)
    assert account is not None
    key = _post(line, account, _bill(line, account, bill_number))
    _close(line, by, key, account)
    return Handled(done=True, fact=key, posted=line.amount)


def _account_of(line_id: UUID, bill_number: str) -> UUID | None:
    """Whose lock the act needs; of a line that waits, this never changes but by such an act."""
    if bill_number:
        found = Bill.objects.filter(number=bill_number).values_list("account_id", flat=True).first()
        if found is None:
            raise NotAllowed("there is no bill of this number")
        return found
    return ReconLine.objects.filter(pk=line_id).values_list("account_id", flat=True).first()


def _locked(line_id: UUID) -> ReconLine:
    line = ReconLine.objects.select_for_update(of=("self",)).filter(pk=line_id).first()
    if line is None or line.state != S.PARKED:
        raise NotAllowed("no such line waits here")
    return line


def _same_fact(line: ReconLine) -> FactKey | None:
    """The movement of ours that the suggestion names, if it is this very money. Raises NotAllowed where it differs."""
    said = line.suggestion
    if "attempt" in said:
        raise NotAllowed("this is an attempt of ours: its provider is asked, and then brings it home itself")
    if "deposit" in said:
        raise NotAllowed("this deposit waits at its own desk (doenda deposits)")
    if "fact" not in said or line.reason == "TWICE":
        return None
    kind, fact_id = said["fact"]
    if line.reason in {"AMOUNT_DIFFERS", "CURRENCY_DIFFERS", "SIDE_DIFFERS", "UNDONE_UNKNOWN", "LOST_ZERO"} or (
        line.reason == "TRANSPOSED_DIGITS" and str(line.amount) not in _amounts(kind, fact_id)
    ):
        raise NotAllowed("the ledger says something else of it: put that right first, or dismiss this line")
    if storing.taken(line.source, [(kind, fact_id)]):
        raise NotAllowed("another line is this movement already")
    return kind, fact_id


def _amounts(kind: str, fact_id: str) -> Sequence[str]:
    data = ExternalFact.objects.filter(kind=kind, external_id=fact_id).values_list("data", flat=True).first()
    return [str((data or {}).get(name)) for name in ("amount", "refund")]


def _bill(line: ReconLine, account: Account, bill_number: str) -> Bill | None:
    number = bill_number or str(line.suggestion.get("bill", ""))
    return Bill.objects.filter(number=number, account=account).first() if number else None


def _post(line: ReconLine, account: Account, bill: Bill | None) -> FactKey:
    if line.kind != "in" or line.told.get("undoes"):
        raise NotAllowed("only money that came in can be posted: what went out is undone where it was paid")
    if line.currency != account.currency:
        raise NotAllowed(f"the account is in {account.currency}")
    name = f"statement-{outside(line.pk)}"
    if not elsewhere.take_in(account, name, line.amount, line.at, bill=bill, part=False):
        raise NotAllowed("it is in the ledger already")
    return elsewhere.FACT_KIND, name


def dismiss(line_id: UUID, *, by: str, words: str) -> Handled:
    """Nothing is to be done about the line, for this reason. Raises NotAllowed. Also for providers' lines."""
    staff.require(by, "refund")
    if not words.strip():
        raise NotAllowed("say why")

    def work() -> Handled:
        line = _locked(line_id)
        if not _agreed(line, by, "dismiss"):
            return Handled(done=False)
        line.words = words.strip()[:200]
        _close(line, by, None, None)
        return Handled(done=True)

    return durable(work, once=True)


def _agreed(line: ReconLine, by: str, act: str) -> bool:
    """Is one person enough, or is this the second who wants the same? Else the wish is noted, unless it is theirs."""
    if line.amount <= policy.now().four_eyes_above or line.probe:
        return True
    asked, _, wanted = line.words.partition(": ")
    if line.asked_by and asked == "asked" and wanted == act and staff.person(line.asked_by) != staff.person(by):
        staff.require(by, "approve")
        return True
    line.asked_by, line.words = by[:80], f"asked: {act}"[:200]
    line.save(update_fields=["asked_by", "words"])
    audit.note(by, "reconciliation asked", subject_id=line.pk, account_id=line.account_id, act=act)
    return False


def _close(line: ReconLine, by: str, fact: FactKey | None, account: Account | None) -> None:
    line.state, line.handled_by, line.handled_at = S.SETTLED_BY_HAND, by[:80], clock.now()
    if fact is not None:
        line.fact_kind, line.fact_id = fact
        line.words = ""
    if account is not None:
        line.account = account
    changed = ["state", "handled_by", "handled_at", "fact_kind", "fact_id", "account", "words"]
    line.save(update_fields=changed)
    told = {"fact": list(fact)} if fact else {"words": line.words}
    act = "reconciliation accepted" if fact else "reconciliation dismissed"
    audit.note(by, act, subject_id=line.pk, account_id=line.account_id, **told)
