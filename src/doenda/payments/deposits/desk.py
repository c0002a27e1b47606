"""What a person does with parked lines: see them, give one to its account, or have it sent back to its sender."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Sum

from doenda.access import audit
from doenda.billing import accounts
from doenda.kernel import clock, outbox
from doenda.kernel.db import durable
from doenda.kernel.ids import outside
from doenda.kernel.models import OutboxRow
from doenda.payments import outcomes, policy, staff
from doenda.payments.deposits import arrivals, posting, storing
from doenda.payments.deposits.models import DepositLine
from doenda.payments.deposits.movements import DEPOSIT
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.deposit import codes
from doenda.payments.providers.deposit.provider import paid_by

S = DepositLine.State


class NotAllowed(ValueError):
    """This cannot be done with the line, or not by this person; the message says why."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One line that waits for a person. `number` shows only its last four digits."""

    line_id: UUID
    bank: str
    number: str
    amount: int
    currency: str
    remitter: str
    at: datetime
    reason: str
    owner: str
    due_at: datetime


def parked(limit: int = 100) -> list[Parked]:
    """The lines that wait for a person, the most urgent first."""
    rows = DepositLine.objects.filter(state=S.PARKED, due_at__isnull=False).order_by("due_at", "pk")[:limit]
    return [
        Parked(
            row.id,
            row.bank,
            f"…{row.number[-4:]}",
            row.amount,
            row.currency,
            row.remitter,
            row.at,
            row.reason,
            row.owner,
            row.due_at,
        )
        for row in rows
        if row.due_at is not None
    ]


def assign(line_id: UUID, account_id: UUID, *, by: str) -> None:
    """It is this account's: its oldest due bills take first, the rest is credit with a case. Raises NotAllowed."""

    staff.require(by, "refund")

    def work() -> None:
        account = accounts.lock(account_id)
        line = _waiting(line_id)
        if line.currency != account.currency:
            raise NotAllowed("the account is in another currency")
        line.handled_by, line.handled_at = by[:80], clock.now()
        attempt = posting.begin(account, line.amount, posting.parts(account, None, line.amount), "agent")
        posting.book(account, line, attempt)
        if returned := posting.all_returned(line):
            said = replace(paid_by(line, outside(attempt.id)), code="RETURNED", given_back=returned)
            outcomes.bring(account, attempt, said, "deposit list", fresh=True, asked_in=attempt.state)
        audit.note(by, "deposit assigned", subject_id=line.pk, account_id=account.pk)

    durable(work, once=True)


def send_back(line_id: UUID, *, by: str) -> bool:
    """Have it sent back to its sender. False: somebody else has to ask for the same, as it is above the limit."""

    staff.require(by, "refund")

    def work() -> bool:
        line = _waiting(line_id)
        needs_two = line.amount > policy.now().four_eyes_above
        if needs_two and (not line.asked_by or staff.person(line.asked_by) == staff.person(by)):
            line.asked_by = by[:80]
            line.save(update_fields=["asked_by"])
            return False
        line.state, line.handled_by, line.handled_at = S.SENDING_BACK, by[:80], clock.now()
        line.save(update_fields=["state", "handled_by", "handled_at"])
        outbox.put("deposit_return", str(line.id), {})
        return True

    return durable(work, once=True)


def _waiting(line_id: UUID) -> DepositLine:
    line = DepositLine.objects.select_for_update(of=("self",)).get(pk=line_id)
    if line.state != S.PARKED or line.kind != DEPOSIT:
        raise NotAllowed("only a parked deposit can be given to somebody or sent back")
    return line


@outbox.handles("deposit_return", lease=20.0)
def give_back(row: OutboxRow) -> outbox.Outcome:
    """The bank sends a line back that was nobody's: nothing of it was ever posted."""
    line = DepositLine.objects.get(pk=UUID(row.key))
    bank = arrivals.provider()
    if line.state != S.SENDING_BACK:
        return outbox.Sent()
    if bank is None:
        return outbox.Again(None, "NO_BANK")
    said = bank.bank.give_back(line.ident, line.amount, f"return-{line.id}", "not ours")
    if said.code and codes.outcome("return", said.code) is not Outcome.REFUSED:
        return outbox.Again(None, said.code)
    durable(lambda: _gone(line.id, said.code, row))
    return outbox.Sent()


def _gone(line_id: UUID, code: str, row: OutboxRow) -> None:
    line = DepositLine.objects.select_for_update(of=("self",)).get(pk=line_id)
    line.state = S.SENT_BACK
    if code:
        storing.park(line, f"not_sent_back {code}")
    line.save()
    outbox.finish(row)


def counts() -> Mapping[str, int]:
    """Minor units by state, for reconciliation: what is stored, parked or on its way back is not in the ledger."""
    rows = DepositLine.objects.filter(kind=DEPOSIT).values_list("state").annotate(sum=Sum("amount"))
    return {str(state): int(amount) for state, amount in rows}
