"""Every provider's day is looked at once it is over, every day; what could not be looked at is shown on the desk.

Derived from rows: a day is done when there is a run of it that read the list to its end. A crash, or a provider that
is down, only delays it; days that were missed are caught up with, the oldest first.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings

from doenda.kernel import clock, sweeps
from doenda.payments import desk
from doenda.payments.desk import Item
from doenda.payments.models import Attempt, ReconRun
from doenda.payments.reconciliation import daily, feeds, settlements
from doenda.payments.reconciliation.balances import source_of

log = logging.getLogger(__name__)
NO_RUN = UUID(int=0)
"""What an item is about where no look was ever made."""
type Work = Callable[[str, datetime, datetime, str], ReconRun]


@dataclass(frozen=True, slots=True)
class Due:
    """A day of a source that has to be looked at."""

    provider: str
    source: str
    day: date
    work: Work


@sweeps.sweep("reconciliation", every=600)
def sweep(limit: int = 100) -> int:
    """Look at every day that is over and has not been looked at. Returns the looks made."""
    done = 0
    for due in _due():
        if done == limit:
            break
        done += 1
        since, until = clock.day_start(due.day), clock.day_start(due.day + timedelta(days=1))
        try:
            due.work(due.provider, since, until, due.day.isoformat())
        except Exception:
            log.exception("%s could not be looked at for %s", due.source, due.day)
    return done


def _look(provider: str, since: datetime, until: datetime, day: str) -> ReconRun:
    return feeds.reconcile(provider, since, until, daily_of=day)


def _payouts(provider: str, since: datetime, until: datetime, day: str) -> ReconRun:
    return settlements.reconcile(provider, since, until, daily_of=day)


def _sources() -> Iterable[tuple[str, str, Work]]:
    """The lists of each configured provider; one of which no attempt was ever made has nothing to compare."""
    for name in sorted(settings.DOENDA_PROVIDERS):
        if feeds.has_list(name):
            yield name, source_of(name), _look
        if settlements.has_payouts(name):
            yield name, settlements.source_of(name), _payouts


def _due() -> list[Due]:
    """What is to be looked at now. A look that failed is made again only after a while."""
    rules, now = daily.now(), clock.now()
    found = []
    for provider, source, work in _sources():
        if ReconRun.objects.filter(source=source, created_at__gt=now - rules.retry, told__stopped__gt="").exists():
            continue
        found += [Due(provider, source, day, work) for day in _open_days(provider, source, rules)]
    return sorted(found, key=lambda each: (each.day, each.source))


def _open_days(provider: str, source: str, rules: daily.Policy) -> list[date]:
    """Days that are over, and have no run of theirs that came to its end; not before the provider's first attempt."""
    now = clock.now()
    last = clock.local(now - timedelta(hours=rules.hour)).date() - timedelta(days=1)
    first = last - timedelta(days=rules.catch_up - 1)
    begun = Attempt.objects.filter(provider=provider).order_by("pk").values_list("created_at", flat=True).first()
    if begun is None:
        return []
    first = max(first, clock.local(begun).date())
    since = clock.day_start(first)
    runs = ReconRun.objects.filter(source=source, created_at__gte=since, told__stopped="", told__has_key="day")
    done = set(runs.values_list("told__day", flat=True))
    days = (first + timedelta(days=count) for count in range((last - first).days + 1))
    return [day for day in days if day.isoformat() not in done]


@desk.lists("reconciliation_runs")
def _waiting() -> Iterable[Item]:
    """Providers whose day is over and was not looked at in time, or whose last look does not add up."""
    rules, now = daily.now(), clock.now()
    for provider, source, _ in _sources():
        last = ReconRun.objects.filter(source=source).order_by("-created_at").first()
        if (days := _open_days(provider, source, rules)) and (
            over := clock.day_start(days[0] + timedelta(days=1))
        ) + rules.alarm < now:
            stopped = str(last.told.get("stopped") or "no look was made") if last else "no look was made"
            words = f"{source} of {days[0]} was not looked at: {stopped}"
            about = last.pk if last else NO_RUN
            yield Item(about, "reconciliation_run", over, over + rules.alarm, words, owner="desk")
        elif last is not None and not last.ok and not last.told.get("stopped"):
            words = f"{source} does not add up: {last.difference} {last.currency} unexplained in part"
            if last.told.get("told_otherwise"):
                words = f"{source} tells lines otherwise than before: {', '.join(last.told['told_otherwise'][:3])}"
            yield Item(last.pk, "reconciliation_run", last.created_at, last.created_at + rules.alarm, words[:120])
