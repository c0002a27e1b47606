"""What each decision does: its record, the case's new place, and effects as rows of this very transaction."""

import logging
from dataclasses import asdict
from datetime import datetime
from functools import singledispatch
from typing import Any
from uuid import UUID

from doenda import notices
from doenda.billing import post
from doenda.billing.models import Bill
from doenda.dunning import commands, decide
from doenda.dunning.case_facts import Facts, as_json
from doenda.dunning.models import Case, CaseStep, LateFee
from doenda.dunning.policy import Policy
from doenda.dunning.telling import params
from doenda.dunning.words import STAGE_OF, SUSPENSIONS, Bar, Stage
from doenda.kernel import clock
from doenda.payments import hearing

log = logging.getLogger(__name__)

NAMES: dict[type, str] = {
    decide.Remind: "remind",
    decide.NoticeSuspension: "notice",
    decide.AssessFee: "fee",
    decide.DoBar: "bar",
    decide.Restore: "restore",
    decide.StandDown: "stand_down",
    decide.Close: "close",
}


class _At:
    """A decision being carried out."""

    def __init__(self, case: Case, facts: Facts, policy: Policy, now: datetime) -> None:
        self.case, self.facts, self.policy, self.now = case, facts, policy, now
        self.today = clock.local(now).date()

    def move_to(self, stage: Stage) -> None:
        if self.case.stage != stage:
            self.case.stage, self.case.stage_since = stage, self.today

    def step_down(self) -> None:
        """Back to where a new notice would be needed; notices told before bar nothing any more."""
        if self.case.stage != Stage.WATCHING:
            self.move_to(Stage.REMINDED)
        self.case.climb_since, self.case.barred_since = self.now, None
        notices.withdraw(self.case.account_id, SUSPENSIONS, "what it announces was called off")


_DECIDED = (
    *("policy", "tries", "parked_at", "park_reason", "oldest_due", "next_check_at", "waiting_for", "steps_taken"),
    *("stage", "stage_since", "climb_since", "barred_since", "closed_at", "close_reason"),
)
"""What a decision may change of its case."""


def apply(decision: decide.Decision, *, case: Case, facts: Facts, policy: Policy, now: datetime) -> None:
    """Carry a decision out in the caller's transaction. A wait is noted on the case; all else is a step of its own."""
    at = _At(case, facts, policy, now)
    case.policy, case.tries, case.parked_at, case.park_reason = policy.name, 0, None, ""
    case.oldest_due = min((debt.due for debt in facts.debts), default=case.oldest_due)
    if isinstance(decision, decide.Nothing):
        case.next_check_at, case.waiting_for = decision.until, decision.why
        if decision.why == decide.NOT_HEARD:
            hearing.ask(case.account_id)
    else:
        case.next_check_at, case.waiting_for = now, ""
        step = CaseStep(
            case=case,
            account_id=case.account_id,
            step=NAMES[type(decision)],
            decided_at=now,
            policy=policy.name,
            facts=as_json(facts),
            decision=as_record(decision),
            key=next_key(case),
        )
        _do(decision, at, step)
        if step._state.adding:
            step.insert()
    case.put(**{name: getattr(case, name) for name in _DECIDED})


def next_key(case: Case) -> str:
    """Unique for the case's n-th step: two deciders cannot both write it. The caller saves the case."""
    case.steps_taken += 1
    return f"{case.pk}:{case.steps_taken}"


def as_record(decision: decide.Decision) -> dict[str, Any]:
    """A decision as plain JSON."""
    plain = {name: as_json(value) for name, value in asdict(decision).items()}
    return {"decided": NAMES.get(type(decision), "nothing"), **plain}


@singledispatch
def _do(decision: object, at: _At, step: CaseStep) -> None:
    raise TypeError(f"nobody carries out {decision!r}")


@_do.register
def _(decision: decide.Remind, at: _At, step: CaseStep) -> None:
    for bill_id in decision.bills:
        sent = notices.send(
            "reminder",
            at.case.account_id,
            bill_id=bill_id,
            params=params("reminder", at.facts, at.policy, today=at.today, bill_id=bill_id),
            key=f"reminder-{at.case.pk}-{bill_id}",
        )
        step.notice_id = step.notice_id or sent.pk
    if at.case.stage == Stage.WATCHING:
        at.move_to(Stage.REMINDED)


@_do.register
def _(decision: decide.NoticeSuspension, at: _At, step: CaseStep) -> None:
    rung = next(rung for rung in at.policy.ladder if rung.bar == decision.step)
    oldest = min((d for d in at.facts.debts if d.bill_id in decision.bills), key=lambda debt: (debt.due, debt.number))
    sent = notices.send(
        rung.notice,
        at.case.account_id,
        bill_id=oldest.bill_id,
        params=params(
            rung.notice, at.facts, at.policy, today=at.today, step=decision.step, effective=decision.effective
        ),
        key=f"{rung.notice}-{step.key}",
    )
    step.notice_id = sent.pk
    if decision.step == Bar.OUTGOING:
        at.case.stage, at.case.stage_since = Stage.NOTICED, at.today


@_do.register
def _(decision: decide.AssessFee, at: _At, step: CaseStep) -> None:
    step.save(force_insert=True)
    bill = Bill.objects.get(pk=decision.bill_id)
    fee = {"account_id": at.case.account_id, "step": step, "amount": decision.amount, "last_free": decision.last_free}
    LateFee.objects.create(bill=bill, **fee)
    if post.late_fee(bill, decision.amount, f"step:{step.pk}"):
        notices.send(
            "late_fee",
            at.case.account_id,
            bill_id=bill.pk,
            params=params("late_fee", at.facts, at.policy, today=at.today, fee=decision.amount),
            key=f"late-fee-{bill.pk}",
        )


@_do.register
def _(decision: decide.DoBar, at: _At, step: CaseStep) -> None:
    for line_id in decision.lines:
        commands.ask(line_id, decision.step, case=at.case, reason="overdue", notice_id=decision.notice_id)
    at.move_to(STAGE_OF[decision.step])
    at.case.barred_since = at.case.barred_since or at.today


@_do.register
def _(decision: decide.Restore, at: _At, step: CaseStep) -> None:
    _open_lines(at, decision.lines, decision.why)
    if decision.whole:
        at.step_down()


@_do.register
def _(decision: decide.StandDown, at: _At, step: CaseStep) -> None:
    at.step_down()


@_do.register
def _(decision: decide.Close, at: _At, step: CaseStep) -> None:
    _open_lines(at, decision.lines, "paid")
    at.case.closed_at, at.case.close_reason = at.now, decision.why
    notices.withdraw(at.case.account_id, SUSPENSIONS, decision.why)


def _open_lines(at: _At, lines: tuple[UUID, ...], why: str) -> None:
    for line_id in lines:
        commands.ask(line_id, Bar.NONE, case=at.case, reason=why)
