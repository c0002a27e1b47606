"""Incidents open and close themselves: one a cause, from the exposures that run. Rows only; what is shown is `public`.

The cause of a failing way is its provider: a provider that dies takes all of its ways, and that is one problem. What
fails on one kind of device only is put down to that kind. That nothing works at all is a problem of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max, Sum

from doenda.assurance import devices, exposure, no_way, pager, ways
from doenda.assurance.models import Exposure, Incident, IncidentEvent, NoWay
from doenda.billing.models import Bill
from doenda.kernel import clock, facts, sweeps

COUNTED_EVERY = timedelta(seconds=60)
_LOCK = 0x1C1DE27


@dataclass(frozen=True, slots=True)
class Cause:
    """What fails now for one cause: since when, when we knew, and which ways."""

    onset: datetime
    detected_at: datetime
    ways: frozenset[str] = field(default_factory=frozenset)


def cause_of(way: str) -> str:
    """The cause to which a failing way (its slug) is put down."""
    base, device = devices.parts(way)
    return f"device:{device}" if device else f"provider:{base.split('/')[2]}"


def causes(failing: Mapping[str, tuple[datetime, datetime]]) -> dict[str, Cause]:
    """What fails, by cause, from way → (onset, detected at) (pure). A way that fails fails on every kind of device."""
    found: dict[str, Cause] = {}
    for way, (onset, detected) in sorted(failing.items()):
        base, device = devices.parts(way)
        if device and base in failing:
            continue
        known = found.get(cause_of(way))
        found[cause_of(way)] = (
            Cause(onset, detected, frozenset({way}))
            if known is None
            else Cause(min(onset, known.onset), min(detected, known.detected_at), known.ways | {way})
        )
    return found


@facts.subscribes("assurance.no_way", name="assurance.incidents")
@facts.subscribes("assurance.way_again", name="assurance.incidents_again")
@facts.subscribes("assurance.way_changed", name="assurance.incidents_changed")
def _changed(fact: facts.Fact) -> None:
    """Not here: whoever judges a way holds its lock, and counting takes its time."""
    sweeps.nudge("incidents")


@sweeps.sweep("incidents", every=2)
def sweep(limit: int = 100) -> int:
    """Open, extend, count and close. Returns how many incidents changed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
            if not cursor.fetchone()[0]:
                return 0
        rows = list(Exposure.objects.filter(ended_at=None).values_list("way_id", "onset", "committed_at"))
        now_failing = causes({way: (onset, committed) for way, onset, committed in rows})
        if (nothing := no_way.running()) and (rows or clock.now() - nothing.since >= no_way.PAGED_AFTER):
            now_failing[f"no_way:{nothing.purpose}"] = Cause(nothing.since, nothing.created_at)
        open_now = {each.cause: each for each in Incident.objects.filter(mended_at=None)}
        failing = {way for way, _, _ in rows}
        changed = sum(_go_on(cause, what, open_now.get(cause), failing) for cause, what in now_failing.items())
        return changed + sum(_close(each) for cause, each in open_now.items() if cause not in now_failing)


def _go_on(cause: str, what: Cause, known: Incident | None, failing: Iterable[str]) -> int:
    """`failing`: every way that fails, for an incident that is about all of them."""
    incident = known or Incident.objects.create(
        cause=cause, onset=min(what.onset, what.detected_at), detected_at=what.detected_at
    )
    told = _failing_of(incident)
    for way in sorted(what.ways - told):
        _note(incident, "withdrawn", way, what.detected_at if known is None else clock.now())
    for way in sorted(told - what.ways):
        _note(incident, "returned", way, clock.now())
    if known is None and not what.ways:
        _note(incident, "no_way", "", what.detected_at)
    if known is None and incident.cause == cause_of(f"voice/person/{ways.LINE}"):
        since = f"{clock.local(incident.onset):%F %R}"
        pager.call(
            f"line-{incident.pk}", f"{settings.DOENDA_CARRIER['en']}: nobody answers the telephone since {since}"
        )
    counted = _count(incident, what.ways or failing)
    return int(known is None or told != what.ways or counted)


def _failing_of(incident: Incident) -> set[str]:
    failing: set[str] = set()
    for what, way in incident.events.order_by("at", "id").values_list("what", "way"):
        if what == "withdrawn":
            failing.add(way)
        elif what == "returned":
            failing.discard(way)
    return failing


def _close(incident: Incident) -> int:
    """Mended when the last of its exposures ended, which is when the way was proven again."""
    ended = _last_end(incident)
    for way in sorted(_failing_of(incident)):
        _note(incident, "returned", way, ended)
    _note(incident, "mended", "", ended)
    incident.mended_at = max(ended, incident.detected_at)
    incident.save(update_fields=["mended_at"])
    facts.record("assurance.incident_mended", None, {"incident": str(incident.pk), "cause": incident.cause})
    return 1


def _last_end(incident: Incident) -> datetime:
    kind, _, name = incident.cause.partition(":")
    if kind == "no_way":
        ended = NoWay.objects.filter(purpose=name).aggregate(last=Max("until"))
    elif kind == "device":
        ended = Exposure.objects.filter(way__slug__endswith=devices.cell("", name)).aggregate(last=Max("ended_at"))
    else:
        ended = Exposure.objects.filter(way__provider=name).aggregate(last=Max("ended_at"))
    return ended["last"] or clock.now()


def _count(incident: Incident, ways: Iterable[str]) -> bool:
    """How many it touches, and the money that waits; the highest figures stay. Returns whether they grew."""
    now = clock.now()
    if incident.counted_at is not None and now - incident.counted_at < COUNTED_EVERY:
        return False
    accounts = {account for way in ways for account in exposure.misled(way)}
    sums = Bill.objects.filter(account_id__in=accounts, state=Bill.State.OPEN).values("currency")
    owed = sums.annotate(a=Sum("amount"), f=Sum("late_fee"), p=Sum("paid"), c=Sum("credited")).order_by("-a").first()
    delayed = owed["a"] + owed["f"] - owed["p"] - owed["c"] if owed else 0
    grew = len(accounts) > incident.affected or delayed > incident.delayed
    incident.affected, incident.delayed = max(incident.affected, len(accounts)), max(incident.delayed, delayed)
    incident.currency, incident.counted_at = incident.currency or (owed["currency"] if owed else ""), now
    incident.save(update_fields=["affected", "delayed", "currency", "counted_at"])
    return grew


def _note(incident: Incident, what: str, way: str, at: datetime) -> None:
    IncidentEvent.objects.bulk_create(
        [IncidentEvent(incident=incident, what=what, way=way, at=at)], ignore_conflicts=True
    )


def shown(days: int = 14) -> list[Incident]:
    """The open ones, and those of the last days, the newest first, with their timelines."""
    since = clock.now() - timedelta(days=days)
    found = Incident.objects.exclude(mended_at__lt=since).order_by("-detected_at", "-pk")
    return list(found.prefetch_related("events")[:100])
