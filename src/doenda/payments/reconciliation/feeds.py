"""A look at a provider's own list: read page by page, every line matched or parked, and the other way round.

Whatever the list has and we have not is asked about first, through the ordinary doors, and looked at again; nothing is
posted from a list. No lock is held while the network is called. A look that dies leaves stored lines and no run; the
next one reads them again and finds them known.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from doenda.kernel import clock
from doenda.kernel.db import durable
from doenda.payments import providers
from doenda.payments.models import Attempt, Refund
from doenda.payments.providers.contract import Feed, FeedLine, Provider
from doenda.payments.reconciliation import balances, daily, matching, ours
from doenda.payments.reconciliation.balances import Balance, Key
from doenda.payments.reconciliation.matching import Look
from doenda.payments.reconciliation.models import ReconLine, ReconRun
from doenda.payments.reconciliation.ours import Mine
from doenda.payments.reconciliation.pairing import Fact
from doenda.payments.reconciliation.reasons import Reason

log = logging.getLogger(__name__)
CHUNK = 1000
"""Lines of one transaction."""


class NotRead(Exception):
    """A page of the list could not be had; its text is the provider's code, or ours. Nothing of it is lost: the look
    fails, and is made again."""


def has_list(provider: str) -> bool:
    """Has the provider a list of what moved?"""
    return type(providers.get(provider)).transactions is not Provider.transactions


def reconcile(provider: str, since: datetime, until: datetime, *, daily_of: str = "") -> ReconRun:
    """Hold a period of the provider's list against our ledger. Returns the run: `ok` only if every line was read and
    the difference of both balances is explained item by item.

    Reads further than the period on both sides, for lines that are listed late. Raises KeyError for a provider that is
    not configured, ValueError for a period that is none. `daily_of`: the day that this look is for (ISO).
    """
    if since >= until:
        raise ValueError("a period ends after it begins")
    terms = providers.get(provider)
    look = Look(provider, since, until, daily.now())
    end = min(max(until, clock.now()), until + look.rules.skew)
    start = since - look.rules.overlap
    stopped = ""
    try:
        sums = _read(look, start, end)
        matching.again(look)
        expected = _missing(look, start, until, terms.longest)
        _check(look, sums)
    except NotRead as no:
        stopped, expected = str(no) or "NOT_READ", set[Key]()
        log.error("the list of %s cannot be read: %s", provider, stopped)
    found = balances.of(provider, since, until, expected=expected)
    return durable(lambda: _finish(look, found, stopped, daily_of))


def pages(provider: str, since: datetime, until: datetime) -> Iterator[Sequence[FeedLine]]:
    """The provider's list, a page at a time. Raises NotRead, also for a list that leads back to where it was."""
    terms, cursor, seen = providers.get(provider), "", set[str]()
    while True:
        try:
            page: Feed = terms.transactions(since, until, cursor)
        except Exception as error:
            log.exception("the list of %s", provider)
            raise NotRead(type(error).__name__) from error
        if page.code:
            raise NotRead(page.code[:60])
        yield page.lines
        if not page.cursor:
            return
        seen.add(cursor)
        cursor = page.cursor
        if cursor in seen:
            raise NotRead("CURSOR_AGAIN")


def _read(look: Look, since: datetime, until: datetime) -> dict[str, int]:
    """Take in the list. Returns what it says moved within the look's own period, net by currency: each line once."""
    sums: dict[str, int] = {}
    for page in pages(look.provider, since, until):
        for chunk in batched(page, CHUNK):
            new = {line.line_id: line for line in chunk if line.line_id[:140] not in look.idents}
            for line in new.values():
                if look.since <= line.at < look.until:
                    signed = line.amount if line.kind == "paid" else -line.amount
                    sums[line.currency] = sums.get(line.currency, 0) + signed
            matching.take_in(look, chunk)
    return sums


def _check(look: Look, sums: dict[str, int]) -> None:
    """What was read is what is stored: else a line was lost between the two, and the look has failed."""
    rows = ReconLine.objects.filter(source=look.source, at__gte=look.since, at__lt=look.until)
    stored: dict[str, int] = {}
    for ident, kind, amount, currency in (
        rows.exclude(reason=Reason.NOT_AT_PROVIDER).values_list("ident", "kind", "amount", "currency").iterator()
    ):
        if ident in look.idents:
            stored[currency] = stored.get(currency, 0) + (amount if kind == "in" else -amount)
    if not look.otherwise and {k: v for k, v in stored.items() if v} != {k: v for k, v in sums.items() if v}:
        raise NotRead("LINES_LOST")


def _missing(look: Look, since: datetime, until: datetime, longest: timedelta) -> set[Key]:
    """Park what we have and they do not, after their longest time; returns what they need not have told yet."""
    late, early = _overdue(look, since, until, longest)
    if late:
        begun = min(mine.begun for mine, _ in late) - look.rules.skew
        if begun < since:  # it may be told in the past of what was read: money that was found late
            _read(look, max(begun, since - look.rules.back), since)
            late, early = _overdue(look, since, until, longest)
    if late:
        matching.park_missing(look, late)
    return early


def _overdue(
    look: Look, since: datetime, until: datetime, longest: timedelta
) -> tuple[list[tuple[Mine, Fact]], set[Key]]:
    """Facts that no line is: those that the provider must have told by now, and those that it need not yet."""
    now = clock.now()
    times = {key: at for key, _, at in balances.unmatched(look.provider, since, until)}
    done = Refund.objects.filter(attempt__provider=look.provider, done_at__gte=since, done_at__lt=until)
    times |= {(ours.REFUND, str(pk)): at for pk, at in done.values_list("pk", "done_at") if at is not None}
    refunds = {
        str(each.pk): each
        for each in Refund.objects.filter(pk__in=[UUID(fact_id) for kind, fact_id in times if kind == ours.REFUND])
    }
    mine = ours.of(look.provider, _attempts(look.provider, times, refunds))
    taken = ReconLine.objects.filter(source=look.source, state=ReconLine.State.MATCHED)
    matched = set(taken.filter(fact_id__in=[each for _, each in times]).values_list("fact_kind", "fact_id"))
    parked = ReconLine.objects.filter(source=look.source, state=ReconLine.State.PARKED)
    matched |= {tuple(near) for near in parked.values_list("suggestion__fact", flat=True) if near}  # has its line
    late: list[tuple[Mine, Fact]] = []
    early: set[Key] = set()
    for each in mine.values():
        for fact in each.order.facts:
            if fact.key not in times or fact.key in matched:
                continue
            refund = refunds.get(fact.id) if fact.kind == ours.REFUND else None
            begun = fact.at if refund is None else refund.done_at
            if begun is None or begun + longest > now:
                early.add(fact.key)
            else:
                late.append((each, fact))
    return late, early


def _attempts(provider: str, times: dict[Key, datetime], refunds: dict[str, Refund]) -> dict[UUID, set[str]]:
    """The attempts that these facts are of, each with the references under which it was paid."""
    refs = {ours.ref_of(provider, fact_id) for kind, fact_id in times if kind != ours.REFUND}
    named = ours.attempts_of(provider, (("", ref) for ref in refs))
    found: dict[UUID, set[str]] = {each.attempt_id: set() for each in refunds.values()}
    for (_, ref), attempt_id in named.items():
        found.setdefault(attempt_id, set()).add(ref)
    known = set(Attempt.objects.filter(pk__in=list(found), provider=provider).values_list("pk", flat=True))
    return {attempt_id: each for attempt_id, each in found.items() if attempt_id in known}


def _finish(look: Look, found: Sequence[Balance], stopped: str, daily_of: str) -> ReconRun:
    """The run's row: its totals are those of its first currency without probes', the rest stands in `told`."""
    states: list[tuple[str, bool]] = []
    for chunk in batched(sorted(look.idents), CHUNK):
        met = ReconLine.objects.filter(source=look.source, ident__in=chunk)
        states += met.values_list("state", "probe")
    real = [each for each in found if not each.probe]
    first = max(real, key=lambda each: abs(each.theirs) + abs(each.ours), default=None)
    open_now = ReconLine.objects.filter(source=look.source, state=ReconLine.State.PARKED).count()
    told: dict[str, Any] = {
        "balances": [each.as_data() for each in found],
        "open": open_now,
        "questions": look.questions,
        "empty": look.empty,
        "told_otherwise": look.otherwise[:100],
        "stopped": stopped,
    }
    if daily_of:
        told["day"] = daily_of
    run = ReconRun(
        id=look.run_id,
        source=look.source,
        since=look.since,
        until=look.until,
        form="feed",
        currency=first.currency if first else "",
        lines=len(states),
        known=look.known,
        matched=sum(state == ReconLine.State.MATCHED for state, _ in states),
        parked=sum(state == ReconLine.State.PARKED for state, _ in states),
        probes=sum(probe for _, probe in states),
        their_total=first.theirs if first else 0,
        our_total=first.ours if first else 0,
        difference=first.difference if first else 0,
        ok=not stopped and not look.otherwise and all(each.ok for each in found),
        told=told,
    )
    run.insert(once=True)  # the answer to an earlier COMMIT of the same run may have been lost
    return run
