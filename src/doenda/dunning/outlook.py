"""What a page tells a customer about what happens next, and when; computed by the same rules as the decisions."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from doenda.billing.models import Account
from doenda.dunning import clock as days
from doenda.dunning import decide, gather
from doenda.dunning.case_facts import Facts, Told
from doenda.dunning.cases import policy_now
from doenda.dunning.models import Case
from doenda.dunning.policy import Policy
from doenda.dunning.words import Bar
from doenda.kernel import clock


@dataclass(frozen=True, slots=True)
class Outlook:
    """Nothing but dates that hold: each may move later, never earlier.

    `fee_after` is the last day without a fee, `fee_day` the first with one, `fee_amount` minor units of the fees that
    are added then (later ones are not in it). `bar_from` is told in a notice (`bar_told`) or the earliest possible; the
    last day to pay is the day before. `held_until`: the clock stands until then (`held_for` says why). `barred`: what
    the network confirmed; `back_soon`: it is asked to open the line again.
    """

    fee_after: date | None = None
    fee_day: date | None = None
    fee_amount: int = 0
    last_day_to_pay: date | None = None
    bar_from: date | None = None
    bar_kind: str = ""
    bar_told: bool = False
    held: bool = False
    held_until: datetime | None = None
    held_for: str = ""
    barred: str = Bar.NONE.value
    back_soon: bool = False
    longest_days: int = 0
    """Calendar days that a bar lasts at most."""


def of(account_id: UUID, on: date | None = None, *, bill_id: UUID | None = None) -> Outlook:
    """The outlook of an account on a day (today); with `bill_id` fees of that bill only. Reads only, locks nothing."""
    account = Account.objects.get(pk=account_id)
    now = clock.now() if on is None or on == clock.today() else clock.at(on, 12)
    case = Case.objects.filter(account=account, closed_at=None).first()
    today = clock.local(now).date()
    rules = policy_now()
    facts = gather.facts_of(account, case or Case(account=account, stage_since=today), rules, now, with_open=True)
    return of_facts(facts, rules, now, bill_id)


def of_facts(facts: Facts, rules: Policy, now: datetime, bill_id: UUID | None = None) -> Outlook:
    """The same from facts (pure). Bills that are not overdue yet count for what is ahead."""
    barred = max((line.barring for line in facts.lines), key=lambda bar: bar.severity, default=Bar.NONE)
    asked = max((line.wanted for line in facts.lines), key=lambda bar: bar.severity, default=Bar.NONE)
    fee_after, fee = _fee(facts, rules, clock.local(now).date(), bill_id)
    bar_from, kind, told = _bar(facts, rules, clock.local(now).date(), now)
    held, until, why = _held(facts, now)
    return Outlook(
        fee_after=fee_after,
        fee_day=fee_after + timedelta(days=1) if fee_after else None,
        fee_amount=fee,
        last_day_to_pay=bar_from - timedelta(days=1) if bar_from else None,
        bar_from=bar_from,
        bar_kind=kind,
        bar_told=told,
        held=held,
        held_until=until,
        held_for=why,
        barred=barred.value,
        back_soon=asked.severity < barred.severity,
        longest_days=rules.longest_bar_days if bar_from else 0,
    )


def _fee(facts: Facts, rules: Policy, today: date, bill_id: UUID | None) -> tuple[date | None, int]:
    ahead = [
        (debt, free)
        for debt in facts.debts
        if not debt.fee_assessed
        and bill_id in {None, debt.bill_id}
        and decide.fee_amount(debt, rules) > 0
        and (free := decide.last_free(debt, facts, rules, today))
    ]
    if not ahead:
        return None, 0
    first = min(free for _, free in ahead)
    return first, sum(decide.fee_amount(debt, rules) for debt, free in ahead if free == first)


def _bar(facts: Facts, rules: Policy, today: date, now: datetime) -> tuple[date | None, str, bool]:
    rung = rules.rung(facts.stage)
    if rung is None or facts.bar_used_up:
        return None, "", False
    told = decide.standing_notice(facts, rules, rung, now)
    if told is not None:
        return _shifted(told, facts, rules, today), rung.bar.value, True
    enough, noticed = _enough_overdue(facts, rules), decide.rung_day(facts, rules, rung)
    if enough is None or noticed is None or not any(line.barrable for line in facts.lines):
        return None, "", False
    return decide.effective_day(facts, rules, rung.bar, max(noticed, enough, today)), rung.bar.value, False


def _enough_overdue(facts: Facts, rules: Policy) -> date | None:
    """The day on which what is unpaid may lead to barring: enough of it is overdue then. None: it never is."""
    amounts: list[int] = []
    for debt in sorted(facts.barring_debts, key=lambda each: each.due):
        amounts.append(debt.may_bar)
        if rules.meets_threshold(facts.currency, amounts):
            return debt.due + timedelta(days=1)
    return None


def _shifted(told: Told, facts: Facts, rules: Policy, today: date) -> date | None:
    """The date told, or later: while the clock stood since, or because the day has come without the bar."""
    day = told.effective
    if told.delivered_at:
        full = days.reached(clock.local(told.delivered_at).date(), rules.notice_days, facts.stops)
        if full is None:
            return None
        day = max(day, full)
    open_line = any(line.wanted.severity < told.step.severity for line in facts.lines)
    return rules.first_adverse_day(max(day, today) if open_line else day)


def _held(facts: Facts, now: datetime) -> tuple[bool, datetime | None, str]:
    """Does the clock stand, until when (None: nobody knows yet), and for what?"""
    running = [stop for stop in facts.stops if stop.running(now)]
    if facts.pending:
        return True, None, "pending"
    if not running:
        return False, None, ""
    endless = [stop for stop in running if stop.until is None]
    last = endless[0] if endless else max(running, key=lambda stop: stop.until or now)
    return True, last.until, last.kind.value
