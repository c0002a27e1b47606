"""Which bill is debited on which day, and what a record of a result file means for its item. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from doenda.payments.debit.formats.words import Result
from doenda.payments.debit.policy import Policy
from doenda.payments.providers.contract import Outcome
from doenda.payments.providers.debit.codes import RESULTS, RETURNS, Code


@dataclass(frozen=True, slots=True)
class Tried:
    """The debits of one bill so far: how many, the day of the last, and whether its code allows another."""

    count: int = 0
    last_day: date | None = None
    again: bool = True


def nominal_day(policy: Policy, due: date) -> date:
    """When a bill of this due date is to be debited: that day, or the last debit day before it in the same month."""
    before = [day for day in policy.debit_days if day <= due.day]
    return due.replace(day=max(before)) if before else due


def earliest(policy: Policy, due: date, tried: Tried) -> date | None:
    """From which day on the bill may be debited, bank day or not; None: not again without a person or a new mandate."""
    if not tried.count or tried.last_day is None:
        return nominal_day(policy, due)
    if not tried.again or tried.count >= policy.most_tries:
        return None
    return tried.last_day + timedelta(days=policy.retry_after_days[tried.count - 1])


def plan(policy: Policy, due: date, tried: Tried, now: datetime) -> date | None:
    """The debit day that comes next for the bill, seen from `now`: a bank day whose cut-off is still ahead."""
    first = earliest(policy, due, tried)
    if first is None:
        return None
    return max(policy.bank_day_from(first), policy.open_day(now))


def window(policy: Policy, now: datetime) -> date | None:
    """The debit day for which bills are instructed now, if the hours before its cut-off have begun."""
    day = policy.open_day(now)
    return day if policy.instruct_from(day) <= now else None


def instructed_now(policy: Policy, due: date, tried: Tried, now: datetime) -> date | None:
    """The day for which the bill is instructed now, if it is (the pure twin of instruct.py's query)."""
    day = window(policy, now)
    return day if day is not None and plan(policy, due, tried, now) == day else None


@dataclass(frozen=True, slots=True)
class Known:
    """What we hold of an item of a file. `state` "filed": it waits for its result."""

    state: str
    kind: str
    amount: int
    bank: str
    payer: str


type Verdict = Literal["paid", "refused", "returned", "parked"]


def judge(result: Result, known: Known | None, answers: str) -> tuple[Verdict, str, Code | None]:
    """What a record means: the verdict, why it is parked, its code. A doubt is parked for a person, never guessed."""
    if known is None:
        return "parked", "UNKNOWN_RECORD", None
    for reason, fits in _fits(result, known):
        if not fits:
            return "parked", reason, None
    code = (RETURNS if answers == "returns" else RESULTS).get(result.code)
    if code is None or (result.done != (code.outcome is Outcome.PAID)):
        return "parked", "UNKNOWN_CODE", None
    if answers == "returns":
        if known.state == "paid" and known.kind == "debit":
            return "returned", "", code
        return "parked", "NOT_PAID", None
    if known.state != "filed":
        return "parked", "HAS_A_RESULT", None
    return ("paid" if result.done else "refused"), "", code


def _fits(result: Result, known: Known) -> Sequence[tuple[str, bool]]:
    return (
        ("OTHER_KIND", result.kind == known.kind),
        ("OTHER_AMOUNT", result.amount == known.amount),
        ("OTHER_PAYER", result.payer in ("", known.payer)),
        ("OTHER_BANK", result.bank in ("", known.bank)),
    )
