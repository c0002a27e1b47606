"""What does not come: customers who leave for a way's last step and do not return, pages that nobody opens any more.

What breaks in a customer's browser, or before our door, is seen by no server of ours: its only trace is an absence.
Each is measured against what is usual, puts the ways in doubt (named to nobody until walks have passed), starts those
walks, and calls a person: a walker without scripts may pass where browsers fail.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import comb, log

from django.db import connection, transaction
from django.db.models import Count, Q

from doenda.assurance import cells, deciding, devices, pager, standing, ways
from doenda.assurance.models import Way
from doenda.assurance.rule import NAMED, Name
from doenda.journeys.models import Session
from doenda.kernel import clock, sweeps
from doenda.kernel.ids import earliest
from doenda.payments.models import Attempt
from doenda.payments.states import State
from doenda.probes import turns
from doenda.probes.news import ANSWERS

AWAY, BACK = timedelta(minutes=15), timedelta(minutes=75)
"""Whoever left between 75 and 15 minutes ago should have come back by now."""
USUAL_OVER = timedelta(days=28)
LEAST_LEFT, UNUSUAL = 8, 1e-4
"""So many must have left before anything is said; how improbable it must be that so few of them come back."""
USUALLY_GONE, LEAST_GONE, KNOWN_FROM = 0.2, 0.02, 200
"""The share that does not come back while fewer than so many are known (invented, and soon replaced by what is), and
the least that is ever taken for usual."""
SILENT = timedelta(seconds=60)
STARVED = 1e-6
LONGEST_WAIT = timedelta(hours=1)
"""Where customers come so seldom that it would take longer to be sure, silence says nothing."""
_NOT_BACK = (State.NEEDS_REDIRECT, State.AT_PROVIDER, State.EXPIRED, State.CLOSED)


@dataclass(frozen=True, slots=True)
class Left:
    """Customers who left for a way's last step lately, how many have not come back, and the usual share of those."""

    way: str
    left: int
    gone: int
    usual: float

    @property
    def unusual(self) -> bool:
        return self.left >= LEAST_LEFT and tail(self.left, self.gone, self.usual) < UNUSUAL


def tail(tries: int, hits: int, share: float) -> float:
    """The probability of `hits` or more in `tries` when each hits with `share` (binomial)."""
    return sum(comb(tries, each) * share**each * (1 - share) ** (tries - each) for each in range(hits, tries + 1))


def left_lately(now: datetime) -> list[Left]:
    """By way, and by way and kind of device: who left for its last step, and how many usually do not return.

    Only what may be unusual is compared. What is unusual on one kind of device is not put down to the way.
    """
    rows = _left(now - BACK, now - AWAY)
    if not any(_suspicious(slug, rows) for slug in rows):
        return []
    usual = _left(now - USUAL_OVER, now - BACK)
    on_devices = [_compared(slug, rows, usual) for slug in rows if devices.parts(slug)[1] and _suspicious(slug, rows)]
    explained = {each.way: each for each in on_devices if each.unusual}
    for slug, each in explained.items():
        way, _ = devices.parts(slug)
        rows[way] = rows[way][0] - each.left, rows[way][1] - each.gone
    of_ways = [slug for slug in rows if not devices.parts(slug)[1] and _suspicious(slug, rows)]
    return on_devices + [_compared(slug, rows, usual) for slug in of_ways]


def _suspicious(slug: str, rows: dict[str, tuple[int, int]]) -> bool:
    return Left(slug, *rows[slug], LEAST_GONE).unusual


def _compared(slug: str, rows: dict[str, tuple[int, int]], usual: dict[str, tuple[int, int]]) -> Left:
    return Left(slug, *rows[slug], _share(*usual.get(slug, (0, 0))))


def _left(since: datetime, until: datetime) -> dict[str, tuple[int, int]]:
    """Way, and way on a kind of device → who left for its last step between the instants, and of those who have not
    come back."""
    mine = Attempt.objects.filter(id__gte=earliest(since), created_at__gte=since, created_at__lt=until, synthetic=False)
    begun = mine.exclude(state__in=[State.CREATED, State.OUR_FAULT, State.NEEDS_DEPOSIT, State.INSTRUCTED])
    rows = begun.values("channel", "method", "provider", "device").annotate(
        left=Count("pk"), gone=Count("pk", filter=Q(state__in=[each.value for each in _NOT_BACK]))
    )
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        way = f"{row['channel']}/{row['method']}/{row['provider']}"
        for slug in (way, devices.cell(way, row["device"])) if row["device"] else (way,):
            left, gone = found.get(slug, (0, 0))
            found[slug] = left + row["left"], gone + row["gone"]
    return found


def _share(known: int, gone: int) -> float:
    return min(0.9, max(LEAST_GONE, gone / known)) if known >= KNOWN_FROM else USUALLY_GONE


@sweeps.sweep("abandoned", every=60)
def sweep_abandoned(limit: int = 100) -> int:
    """Put ways in doubt whose last step customers do not come back from. Returns how many."""
    found = [each for each in left_lately(clock.now()) if each.unusual]
    return sum(
        _doubt(
            [each.way],
            f"{each.gone} of {each.left} who left for the last step did not come back: {each.usual:.0%} is usual",
        )
        for each in found
    )


def silent_for(expected_a_second: float) -> float | None:
    """Seconds of silence that are next to impossible at that rate; None where nobody is expected."""
    return None if expected_a_second <= 0 else -log(STARVED) / expected_a_second


_EXPECTED = """
SELECT count(*) FROM journeys_session s
 WHERE s.channel = %(channel)s
   AND NOT EXISTS (SELECT 1 FROM billing_account a WHERE a.id = s.account_id AND a.probe)
   AND EXISTS (SELECT 1 FROM generate_series(1, 4) week
                WHERE s.created_at BETWEEN %(now)s - week * interval '7 days' - interval '30 minutes'
                                       AND %(now)s - week * interval '7 days' + interval '30 minutes')
   AND s.created_at >= %(now)s - interval '29 days'
"""


def expected(channel: str, now: datetime) -> float:
    """Visits a second at this hour of the week, over the last four weeks; probes are no visits."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPECTED, {"channel": channel, "now": now})
        return float(cursor.fetchone()[0]) / (4 * 3600)


@sweeps.sweep("starved", every=60)
def sweep_starved(limit: int = 100) -> int:
    """Put a channel's ways in doubt when customers who should come do not. Returns the ways."""
    now, done = clock.now(), 0
    mine_of = Way.objects.filter(retired_at=None).exclude(purpose=ways.DEVICE)
    channels = mine_of.order_by("channel").values_list("channel", flat=True).distinct()
    for channel in channels:
        needed = silent_for(expected(channel, now))
        if needed is None or needed > LONGEST_WAIT.total_seconds():
            continue
        visits = Session.objects.filter(channel=channel, created_at__gte=now - timedelta(seconds=needed))
        if visits.exclude(account__probe=True).exists():
            continue
        mine = list(mine_of.filter(channel=channel).values_list("slug", flat=True))
        done += _doubt(
            mine, f"nobody has come by {channel} for {needed / 60:.0f} minutes, in which somebody should have"
        )
    return done


def _doubt(slugs: Iterable[str], why: str) -> int:
    done = 0
    for slug in slugs:
        base, device = devices.parts(slug)
        with transaction.atomic():
            try:
                way, state = standing.lock(slug if not device else cells.ensure(base, device) or slug)
            except standing.UnknownWay:
                continue
            wary = state.wary_since is not None and clock.now() - state.wary_since < BACK
            known = Name(way.standing) in cells.AGAINST if device else Name(way.standing) not in NAMED
            if wary or known:
                continue
            state = deciding.decided(way, state, "doubt", clock.now(), who="its absences", reason=why)
            standing.write(way, state, why)
            if ways.browser_for(slug):
                turns.ask(slug, ANSWERS, asked_by="")
            pager.call(f"doubt-{slug}-{way.version}", f"{slug}: {why}")
            done += 1
    return done
