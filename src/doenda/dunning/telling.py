"""What collections tells the notices room to say: plain JSON values; words and amounts due are made when it is sent."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from doenda.dunning.case_facts import Facts
from doenda.dunning.decide import fee_amount, last_free
from doenda.dunning.policy import Policy
from doenda.dunning.words import ASKING, SUSPENSIONS, Bar
from doenda.notices import objections
from doenda.payments import hearing, pending


def params(
    kind: str,
    facts: Facts,
    policy: Policy,
    *,
    today: date,
    bill_id: UUID | None = None,
    step: Bar | None = None,
    effective: date | None = None,
    fee: int | None = None,
) -> dict[str, Any]:
    """Parameters of a dunning notice decided `today`: dates in ISO 8601, amounts in minor units."""
    found: dict[str, Any] = {}
    debt = next((debt for debt in facts.debts if debt.bill_id == bill_id), None)
    if debt and not debt.fee_assessed and fee_amount(debt, policy):
        free = last_free(debt, facts, policy, today)
        found |= {"fee": fee_amount(debt, policy), "fee_after": free.isoformat() if free else None}
    if effective and step:
        found |= {
            "step": str(step),
            "effective": effective.isoformat(),
            "leave_by": (effective - timedelta(policy.notice_days)).isoformat(),
            "longest_days": policy.longest_bar_days,
            "bills": [debt.number for debt in facts.barring_debts],
        }
    if fee is not None:
        found["fee"] = fee
    return found | {"currency": facts.currency}


@objections.objects(*ASKING)
def money_is_moving(account_id: UUID) -> str:
    """Nobody is asked for money, or told of a bar, between having paid and our knowing it."""
    return "a payment is under way" if pending.adverse_blocked(account_id) else ""


@objections.objects(*SUSPENSIONS)
def money_may_be_here(account_id: UUID) -> str:
    """A bar is announced to nobody of whom the bank may have news."""
    why = money_is_moving(account_id)
    return why or ("the bank has not been heard lately" if hearing.unheard(account_id) else "")
