"""Dated promises with the clock stopped, from our own database only: always possible."""

from datetime import date, datetime, timedelta

from doenda.assurance import guidance
from doenda.dunning import promises
from doenda.journeys.actions.binding import Answered, Context, action
from doenda.journeys.actions.ways import MEDIUM, opening
from doenda.journeys.declarations import UNTIL
from doenda.kernel import clock
from doenda.kernel.db import atomic

OURS_TO_MEND = timedelta(days=3)
"""How far a date moves when we cannot take money: renewed for as long as it lasts."""
UNKNOWN_KNOWN_BY = timedelta(hours=26)
"""An unknown outcome has a person as its owner after a day; two hours later the customer has an answer."""


def promised(context: Context, reason: str, until: datetime) -> Answered:
    """The clock of this account stands until `until`, because of us; the same step gives the same promise."""
    with atomic():
        made = promises.make(
            context.account.id,
            [context.bill.id],
            whose="ours",
            until=until,
            reason=reason,
            key=context.once_a_day(reason),
        )
    return "done", {UNTIL: max(made.until, until).isoformat()}


def _ours(context: Context, reason: str) -> Answered:
    return promised(context, reason, clock.day_start(clock.today() + OURS_TO_MEND + timedelta(days=1)))


@action
def make_promise(context: Context) -> Answered:
    if context.bill.remaining == 0:
        return "nothing_due", {}
    day = date.fromisoformat(context.data["date"])
    with atomic():
        made = promises.by_customer(context.account.id, [context.bill.id], day=day, key=f"promise-{context.key}")
    if made is None:
        return "not_allowed", {}
    return "done", {UNTIL: made.until.isoformat()}


@action
def stop_clock(context: Context) -> Answered:
    """Stops the clock until we have mended it. Only where nothing at all may be offered is it a case of no way: that
    one opens a barred line meanwhile, and nobody gets it by merely saying that something does not work. Where all are
    merely closed at this hour, nobody has failed: it stands until the day after one opens. Where only the customer's
    word speaks for a fault, the policy says how often it counts; then a person looks at it."""
    if not context.bill.remaining:
        return "nothing_due", {}
    channel = context.session.channel
    if not any(way.channel == channel for way in guidance.read().named(MEDIUM.get(channel, "page"))):
        opens = opening(channel)
        return _ours(context, "no_way") if opens is None else _closed(context, opens)
    if promises.fault_is_known(context.account.id):
        return _ours(context, "fault")
    if promises.word_is_spent(context.account.id, context.bill.id, but=context.once_a_day("said")):
        return "person", {}
    return _ours(context, "said")


def _closed(context: Context, opens: datetime) -> Answered:
    day = clock.local(opens).date() + timedelta(days=1)
    _, values = promised(context, "closed", clock.at(day, 23, 59))
    return "closed", {**values, "opens": opens.isoformat()}


@action
def stop_clock_for_fault(context: Context) -> Answered:
    return _ours(context, "fault")
