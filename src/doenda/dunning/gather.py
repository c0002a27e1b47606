"""The facts of a case, pulled under the account's lock: one function a source (design rule 8). Reads only."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from doenda import notices
from doenda.assurance import exposure, standing
from doenda.assurance.models import Exposure
from doenda.assurance.rule import NAMED
from doenda.billing import classes, owed
from doenda.billing.models import Account, BillItem, Line
from doenda.billing.owed import BillOwed
from doenda.dunning import nothing_works
from doenda.dunning.case_facts import Debt, Facts, LineFacts, Told
from doenda.dunning.clock import Stop, counted
from doenda.dunning.models import Case, CaseStep, Hold, LateFee, LineCommand
from doenda.dunning.policy import Policy
from doenda.dunning.words import REMINDERS, Bar, HoldKind, Stage
from doenda.kernel import clock, once
from doenda.notices.proof import DeliveredNotice
from doenda.payments import hearing, pending
from doenda.payments.models import Attempt


def facts_of(account: Account, case: Case, rules: Policy, now: datetime, *, with_open: bool = False) -> Facts:
    """Everything a decision about `case` may know at `now`. Call it with the account locked.

    `with_open`: bills that are not overdue yet too, for what is said about the days ahead; never for a decision.
    """
    today = clock.local(now).date()
    bills = owed.open_bills(account.pk) if with_open else owed.overdue(account.pk, today)
    if not bills:  # the way of every payment: nothing else matters when nothing is owed
        return Facts(account.currency, Stage(case.stage), case.stage_since, lines=lines(account.pk, []))
    steps = _steps_of(case_id=case.pk)
    tried = _tried(account.pk)
    return Facts(
        currency=account.currency,
        stage=Stage(case.stage),
        stage_since=case.stage_since,
        debts=debts(account.pk, bills, steps),
        told=told(case, steps, rules, now),
        stops=stops(account.pk),
        pending=(pending.adverse_blocked(account.pk) or "") if tried else "",
        not_heard=tried and hearing.unheard(account.pk),
        lines=lines(account.pk, [bill for bill in bills if bill.may_bar]),
        way_proven=way_proven(),
        barred_since=case.barred_since,
        bar_used_up=any(step.step == "restore" and step.decision["why"] == "longest_bar" for step in steps),
    )


def may_bar_amount(bill: BillOwed) -> int:
    """The part of what remains whose classes may lead to barring, minor units."""
    known = classes.policy(bill.bill_date).classes
    return sum(rest for name, rest in bill.remaining_by_class.items() if name in known and known[name].may_bar)


def debts(account_id: UUID, bills: list[BillOwed], steps: list[CaseStep]) -> tuple[Debt, ...]:
    told_on = notices.first_left(account_id, REMINDERS, [bill.bill_id for bill in bills])
    reminded = {UUID(bill) for step in steps if step.step == "remind" for bill in step.decision["bills"]}
    with_fee = {bill_id for (bill_id,) in _with_fee(account_id=account_id)}
    return tuple(
        Debt(
            bill_id=bill.bill_id,
            number=bill.number,
            due=bill.due_date,
            remaining=bill.remaining,
            may_bar=may_bar_amount(bill),
            fee_base=bill.fee_base,
            fee_assessed=bill.bill_id in with_fee or bill.late_fee > 0,
            reminded=bill.bill_id in reminded,
            told_on=told_on.get(bill.bill_id),
        )
        for bill in bills
    )


def told(case: Case, steps: list[CaseStep], rules: Policy, now: datetime) -> tuple[Told, ...]:
    """The suspension notices of this case, the oldest first, with what is proven of each."""
    mine = [step for step in steps if step.step == "notice" and step.notice_id]
    proofs: dict[UUID, DeliveredNotice] = {}
    for kind in {rung.notice for rung in rules.ladder} if mine else ():
        delivered = notices.delivered_with_proof(kind, case.account_id, case.opened_at)
        proofs |= {proof.notice_id: proof for proof in delivered}
    gone = notices.cancelled([UUID(str(step.notice_id)) for step in mine]) if mine else set()
    return tuple(_told(case, step, proofs.get(UUID(str(step.notice_id))), now, gone) for step in mine)


def _told(case: Case, step: CaseStep, proof: DeliveredNotice | None, now: datetime, gone: set[UUID]) -> Told:
    return Told(
        notice_id=UUID(str(step.notice_id)),
        step=Bar(step.decision["step"]),
        effective=date.fromisoformat(step.decision["effective"]),
        bills=frozenset(UUID(bill) for bill in step.decision["bills"]),
        live=step.decided_at > case.climb_since,
        delivered_at=proof.delivered_at if proof else None,
        ways=proof.ways if proof else (),
        usable_days=usable_days(proof.ways, proof.delivered_at, now) if proof else 0,
        cancelled=UUID(str(step.notice_id)) in gone,
    )


def usable_days(ways: tuple[str, ...], since: datetime, now: datetime) -> int:
    """Days after `since`, up to and with today, on which at least one of the ways was at no moment failing."""
    if not ways:
        return 0
    failing = Exposure.objects.filter(Q(ended_at=None) | Q(ended_at__gte=since), way_id__in=ways)
    by_way: dict[str, list[Stop]] = {way: [] for way in ways}
    for each in failing:
        by_way[each.way_id].append(Stop(HoldKind.EXPOSURE, each.onset, each.ended_at))
    first, last = clock.local(since).date(), clock.local(now).date()
    return max(counted(first, last, found) for found in by_way.values())


def stops(account_id: UUID) -> tuple[Stop, ...]:
    """Every interval in which this account's clock stood: holds, ways of ours that misled it, tries that we failed."""
    found = [
        Stop(HoldKind(hold.kind), hold.start, _end(hold), hold.reason) for hold in _holds_of(account_id=account_id)
    ]
    return tuple(sorted(found + faults(account_id), key=lambda stop: (stop.start, stop.kind)))


def faults(account_id: UUID) -> list[Stop]:
    """The same without holds: what our own evidence says."""
    found = [Stop(HoldKind.EXPOSURE, start, end, way) for start, end, way in exposure.intervals(account_id)]
    found += nothing_works.stops(clock.now())
    if not _tried(account_id):
        return found
    found += [Stop(HoldKind.OUR_FAULT, start, end, "a payment") for start, end in pending.our_faults(account_id)]
    found += [Stop(HoldKind.UNKNOWN, start, end, "a payment") for start, end in pending.unknowns(account_id)]
    found += [Stop(HoldKind.UNKNOWN, start, end, "a debit") for start, end in pending.instructed(account_id)]
    found += [Stop(HoldKind.OUR_FAULT, start, end, "came undone") for start, end in pending.undone(account_id)]
    return found


def _tried(account_id: UUID) -> bool:
    """Was there ever an attempt to pay? Of most accounts whose clock runs there was none, and nothing else to ask."""
    return bool(_any_attempt(account_id=account_id))


@once.query
def _any_attempt(account_id: once.Open) -> "QuerySet[Any, Any]":
    return Attempt.objects.filter(account_id=account_id).values_list("pk")[:1]


@once.query
def _steps_of(case_id: once.Open) -> "QuerySet[CaseStep]":
    return CaseStep.objects.filter(case_id=case_id).order_by("decided_at", "pk")


@once.query
def _holds_of(account_id: once.Open) -> "QuerySet[Hold]":
    return Hold.objects.filter(account_id=account_id)


@once.query
def _with_fee(account_id: once.Open) -> "QuerySet[Any, Any]":
    return LateFee.objects.filter(bill__account_id=account_id).values_list("bill_id")


@once.query
def _items_of(account_id: once.Open) -> "QuerySet[Any, Any]":
    """Of the open bills: bill, line (or none), class."""
    items = BillItem.objects.filter(bill__account_id=account_id, bill__state="open", amount__gt=0)
    return items.values_list("bill_id", "line_id", "item_class")


def _end(hold: Hold) -> datetime | None:
    """When the hold ended or will; lifting never makes it longer."""
    if hold.lifted_at is None:
        return hold.until
    return hold.lifted_at if hold.until is None else min(hold.until, hold.lifted_at)


@once.query
def _asked_of(account_id: once.Open) -> "QuerySet[Any]":
    """The account's lines, each with what the network was asked last."""
    asked = LineCommand.objects.filter(line=OuterRef("pk")).exclude(state=LineCommand.State.SUPERSEDED)
    newest = Subquery(asked.order_by("-requested_at", "-pk").values("wanted")[:1])
    return Line.objects.filter(account_id=account_id).annotate(asked=newest).order_by("number")


def lines(account_id: UUID, may_bar: list[BillOwed]) -> tuple[LineFacts, ...]:
    """The account's lines: what is confirmed, what was asked last, and whether unpaid items of it may bar it."""
    barrable, whole = _barrable(account_id, may_bar)
    return tuple(
        LineFacts(
            line_id=line.pk,
            barring=Bar(line.barring),
            wanted=Bar(line.asked or line.barring),
            barrable=whole or line.pk in barrable,
        )
        for line in _asked_of(account_id=account_id)
    )


def _barrable(account_id: UUID, may_bar: list[BillOwed]) -> tuple[set[UUID], bool]:
    """Lines with items of a class that may bar on these bills; and: does one concern the whole account?"""
    found: set[UUID] = set()
    whole = False
    if not may_bar:
        return found, whole
    rows = _items_of(account_id=account_id)
    for bill in may_bar:
        known = classes.policy(bill.bill_date).classes
        left = {name for name in bill.remaining_by_class if name in known and known[name].may_bar}
        mine = [line_id for bill_id, line_id, name in rows if bill_id == bill.bill_id and name in left]
        whole = whole or not mine or None in mine
        found |= {line_id for line_id in mine if line_id is not None}
    return found, whole


def way_proven(slug: str = "") -> bool:
    """Can the customer pay at this moment by a way that is proven (by this one)?"""
    if slug:
        return standing.word(slug) in NAMED
    return standing.any_named("pay")
