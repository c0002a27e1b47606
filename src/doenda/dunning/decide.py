"""What happens next to a case: one pure, total function of its facts, the policy and the instant.

Order: nothing owed → close; a bar that no longer stands → restore; clock stopped → wait; then fee, reminder, ladder.
Nothing of it but a reminder happens while money may have been paid in that we have not heard of.
A step of the ladder needs the step before it, a notice proven delivered in time over a way that was proven then and
usable since, and nothing that speaks against it now. `objection` is asked once more just before a command leaves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from doenda.dunning import clock as days
from doenda.dunning.case_facts import Debt, Facts, Told
from doenda.dunning.policy import Policy, Rung
from doenda.dunning.words import Bar, HoldKind, Stage
from doenda.kernel import clock

_DAY = timedelta(days=1)
_LOOK_AGAIN = timedelta(minutes=15)
_NEWS_TAKES = timedelta(minutes=5)
NOT_HEARD = "not_heard"


@dataclass(frozen=True, slots=True)
class Nothing:
    """Wait; look again at `until`, which comes from the debt's dates and the policy, not from when we last looked."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Remind:
    bills: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class NoticeSuspension:
    step: Bar
    effective: date
    bills: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class AssessFee:
    bill_id: UUID
    amount: int
    last_free: date


@dataclass(frozen=True, slots=True)
class DoBar:
    step: Bar
    lines: tuple[UUID, ...]
    notice_id: UUID


@dataclass(frozen=True, slots=True)
class Restore:
    """Open these lines again. `whole`: the case steps down, and barring would need a new notice."""

    lines: tuple[UUID, ...]
    why: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class StandDown:
    """What the notice was about is no longer owed: back to where a new notice would be needed."""

    why: str


@dataclass(frozen=True, slots=True)
class Close:
    why: str
    lines: tuple[UUID, ...]


type Decision = Nothing | Remind | NoticeSuspension | AssessFee | DoBar | Restore | StandDown | Close


def decide(facts: Facts, policy: Policy, now: datetime) -> Decision:
    """The next step of a case at `now`. Total: whatever the facts, it answers; a wait always ends after `now`."""
    step = (
        _close(facts)
        or _restore(facts, policy, now)
        or _stopped(facts, policy, now)
        or _fee(facts, policy, now)
        or _remind(facts, policy, now)
        or _ladder(facts, policy, now)
        or _wait(facts, policy, now)
    )
    if facts.not_heard and isinstance(step, AssessFee | NoticeSuspension):
        return Nothing(now + _NEWS_TAKES, NOT_HEARD)
    return step


def _barred(facts: Facts) -> tuple[UUID, ...]:
    return tuple(line.line_id for line in facts.lines if line.wanted != Bar.NONE)


def _close(facts: Facts) -> Close | None:
    return None if facts.debts else Close("nothing_overdue", _barred(facts))


def _restore(facts: Facts, policy: Policy, now: datetime) -> Restore | None:
    barred = _barred(facts)
    if not barred and not facts.stage.barred:
        return None
    if why := _lifted(facts, policy, now):
        return Restore(barred, why)
    freed = tuple(line.line_id for line in facts.lines if line.wanted != Bar.NONE and not line.barrable)
    return Restore(freed, "line_owes_nothing", whole=False) if freed else None


def _lifted(facts: Facts, policy: Policy, now: datetime) -> str:
    """Why the whole bar no longer stands, or nothing."""
    if not facts.barring_debts:
        return "nothing_barring_overdue"
    if policy.restore_when == "below_threshold" and not _threshold(facts, policy, facts.barring_debts):
        return "below_threshold"
    if any(stop.kind in policy.lifts_bar and stop.running(now) for stop in facts.stops):
        return "nobody_can_pay"
    if not facts.stage.barred:
        return "not_decided"
    if facts.barred_since and any(_ours(stop) and stop.covers(facts.barred_since) for stop in facts.stops):
        return "we_were_failing"
    since = facts.barred_since or facts.stage_since
    return "longest_bar" if (_today(now) - since).days >= policy.longest_bar_days else ""


def _ours(stop: days.Stop) -> bool:
    """What our own evidence says: nobody's mere word undoes a bar."""
    return stop.kind in (HoldKind.EXPOSURE, HoldKind.NO_WAY)


def _stopped(facts: Facts, policy: Policy, now: datetime) -> Nothing | None:
    """While the clock stands, and on a day on which it stood, nothing is done to the customer, not even a reminder."""
    today = _today(now)
    if facts.pending:
        return Nothing(policy.next_morning(now), "pending")
    covering = [stop for stop in facts.stops if stop.covers(today)]
    if not covering:
        return None
    last = max(stop.last_day for stop in covering)
    if last == date.max:
        return Nothing(policy.next_morning(now), covering[0].kind)
    longest = max(covering, key=lambda stop: stop.last_day)
    return Nothing(clock.at(max(last, today) + _DAY, policy.opens), longest.kind)


def fee_amount(debt: Debt, policy: Policy) -> int:
    """Minor units, rounded down: in doubt for the customer."""
    return debt.fee_base * policy.fee_basis_points // 10_000


def last_free(debt: Debt, facts: Facts, policy: Policy, today: date) -> date | None:
    """The last day without a fee: the free days, and some after its first reminder (today's, if none has left yet)."""
    free = days.last_free_day(debt.due, facts.stops)
    told = days.reached(debt.told_on or today, policy.fee_reminded_days, facts.stops)
    return max(free, told) if free and told else None


def fee_day(debt: Debt, facts: Facts, policy: Policy) -> date | None:
    """The first day on which the fee may be added: after the last free one, and the grace for late posting.

    None: nobody knows, for the clock stands, or no reminder of the bill has left.
    """
    free = last_free(debt, facts, policy, debt.told_on) if debt.told_on else None
    return None if free is None else days.reached(free, 1 + policy.posting_grace_days, facts.stops)


def _fees(facts: Facts, policy: Policy) -> list[tuple[date, Debt]]:
    open_fees = [d for d in facts.debts if not d.fee_assessed and fee_amount(d, policy) > 0]
    return [(day, debt) for debt in open_fees if (day := fee_day(debt, facts, policy))]


def _fee(facts: Facts, policy: Policy, now: datetime) -> AssessFee | None:
    if not policy.adverse_now(now):
        return None
    for day, debt in _fees(facts, policy):
        free = last_free(debt, facts, policy, _today(now))
        if day <= _today(now) and free:
            return AssessFee(debt.bill_id, fee_amount(debt, policy), free)
    return None


def _reminders(facts: Facts, policy: Policy) -> list[tuple[date, Debt]]:
    found = []
    for debt in (d for d in facts.debts if not d.reminded):
        due = days.due_day(debt.due, facts.stops)
        day = due and days.reached(due, policy.remind_after_days, facts.stops)
        if day:
            found.append((day, debt))
    return found


def _remind(facts: Facts, policy: Policy, now: datetime) -> Remind | None:
    bills = tuple(debt.bill_id for day, debt in _reminders(facts, policy) if day <= _today(now))
    return Remind(bills) if bills else None


def _threshold(facts: Facts, policy: Policy, debts: tuple[Debt, ...]) -> bool:
    return policy.meets_threshold(facts.currency, [debt.may_bar for debt in debts])


def _targets(facts: Facts, step: Bar) -> tuple[UUID, ...]:
    """The lines that the step is for: each line takes the steps one at a time."""
    return tuple(line.line_id for line in facts.lines if line.barrable and line.wanted.severity == step.severity - 1)


def rung_day(facts: Facts, policy: Policy, rung: Rung) -> date | None:
    """The first day on which the rung's notice may be decided, by the age of the oldest bill that may bar."""
    oldest = min((debt.due for debt in facts.barring_debts), default=None)
    due = oldest and days.due_day(oldest, facts.stops)
    aged = due and days.reached(due, rung.notice_after_days, facts.stops)
    rested = days.reached(facts.stage_since, rung.after_step_days, facts.stops)
    return max(aged, rested) if aged and rested else None


def standing_notice(facts: Facts, policy: Policy, rung: Rung, now: datetime) -> Told | None:
    """The notice on which the rung's bar may rest: the newest one, if it was in time and has not been overtaken.

    It is overtaken by a date told that passed while the clock stood, by age, by payment of what it was about, and if it
    never left.
    """
    live = [told for told in facts.told if told.live and told.step == rung.bar]
    if not live:
        return None
    told = live[-1]
    if told.cancelled:
        return None
    if told.delivered_at and clock.local(told.delivered_at).date() + timedelta(policy.notice_days) > told.effective:
        return None
    if told.effective + timedelta(policy.stands_days) < _today(now):
        return None
    if any(stop.covers(told.effective) and told.effective <= _today(now) for stop in facts.stops):
        return None
    return told if _still_owed(facts, policy, told) else None


def _still_owed(facts: Facts, policy: Policy, told: Told) -> bool:
    return _threshold(facts, policy, tuple(d for d in facts.barring_debts if d.bill_id in told.bills))


def objection(facts: Facts, policy: Policy, rung: Rung, told: Told, now: datetime) -> tuple[str, datetime] | None:
    """What speaks against barring on this notice at this instant, and when to look again; None: nothing."""
    return next(_objections(facts, policy, rung, told, now), None)


def _objections(facts: Facts, policy: Policy, rung: Rung, told: Told, now: datetime) -> Iterator[tuple[str, datetime]]:
    if stop := _stopped(facts, policy, now):
        yield stop.why, stop.until
    if facts.not_heard:
        yield NOT_HEARD, now + _NEWS_TAKES
    if standing_notice(facts, policy, rung, now) != told:
        yield "notice_overtaken", policy.next_morning(now)
    if not told.delivered_at:
        yield "notice_not_delivered", policy.next_morning(now)
        return
    if not told.ways:
        yield "notice_named_no_way", policy.next_morning(now)
    full = days.reached(clock.local(told.delivered_at).date(), policy.notice_days, facts.stops)
    begins = max(told.effective + policy.posting_grace_days * _DAY, full or date.min)
    if full is None or begins > _today(now):
        day = max(begins, _today(now) + _DAY)
        yield "notice_days", clock.at(policy.first_adverse_day(day), policy.opens)
    if told.usable_days < policy.usable_days:
        yield "way_not_usable_long_enough", policy.next_morning(now)
    if not policy.adverse_now(now):
        yield "outside_hours", policy.next_opening(now)
    if not facts.way_proven:
        yield "no_way_proven", now + _LOOK_AGAIN


def may_leave(facts: Facts, policy: Policy, *, line_id: UUID, step: Bar, notice_id: UUID | None, now: datetime) -> str:
    """Asked once more just before a bar leaves the house: why it must not, or nothing."""
    rung = next((rung for rung in policy.ladder if rung.bar == step), None)
    told = next((told for told in facts.told if told.notice_id == notice_id), None)
    if rung is None or told is None:
        return "no_notice"
    if not any(line.line_id == line_id and line.barrable for line in facts.lines):
        return "line_owes_nothing"
    against = objection(facts, policy, rung, told, now)
    return against[0] if against else ""


def _ladder(facts: Facts, policy: Policy, now: datetime) -> Decision | None:
    rung = policy.rung(facts.stage)
    if rung is None or facts.stage == Stage.WATCHING or facts.bar_used_up:
        return None
    told = standing_notice(facts, policy, rung, now)
    if told:
        against = objection(facts, policy, rung, told, now)
        targets = _targets(facts, rung.bar)
        if against:
            return Nothing(_sooner(facts, policy, now, against[1]), against[0])
        return DoBar(rung.bar, targets, told.notice_id) if targets else None
    if facts.stage == Stage.NOTICED and not _threshold(facts, policy, facts.barring_debts):
        return StandDown("below_threshold")
    last = [one for one in facts.told if one.live and one.step == rung.bar][-1:]
    if facts.stage == Stage.NOTICED and not (last and _still_owed(facts, policy, last[0])):
        return StandDown("noticed_bills_paid")
    return _notice(facts, policy, rung, now)


def _notice(facts: Facts, policy: Policy, rung: Rung, now: datetime) -> Decision | None:
    """A notice with its date: never earlier than a date told before, on a day when it may happen."""
    day = rung_day(facts, policy, rung)
    if not _threshold(facts, policy, facts.barring_debts) or not _targets(facts, rung.bar):
        return None
    if day is None or day > _today(now):
        return None
    if not facts.way_proven:
        return Nothing(_sooner(facts, policy, now, now + _LOOK_AGAIN), "no_way_proven")
    return NoticeSuspension(
        rung.bar, effective_day(facts, policy, rung.bar, _today(now)), frozenset(d.bill_id for d in facts.barring_debts)
    )


def effective_day(facts: Facts, policy: Policy, step: Bar, noticed: date) -> date:
    """The date that a notice decided on `noticed` tells."""
    earliest = noticed + timedelta(policy.notice_days + policy.delivery_margin_days)
    before = [told.effective for told in facts.told if told.step == step]
    return policy.first_adverse_day(max([earliest, *before]))


def _wait(facts: Facts, policy: Policy, now: datetime) -> Nothing:
    if facts.stage == Stage.FULLY_BARRED or facts.bar_used_up:
        return Nothing(_sooner(facts, policy, now, None), "person_decides")
    below = not _threshold(facts, policy, facts.barring_debts)
    return Nothing(_sooner(facts, policy, now, None), "below_threshold" if below else "not_yet")


def _sooner(facts: Facts, policy: Policy, now: datetime, known: datetime | None) -> datetime:
    """The next instant at which any rule may speak: from the debt's dates, and after `now`."""
    today, looks = _today(now), [] if known is None else [known]
    looks += [clock.at(day, policy.opens) for day, _ in _reminders(facts, policy) if day > today]
    looks += [clock.at(policy.first_adverse_day(day), policy.opens) for day, _ in _fees(facts, policy) if day > today]
    if any(day <= today for day, _ in _fees(facts, policy)):
        looks.append(policy.next_opening(now))
    rung = policy.rung(facts.stage)
    day = rung and rung_day(facts, policy, rung)
    if day and day > today:
        looks.append(clock.at(day, policy.opens))
    if facts.stage.barred:
        ends = (facts.barred_since or facts.stage_since) + timedelta(policy.longest_bar_days)
        looks.append(clock.at(ends, policy.opens))
    later = [look for look in looks if look > now]
    return min(later) if later else clock.at(today + timedelta(7), policy.opens)


def _today(now: datetime) -> date:
    return clock.local(now).date()
